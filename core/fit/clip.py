"""The fit of a whole clip: every frame from its own points, so nothing drifts, and all frames at once."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from ..arrays import Array, check_device, namespace, to_numpy
from ..body.data import NUM_BETAS, BodyData
from ..body.keypoints import KeypointModel, ShapedKeypoints
from ..body.model import BodyModel
from ..errors import BodyError, FitCancelled
from ..motion import Motion
from ..rotations import matrix_to_axis_angle
from ..track import KeypointTrack
from .analytic import analytic_start
from .holding import Evidence, find_evidence, hold
from .options import FitOptions, Progress
from .points import SolverPoints, body_regressor, solver_points
from .pose_prior import ConditionalPrior, load_prior
from .refine import Targets, refine
from .report import FitReport, Flag, flags_of
from .shape import betas_from_lengths, refine_betas, spread_frames
from .temporal import SmoothedPoints, smooth_points

_BLOCK_FRAMES = 128
_TORCH_BLOCK_FRAMES = 8192
_GAP_S = 0.35
"""A bridged point counts for less the longer it was not seen, and for nothing from here on."""
_BRIDGED_SHARE = 0.5
_MIN_SIGMA_M = 7e-4
_SMOOTHED_NOISE = 0.55
"""How much of a track's noise is left after smoothing (measured at 3 to 20 mm)."""
_NOISE_RANGE = (0.5, 2.0)
_OUTLIER_SIGMAS, _OUTLIER_M = 8.0, 0.08
_IMPLAUSIBLE_M = 0.15


@dataclass(eq=False)
class _Clock:
    """Seconds by step."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.seconds[what] = self.seconds.get(what, 0.0) + time.perf_counter() - began


def fit_clip(track: KeypointTrack, body: BodyData, options: FitOptions, progress: Progress) -> tuple[Motion, FitReport]:
    """Return the motion and the report of *track* on *body*; see `core.fit.fit_track`."""
    clock = _Clock()
    points = solver_points(track)
    model = KeypointModel(BodyModel(body, check_device(options.device)), body_regressor(track, body, options.regressor))
    prior = load_prior()
    with clock.step("smooth"):
        report_progress(progress, 0, track.num_frames, "Smoothing the keypoints")
        smoothed = smooth_points(points.positions, points.weights, track.fps, strength=options.smoothing)
        targets = _targets(points, smoothed, track.fps, model.body)
        evidence = find_evidence(points.names, to_numpy(targets.weights))
        noise = _left_noise(smoothed, options.smoothing)
    with clock.step("shape"):
        report_progress(progress, 0, track.num_frames, "Finding the body shape")
        betas = _find_betas(points, model, targets, noise, options)
        sigma = _measure_sigma(points, model, targets, betas, noise)
    with clock.step("pose"):
        job = _PoseJob(points.names, model.shaped(model.body.array(betas)), prior, sigma, options.iterations)
        rotations, trans = _solve_blocks(job, targets, options, progress)
    with clock.step("hold"):
        rotations, trans = hold(rotations, trans, evidence)
    motion = _motion(rotations, trans, betas, track, body)
    with clock.step("report"):
        fitted = _fitted_points(model, betas, rotations, trans)
        report = _report(track, points, smoothed, fitted, evidence, motion, body, sigma, clock)
    return motion if options.fps is None else motion.resampled(options.fps), report


def report_progress(progress: Progress, done: int, total: int, what: str) -> None:
    """Tell *progress*; raise `FitCancelled` when it answers False."""
    if progress(done, total, what) is False:
        raise FitCancelled("the fit was cancelled; nothing was changed")


def _targets(points: SolverPoints, smoothed: SmoothedPoints, fps: float, body: BodyModel) -> Targets:
    """Return the smoothed points with weights: less for bridged ones, and for noisier ones than the others."""
    column_weight = np.where((points.weights > 0).any(axis=0), np.nanmax(points.weights, axis=0), 0.0)
    gap_frames = max(_GAP_S * fps, 1.0)
    bridged = np.clip(1.0 - smoothed.distance / gap_frames, 0.0, 1.0) * _BRIDGED_SHARE * column_weight
    seen = (points.weights > 0) & (smoothed.distance == 0)
    weights = np.where(seen, points.weights, bridged)
    relative = np.median(smoothed.noise_m) / smoothed.noise_m
    weights = weights * np.clip(relative, *_NOISE_RANGE)
    return Targets(body.array(smoothed.positions), body.array(weights))


def _left_noise(smoothed: SmoothedPoints, strength: float) -> np.ndarray:
    """Return the noise (K,) per axis that the smoothed points still hold, metres."""
    left: np.ndarray = smoothed.noise_m * (1.0 - strength * (1.0 - _SMOOTHED_NOISE))
    return left


def _find_betas(
    points: SolverPoints, model: KeypointModel, targets: Targets, noise: np.ndarray, options: FitOptions
) -> np.ndarray:
    if options.betas is not None:
        return known_betas(options.betas, model.body.data)
    rough = betas_from_lengths(points.names, model, to_numpy(targets.points), points.weights, noise)
    frames = spread_frames(to_numpy(targets.weights)).tolist()
    some = Targets(targets.points[frames], targets.weights[frames])
    return refine_betas(points.names, model, some, rough, load_prior(), sigma_m=float(np.median(noise)))


def known_betas(betas: np.ndarray, body: BodyData) -> np.ndarray:
    """Return *betas* as (B,) float64, cut to the number that *body* has, or filled up with zeros.

    Raises:
        BodyError: betas that would be cut are not 0.
    """
    values = np.asarray(betas, dtype=np.float64)
    if np.any(values[NUM_BETAS:]):
        raise BodyError(
            f"expected {NUM_BETAS} betas for body {body.name!r}, got {len(values)} of which later ones are not 0"
        )
    padded = np.zeros(NUM_BETAS)
    padded[: min(len(values), NUM_BETAS)] = values[:NUM_BETAS]
    return padded


def _measure_sigma(
    points: SolverPoints, model: KeypointModel, targets: Targets, betas: np.ndarray, noise: np.ndarray
) -> float:
    """Return how far off the points are per axis, metres: their noise, and what a body of this shape cannot explain."""
    frames = spread_frames(to_numpy(targets.weights)).tolist()
    some = Targets(targets.points[frames], targets.weights[frames])
    floor = max(_MIN_SIGMA_M, float(np.median(noise)))
    keypoints = model.shaped(model.body.array(betas))
    job = _PoseJob(points.names, keypoints, load_prior(), floor, 8)
    rotations, trans = job.solve(some)
    left = to_numpy(some.points - keypoints.points(rotations, trans))
    weights = to_numpy(some.weights)[..., None] ** 2
    misfit = float(np.sqrt((weights * left**2).sum() / max(3.0 * weights.sum(), 1e-9)))
    return max(floor, misfit)


@dataclass(frozen=True, eq=False)
class _PoseJob:
    """What every block of frames is solved with."""

    names: tuple[str, ...]
    keypoints: ShapedKeypoints
    prior: ConditionalPrior
    sigma_m: float
    iterations: int

    def solve(self, targets: Targets) -> tuple[Array, Array]:
        """Return local rotations (F, 24, 3, 3) and trans (F, 3)."""
        start, trans = analytic_start(self.names, self.keypoints, targets)
        expected = self.prior.predict(start, self.names, targets.weights, sigma_m=self.sigma_m)
        return refine(
            self.keypoints,
            (expected.rotations, trans),
            targets,
            expected,
            iterations=self.iterations,
            outlier_m=max(_OUTLIER_M, _OUTLIER_SIGMAS * self.sigma_m),
        )


def _solve_blocks(
    job: _PoseJob, targets: Targets, options: FitOptions, progress: Progress
) -> tuple[np.ndarray, np.ndarray]:
    """Return local rotations (F, 24, 3, 3) and trans (F, 3), solved in blocks, on threads where that helps."""
    num_frames = targets.points.shape[0]
    on_numpy = isinstance(targets.points, np.ndarray)
    size = _BLOCK_FRAMES if on_numpy else _TORCH_BLOCK_FRAMES
    blocks = [slice(start, min(start + size, num_frames)) for start in range(0, num_frames, size)]
    rotations = np.empty((num_frames, 24, 3, 3), dtype=np.float32)
    trans = np.empty((num_frames, 3), dtype=np.float32)
    workers = (options.workers or os.cpu_count() or 1) if on_numpy else 1
    done = 0
    with ThreadPoolExecutor(max_workers=min(workers, len(blocks))) as pool:
        pending: dict[Future[tuple[Array, Array]], slice] = {}
        try:
            for block in blocks:
                pending[pool.submit(job.solve, targets.block(block))] = block
            while pending:
                finished, _ = wait(pending, return_when=FIRST_COMPLETED)
                for future in finished:
                    block = pending.pop(future)
                    rotations[block], trans[block] = (to_numpy(part) for part in future.result())
                    done += block.stop - block.start
                    report_progress(progress, done, num_frames, "Fitting the poses")
        finally:
            for future in pending:
                future.cancel()
    return rotations, trans


def _motion(
    rotations: np.ndarray, trans: np.ndarray, betas: np.ndarray, track: KeypointTrack, body: BodyData
) -> Motion:
    poses = matrix_to_axis_angle(rotations.astype(np.float64)).reshape(len(rotations), -1)
    return Motion(poses, betas, trans.astype(np.float64), track.fps, body.gender, body.name)


def _fitted_points(model: KeypointModel, betas: np.ndarray, rotations: np.ndarray, trans: np.ndarray) -> np.ndarray:
    """Return the body's points (F, K, 3) in the motion's poses."""
    array = model.body.array
    keypoints = model.shaped(array(betas))
    blocks = range(0, len(rotations), _TORCH_BLOCK_FRAMES)
    parts = [
        keypoints.points(
            array(rotations[start : start + _TORCH_BLOCK_FRAMES]), array(trans[start : start + _TORCH_BLOCK_FRAMES])
        )
        for start in blocks
    ]
    return to_numpy(namespace(parts[0]).concat(parts, axis=0))


def _report(
    track: KeypointTrack,
    points: SolverPoints,
    smoothed: SmoothedPoints,
    fitted: np.ndarray,
    evidence: Evidence,
    motion: Motion,
    body: BodyData,
    sigma: float,
    clock: _Clock,
) -> FitReport:
    error = np.linalg.norm(np.nan_to_num(points.positions) - fitted, axis=-1)
    measured = points.weights > 0
    flags: list[Flag] = flags_of("missing", "person", evidence.absent)
    for limb, marked in evidence.limbs.items():
        flags += flags_of("held", limb, marked)
    for index, name in enumerate(points.names):
        far = measured[:, index] & (error[:, index] > max(_IMPLAUSIBLE_M, 6.0 * sigma))
        flags += flags_of("implausible", name, smoothed.jumps[:, index] | far)
    vertices = body.v_template + body.shapedirs @ motion.betas
    return FitReport(
        points.names,
        1000.0 * np.where(measured, error, np.nan),
        tuple(sorted(flags, key=lambda flag: (flag.first, flag.kind, flag.what))),
        motion.betas,
        float(np.ptp(vertices[:, 1])),
        1000.0 * smoothed.noise_m,
        1000.0 * sigma,
        clock.seconds,
        track.notes,
    )
