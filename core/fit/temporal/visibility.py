"""Find hidden limbs, and interpolate their joints between seen poses.

A hidden limb's joints are interpolated relative to their parents, so the limb follows the body. The interpolation uses
time and the motion of the rest of the body (`core.fit.temporal.rotation_gaps`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from ...math.rotations import quat_wxyz_to_matrix, slerp_matrices
from ...math.runs import find_runs
from ...smpl_skeleton import JOINT_INDEX, NUM_JOINTS
from ..priors.regression_prior import PART_CHAINS, seen_depth
from .pose_artifacts import unbroken_quats
from .rotation_gaps import fill_gap

_UNOBSERVED_JOINTS: dict[str, tuple[tuple[str, ...], ...]] = {
    "trunk": (("neck", "head"),),
    "arm": (("left_shoulder", "left_elbow", "left_wrist"), ("left_elbow", "left_wrist"), ("left_wrist",)),
    "leg": (
        ("left_hip", "left_knee", "left_ankle", "left_foot"),
        ("left_knee", "left_ankle", "left_foot"),
        ("left_ankle", "left_foot"),
    ),
}
"""For each part, the joints that are unobserved when the part is seen to depth 0, 1, 2."""
_TORSO = ("left_hip", "right_hip", "left_shoulder", "right_shoulder", "mid_hip", "mid_shoulder")
_MIN_TORSO_POINTS = 3
_SHORT_GAP_S = 0.2
"""Gaps up to this length are filled by time alone."""
_FEATURE_JOINTS = tuple(
    joint
    for name, joint in JOINT_INDEX.items()
    if joint and not name.endswith(("_wrist", "_hand", "_foot")) and name != "head"
)
_FEATURE_TIMES_S = (-0.2, -0.1, 0.0, 0.1, 0.2)
"""The joints whose rotations predict a hidden limb's motion, and the times around a frame at which they are read."""


@dataclass(frozen=True, eq=False)
class Visibility:
    """Which joints each frame's points show.

    Attributes:
        unknown: (F, 24) bool, joints that are unobserved in the frame but observed in others.
        absent: (F,) bool, frames in which too little of the torso is seen to locate the body.
        limbs: by limb ("left arm", "head"), (F,) bool, frames in which one or more of its joints are unknown.
    """

    unknown: np.ndarray
    absent: np.ndarray
    limbs: dict[str, np.ndarray]

    def select(self, frames: slice) -> Visibility:
        """Return the visibility in the selected frames."""
        limbs = {limb: marked[frames] for limb, marked in self.limbs.items()}
        return Visibility(self.unknown[frames], self.absent[frames], limbs)

    @classmethod
    def joined(cls, parts: Sequence[Visibility]) -> Visibility:
        """Return the *parts*, which have the same limbs, concatenated over the frames."""
        limbs = {limb: np.concatenate([part.limbs[limb] for part in parts]) for limb in parts[0].limbs}
        unknown, absent = (np.concatenate([getattr(part, name) for part in parts]) for name in ("unknown", "absent"))
        return cls(unknown, absent, limbs)


def find_visibility(names: Sequence[str], weights: np.ndarray) -> Visibility:
    """Return the visibility of joints and limbs, frame by frame.

    A limb's joints are known as far out as its outermost seen point: with the knee hidden, the ankle still shows how
    the leg bends.

    Args:
        names: the solver points.
        weights: (F, K) 0 where missing.
    """
    by_name = {name: weights[:, index] for index, name in enumerate(names)}
    unknown = np.zeros((len(weights), NUM_JOINTS), dtype=bool)
    limbs = {}
    torso = [name for name in _TORSO if name in by_name]
    absent = np.stack([by_name[name] > 0 for name in torso]).sum(axis=0) < _MIN_TORSO_POINTS
    for part, side in (("trunk", "left"), ("arm", "left"), ("arm", "right"), ("leg", "left"), ("leg", "right")):
        depth = seen_depth(part, by_name, side)
        deepest = int(depth.max())
        limb = np.zeros(len(weights), dtype=bool)
        for level in range(min(deepest, len(PART_CHAINS[part]))):
            beyond = [[_sided(name, side) for name in group] for group in PART_CHAINS[part][level + 1 :]]
            here = (depth == level) & ~absent & ~_seen_beyond(beyond, by_name)
            limb |= here
            for name in _UNOBSERVED_JOINTS[part][level]:
                unknown[here, JOINT_INDEX[_sided(name, side)]] = True
        limbs["head" if part == "trunk" else f"{side} {part}"] = limb
    unknown[absent] = True
    return Visibility(unknown, absent, limbs)


def _sided(name: str, side: str) -> str:
    """Return the name of a left point or joint for *side*."""
    return name.replace("left", side)


def _seen_beyond(groups: Sequence[Sequence[str]], by_name: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return where (F,) bool any point of *groups* is seen."""
    seen = np.zeros(len(next(iter(by_name.values()))), dtype=bool)
    for name in (name for group in groups for name in group if name in by_name):
        seen |= by_name[name] > 0
    return seen


def interpolate_unobserved(
    rotations: np.ndarray, trans: np.ndarray, visibility: Visibility, fps: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return rotations (F, 24, 3, 3) and trans (F, 3) with unknown joints interpolated between known frames.

    Short gaps are filled first; their filled values then count as seen when other joints' gaps are filled.

    Args:
        rotations: (F, 24, 3, 3) local rotations.
        trans: (F, 3) metres.
        visibility: the unknown joints and absent frames.
        fps: frames per second.
    """
    absent = visibility.absent
    if absent.any() and not absent.all():
        filled = trans.copy()
        for gap in find_runs(absent):
            closed = gap.start > 0 and gap.stop < len(trans)
            filled[gap] = fill_gap(trans, ~absent, gap, fps, moves_on=closed)
        trans = filled
    gaps = _joint_gaps(visibility.unknown)
    if not gaps:
        return rotations, trans
    interpolated = _slerped(rotations, visibility.unknown)
    body = _BodyMotion(unbroken_quats(interpolated).astype(np.float64), interpolated[:, 0, 1].astype(np.float64), fps)
    for gap, joints in gaps:
        known = ~visibility.unknown[:, joints[0]]
        others = [joint for joint in _FEATURE_JOINTS if not visibility.unknown[gap, joint].any()]
        use_features = bool(others) and gap.stop - gap.start > _SHORT_GAP_S * fps
        values = body.quats[:, joints].reshape(len(interpolated), -1)
        quats = fill_gap(values, known, gap, fps, features=partial(body.features, others) if use_features else None)
        quats = quats.reshape(-1, len(joints), 4)
        quats /= np.maximum(np.linalg.norm(quats, axis=-1, keepdims=True), 1e-9)
        body.quats[gap, joints] = quats
        interpolated[gap, joints] = quat_wxyz_to_matrix(quats)
    return interpolated, trans


@dataclass(frozen=True, eq=False)
class _BodyMotion:
    """The body's motion, as features that predict a hidden limb.

    Attributes:
        quats: (F, 24, 4) local rotations, wxyz, with continuous signs.
        up: (F, 3) the vertical in the pelvis's axes.
        fps: frames per second.
    """

    quats: np.ndarray
    up: np.ndarray
    fps: float

    def features(self, joints: Sequence[int], frames: np.ndarray) -> np.ndarray:
        """Return the rotations of *joints* and the inclination of the pelvis (N, E) at and around *frames* (N,)."""
        parts = []
        for seconds in _FEATURE_TIMES_S:
            then = np.clip(frames + round(seconds * self.fps), 0, len(self.quats) - 1)
            parts += [self.quats[then][:, joints].reshape(len(frames), -1), self.up[then]]
        return np.concatenate(parts, axis=1)


def _joint_gaps(unknown: np.ndarray) -> list[tuple[slice, list[int]]]:
    """Return the gaps of joints that are known in other frames, shortest first, each with its joints."""
    by_pattern: dict[bytes, list[int]] = {}
    for joint in range(unknown.shape[1]):
        if unknown[:, joint].any() and not unknown[:, joint].all():
            by_pattern.setdefault(unknown[:, joint].tobytes(), []).append(joint)
    gaps = [(gap, joints) for joints in by_pattern.values() for gap in find_runs(unknown[:, joints[0]])]
    return sorted(gaps, key=lambda gap: gap[0].stop - gap[0].start)


def _slerped(rotations: np.ndarray, unknown: np.ndarray) -> np.ndarray:
    """Return *rotations* (F, 24, 3, 3) with *unknown* (F, 24) joints interpolated by slerp between known frames."""
    interpolated = rotations.copy()
    for joint in np.flatnonzero(unknown.any(axis=0) & ~unknown.all(axis=0)):
        before, after, fraction = _bracket(~unknown[:, joint])
        between = slerp_matrices(rotations[before, joint], rotations[after, joint], fraction)
        interpolated[unknown[:, joint], joint] = between[unknown[:, joint]]
    return interpolated


def _bracket(known: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return for each frame (F,) the known frames before and after it, and its position between them, 0 to 1."""
    frames = np.arange(len(known))
    known_frames = np.flatnonzero(known)
    position = np.searchsorted(known_frames, frames, side="right") - 1
    before = known_frames[np.clip(position, 0, len(known_frames) - 1)]
    after = known_frames[np.clip(np.searchsorted(known_frames, frames, side="left"), 0, len(known_frames) - 1)]
    gap = np.maximum(after - before, 1)
    return before, after, np.clip((frames - before) / gap, 0.0, 1.0).astype(np.float32)
