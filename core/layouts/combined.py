"""Layouts of a body with hands, and of the landmarks found from optical markers. Data, no logic."""

from __future__ import annotations

from ..smpl_skeleton import SIDES
from .base import FINGER_POINTS, Layout, LayoutPoint
from .bodies import BODY25, COCO17_POINTS, HALPE26, MEDIAPIPE_WITH_HANDS_POINTS
from .hands import hand_points

_HANDS: tuple[LayoutPoint, ...] = (*hand_points("left"), *hand_points("right"))
_NUM_FACE_POINTS = 68

BODY25_HANDS = Layout("body25_hands", "BODY25 and hands (EasyMocap)", (*BODY25.points, *_HANDS))

WHOLEBODY133 = Layout(
    "wholebody133",
    "COCO-WholeBody 133",
    (
        *COCO17_POINTS,
        *(
            LayoutPoint(f"{side}_{stem}", f"{side}_{stem}", weight)
            for side in SIDES
            for stem, weight in (("big_toe", 0.9), ("small_toe", 0.8), ("heel", 0.9))
        ),
        *(LayoutPoint(f"face_{number}", None) for number in range(_NUM_FACE_POINTS)),
        *_HANDS,
    ),
)

HALPE136 = Layout(
    "halpe136",
    "HALPE 136 (AlphaPose, Pose2Sim)",
    (
        *HALPE26.points,
        *(LayoutPoint(f"face_{number}", None) for number in range(_NUM_FACE_POINTS)),
        *_HANDS,
    ),
)

MEDIAPIPE75 = Layout("mediapipe75", "MediaPipe 75 (FreeMoCap 1)", (*MEDIAPIPE_WITH_HANDS_POINTS, *_HANDS))

MARKERS = Layout(
    "markers",
    "Optical markers",
    (
        LayoutPoint("neck", "neck", 0.3),
        *(LayoutPoint(name, name, weight) for name, weight in (("sacrum", 0.8), ("c7", 0.3), ("t10", 0.3))),
        *(LayoutPoint(name, name, 0.3) for name in ("manubrium", "sternum")),
        LayoutPoint("nose", "nose", 0.2),
        *(
            LayoutPoint(f"{side}_{stem}", f"{side}_{stem}", weight)
            for stem, weight in (
                ("asis", 0.8),
                ("psis", 0.8),
                ("hip", 0.6),
                ("knee", 1.0),
                ("ankle", 1.0),
                ("heel", 0.6),
                ("foot", 0.5),
                ("big_toe", 0.5),
                ("fifth_metatarsal", 0.3),
                ("sternoclavicular", 0.3),
                ("shoulder", 0.5),
                ("elbow", 1.0),
                ("elbow_lateral", 0.3),
                ("elbow_medial", 0.3),
                ("wrist", 1.0),
                ("index_knuckle", 0.4),
                ("pinky_knuckle", 0.4),
                ("ear", 0.3),
            )
            for side in SIDES
        ),
    ),
)

MARKERS_HANDS = Layout(
    "markers_hands",
    "Optical markers with fingers",
    (
        *MARKERS.points,
        *(LayoutPoint(name, None, finger=name) for name in FINGER_POINTS if not name.endswith("wrist")),
    ),
)
