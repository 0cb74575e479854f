"""Report of a fit: errors of its points and flagged frames. F frames, K keypoints."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..math.runs import find_runs

REPORT_VERSION = 1


@dataclass(frozen=True)
class Flag:
    """A range of frames for the user to check.

    Attributes:
        kind: "held" (an unobserved limb, interpolated between observed frames), "missing" (the person is not
            visible), "implausible" (points that were rejected or that the body cannot reach), "swapped" (left and right
            labels were swapped, and have been corrected), or "strained" (a joint rotated beyond its usual limits).
        what: the limb, point, joint or group of points.
        first: first frame, counted from 0.
        last: last frame.
    """

    kind: str
    what: str
    first: int
    last: int


@dataclass(frozen=True, eq=False)
class PointErrors:
    """Estimated errors of the points in three components, each a standard deviation per axis.

    When errors that are smooth in time are present, the constant component is underestimated, since a clip is too short
    to average them out: with 10 mm of each, on held-out motion, 9 to 11 mm smooth and 3 to 8 mm constant were found.

    Attributes:
        white_mm: independent from frame to frame: the median of `FitReport.noise_mm`.
        smooth_mm: correlated over frames but not constant: tracker drift, soft tissue, clothes.
        constant_mm: constant distance of points from their positions on the body model, over the points that the
            layout trusts.
        offset_mm: (K,) length of the constant offset estimated for each point, which the fit has compensated for.
            Shape, pose and neighbouring points absorb part of it: of 30 mm at one point it is 8 to 21 mm.
    """

    white_mm: float
    smooth_mm: float
    constant_mm: float
    offset_mm: np.ndarray


@dataclass(frozen=True, eq=False)
class FitReport:
    """Quality of a fit, for the user to judge it by.

    Attributes:
        point_names: (K,) solver points.
        point_error_mm: (F, K) distance between measured and fitted point, NaN where the point is missing or left out.
        flags: ranges of frames to check.
        betas: (B,) shape.
        stature_m: height of the shaped body in the rest pose.
        noise_mm: (K,) measured noise of each point per axis.
        sigma_mm: assumed error of the smoothed points per axis, without constant offsets.
        timings_s: seconds by step.
        notes: what was detected and decided during the fit, one sentence each.
        point_errors: components of the points' errors; None where the track is too short, or its frame rate too low.
    """

    point_names: tuple[str, ...]
    point_error_mm: np.ndarray
    flags: tuple[Flag, ...]
    betas: np.ndarray
    stature_m: float
    noise_mm: np.ndarray
    sigma_mm: float
    timings_s: dict[str, float]
    notes: tuple[str, ...] = field(default=())
    point_errors: PointErrors | None = None

    @property
    def keypoint_error_mm(self) -> np.ndarray:
        """Mean error of each frame (F,), NaN for a frame without measured points."""
        known = np.isfinite(self.point_error_mm)
        total = np.where(known, self.point_error_mm, 0.0).sum(axis=1)
        count = known.sum(axis=1)
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)

    @property
    def mean_error_mm(self) -> float:
        """Mean error over all measured points; NaN when there are none."""
        known = self.point_error_mm[np.isfinite(self.point_error_mm)]
        return float(known.mean()) if len(known) else float("nan")

    @property
    def worst_frame(self) -> int:
        """The frame with the largest mean error."""
        return int(np.argmax(np.nan_to_num(self.keypoint_error_mm, nan=-1.0)))

    def error_parts_mm(self) -> dict[str, float]:
        """Return the components of the points' errors by their names in files; NaN where unknown."""
        errors = self.point_errors
        parts = (np.nan,) * 3 if errors is None else (errors.white_mm, errors.smooth_mm, errors.constant_mm)
        return dict(zip(("white_error_mm", "smooth_error_mm", "constant_error_mm"), parts, strict=True))

    def error_line(self) -> str:
        """Return one line with the components of the points' errors; empty where they are unknown."""
        errors = self.point_errors
        if errors is None:
            return ""
        largest = int(np.argmax(errors.offset_mm))
        return (
            f"point errors per axis: {errors.white_mm:.1f} mm white, {errors.smooth_mm:.1f} mm smooth in time, "
            f"{errors.constant_mm:.1f} mm constant (largest offset: {self.point_names[largest]}, "
            f"{errors.offset_mm[largest]:.1f} mm)"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain values for JSON; a missing value is null."""
        by_point, errors = {}, self.point_errors
        for index, name in enumerate(self.point_names):
            known = self.point_error_mm[:, index]
            known = known[np.isfinite(known)]
            by_point[name] = {
                "mean_mm": _plain(known.mean()) if len(known) else None,
                "worst_mm": _plain(known.max()) if len(known) else None,
                "seen": int(len(known)),
                "noise_mm": _plain(self.noise_mm[index]),
                "offset_mm": _plain(errors.offset_mm[index]) if errors is not None and len(known) else None,
            }
        return {
            "version": REPORT_VERSION,
            "frames": len(self.point_error_mm),
            "mean_error_mm": _plain(self.mean_error_mm),
            "worst_frame": self.worst_frame,
            "stature_m": _plain(self.stature_m),
            "betas": [_plain(value) for value in self.betas],
            "sigma_mm": _plain(self.sigma_mm),
            **{name: _plain(value) for name, value in self.error_parts_mm().items()},
            "points": by_point,
            "keypoint_error_mm": [_plain(value) for value in self.keypoint_error_mm],
            "point_error_mm": [[_plain(value) for value in row] for row in self.point_error_mm],
            "flags": [vars(flag) for flag in self.flags],
            "timings_s": {step: _plain(seconds) for step, seconds in self.timings_s.items()},
            "notes": list(self.notes),
        }


def flags_of(kind: str, what: str, marked: np.ndarray) -> list[Flag]:
    """Return a flag for each consecutive run of *marked* (F,) frames."""
    return [Flag(kind, what, run.start, run.stop - 1) for run in find_runs(marked)]


def _plain(value: float) -> float | None:
    return round(float(value), 4) if np.isfinite(value) else None
