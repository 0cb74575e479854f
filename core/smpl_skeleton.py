"""The joint trees of SMPL and SMPL-H, and the named vertices of SMPL's mesh."""

from __future__ import annotations

from .skeleton import BODY, LEFT_HAND, RIGHT_HAND, Skeleton

SMPL = Skeleton(
    names=(
        "pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2", "left_ankle",
        "right_ankle", "spine3", "left_foot", "right_foot", "neck", "left_collar", "right_collar", "head",
        "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
        "left_hand", "right_hand",
    ),
    parents=(-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21),
    mirror=(0, 2, 1, 3, 5, 4, 6, 8, 7, 9, 11, 10, 12, 14, 13, 15, 17, 16, 19, 18, 21, 20, 23, 22),
    parts=(*[BODY] * 22, LEFT_HAND, RIGHT_HAND),
)  # fmt: skip
"""The 24 SMPL joints, in the model's order.

The constants below are of this skeleton. They are for what is made for its joints alone: the solver with its priors and
networks, the files of bodies, and their training. What works on a motion or a body takes the skeleton that it carries.
"""

JOINT_NAMES = SMPL.names
JOINT_PARENTS = SMPL.parents
JOINT_INDEX: dict[str, int] = {name: index for index, name in enumerate(SMPL.names)}
SUBTREES = SMPL.subtrees
NUM_JOINTS = SMPL.num_joints
NUM_BODY_ROTATIONS = len(SMPL.joints_of(BODY))
"""Joints that a fit rotates: the pelvis and 21 body joints. The two hand joints stay at identity."""

SIDES = ("left", "right")
"""The prefixes of joints and points that come in pairs."""
FINGERS = ("index", "middle", "pinky", "ring", "thumb")
"""A hand's fingers, in SMPL-H's order."""
FINGER_JOINTS = 3
"""Joints of a finger: knuckle, middle and end joint; those of the thumb are its base, knuckle and end joint."""


def _smplh() -> Skeleton:
    names, parents = [*SMPL.names[:NUM_BODY_ROTATIONS]], [*SMPL.parents[:NUM_BODY_ROTATIONS]]
    for side in SIDES:
        for finger in FINGERS:
            for number in range(1, FINGER_JOINTS + 1):
                parents.append(JOINT_INDEX[f"{side}_wrist"] if number == 1 else len(names) - 1)
                names.append(f"{side}_{finger}{number}")
    num_hand = FINGER_JOINTS * len(FINGERS)
    left, right = (tuple(range(first, first + num_hand)) for first in (NUM_BODY_ROTATIONS, len(names) - num_hand))
    return Skeleton(
        names=tuple(names),
        parents=tuple(parents),
        mirror=(*SMPL.mirror[:NUM_BODY_ROTATIONS], *right, *left),
        parts=(*[BODY] * NUM_BODY_ROTATIONS, *[LEFT_HAND] * num_hand, *[RIGHT_HAND] * num_hand),
    )


SMPLH = _smplh()
"""The 52 joints of SMPL-H, in the model's order: SMPL's body joints, and the fingers instead of SMPL's hand joints."""

NUM_VERTICES = 6890

VERTEX_IDS: dict[str, int] = {
    "nose": 332,
    "right_eye": 6260,
    "left_eye": 2800,
    "right_ear": 4071,
    "left_ear": 583,
    "left_big_toe": 3216,
    "left_small_toe": 3226,
    "left_heel": 3387,
    "right_big_toe": 6617,
    "right_small_toe": 6624,
    "right_heel": 6787,
    "left_thumb_tip": 2746,
    "left_index_tip": 2319,
    "left_middle_tip": 2445,
    "left_ring_tip": 2556,
    "left_pinky_tip": 2673,
    "right_thumb_tip": 6191,
    "right_index_tip": 5782,
    "right_middle_tip": 5905,
    "right_ring_tip": 6016,
    "right_pinky_tip": 6133,
}
"""Named vertices of the SMPL mesh (the ids that smplx uses)."""

BODY25_NAMES: tuple[str, ...] = (
    "nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist",
    "mid_hip", "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle", "right_eye",
    "left_eye", "right_ear", "left_ear", "left_big_toe", "left_small_toe", "left_heel", "right_big_toe",
    "right_small_toe", "right_heel",
)  # fmt: skip
"""OpenPose BODY25 in its own order and with its own names: its ``neck`` is the middle of the shoulders."""
