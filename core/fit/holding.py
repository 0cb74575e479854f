"""Limbs that nothing explains are held, not guessed: their joints glide from the last seen pose to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..rotations import slerp_matrices
from ..skeletons import JOINT_INDEX, NUM_JOINTS
from .pose_prior import PART_CHAINS, seen_depth

_HELD_JOINTS: dict[str, tuple[tuple[str, ...], ...]] = {
    "trunk": (("neck", "head"),),
    "arm": (("left_shoulder", "left_elbow", "left_wrist"), ("left_elbow", "left_wrist"), ("left_wrist",)),
    "leg": (
        ("left_hip", "left_knee", "left_ankle", "left_foot"),
        ("left_knee", "left_ankle", "left_foot"),
        ("left_ankle", "left_foot"),
    ),
}
"""For each part, the joints left without evidence when the part is seen to depth 0, 1, 2."""
_TORSO = ("left_hip", "right_hip", "left_shoulder", "right_shoulder", "mid_hip", "mid_shoulder")
_MIN_TORSO_POINTS = 3


@dataclass(frozen=True, eq=False)
class Evidence:
    """What each frame's points can and cannot tell.

    Attributes:
        unknown: (F, 24) bool, joints whose rotation nothing in that frame explains, though other frames do.
        absent: (F,) bool, frames in which too little of the torso is seen to place the body.
        limbs: by limb ("left arm", "head"), (F,) bool, frames in which some of its joints are unknown.
    """

    unknown: np.ndarray
    absent: np.ndarray
    limbs: dict[str, np.ndarray]


def find_evidence(names: Sequence[str], weights: np.ndarray) -> Evidence:
    """Return what the points tell, frame by frame.

    A limb's joints are known as far out as its outermost point that is seen: with the knee hidden, the ankle still
    tells how the leg bends.

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
        usual = int(depth.max())
        limb = np.zeros(len(weights), dtype=bool)
        for level in range(min(usual, len(PART_CHAINS[part]))):
            beyond = [[_sided(name, side) for name in group] for group in PART_CHAINS[part][level + 1 :]]
            here = (depth == level) & ~absent & ~_seen_beyond(beyond, by_name)
            limb |= here
            for name in _HELD_JOINTS[part][level]:
                unknown[here, JOINT_INDEX[_sided(name, side)]] = True
        limbs["head" if part == "trunk" else f"{side} {part}"] = limb
    unknown[absent] = True
    return Evidence(unknown, absent, limbs)


def _sided(name: str, side: str) -> str:
    """Return the *side*'s own name of a left point or joint."""
    return name.replace("left", side)


def _seen_beyond(groups: Sequence[Sequence[str]], by_name: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return where (F,) a point of *groups* is seen."""
    seen = np.zeros(len(next(iter(by_name.values()))), dtype=bool)
    for name in (name for group in groups for name in group if name in by_name):
        seen |= by_name[name] > 0
    return seen


def hold(rotations: np.ndarray, trans: np.ndarray, evidence: Evidence) -> tuple[np.ndarray, np.ndarray]:
    """Return rotations (F, 24, 3, 3) and trans (F, 3) with unknown joints gliding between known frames.

    Args:
        rotations: (F, 24, 3, 3) local rotations.
        trans: (F, 3) metres.
        evidence: what is unknown.
    """
    held = rotations.copy()
    for joint in np.flatnonzero(evidence.unknown.any(axis=0)):
        unknown = evidence.unknown[:, joint]
        if unknown.all():
            continue
        before, after, share = _bracket(~unknown)
        glide = slerp_matrices(rotations[before, joint], rotations[after, joint], share)
        held[unknown, joint] = glide[unknown]
    if evidence.absent.any() and not evidence.absent.all():
        before, after, share = _bracket(~evidence.absent)
        glide = trans[before] + share[:, None] * (trans[after] - trans[before])
        trans = np.where(evidence.absent[:, None], glide, trans)
    return held, trans


def _bracket(known: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return for each frame the known frames around it and how far it lies between them, 0 to 1."""
    frames = np.arange(len(known))
    places = np.flatnonzero(known)
    position = np.searchsorted(places, frames, side="right") - 1
    before = places[np.clip(position, 0, len(places) - 1)]
    after = places[np.clip(np.searchsorted(places, frames, side="left"), 0, len(places) - 1)]
    gap = np.maximum(after - before, 1)
    return before, after, np.clip((frames - before) / gap, 0.0, 1.0).astype(np.float32)
