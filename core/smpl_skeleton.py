"""The SMPL joint tree, and the named vertices of its mesh."""

from __future__ import annotations

JOINT_NAMES: tuple[str, ...] = (
    "pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2", "left_ankle",
    "right_ankle", "spine3", "left_foot", "right_foot", "neck", "left_collar", "right_collar", "head",
    "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
    "left_hand", "right_hand",
)  # fmt: skip
"""The 24 SMPL joints, in the model's order."""

JOINT_PARENTS: tuple[int, ...] = (
    -1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21,
)  # fmt: skip
"""Parent of each joint; the pelvis has none (-1)."""

NUM_JOINTS = len(JOINT_NAMES)
NUM_BODY_ROTATIONS = 22
"""Joints that a fit rotates: the pelvis and 21 body joints. The two hand joints stay at identity."""

NUM_VERTICES = 6890

JOINT_INDEX: dict[str, int] = {name: index for index, name in enumerate(JOINT_NAMES)}


def _subtree(root: int) -> tuple[int, ...]:
    """Return *root* and all its descendants."""
    joints = [root]
    for joint in range(root + 1, NUM_JOINTS):
        if JOINT_PARENTS[joint] in joints:
            joints.append(joint)
    return tuple(joints)


SUBTREES: tuple[tuple[int, ...], ...] = tuple(_subtree(joint) for joint in range(NUM_JOINTS))
"""For each joint, the joints that rotate with it: itself and its descendants."""

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
