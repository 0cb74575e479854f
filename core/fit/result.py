"""From what a fit found to its motion and report, the same for whole clips and for frames. F frames, K keypoints."""

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
    """Where the points lie on the body, other than the body's own: constant over the clip.

    Attributes:
        spread_m: standard deviation per axis that they are taken to have, metres.
        lengths_m: (K,) how far each point was moved, metres.
    """

    spread_m: float
    lengths_m: np.ndarray

    @classmethod
    def of(cls, shape: ShapeEstimate) -> Offsets | None:
        """Return those of a shape; None where it has not been refined, so that none were estimated."""
        if shape.spread_m == 0.0:
            return None
        return cls(shape.spread_m, np.linalg.norm(to_numpy(shape.model.offsets).astype(np.float64), axis=-1))


@dataclass(frozen=True, eq=False)
class RawFit:
    """What a fit found.

    Attributes:
        point_names: (K,) solver points.
        rotations: (F, 24, 3, 3) local rotations.
        trans: (F, 3) metres.
        betas: (B,) shape.
        point_error_m: (F, K) distance between measured and fitted point, NaN where nothing was measured.
        jumps: (F, K) bool, points thrown out.
        noise_m: (K,) noise of each point per axis.
        sigma_m: how far off the points were taken to be.
        visibility: what each frame's points could and could not tell.
        swaps: which groups of points were exchanged left for right, and are put back.
        offsets: where the points lie on the body; None where that was not estimated.
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
    track: KeypointTrack, body: BodyData, options: FitOptions, found: RawFit, timings_s: dict[str, float]
) -> tuple[Motion, FitReport]:
    """Return the motion, at the frame rate asked for, and the report.

    Args:
        track: what was fitted.
        body: the body.
        options: settings.
        found: what was found.
        timings_s: seconds by step.
    """
    poses = matrix_to_axis_angle(found.rotations.astype(np.float64)).reshape(len(found.rotations), -1)
    motion = Motion(poses, found.betas, found.trans.astype(np.float64), track.fps, body.gender, body.name)
    stature_m = float(np.ptp((body.v_template + body.shapedirs @ found.betas)[:, 1]))
    report = FitReport(
        found.point_names,
        1000.0 * found.point_error_m,
        _flags(track, found),
        found.betas,
        stature_m,
        1000.0 * found.noise_m,
        1000.0 * found.sigma_m,
        timings_s,
        track.notes + found.swaps.notes() + _size_notes(stature_m, options),
        _point_errors(track, found, options),
    )
    return motion if options.fps is None else motion.resampled(options.fps), report


def _point_errors(track: KeypointTrack, found: RawFit, options: FitOptions) -> PointErrors | None:
    """Return what the errors of the points are made of; None for a track too short or too slow to tell them apart."""
    if found.offsets is None or not can_measure_noise(track.num_frames, track.fps):
        return None
    left_m = float(np.median(after_smoothing(found.noise_m, options.smoothing)))
    smooth_m = float(np.sqrt(max(found.sigma_m**2 - left_m**2, 0.0)))
    white_m, offsets = float(np.median(found.noise_m)), found.offsets
    return PointErrors(1000.0 * white_m, 1000.0 * smooth_m, 1000.0 * offsets.spread_m, 1000.0 * offsets.lengths_m)


def _size_notes(stature_m: float, options: FitOptions) -> tuple[str, ...]:
    """Return what to tell of a body that is far smaller or larger than the adults it was made from."""
    if options.betas is not None or _ADULTS_M[0] <= stature_m <= _ADULTS_M[1]:
        return ()
    return (
        f"The body is {stature_m:.2f} m tall, beyond the adults that it is made from: it is stretched, so its "
        "proportions are less certain.",
    )


def _flags(track: KeypointTrack, found: RawFit) -> tuple[Flag, ...]:
    left_out = track.left_out[:, layout_points(track.layout).columns]
    flags = flags_of("missing", "person", found.visibility.absent)
    for limb, marked in found.visibility.limbs.items():
        flags += flags_of("held", limb, marked)
    for group, marked in found.swaps.frames.items():
        flags += flags_of("swapped", group, marked)
    far = found.point_error_m > max(_IMPLAUSIBLE_M, _IMPLAUSIBLE_SIGMAS * found.sigma_m)
    for index, name in enumerate(found.point_names):
        flags += flags_of("implausible", name, found.jumps[:, index] | far[:, index] | left_out[:, index])
    for joint, marked in strained(found.rotations).items():
        flags += flags_of("strained", joint, marked)
    return tuple(sorted(flags, key=lambda flag: (flag.first, flag.kind, flag.what)))
