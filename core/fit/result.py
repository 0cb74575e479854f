"""Build the motion and the report from a raw fit, of a whole clip or frame by frame. F frames, K keypoints."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..body.data import BodyData
from ..math.arrays import to_numpy
from ..math.rotations import matrix_to_axis_angle
from ..motion import Motion
from ..track import KeypointTrack
from .observations import layout_points
from .options import FitOptions
from .pose_solver import after_smoothing
from .report import FitReport, Flag, PointErrors, flags_of
from .screening.label_swaps import LabelSwaps
from .shape.estimate import ShapeEstimate
from .solver.joint_limits import strained
from .temporal.keypoint_smoothing import can_measure_noise
from .temporal.visibility import Visibility

_ADULTS_M = (1.40, 2.10)
_IMPLAUSIBLE_M = 0.07
_IMPLAUSIBLE_SIGMAS = 6.0


@dataclass(frozen=True, eq=False)
class Offsets:
    """Constant offsets of the points from their positions on the body model.

    Attributes:
        spread_m: assumed standard deviation per axis, metres.
        lengths_m: (K,) length of each point's offset, metres.
    """

    spread_m: float
    lengths_m: np.ndarray

    @classmethod
    def of(cls, shape: ShapeEstimate) -> Offsets | None:
        """Return the offsets estimated with *shape*; None if the shape was not refined."""
        if shape.spread_m == 0.0:
            return None
        return cls(shape.spread_m, np.linalg.norm(to_numpy(shape.model.offsets).astype(np.float64), axis=-1))


@dataclass(frozen=True, eq=False)
class RawFit:
    """Result of a fit before conversion to a motion and a report.

    Attributes:
        point_names: (K,) solver points.
        rotations: (F, 24, 3, 3) local rotations.
        trans: (F, 3) metres.
        betas: (B,) shape.
        point_error_m: (F, K) distance between measured and fitted point, metres, NaN where the point is missing.
        jumps: (F, K) bool, rejected points.
        noise_m: (K,) measured noise of each point per axis, metres.
        sigma_m: assumed error of the points per axis, metres.
        visibility: which limbs are observed in which frames.
        swaps: which groups of points had left and right labels swapped, now corrected.
        offsets: constant offsets of the points on the body; None where they were not estimated.
    """

    point_names: tuple[str, ...]
    rotations: np.ndarray
    trans: np.ndarray
    betas: np.ndarray
    point_error_m: np.ndarray
    jumps: np.ndarray
    noise_m: np.ndarray
    sigma_m: float
    visibility: Visibility
    swaps: LabelSwaps = field(default_factory=lambda: LabelSwaps({}))
    offsets: Offsets | None = None


def build_result(
    track: KeypointTrack, body: BodyData, options: FitOptions, raw: RawFit, timings_s: dict[str, float]
) -> tuple[Motion, FitReport]:
    """Return the motion at the requested frame rate, and the report.

    Args:
        track: the fitted track.
        body: the body model.
        options: settings of the fit.
        raw: the fit.
        timings_s: seconds by step.
    """
    poses = matrix_to_axis_angle(raw.rotations.astype(np.float64)).reshape(len(raw.rotations), -1)
    motion = Motion(poses, raw.betas, raw.trans.astype(np.float64), track.fps, body.gender, body.name)
    stature_m = body.stature(raw.betas)
    report = FitReport(
        raw.point_names,
        1000.0 * raw.point_error_m,
        _flags(track, raw),
        raw.betas,
        stature_m,
        1000.0 * raw.noise_m,
        1000.0 * raw.sigma_m,
        timings_s,
        track.notes + raw.swaps.notes() + _size_notes(stature_m, options),
        _point_errors(track, raw, options),
    )
    return motion if options.fps is None else motion.resampled(options.fps), report


def _point_errors(track: KeypointTrack, raw: RawFit, options: FitOptions) -> PointErrors | None:
    """Return the components of the points' errors; None if the track is too short or its frame rate too low."""
    if raw.offsets is None or not can_measure_noise(track.num_frames, track.fps):
        return None
    remaining_m = float(np.median(after_smoothing(raw.noise_m, options.smoothing)))
    smooth_m = float(np.sqrt(max(raw.sigma_m**2 - remaining_m**2, 0.0)))
    white_m, offsets = float(np.median(raw.noise_m)), raw.offsets
    return PointErrors(1000.0 * white_m, 1000.0 * smooth_m, 1000.0 * offsets.spread_m, 1000.0 * offsets.lengths_m)


def _size_notes(stature_m: float, options: FitOptions) -> tuple[str, ...]:
    """Return a note if the body is far smaller or larger than the adults that its shape space was built from."""
    if options.betas is not None or _ADULTS_M[0] <= stature_m <= _ADULTS_M[1]:
        return ()
    return (
        f"The body is {stature_m:.2f} m tall, beyond the adults that it is made from: it is stretched, so its "
        "proportions are less certain.",
    )


def _flags(track: KeypointTrack, raw: RawFit) -> tuple[Flag, ...]:
    left_out = track.left_out[:, layout_points(track.layout).columns]
    flags = flags_of("missing", "person", raw.visibility.absent)
    for limb, marked in raw.visibility.limbs.items():
        flags += flags_of("held", limb, marked)
    for group, marked in raw.swaps.frames.items():
        flags += flags_of("swapped", group, marked)
    far = raw.point_error_m > max(_IMPLAUSIBLE_M, _IMPLAUSIBLE_SIGMAS * raw.sigma_m)
    for index, name in enumerate(raw.point_names):
        flags += flags_of("implausible", name, raw.jumps[:, index] | far[:, index] | left_out[:, index])
    for joint, marked in strained(raw.rotations).items():
        flags += flags_of("strained", joint, marked)
    return tuple(sorted(flags, key=lambda flag: (flag.first, flag.kind, flag.what)))
