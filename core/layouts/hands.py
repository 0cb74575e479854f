"""The 21 points of a hand, in the order that OpenPose, COCO-WholeBody and MediaPipe share."""

from __future__ import annotations

from .base import LayoutPoint

_FINGERS = ("thumb", "index", "middle", "ring", "pinky")
_KNUCKLE_WEIGHT = 0.7
_THUMB_WEIGHT = 0.5


def hand_points(side: str) -> tuple[LayoutPoint, ...]:
    """Return the 21 points of the hand on *side*: the wrist, then four joints per finger from root to tip.

    The fit does not bend fingers, so it uses only the knuckles: they show the rotation of the wrist.
    """
    points = [LayoutPoint(f"{side}_hand_wrist", None)]
    for finger in _FINGERS:
        knuckle = 2 if finger == "thumb" else 1
        weight = _THUMB_WEIGHT if finger == "thumb" else _KNUCKLE_WEIGHT
        for joint in range(1, 5):
            solver = f"{side}_{finger}_knuckle" if joint == knuckle else None
            points.append(LayoutPoint(f"{side}_hand_{finger}{joint}", solver, weight))
    return tuple(points)
