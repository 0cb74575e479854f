"""The fit of a whole clip: every frame from its own points, so nothing drifts, and all frames at once."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from ..arrays import Array, check_device, like, namespace, to_numpy
from ..body.data import BodyData
from ..body.keypoints import KeypointModel
from ..body.model import BodyModel
from ..motion import Motion
from ..rotations import slerp_matrices
from ..track import KeypointTrack
from .conclusion import Found, conclude
from .holding import find_evidence, hold
from .options import FitOptions, Progress, report_progress
from .points import body_regressor, solver_points
from .pops import find_hops, find_pops, find_tremor
from .posing import PoseJob, find_shape, left_noise, make_targets
from .refine import Effort, Targets, blocks
from .report import FitReport
from .temporal import smooth_points

_BLOCK_FRAMES = 256
_TORCH_BLOCK_FRAMES = 8192
_SETTLE = (
    (find_pops, PoseJob.settle),
    (find_pops, PoseJob.settle),
    (find_tremor, PoseJob.settle),
    (find_tremor, PoseJob.settle),
    (find_hops, PoseJob.calm),
)
"""What is settled, in turns: pops first, since the smooth way through a pop still leads aside."""


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
    model = KeypointModel(
        BodyModel(body, check_device(options.device)), body_regressor(track.layout, body, options.regressor)
    )
    with clock.step("smooth"):
        report_progress(progress, 0, track.num_frames, "Smoothing the keypoints")
        smoothed = smooth_points(points.positions, points.weights, track.fps, strength=options.smoothing)
        targets = make_targets(points, smoothed, track.fps, model.body)
        evidence = find_evidence(points.names, to_numpy(targets.weights))
        noise = left_noise(smoothed, options.smoothing)
    with clock.step("shape"):
        report_progress(progress, 0, track.num_frames, "Finding the body shape")
        shape = find_shape(points, model, targets, noise, options.betas)
    with clock.step("pose"):
        keypoints = shape.model.shaped(model.body.array(shape.betas))
        job = PoseJob(points.names, keypoints, shape.sigma_m, Effort(options.iterations), shape.habit, shape.noise_m)
        rotations, trans = _solve_blocks(job, targets, options, progress)
    with clock.step("hold"):
        rotations, trans = hold(rotations, trans, evidence)
    with clock.step("settle"):
        report_progress(progress, track.num_frames, track.num_frames, "Settling the poses")
        # Limbs that nothing shows are held before, so that they do not lead their neighbours in time astray, and after.
        rotations, trans = hold(*_settle(job, targets, rotations, trans, track.fps), evidence)
    with clock.step("report"):
        report_progress(progress, track.num_frames, track.num_frames, "Measuring the errors")
        fitted = _fitted_points(shape.model, shape.betas, rotations, trans)
        error = np.linalg.norm(np.nan_to_num(points.positions) - fitted, axis=-1)
        error = np.where(points.weights > 0, error, np.nan)
    found = Found(
        points.names,
        rotations,
        trans,
        shape.betas,
        error,
        smoothed.jumps,
        smoothed.noise_m,
        shape.sigma_m,
        evidence,
    )
    return conclude(track, body, options, found, clock.seconds)


def _solve_blocks(
    job: PoseJob, targets: Targets, options: FitOptions, progress: Progress
) -> tuple[np.ndarray, np.ndarray]:
    """Return local rotations (F, 24, 3, 3) and trans (F, 3), solved in blocks, on threads where that helps."""
    num_frames = targets.points.shape[0]
    on_numpy = isinstance(targets.points, np.ndarray)
    size = _BLOCK_FRAMES if on_numpy else _TORCH_BLOCK_FRAMES
    rotations = np.empty((num_frames, 24, 3, 3), dtype=np.float32)
    trans = np.empty((num_frames, 3), dtype=np.float32)
    workers = (options.workers or os.cpu_count() or 1) if on_numpy else 1
    parts = blocks(num_frames, size)
    done = 0
    with ThreadPoolExecutor(max_workers=min(workers, len(parts))) as pool:
        pending: dict[Future[tuple[Array, Array]], slice] = {}
        try:
            for block in parts:
                pending[pool.submit(job.solve, targets.some(block))] = block
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


def _settle(
    job: PoseJob, targets: Targets, rotations: np.ndarray, trans: np.ndarray, fps: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return local rotations (F, 24, 3, 3) and trans (F, 3) with frames changed in which joints pop, tremble or hop."""
    for find, settle in _SETTLE:
        pops = find(rotations, fps)
        frames = np.flatnonzero(pops.joints.any(axis=1))
        if len(frames) == 0:
            continue
        some = Targets(targets.points[frames.tolist()], targets.weights[frames.tolist()])
        pose = (like(rotations[frames], targets.points), like(trans[frames], targets.points))
        solved, place = settle(job, some, pose, pops.some(frames))
        share = pops.share[frames, None].astype(np.float32)
        rotations, trans = rotations.copy(), trans.copy()
        rotations[frames] = slerp_matrices(rotations[frames], to_numpy(solved), share)
        trans[frames] += share * (to_numpy(place) - trans[frames])
    return rotations, trans


def _fitted_points(model: KeypointModel, betas: np.ndarray, rotations: np.ndarray, trans: np.ndarray) -> np.ndarray:
    """Return the body's points (F, K, 3) in the motion's poses."""
    array = model.body.array
    keypoints = model.shaped(array(betas))
    size = _BLOCK_FRAMES if model.body.device == "numpy" else _TORCH_BLOCK_FRAMES
    parts = [keypoints.points(array(rotations[some]), array(trans[some])) for some in blocks(len(rotations), size)]
    return to_numpy(namespace(parts[0]).concat(parts, axis=0))
