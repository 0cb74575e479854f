"""Keypoint layouts by name, and the solver point of each of their points."""

from __future__ import annotations

from .base import Layout, LayoutPoint
from .bodies import BODY25, COCO17, H36M17, HALPE26, MEDIAPIPE33, RTMPOSE_BODY, SMPL22, SMPL24
from .combined import BODY25_HANDS, MARKERS, MEDIAPIPE75, WHOLEBODY133

LAYOUTS: dict[str, Layout] = {
    layout.name: layout
    for layout in (
        BODY25,
        BODY25_HANDS,
        COCO17,
        HALPE26,
        WHOLEBODY133,
        H36M17,
        MEDIAPIPE33,
        MEDIAPIPE75,
        RTMPOSE_BODY,
        SMPL22,
        SMPL24,
        MARKERS,
    )
}
"""Every layout by the name used in options and files."""

__all__ = [
    "BODY25",
    "BODY25_HANDS",
    "COCO17",
    "H36M17",
    "HALPE26",
    "LAYOUTS",
    "MARKERS",
    "MEDIAPIPE33",
    "MEDIAPIPE75",
    "RTMPOSE_BODY",
    "SMPL22",
    "SMPL24",
    "WHOLEBODY133",
    "Layout",
    "LayoutPoint",
]
