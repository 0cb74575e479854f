"""Layouts of estimators and data sets that see people by cameras: SAM 3D Body, Kinect, Panoptic. Data, no logic."""

from __future__ import annotations

from ..smpl_skeleton import SIDES
from .base import Layout, LayoutPoint
from .bodies import COCO17_POINTS
from .hands import finger_point

_FINGERS = {"thumb": "thumb", "forefinger": "index", "middle_finger": "middle", "ring_finger": "ring"}
_FINGERS |= {"pinky_finger": "pinky"}


def _mhr_hand(side: str) -> tuple[LayoutPoint, ...]:
    """Return the 20 finger points, each finger from its tip to its root, and the wrist."""
    points = [
        finger_point(side, finger, joint, f"{side}_{name}{joint if joint > 1 else '_third_joint'}")
        for name, finger in _FINGERS.items()
        for joint in (4, 3, 2, 1)
    ]
    return (*points, LayoutPoint(f"{side}_wrist", f"{side}_wrist"))


def _sides(stem: str, solver: str | None = None, weight: float = 1.0) -> tuple[LayoutPoint, ...]:
    return tuple(LayoutPoint(f"{side}_{stem}", f"{side}_{solver}" if solver else None, weight) for side in SIDES)


MHR70 = Layout(
    "mhr70",
    "MHR 70 (SAM 3D Body)",
    (
        *(point for point in COCO17_POINTS if not point.name.endswith("wrist")),
        *(
            LayoutPoint(f"{side}_{stem}", f"{side}_{stem}", weight)
            for side in SIDES
            for stem, weight in (("big_toe", 0.9), ("small_toe", 0.8), ("heel", 0.9))
        ),
        *_mhr_hand("right"),
        *_mhr_hand("left"),
        *_sides("olecranon"),
        *_sides("cubital_fossa"),
        *_sides("acromion"),
        LayoutPoint("neck", "mid_shoulder", 0.5),
    ),
)
"""Order of the metadata of SAM 3D Body; Sapiens' 308 points begin with the same 70."""


def _arm(side: str, shoulder: float) -> tuple[LayoutPoint, ...]:
    return (
        LayoutPoint(f"{side}_shoulder", f"{side}_shoulder", shoulder),
        LayoutPoint(f"{side}_elbow", f"{side}_elbow"),
        LayoutPoint(f"{side}_wrist", f"{side}_wrist"),
    )


def _leg(side: str, hip: float) -> tuple[LayoutPoint, ...]:
    return (
        LayoutPoint(f"{side}_hip", f"{side}_hip", hip),
        LayoutPoint(f"{side}_knee", f"{side}_knee"),
        LayoutPoint(f"{side}_ankle", f"{side}_ankle"),
    )


def _face(side: str) -> tuple[LayoutPoint, ...]:
    return LayoutPoint(f"{side}_eye", f"{side}_eye", 0.7), LayoutPoint(f"{side}_ear", f"{side}_ear", 0.7)


PANOPTIC19 = Layout(
    "panoptic19",
    "CMU Panoptic 19 (COCO 19)",
    (
        LayoutPoint("neck", "mid_shoulder", 0.8),
        LayoutPoint("nose", "nose"),
        LayoutPoint("body_center", "mid_hip", 0.8),
        *_arm("left", 1.0),
        *_leg("left", 0.9),
        *_arm("right", 1.0),
        *_leg("right", 0.9),
        *_face("left"),
        *_face("right"),
    ),
)
"""Order of `joints19` of the CMU Panoptic Studio."""

_KINECT_SHOULDER, _KINECT_HIP = 0.7, 0.6


def _kinect25_arm(side: str) -> tuple[LayoutPoint, ...]:
    return (*_arm(side, _KINECT_SHOULDER), LayoutPoint(f"{side}_hand", None))


def _kinect_leg(side: str) -> tuple[LayoutPoint, ...]:
    return (*_leg(side, _KINECT_HIP), LayoutPoint(f"{side}_foot", f"{side}_foot", 0.4))


KINECT25 = Layout(
    "kinect25",
    "Kinect v2 25 (NTU RGB+D)",
    (
        LayoutPoint("spine_base", "mid_hip", 0.3),
        LayoutPoint("spine_mid", None),
        LayoutPoint("neck", None),
        LayoutPoint("head", None),
        *_kinect25_arm("left"),
        *_kinect25_arm("right"),
        *_kinect_leg("left"),
        *_kinect_leg("right"),
        LayoutPoint("spine_shoulder", "mid_shoulder", 0.5),
        *(LayoutPoint(f"{side}_{tip}", None) for side in SIDES for tip in ("hand_tip", "thumb")),
    ),
)
"""Order of `JointType` of the Kinect for Windows SDK 2.0, which NTU RGB+D keeps."""


def _kinect32_arm(side: str) -> tuple[LayoutPoint, ...]:
    return (
        LayoutPoint(f"{side}_clavicle", None),
        *_arm(side, _KINECT_SHOULDER),
        *(LayoutPoint(f"{side}_{part}", None) for part in ("hand", "hand_tip", "thumb")),
    )


KINECT32 = Layout(
    "kinect32",
    "Azure Kinect 32",
    (
        LayoutPoint("pelvis", "pelvis", 0.3),
        LayoutPoint("spine_navel", None),
        LayoutPoint("spine_chest", None),
        LayoutPoint("neck", None),
        *_kinect32_arm("left"),
        *_kinect32_arm("right"),
        *_kinect_leg("left"),
        *_kinect_leg("right"),
        LayoutPoint("head", None),
        LayoutPoint("nose", "nose", 0.8),
        *_face("left"),
        *_face("right"),
    ),
)
"""Order of `k4abt_joint_id_t` of the Azure Kinect Body Tracking SDK."""
