"""The 21 points of a hand: the wrist, then four joints per finger from root to tip.

Joints 1 to 3 of a finger are SMPL-H's joints of the same names: the knuckle and the two joints beyond it of a long
finger; the base, the knuckle and the joint beyond it of the thumb. Joint 4 is the tip.
"""

from __future__ import annotations

from .base import FINGERS, LayoutPoint

_KNUCKLE_WEIGHT = 0.7
_THUMB_WEIGHT = 0.5


def finger_point(side: str, finger: str, joint: int, name: str) -> LayoutPoint:
    """Return the point *name* of joint 1 to 4 of a finger; the body's fit uses the knuckles alone.

    The knuckles show the rotation of the wrist.
    """
    is_knuckle = joint == (2 if finger == "thumb" else 1)
    weight = _THUMB_WEIGHT if finger == "thumb" else _KNUCKLE_WEIGHT
    solver = f"{side}_{finger}_knuckle" if is_knuckle else None
    return LayoutPoint(name, solver, weight, f"{side}_{finger}{joint}")


def hand_points(side: str) -> tuple[LayoutPoint, ...]:
    """Return the points of the hand on *side* in the order that OpenPose, COCO-WholeBody and MediaPipe share."""
    return (
        LayoutPoint(f"{side}_hand_wrist", None, finger=f"{side}_wrist"),
        *(
            finger_point(side, finger, joint, f"{side}_hand_{finger}{joint}")
            for finger in FINGERS
            for joint in range(1, 5)
        ),
    )
