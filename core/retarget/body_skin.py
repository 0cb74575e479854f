"""The skin of a character that can touch the floor besides its soles: trunk, head, arms, hands, legs. F frames."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ..cleanup.soles import lowest_points, spread_directions
from ..smpl_skeleton import SIDES
from .rig import Rig
from .soles import Support, movers, skinned_support
from .tree import Pose, Tree

_DIRECTIONS = 100
_LEAST_VERTICES = 6
_HAND_ARMS, _HAND_FINGERS = 0.6, 1.5
"""Skin farther from the wrist than the first share of the arm's length, and than the second times the distance of the
farthest finger joint, is that of a thing in the hand."""
_TRUNK = ("spine", "neck", "head")
_LOWER = 0.5
"""Share of a shin or a forearm beyond which its skin is lifted with the foot or the hand."""


@dataclass(frozen=True, eq=False)
class BodySkin:
    """The outermost vertices of the parts of a body: the contact candidates in any pose.

    Attributes:
        body: what only the whole body can lift: trunk, head, upper arms, thighs, and the halves of forearms and shins
            at elbows and knees; without what hangs from the trunk, such as capes.
        hands: for each side the hand with its fingers and the half of the forearm at the wrist.
        shins: for each side the half of the shin at the ankle.
    """

    body: tuple[Support, ...]
    hands: tuple[tuple[Support, ...], tuple[Support, ...]]
    shins: tuple[tuple[Support, ...], tuple[Support, ...]]

    @classmethod
    def of(cls, rig: Rig, tree: Tree) -> BodySkin:
        """Return the skin of *rig*; without vertices there is none."""
        skin = rig.skin
        owners = tree.owners(rig)
        main = owners[skin.main_bones] if len(skin.vertices) else np.zeros(0, dtype=np.int64)
        moved_by, directions = movers(skin, owners), spread_directions(_DIRECTIONS)
        far = np.zeros(len(main), dtype=bool)
        for side in SIDES:
            for upper, end in (("shin", "foot"), ("forearm", "hand")):
                if f"{side}_{end}" in tree.index:
                    far |= _beyond(
                        tree, main, skin.vertices, tree.index[f"{side}_{upper}"], tree.index[f"{side}_{end}"]
                    )

        def supports(joints: Iterable[str], *, ends: bool | None = None) -> tuple[Support, ...]:
            numbers = [tree.index[name] for name in joints if name in tree.index]
            chosen = [(joint, np.flatnonzero((main == joint) & (ends is None or far == ends))) for joint in numbers]
            return tuple(
                skinned_support(
                    rig, tree, owners, own[lowest_points(skin.vertices[own], moved_by[own], directions)], joint
                )
                for joint, own in chosen
                if len(own) >= _LEAST_VERTICES
            )

        held = np.zeros(len(main), dtype=bool)
        for side in SIDES:
            if f"{side}_hand" in tree.index:
                hand = tree.index[f"{side}_hand"]
                reach = np.linalg.norm(tree.heads[hand] - tree.heads[tree.index[f"{side}_upper_arm"]])
                away = np.linalg.norm(skin.vertices - tree.heads[hand], axis=1)
                fingers = np.linalg.norm(rig.heads[owners == hand] - tree.heads[hand], axis=1).max()
                held |= (main == hand) & (away > max(_HAND_ARMS * reach, _HAND_FINGERS * fingers))
        main = np.where(held | _hanging(tree, main, skin.vertices), -1, main)
        limbs = [f"{side}_{part}" for side in SIDES for part in ("forearm", "shin")]
        ends = [f"{side}_{part}" for side in SIDES for part in ("hand", "foot", "toe")]
        others = [name for name in tree.names if name not in (*limbs, *ends)]
        left, right = SIDES
        return cls(
            supports(others) + supports(limbs, ends=False),
            (
                supports([f"{left}_hand"]) + supports([f"{left}_forearm"], ends=True),
                supports([f"{right}_hand"]) + supports([f"{right}_forearm"], ends=True),
            ),
            (supports([f"{left}_shin"], ends=True), supports([f"{right}_shin"], ends=True)),
        )


def lowest(supports: Iterable[Support], pose: Pose) -> np.ndarray:
    """Return the height (F,) of the lowest point of *supports* in a pose; infinite if there is none."""
    found = np.full(pose.positions.shape[-1], np.inf)
    for support in supports:
        found = np.minimum(found, support.lowest(pose))
    return found


def _hanging(tree: Tree, main: np.ndarray, vertices: np.ndarray) -> np.ndarray:
    """Return which vertices (V,) hang from the trunk as capes, robes, long hair and tails do, by their *main* joints.

    Skin of spine and head is below the hip joints only if it hangs, that of the hips below the knees.
    """
    found = np.zeros(len(main), dtype=bool)
    trunk = [joint for joint, name in enumerate(tree.names) if name.partition(" ")[0] in _TRUNK]
    for joints, role in ((trunk, "thigh"), ([0], "shin")):
        level = min(tree.heads[tree.index[f"{side}_{role}"], 1] for side in SIDES)
        found |= np.isin(main, joints) & (vertices[:, 1] < level)
    return found


def _beyond(tree: Tree, main: np.ndarray, vertices: np.ndarray, joint: int, end: int) -> np.ndarray:
    """Return which vertices of *joint* lie nearer to its *end* than `_LOWER` of its length."""
    axis = tree.heads[end] - tree.heads[joint]
    share = (vertices - tree.heads[joint]) @ axis / max(float(axis @ axis), 1e-12)
    found: np.ndarray = (main == joint) & (share > _LOWER)
    return found
