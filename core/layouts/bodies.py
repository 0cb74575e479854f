"""Layouts of body joints and landmarks. Data, no logic.

The weights state how closely a layout's point matches its solver point: 1 if both are defined alike, less if the tools
that write the layout put it elsewhere (an annotator's ear is not the tragus; MediaPipe's hip lies on the outside;
H36M's thorax is the root of the neck).
"""

from __future__ import annotations

from ..smpl_skeleton import BODY25_NAMES, JOINT_NAMES, SIDES
from .base import Layout, LayoutPoint


def _sided(stem: str, weight: float = 1.0, solver: str | None = "") -> tuple[LayoutPoint, ...]:
    """Return the points left and right *stem*; *solver* is another stem for the solver points, or None for none."""
    return tuple(
        LayoutPoint(f"{side}_{stem}", f"{side}_{solver or stem}" if solver is not None else None, weight)
        for side in SIDES
    )


_BODY25_TO_SOLVER = {"neck": "mid_shoulder"}

BODY25 = Layout(
    "body25",
    "OpenPose BODY25",
    tuple(LayoutPoint(name, _BODY25_TO_SOLVER.get(name, name)) for name in BODY25_NAMES),
)

COCO17_POINTS: tuple[LayoutPoint, ...] = (
    LayoutPoint("nose", "nose"),
    *_sided("eye"),
    *_sided("ear", 0.7),
    *_sided("shoulder"),
    *_sided("elbow"),
    *_sided("wrist"),
    *_sided("hip", 0.9),
    *_sided("knee"),
    *_sided("ankle"),
)
"""COCO's 17 points; several layouts begin with them."""

COCO17 = Layout("coco17", "COCO 17", COCO17_POINTS)

HALPE26 = Layout(
    "halpe26",
    "HALPE 26 (Pose2Sim, RTMPose)",
    (
        *COCO17_POINTS,
        LayoutPoint("head", "head_top", 0.7),
        LayoutPoint("neck", "mid_shoulder", 0.8),
        LayoutPoint("hip", "mid_hip"),
        *_sided("big_toe", 0.9),
        *_sided("small_toe", 0.8),
        *_sided("heel", 0.9),
    ),
)

RTMPOSE_BODY = Layout(
    "rtmpose_body",
    "RTMPose body of FreeMoCap 2",
    (
        *COCO17_POINTS,
        *_sided("big_toe", 0.9),
        *_sided("small_toe", 0.8),
        *_sided("heel", 0.9),
        LayoutPoint("head_center", None),
        LayoutPoint("neck_center", "mid_shoulder", 0.8),
        LayoutPoint("trunk_center", None),
        LayoutPoint("hips_center", "mid_hip"),
    ),
)

H36M17 = Layout(
    "h36m17",
    "Human3.6M 17 (VideoPose3D)",
    (
        LayoutPoint("hip", "mid_hip", 0.9),
        LayoutPoint("right_hip", "right_hip", 0.8),
        LayoutPoint("right_knee", "right_knee"),
        LayoutPoint("right_foot", "right_ankle", 0.9),
        LayoutPoint("left_hip", "left_hip", 0.8),
        LayoutPoint("left_knee", "left_knee"),
        LayoutPoint("left_foot", "left_ankle", 0.9),
        LayoutPoint("spine", "spine2", 0.3),
        LayoutPoint("thorax", "mid_shoulder", 0.5),
        LayoutPoint("neck_nose", "nose", 0.3),
        LayoutPoint("head", "head_top", 0.6),
        LayoutPoint("left_shoulder", "left_shoulder", 0.9),
        LayoutPoint("left_elbow", "left_elbow"),
        LayoutPoint("left_wrist", "left_wrist"),
        LayoutPoint("right_shoulder", "right_shoulder", 0.9),
        LayoutPoint("right_elbow", "right_elbow"),
        LayoutPoint("right_wrist", "right_wrist"),
    ),
)


def _mediapipe_points(*, hands: bool) -> tuple[LayoutPoint, ...]:
    """Return the 33 pose points; if the layout also has *hands*, their knuckles are used instead of the pose's."""

    def knuckle(finger: str, weight: float) -> tuple[LayoutPoint, ...]:
        return _sided(finger, weight, None if hands else f"{finger}_knuckle")

    eyes = [
        LayoutPoint(f"{side}_eye{part}", f"{side}_eye" if not part else None)
        for side in SIDES
        for part in ("_inner", "", "_outer")
    ]
    return (
        LayoutPoint("nose", "nose"),
        *eyes,
        *_sided("ear", 0.8),
        LayoutPoint("mouth_left", None),
        LayoutPoint("mouth_right", None),
        *_sided("shoulder", 0.8),
        *_sided("elbow"),
        *_sided("wrist"),
        *knuckle("pinky", 0.5),
        *knuckle("index", 0.5),
        *knuckle("thumb", 0.3),
        *_sided("hip", 0.6),
        *_sided("knee"),
        *_sided("ankle"),
        *_sided("heel", 0.8),
        *_sided("foot_index", 0.6, "big_toe"),
    )


MEDIAPIPE_WITH_HANDS_POINTS: tuple[LayoutPoint, ...] = _mediapipe_points(hands=True)
MEDIAPIPE33 = Layout("mediapipe33", "MediaPipe pose 33", _mediapipe_points(hands=False))

_SMPL_POINTS: tuple[LayoutPoint, ...] = tuple(LayoutPoint(name, name) for name in JOINT_NAMES)
SMPL24 = Layout("smpl24", "SMPL 24 joints", _SMPL_POINTS)
SMPL22 = Layout("smpl22", "SMPL 22 body joints", _SMPL_POINTS[:22])
