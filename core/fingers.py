"""Motions of SMPL's 24 joints and of SMPL-H's 52, converted into each other, and hands that nothing shows. F frames.

Convention: SMPL's axes, in which the body rests in a T-pose with palms down: +X left, +Y up, +Z front. A finger of the
left hand bends by a negative rotation about Z, one of the right hand by a positive one.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .math.rotations import axis_angle_to_matrix, matrix_to_axis_angle
from .motion import Motion
from .skeleton import LEFT_HAND, RIGHT_HAND, Skeleton
from .smpl_skeleton import FINGER_JOINTS, FINGERS, JOINT_INDEX, NUM_BODY_ROTATIONS, NUM_JOINTS, SMPL, SMPLH

HAND_JOINTS = (SMPLH.joints_of(LEFT_HAND), SMPLH.joints_of(RIGHT_HAND))
"""The 15 finger joints of the left and of the right hand in `SMPLH`."""

_BENDS_DEG = {
    "index": (10.0, 17.0, 10.0),
    "middle": (14.0, 21.0, 12.0),
    "ring": (18.0, 25.0, 15.0),
    "pinky": (20.0, 29.0, 18.0),
}
_THUMB_TURNS_DEG = ((12.0, 4.0, -8.0), (0.0, 10.0, 0.0), (0.0, 14.0, 0.0))


def _relaxed_hands() -> np.ndarray:
    left = np.zeros((len(FINGERS), FINGER_JOINTS, 3))
    for finger, bends in _BENDS_DEG.items():
        left[FINGERS.index(finger), :, 2] = -np.deg2rad(bends)
    left[FINGERS.index("thumb")] = np.deg2rad(_THUMB_TURNS_DEG)
    return mirrored_hands(left.reshape(-1, 3))


def mirrored_hands(left: np.ndarray) -> np.ndarray:
    """Return the rotations (..., 2, 15, 3) of both hands, the right one as the mirror image of *left* (..., 15, 3)."""
    return np.stack([left, left * np.array([1.0, -1.0, -1.0])], axis=-3)


FLAT_HANDS = np.zeros((2, len(FINGERS) * FINGER_JOINTS, 3))
"""(2, 15, 3) axis-angle of the fingers of both hands at rest: almost straight, next to each other."""
RELAXED_HANDS = _relaxed_hands()
"""(2, 15, 3) axis-angle of the fingers of hands that hang loosely, bent more from the index to the little finger.

Chosen by eye on the free body, as what `core.retarget.fingers` gives to characters less what the free body's fingers
are bent at rest. As in resting hands that were measured, the middle joints of the fingers bend most (Lee and Jung,
"Flexion and extension angles of resting fingers and wrist", International Journal of Occupational Safety and
Ergonomics 20, 2014), and each finger more than the one before it (Taylor and Schwarz, "The anatomy and mechanics of
the human hand", Artificial Limbs 2, 1955).
"""


HANDS = {"relaxed": RELAXED_HANDS, "flat": FLAT_HANDS}
"""The hands that nothing shows, by what the user chooses."""
DEFAULT_HANDS = "relaxed"


def has_fingers(skeleton: Skeleton) -> bool:
    """Return whether *skeleton* has SMPL-H's finger joints, by their names."""
    return set(SMPLH.names) <= set(skeleton.names)


def with_fingers(motion: Motion, hands: np.ndarray = RELAXED_HANDS) -> Motion:
    """Return *motion* on SMPL-H's joints; if it has these already, as it is.

    A rotation of SMPL's hand joint, which moves four fingers as one, becomes one of their first joints.

    Args:
        motion: a motion of SMPL's 24 joints, or of SMPL-H's 52.
        hands: (2, 15, 3) or (F, 2, 15, 3) axis-angle of the finger joints, left hand first.

    Raises:
        SkeletonError: the motion has other joints.
    """
    if motion.skeleton == SMPLH:
        return motion
    SMPL.check_same(motion.skeleton, of="the motion", as_in="SMPL")
    stored = motion.poses.reshape(-1, NUM_JOINTS, 3)
    fingers = np.broadcast_to(hands, (motion.num_frames, *FLAT_HANDS.shape)).copy()
    first = [FINGERS.index(finger) * FINGER_JOINTS for finger in FINGERS if finger != "thumb"]
    for side, joint in enumerate((JOINT_INDEX["left_hand"], JOINT_INDEX["right_hand"])):
        if stored[:, joint].any():
            turn = axis_angle_to_matrix(stored[:, joint])[:, None]
            fingers[:, side, first] = matrix_to_axis_angle(turn @ axis_angle_to_matrix(fingers[:, side, first]))
    return with_hands(motion, fingers)


def with_hands(motion: Motion, hands: np.ndarray) -> Motion:
    """Return *motion* on SMPL-H's joints with the fingers *hands* (F, 2, 15, 3) instead of its own.

    Args:
        motion: a motion of SMPL's 24 joints, whose hand joints are ignored, or of SMPL-H's 52.
        hands: axis-angle of the finger joints, left hand first.
    """
    body = motion.poses[:, : 3 * NUM_BODY_ROTATIONS]
    poses = np.concatenate([body, hands.reshape(motion.num_frames, -1)], axis=1)
    return replace(motion, poses=poses, skeleton=SMPLH)


def on_skeleton(motion: Motion, skeleton: Skeleton, hands: np.ndarray = RELAXED_HANDS) -> Motion:
    """Return *motion*, of SMPL's or SMPL-H's joints, on the other ones if *skeleton* has these; see `with_fingers`.

    Raises:
        SkeletonError: the motion has other joints.
    """
    return with_fingers(motion, hands) if has_fingers(skeleton) else without_fingers(motion)


def without_fingers(motion: Motion) -> Motion:
    """Return *motion* on SMPL's joints, its hand joints at rest; if it has SMPL's joints, as it is.

    Raises:
        SkeletonError: the motion has neither SMPL's nor SMPL-H's joints.
    """
    if motion.skeleton == SMPL:
        return motion
    SMPLH.check_same(motion.skeleton, of="the motion", as_in="SMPL-H")
    poses = np.zeros((motion.num_frames, 3 * NUM_JOINTS), dtype=motion.poses.dtype)
    poses[:, : 3 * NUM_BODY_ROTATIONS] = motion.poses[:, : 3 * NUM_BODY_ROTATIONS]
    return replace(motion, poses=poses, skeleton=SMPL)


def hands_of(motion: Motion) -> np.ndarray | None:
    """Return the fingers (F, 2, 15, 3) of *motion*, axis-angle, left hand first; None if it has none."""
    if not has_fingers(motion.skeleton):
        return None
    joints = [motion.skeleton.index(name) for name in SMPLH.names[NUM_BODY_ROTATIONS:]]
    return motion.poses.reshape(motion.num_frames, -1, 3)[:, joints].reshape(-1, *FLAT_HANDS.shape)
