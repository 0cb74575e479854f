"""A skeleton of SMPL's joints and three joints of a finger on each hand, in another order, and the free body on it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from core.body.data import BodyData
from core.body.free_body import load_free_body
from core.motion import Motion
from core.skeleton import BODY, LEFT_HAND, RIGHT_HAND, Skeleton
from core.smpl_skeleton import SMPL, VERTEX_IDS

ALONG_FINGER = (0.2, 0.5, 0.8)
"""Where the three joints lie between the hand joint and the fingertip."""


def _fingered() -> Skeleton:
    parent_of = {name: SMPL.names[SMPL.parents[joint]] if joint else "" for joint, name in enumerate(SMPL.names)}
    for side in ("left", "right"):
        chain = [f"{side}_hand", *(f"{side}_index{number}" for number in (1, 2, 3))]
        parent_of.update(zip(chain[1:], chain[:-1], strict=True))
    names: list[str] = []

    def visit(joint: str) -> None:
        names.append(joint)
        for name, parent in parent_of.items():
            if parent == joint:
                visit(name)

    visit("pelvis")
    sides = {"left": "right", "right": "left"}
    other = {name: "_".join(sides.get(word, word) for word in name.split("_")) for name in names}
    hands = {"left": LEFT_HAND, "right": RIGHT_HAND}
    return Skeleton(
        names=tuple(names),
        parents=tuple(names.index(parent_of[name]) if parent_of[name] else -1 for name in names),
        mirror=tuple(names.index(other[name]) for name in names),
        parts=tuple(hands[name.split("_")[0]] if "hand" in name or "index" in name else BODY for name in names),
    )


FINGERED = _fingered()
"""30 joints, each limb with its joints one after the other: few have the index that they have in SMPL's order."""
SMPL_JOINTS = [FINGERED.index(name) for name in SMPL.names]
FINGERS = [joint for joint, name in enumerate(FINGERED.names) if "index" in name]


@cache
def fingered_body() -> BodyData:
    """Return the free body with finger joints that take most of the hand's skin, and correctives of their own."""
    body, rng = load_free_body(), np.random.default_rng(7)
    regressor = np.zeros((FINGERED.num_joints, len(body.v_template)), dtype=np.float32)
    weights = np.zeros(regressor.T.shape, dtype=np.float32)
    directions = np.zeros((*body.posedirs.shape[:2], FINGERED.num_joints, 9), dtype=np.float32)
    regressor[SMPL_JOINTS], weights[:, SMPL_JOINTS] = body.joint_regressor, body.weights
    directions[:, :, SMPL_JOINTS[1:]] = body.posedirs.reshape(*body.posedirs.shape[:2], -1, 9)
    directions[:, :, FINGERS] = rng.normal(0.0, 1e-3, directions[:, :, FINGERS].shape)
    for side in ("left", "right"):
        hand, fingers = FINGERED.index(f"{side}_hand"), [FINGERED.index(f"{side}_index{n}") for n in (1, 2, 3)]
        for joint, share in zip(fingers, ALONG_FINGER, strict=True):
            regressor[joint] = (1.0 - share) * regressor[hand]
            regressor[joint, VERTEX_IDS[f"{side}_index_tip"]] += share
        shares = rng.dirichlet(np.ones(4), len(weights)) * weights[:, [hand]]
        weights[:, [hand, *fingers]] = shares
    posedirs = directions[:, :, 1:].reshape(*body.posedirs.shape[:2], -1)
    return replace(body, posedirs=posedirs, joint_regressor=regressor, weights=weights, skeleton=FINGERED)


def with_fingers(motion: Motion, bend_rad: float = 0.0) -> Motion:
    """Return *motion* on the fingered skeleton, its fingers more and more bent over the clip, up to *bend_rad*."""
    poses = np.zeros((motion.num_frames, FINGERED.num_joints, 3))
    poses[:, SMPL_JOINTS] = motion.poses.reshape(motion.num_frames, -1, 3)
    poses[:, FINGERS, 2] = bend_rad * np.linspace(0.0, 1.0, motion.num_frames)[:, None]
    return replace(motion, poses=poses.reshape(motion.num_frames, -1), skeleton=FINGERED)
