"""Contact points of the feet, and the joint chains from the pelvis to them. F frames, J joints.

Convention: metres, Y up. Contact points are ordered as `POINTS`: the heels, at the bottom of the back of the foot and
fixed to the ankle's bone, and the toe joints, about which a foot rolls off while the toes stay on the floor. The toe
joints are fixed to the ankle's bone too, so the distance between heel and toe of a foot is constant.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..body.model import BodyModel
from ..skeleton import Skeleton
from ..smpl_skeleton import SIDES
from .soles import Sole

POINTS = tuple(f"{side}_{part}" for side in SIDES for part in ("heel", "toe"))
LEG = ("hip", "knee", "ankle", "foot")
"""The joints of a leg, by their names without the side; the last is the toe joint."""

_END_SHARE = 0.2
_SOLE_SHARE = 0.06
"""Heel and toe tips lie in the last `_END_SHARE` of the foot's length; the sole there is what lies within `_SOLE_SHARE`
of the foot's length of the part's lowest point."""


@dataclass(frozen=True, eq=False)
class Feet:
    """Legs and feet of a body with a given shape, in the rest pose.

    Attributes:
        skeleton: the body's joints.
        rest: (J, 3) rest joints, metres.
        heels: (2, 3) the heels, relative to the ankles.
        tips: (2, 3) the tips of the toes, relative to the toe joints.
        toe_heights: (2,) height of the toe joints above the sole of a flat foot.
        leg_lengths: (2,) leg lengths from hip to ankle.
        soles: the skin of the left and the right foot.
    """

    skeleton: Skeleton
    rest: np.ndarray
    heels: np.ndarray
    tips: np.ndarray
    toe_heights: np.ndarray
    leg_lengths: np.ndarray
    soles: tuple[Sole, Sole]

    @classmethod
    def of_body(cls, model: BodyModel, betas: np.ndarray) -> Feet:
        """Measure the feet of *model* with *betas* (B,).

        Raises:
            SkeletonError: the body has no joints of a leg by SMPL's names.
        """
        shape = np.asarray(betas, dtype=np.float32)
        rest = np.asarray(model.rest_joints(shape), dtype=np.float64)
        vertices = np.asarray(model.rest_vertices(shape), dtype=np.float64)
        weights = np.asarray(model.data.weights)
        main_joint = weights.argmax(axis=1)
        heels, tips, toe_heights, lengths, soles = [], [], [], [], []
        for side in SIDES:
            hip, knee, ankle, foot = (model.skeleton.index(f"{side}_{name}") for name in LEG)
            own = np.isin(main_joint, (ankle, foot))
            skin = vertices[own]
            heels.append(_sole_end(skin, -1.0) - rest[ankle])
            tips.append(_sole_end(skin, 1.0) - rest[foot])
            toe_heights.append(rest[foot, 1] - skin[:, 1].min())
            lengths.append(np.linalg.norm(rest[knee] - rest[hip]) + np.linalg.norm(rest[ankle] - rest[knee]))
            soles.append(Sole.of_skin(skin, weights[own][:, [ankle, foot]], rest[ankle], rest[foot]))
        heights = np.array(toe_heights)
        return cls(
            model.skeleton, rest, np.stack(heels), np.stack(tips), heights, np.array(lengths), (soles[0], soles[1])
        )

    @property
    def leg_m(self) -> float:
        """Mean length of both legs, metres."""
        return float(self.leg_lengths.mean())

    @property
    def heights(self) -> np.ndarray:
        """Height of each contact point (4,) above the floor when planted, metres."""
        heights: np.ndarray = np.stack([np.zeros(2), self.toe_heights], axis=-1).reshape(-1)
        return heights

    def joint(self, side: str, name: str) -> int:
        """Return the index of a joint of `LEG` on a side."""
        return self.skeleton.index(f"{side}_{name}")

    @cached_property
    def chain_joints(self) -> list[int]:
        """The joints of the legs and all joints above them, parents before children."""
        legs = {self.joint(side, name) for side in SIDES for name in LEG}
        return [joint for joint, subtree in enumerate(self.skeleton.subtrees) if legs.intersection(subtree)]

    def chain(self, rotations: np.ndarray, trans: np.ndarray) -> tuple[dict[int, np.ndarray], dict[int, np.ndarray]]:
        """Return world rotations (F, 3, 3) and positions (F, 3) of the pelvis and the leg joints, by joint.

        Args:
            rotations: (F, J, 3, 3) local rotations; only those of these joints are read.
            trans: (F, 3) metres.
        """
        world, positions = {0: rotations[:, 0]}, {0: self.rest[0] + trans}
        for joint in self.chain_joints[1:]:
            parent = self.skeleton.parents[joint]
            world[joint] = world[parent] @ rotations[:, joint]
            positions[joint] = positions[parent] + world[parent] @ (self.rest[joint] - self.rest[parent])
        return world, positions

    def points(self, world: dict[int, np.ndarray], positions: dict[int, np.ndarray]) -> np.ndarray:
        """Return the contact points (F, 4, 3) for the world rotations and positions that `chain` returned."""
        found = []
        for number, side in enumerate(SIDES):
            ankle = self.joint(side, "ankle")
            found += [positions[ankle] + world[ankle] @ self.heels[number], positions[self.joint(side, "foot")]]
        return np.stack(found, axis=1)


def _sole_end(skin: np.ndarray, front: float) -> np.ndarray:
    """Return the centre (3,) of the sole at one end of a foot at rest, at the height of the whole sole.

    Args:
        skin: (V, 3) the foot's vertices.
        front: 1 for the tip of the toes, -1 for the heel.
    """
    along = front * skin[:, 2]
    length = np.ptp(along)
    end = skin[along > along.max() - _END_SHARE * length]
    centre: np.ndarray = end[end[:, 1] < end[:, 1].min() + _SOLE_SHARE * length].mean(axis=0)
    centre[1] = skin[:, 1].min()
    return centre
