"""Conditions of the fit's evaluation: how each row disturbs a clip's keypoints."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from .realistic_errors import MIXED_ERRORS, ErrorModel
from .track_faults import Fault, HiddenLimb, MovedPerson, OutlierBeforeGap, OutlierRun, TradedLegs

CLEAN = ErrorModel()
SMPL_HIP_WIDTH_M = 0.137
"""Distance between the hips of SMPL's mean shape."""


@dataclass(frozen=True)
class Condition:
    """The disturbance of the keypoints in one row.

    Attributes:
        name: the row's name.
        know_betas: whether the fit gets the true betas.
        errors: the errors of all points.
        missing: share of points dropped at random.
        fault: a temporary fault in the track.
        layout: the layout's name.
        smpl_hips: whether the hip points are moved inwards to SMPL's own hip width.
        mode: "clip", "frames", or "known": each frame from the true pose of the previous one, as in the paper.
        read: whether the points pass through `core.reading`, which may refuse them, as from a file.
    """

    name: str
    know_betas: bool = True
    errors: ErrorModel = CLEAN
    missing: float = 0.0
    fault: Fault | None = None
    layout: str = "body25"
    smpl_hips: bool = False
    mode: str = "clip"
    read: bool = False


_estimated = partial(Condition, know_betas=False, read=True)

_LAYOUTS = {
    "COCO17": ("coco17", False),
    "H36M17": ("h36m17", False),
    "HALPE26": ("halpe26", False),
    "MediaPipe 33": ("mediapipe33", False),
    "WholeBody 133": ("wholebody133", False),
    "SMPL 22 joints": ("smpl22", False),
    "SMPL 24 joints": ("smpl24", False),
    "SMPL 22, SMPL's hip width": ("smpl22", True),
    "SMPL 24, SMPL's hip width": ("smpl24", True),
}

ERROR_ROWS = (
    _estimated("BODY25, clean"),
    _estimated("BODY25, 5 mm constant", errors=ErrorModel(constant_m=0.005)),
    _estimated("BODY25, 10 mm constant", errors=ErrorModel(constant_m=0.010)),
    _estimated("BODY25, 10 mm smooth, tau 0.1 s", errors=ErrorModel(smooth_m=0.010, tau_s=0.1)),
    _estimated("BODY25, 10 mm smooth, tau 0.3 s", errors=ErrorModel(smooth_m=0.010, tau_s=0.3)),
    _estimated("BODY25, mix", errors=MIXED_ERRORS),
    *(
        _estimated(f"{title}, {name}", errors=errors, layout=layout, smpl_hips=smpl_hips)
        for title, (layout, smpl_hips) in _LAYOUTS.items()
        for name, errors in (("clean", CLEAN), ("mix", MIXED_ERRORS))
    ),
)
"""Realistic tracker errors; the shape is estimated. The mix: 10 mm constant, 10 mm smooth (0.3 s), 5 mm white."""

FAULT_ROWS = (
    *(
        _estimated(f"one point {distance:g} m off, {frames} frames", fault=OutlierRun(distance, frames))
        for distance in (0.3, 1.0, 5.0, 100.0)
        for frames in (5, 20, 60)
    ),
    *(
        _estimated(f"one point {distance:g} m off before a gap", fault=OutlierBeforeGap(distance))
        for distance in (0.3, 1.0, 5.0, 100.0)
    ),
    _estimated("whole person 1 m off, 15 frames", fault=MovedPerson(1.0, 15)),
    *(
        _estimated(f"{limb} hidden for {title}", fault=HiddenLimb(limb, seconds))
        for limb in ("arm", "leg")
        for title, seconds in (("1/3 s", 1.0 / 3.0), ("1 s", 1.0))
    ),
    *(_estimated(f"legs traded for {frames} frames", fault=TradedLegs(frames)) for frames in (3, 15)),
    *(
        _estimated(f"mix, {name}", errors=MIXED_ERRORS, fault=fault)
        for name, fault in (
            ("one point 1 m off, 20 frames", OutlierRun(1.0, 20)),
            ("arm hidden for 1/3 s", HiddenLimb("arm", 1.0 / 3.0)),
            ("leg hidden for 1/3 s", HiddenLimb("leg", 1.0 / 3.0)),
            ("legs traded for 15 frames", TradedLegs(15)),
        )
    ),
)
"""Faults in a BODY25 track that is otherwise clean, or has the mix's errors; the shape is estimated."""

SOLVER_ROWS = (
    Condition("each frame from the true pose before it, true betas", mode="known"),
    Condition("clean, true betas"),
    Condition("clean, betas estimated", know_betas=False),
    Condition("10 mm white, true betas", errors=ErrorModel(white_m=0.010)),
    Condition("10 mm white, betas estimated", know_betas=False, errors=ErrorModel(white_m=0.010)),
    Condition("20 mm white, true betas", errors=ErrorModel(white_m=0.020)),
    Condition("20 % of points missing, true betas", missing=0.2),
    Condition("20 % of points missing, betas estimated", know_betas=False, missing=0.2),
    Condition("left arm missing for 1 s, true betas", fault=HiddenLimb("arm", 1.0)),
    Condition("with hand knuckles (133 points), true betas", layout="wholebody133"),
    Condition("17 points (COCO), betas estimated", know_betas=False, layout="coco17"),
    Condition("frame by frame, clean, true betas", mode="frames"),
    Condition("frame by frame, clean, betas estimated", know_betas=False, mode="frames"),
)
"""The fitted body's own points, clean or with white noise, which no tracker produces: a check of the solver."""
