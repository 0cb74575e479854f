"""Fit a whole clip at once. Every frame is solved from its own points, so nothing drifts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from ..body.data import BodyData
from ..body.keypoints import ShapedKeypoints
from ..body.model import BodyModel
from ..math.arrays import Array, check_device, like, namespace, to_numpy
from ..motion import Motion
from ..track import KeypointTrack
from .blocks import frame_blocks, poses_in_blocks
from .observations import SolverPoints, check_body_seen, keypoint_model, solver_points
from .options import FitOptions, Progress
from .pose_solver import PoseSolver, after_smoothing, find_shape, make_targets
from .progress import ProgressReporter
from .quality import QUALITIES
from .report import FitReport
from .result import Offsets, RawFit, build_result
from .screening.screen import Screened, screen
from .solver.gauss_newton import Targets
from .solver.knee_axes import align_knee_axes
from .temporal.flat_feet import find_unseen_feet, flatten_feet
from .temporal.hidden_legs import bridge_legs
from .temporal.keypoint_smoothing import SmoothedPoints, smooth_points
from .temporal.refinement import Expected, refine_over_time
from .temporal.visibility import find_visibility, interpolate_unobserved

_SHORT_GAP_S = 0.15
"""Points in longer gaps are bridged by a guess, which must not affect the shape of the whole clip."""


@dataclass(eq=False)
class _Clock:
    """Run time in seconds, by step."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.seconds[what] = self.seconds.get(what, 0.0) + time.perf_counter() - began


def fit_clip(track: KeypointTrack, body: BodyData, options: FitOptions, progress: Progress) -> tuple[Motion, FitReport]:
    """Return the motion and the report of a fit of *track* on *body*; see `core.fit.fit_track`."""
    clock = _Clock()
    quality = QUALITIES[options.quality]
    reporter = ProgressReporter(progress, track.num_frames, refines=quality.refines, refines_all=quality.refines_all)
    with clock.step("smooth"):
        reporter.begin("Smoothing the keypoints")
        screened = _screened(track)
        points = screened.points
    model = keypoint_model(track.layout, BodyModel(body, check_device(options.device)), options.regressor)
    predictor = options.predictor(model.body.device)
    with clock.step("smooth"):
        smoothed = smooth_points(
            points.positions, points.weights, track.fps, strength=options.smoothing, on_progress=reporter.advance
        )
        targets = make_targets(points, smoothed, track.fps, model.body)
        visibility = find_visibility(points.names, to_numpy(targets.weights))
        noise_m = after_smoothing(smoothed.noise_m, options.smoothing)
    with clock.step("shape"):
        reporter.begin("Finding the body shape")
        seen = _without_long_gaps(targets, smoothed, track.fps)
        shape = find_shape(
            points,
            model,
            seen,
            noise_m,
            options.betas,
            predictor=predictor,
            rounds=quality.shape_rounds,
            on_progress=reporter.advance,
        )
    with clock.step("pose"):
        reporter.begin("Fitting the poses")
        keypoints = shape.model.shaped(model.body.array(shape.betas))
        solver = PoseSolver(
            points.names, keypoints, shape.sigma_m, quality.iterations, shape.subject_offset, shape.noise_m, predictor
        )
        targets = bridge_legs(solver, targets, visibility, track.fps)
        rotations, trans, expected = _poses(solver, targets, track.num_frames, reporter, options)
    with clock.step("hold"):
        rotations, trans = interpolate_unobserved(rotations, trans, visibility, track.fps)
    if quality.refines:
        with clock.step("settle"):
            # Interpolated before, so that unobserved limbs do not mislead neighbouring frames, and again after.
            reporter.begin("Refining the poses over time")
            rotations, trans = refine_over_time(
                solver,
                targets,
                expected,
                (rotations, trans),
                track.fps,
                reporter.advance,
                refine_all=quality.refines_all,
                workers=options.workers,
            )
            rotations, trans = interpolate_unobserved(rotations, trans, visibility, track.fps)
    with clock.step("hold"):
        unseen = find_unseen_feet(points.names, points.weights)
        rotations = flatten_feet(model.body, shape.betas, rotations, trans, track.fps, sides=unseen)
        rotations = align_knee_axes(rotations, to_numpy(keypoints.rest_joints))
    with clock.step("report"):
        reporter.begin("Measuring the errors")
        error = _point_errors(points, keypoints, rotations, trans)
    raw = RawFit(
        point_names=points.names,
        rotations=rotations,
        trans=trans.astype(np.float64) + screened.origin,
        betas=shape.betas,
        point_error_m=error,
        jumps=smoothed.jumps | screened.outliers,
        noise_m=smoothed.noise_m,
        sigma_m=shape.sigma_m,
        visibility=visibility,
        swaps=screened.swaps,
        offsets=Offsets.of(shape),
    )
    result = build_result(track, body, options, raw, clock.seconds)
    reporter.end()
    return result


def _screened(track: KeypointTrack) -> Screened:
    """Return the plausible points of *track*.

    Raises:
        TrackError: these do not show hips and shoulders.
    """
    screened = screen(solver_points(track), track.fps)
    check_body_seen(screened.points, track)
    return screened


def _without_long_gaps(targets: Targets, smoothed: SmoothedPoints, fps: float) -> Targets:
    """Return the targets without the points of gaps too long for estimating the shape."""
    return Targets(targets.points, targets.weights * like(smoothed.gap <= _SHORT_GAP_S * fps, targets.weights))


def _poses(
    solver: PoseSolver, targets: Targets, num_frames: int, reporter: ProgressReporter, options: FitOptions
) -> tuple[np.ndarray, np.ndarray, Expected]:
    """Return local rotations (F, 24, 3, 3), trans (F, 3), and the expected poses."""
    expected = Expected()

    def solve(block: slice) -> tuple[Array, Array]:
        block_targets = targets.select(block)
        initial_pose = solver.initial_pose(block_targets)
        expected.by_first[block.start] = initial_pose.expected
        return solver.solve(block_targets, initial_pose)

    on_numpy = solver.keypoints.model.body.device == "numpy"
    rotations, trans = poses_in_blocks(solve, num_frames, reporter.advance, workers=options.workers, on_numpy=on_numpy)
    return rotations, trans, expected


def _point_errors(
    points: SolverPoints, keypoints: ShapedKeypoints, rotations: np.ndarray, trans: np.ndarray
) -> np.ndarray:
    """Return the distances (F, K) from the fitted body's points to the measured ones, metres; NaN where missing."""
    body = keypoints.model.body
    parts = [
        keypoints.points(body.array(rotations[block]), body.array(trans[block]))
        for block in frame_blocks(len(rotations), on_numpy=body.device == "numpy")
    ]
    fitted = to_numpy(namespace(parts[0]).concat(parts, axis=0))
    error = np.linalg.norm(np.nan_to_num(points.positions) - fitted, axis=-1)
    return np.where(points.weights > 0, error, np.nan)
