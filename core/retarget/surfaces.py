"""The surface of a body that hands touch: an ellipsoid for the head, cones for trunk and limbs. F frames, V vertices.

Source and character have the same parts, so a place on one has its counterpart on the other: the same share of the
part's length and the same direction from its axis.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..math.frames_last import apply_transposed
from ..math.rotations import unit
from ..smpl_skeleton import SIDES
from .tree import Pose

_LEAST_VERTICES = 12
_HALF_RANGE = (4.0, 96.0)
"""Percentiles of the skin's extent that a part's radius reaches to."""
_LEAST_RADIUS_M = 1e-4
_HAND_RADIUS = 0.05
"""Radius of a hand, of its arm's length."""
_LEAST_CAP = 0.3
"""Least height of the trunk's round ends, of its depth."""
HANDS = tuple(f"{side}_hand" for side in SIDES)
_LIMB_ENDS = {"upper_arm": "forearm", "forearm": "hand", "thigh": "shin"}


@dataclass(frozen=True, eq=False)
class Part:
    """A part of the body: an elliptic cone with round ends; an ellipsoid if start and end coincide.

    Attributes:
        joints: the joints that its start and its end move with; the radii are along the axes of the first.
        offsets: (2, 3) start and end relative to these joints, in their rest axes, metres.
        radii: (2, 3) semi-axes at start and end.
    """

    joints: tuple[int, int]
    offsets: np.ndarray
    radii: np.ndarray

    def ends(self, pose: Pose, frames: np.ndarray | slice = slice(None)) -> tuple[np.ndarray, np.ndarray]:
        """Return start and end (3, F) in the selected frames."""
        start, end = (pose.point(self.joints[end], self.offsets[end], frames) for end in (0, 1))
        return start, end

    def radius(self, share: np.ndarray, direction: np.ndarray, rotations: np.ndarray) -> np.ndarray:
        """Return the radius (F,) in a *direction* (3, F) at a *share* (F,) of the length.

        Args:
            share: 0 at the start, 1 at the end.
            direction: unit vectors in world axes.
            rotations: (3, 3, F) of the part's first joint.
        """
        radii = self.radii[0][:, None] + share * (self.radii[1] - self.radii[0])[:, None]
        scaled = apply_transposed(rotations, direction) / radii
        radius: np.ndarray = 1.0 / np.sqrt((scaled * scaled).sum(axis=0))
        return radius


@dataclass(frozen=True, eq=False)
class RestBody:
    """The vertices and joints on which the parts of a body are measured.

    Attributes:
        joints: index of the joint of each role; that of the last bone of the spine is "chest".
        positions: (3,) rest position of each role's joint.
        turns: (3, 3) rotation of each role's bone to SMPL's rest pose.
        vertices: (V, 3) rest vertices that move with each role's bone; roles without any are absent.
        hands: (3,) centre of each hand relative to its joint, in SMPL's rest axes.
    """

    joints: Mapping[str, int]
    positions: Mapping[str, np.ndarray]
    turns: Mapping[str, np.ndarray]
    vertices: Mapping[str, np.ndarray]
    hands: Mapping[str, np.ndarray]

    def local(self, role: str, points: np.ndarray) -> np.ndarray:
        """Return *points* (..., 3) relative to the joint of *role*, in SMPL's rest axes."""
        moved: np.ndarray = (points - self.positions[role]) @ self.turns[role].T
        return moved

    def skin(self, role: str) -> np.ndarray:
        """Return the vertices of *role* (V, 3) relative to its joint, in SMPL's rest axes."""
        return self.local(role, self.vertices.get(role, np.zeros((0, 3))))


def measure_parts(body: RestBody, like: Mapping[str, Part] | None = None, scale: float = 1.0) -> dict[str, Part]:
    """Return the parts of *body* by name.

    Args:
        body: the body at rest.
        like: the parts of another body, whose radii times *scale* stand for those that the skin does not show. What
            that body does not have either is never touched, so its size does not matter.
        scale: size of the body compared with that of *like*.
    """
    like = like or {}
    found = {"trunk": _trunk(body)}
    if "head" in body.joints:
        found["head"] = _head(body, like, scale)
    for side in SIDES:
        for role, end in _LIMB_ENDS.items():
            if f"{side}_{end}" in body.joints:
                found[f"{side}_{role}"] = _limb(body, f"{side}_{role}", f"{side}_{end}")
        hand = f"{side}_hand"
        if hand in body.joints:
            radius = _HAND_RADIUS * np.linalg.norm(body.positions[hand] - body.positions[f"{side}_upper_arm"])
            joint = body.joints[hand]
            found[hand] = Part((joint, joint), np.stack([body.hands[hand]] * 2), np.full((2, 3), radius))
    for name, part in found.items():
        if not np.isfinite(part.radii).all():
            radii = scale * like[name].radii if name in like else np.full((2, 3), _LEAST_RADIUS_M)
            found[name] = Part(part.joints, part.offsets, radii)
    return found


def _trunk(body: RestBody) -> Part:
    """Return the trunk, from the middle of the hips to the middle of the shoulders."""
    offsets, radii = [], []
    for role, ends, outwards in (("hips", "thigh", -1.0), ("chest", "upper_arm", 1.0)):
        middle = 0.5 * (body.positions[f"left_{ends}"] + body.positions[f"right_{ends}"])
        centre, half = _extent(body.skin(role))
        offset = body.local(role, middle)
        offset[2] = offset[2] if np.isnan(centre[2]) else centre[2]
        half[1] = np.maximum(outwards * (centre[1] - offset[1]) + half[1], _LEAST_CAP * half[2])
        offsets.append(offset)
        radii.append(half)
    return Part((body.joints["hips"], body.joints["chest"]), np.stack(offsets), np.stack(radii))


def _head(body: RestBody, like: Mapping[str, Part], scale: float) -> Part:
    centre, half = _extent(body.skin("head"))
    if np.isnan(centre).any():
        centre = scale * like["head"].offsets[0] if "head" in like else np.zeros(3)
    joint = body.joints["head"]
    return Part((joint, joint), np.stack([centre, centre]), np.stack([half, half]))


def _limb(body: RestBody, role: str, end_role: str) -> Part:
    """Return a limb with round cross-sections, whose radii are the median distances of the skin from its axis."""
    end = body.local(role, body.positions[end_role])
    skin, length, axis = body.skin(role), float(np.linalg.norm(end)), unit(end)
    share = skin @ axis / length
    distance = np.linalg.norm(skin - share[:, None] * length * axis, axis=1)
    halves = [distance[(share > low) & (share <= high)] for low, high in ((0.05, 0.5), (0.5, 0.95))]
    radii = [np.median(half) if len(half) >= _LEAST_VERTICES else np.nan for half in halves]
    joint = body.joints[role]
    return Part((joint, joint), np.stack([np.zeros(3), end]), np.repeat(radii, 3).reshape(2, 3))


def _extent(skin: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return centre (3,) and half extent (3,) of vertices (V, 3); NaN if there are too few."""
    if len(skin) < _LEAST_VERTICES:
        return np.full(3, np.nan), np.full(3, np.nan)
    low, high = np.percentile(skin, _HALF_RANGE, axis=0)
    return 0.5 * (low + high), np.maximum(0.5 * (high - low), _LEAST_RADIUS_M)
