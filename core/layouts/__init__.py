"""Keypoint layouts by name, and the solver point of each of their points."""

from __future__ import annotations

from .base import FINGER_POINTS, FINGERS, HAND_POINTS, Layout, LayoutPoint
from .benchmarks import H36M32, HUMANEVA15, KIT21, LSP14, MPI17, MPI28, MPII16
from .bodies import BODY25, COCO17, H36M17, HALPE26, MEDIAPIPE33, RTMPOSE_BODY, SMPL22, SMPL24
from .cameras import KINECT25, KINECT32, MHR70, PANOPTIC19
from .combined import BODY25_HANDS, HALPE136, MARKERS, MARKERS_HANDS, MEDIAPIPE75, WHOLEBODY133
from .named import named_layout
from .skeletons import ARMATURE, ARMATURE_HANDS, SKELETON, SMPLH52, SMPLX55, SOMA30, SOMA77

LAYOUTS: dict[str, Layout] = {
    layout.name: layout
    for layout in (
        BODY25,
        BODY25_HANDS,
        COCO17,
        HALPE26,
        HALPE136,
        WHOLEBODY133,
        H36M17,
        MEDIAPIPE33,
        MEDIAPIPE75,
        RTMPOSE_BODY,
        SMPL22,
        SMPL24,
        MARKERS,
        MARKERS_HANDS,
        MHR70,
        PANOPTIC19,
        KINECT25,
        KINECT32,
        LSP14,
        HUMANEVA15,
        MPII16,
        H36M32,
        MPI17,
        MPI28,
        KIT21,
        SMPLH52,
        SMPLX55,
        SOMA30,
        SOMA77,
        SKELETON,
        ARMATURE,
        ARMATURE_HANDS,
    )
}
"""Every layout by the name used in options and files."""

NAMED = named_layout(layout for layout in LAYOUTS.values() if layout is not MARKERS_HANDS)
LAYOUTS[NAMED.name] = NAMED

ORDERED_ONLY = frozenset(
    (
        "markers", "markers_hands", "panoptic19", "lsp14", "humaneva15", "mpii16", "h36m32", "mpi17", "mpi28",
        "kit21", "soma30", "soma77", "armature", "armature_hands", "named",
    )
)  # fmt: skip
"""Layouts that no point names lead to: the files that use them have none, name bones, or are named by the user."""

__all__ = [
    "ARMATURE",
    "ARMATURE_HANDS",
    "BODY25",
    "BODY25_HANDS",
    "COCO17",
    "FINGERS",
    "FINGER_POINTS",
    "H36M17",
    "H36M32",
    "HALPE26",
    "HALPE136",
    "HAND_POINTS",
    "HUMANEVA15",
    "KINECT25",
    "KINECT32",
    "LAYOUTS",
    "LSP14",
    "MARKERS",
    "MARKERS_HANDS",
    "MEDIAPIPE33",
    "MEDIAPIPE75",
    "MHR70",
    "MPI17",
    "MPI28",
    "MPII16",
    "NAMED",
    "ORDERED_ONLY",
    "PANOPTIC19",
    "RTMPOSE_BODY",
    "SKELETON",
    "SMPL22",
    "SMPL24",
    "SMPLH52",
    "SMPLX55",
    "SOMA30",
    "SOMA77",
    "WHOLEBODY133",
    "Layout",
    "LayoutPoint",
]
