"""Estimate a person's shape in a stream, from more and more frames, beside the work of the frames.

`core.fit.pose_solver.find_shape`, which a clip calls once, would delay a frame by a tenth of a second or more, so each
frame does a part of it. Until it is complete for the first time, the shape is a recursive least-squares estimate
from the single frames.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ...body.keypoints import KeypointModel
from ..observations import LayoutPoints, SolverPoints
from ..options import FitOptions
from ..pose_solver import after_smoothing, known_betas, make_targets
from ..priors.pose_predictor import PosePredictor
from ..quality import QUALITIES
from ..shape.estimate import (
    MIN_SIGMA_M,
    ShapeEstimate,
    ShapeState,
    betas_from_lengths,
    first_sigma_m,
    limited,
    spread_frames,
)
from ..solver.one_frame import ShapeEvidence
from ..temporal.keypoint_smoothing import smooth_points

CALIBRATION_FRAMES = (5, 40, 120)
"""After each of these numbers of frames, a new estimate from all frames so far begins; the last one is final."""
_HELD_AS_FRAMES, _SIGMA_PER_MISFIT = 20.0, 0.5
"""The prior of the rough shape weighs as much as this many frames of noise; its sigma is this share of the misfit."""
_ROUNDS = 2
"""The betas are nearly known when an estimate begins, so it takes fewer rounds than in a clip."""
_SPREAD_FRAMES = 16
"""Number of frames that an estimate uses, which sets how long a part of the work takes."""


class Calibration:
    """Estimates a person's shape from the frames of a stream.

    Attributes:
        shape: the current estimate.
        num_pushed: number of frames so far.
        rough: whether *shape* is still the estimate from single frames.
    """

    shape: ShapeEstimate

    def __init__(
        self, points: LayoutPoints, model: KeypointModel, fps: float, options: FitOptions, predictor: PosePredictor
    ) -> None:
        """Begin without frames.

        Args:
            points: the points of the layout that the solver uses.
            model: these points on the body, on NumPy.
            fps: frames per second.
            options: the fit options.
            predictor: predicts the expected poses.
        """
        self._points, self._model, self._fps, self._predictor = points, model, fps, predictor
        self._options = options
        self._history: deque[tuple[np.ndarray, np.ndarray]] = deque(maxlen=max(CALIBRATION_FRAMES))
        self._due = list(CALIBRATION_FRAMES)
        self._work: Iterator[ShapeEstimate | None] | None = None
        self.num_pushed = 0
        num_betas = model.body.data.shapedirs.shape[-1]
        self._information, self._weighted_betas = np.zeros((num_betas, num_betas)), np.zeros(num_betas)
        self._num_learned, self._misfit_squared = 0, 0.0
        self.rough = True

    @property
    def ended(self) -> bool:
        """Whether the shape is final."""
        return not self._due and self._work is None

    def push(self, positions: np.ndarray, weights: np.ndarray, *, busy: bool) -> None:
        """Add the next frame, and do a part of the work.

        Args:
            positions: (K, 3) metres, NaN where missing.
            weights: (K,) 0 where missing.
            busy: whether the frame has other work to do, so that this one waits for the next frame.
        """
        self._history.append((positions, weights))
        self.num_pushed += 1
        if self.num_pushed == 1:
            self.shape = self._first_shape()
        due = self._work is None and self._due and self.num_pushed >= self._due[0]
        if due and any(shown.any() for _, shown in self._history):
            self._due = [frames for frames in self._due if frames > self.num_pushed]
            self._work = self._search().parts()
        if not busy:
            self.work()

    def work(self) -> None:
        """Do the next part of the work, if there is any."""
        if self._work is None:
            return
        work, self._work = self._work, None
        found = next(work)
        if found is None:
            self._work = work
        else:
            self.shape, self.rough = found, False

    def learn(self, evidence: ShapeEvidence, noise_m: np.ndarray) -> None:
        """Update the rough shape with the evidence of a frame, by recursive least squares.

        Args:
            evidence: the frame's evidence on the shape.
            noise_m: (K,) noise of the points per axis, metres.
        """
        betas = self.shape.betas
        self._information += evidence.matrix
        self._weighted_betas += evidence.matrix @ betas + evidence.right
        self._num_learned += 1
        self._misfit_squared += (evidence.misfit_m**2 - self._misfit_squared) / self._num_learned
        left_m = float(np.median(after_smoothing(noise_m, self._options.smoothing)))
        if self._options.betas is None:
            hold = left_m**2 * _HELD_AS_FRAMES + self._misfit_squared * self._num_learned
            betas = limited(np.linalg.solve(self._information + hold * np.eye(len(betas)), self._weighted_betas))
        sigma_m = max(MIN_SIGMA_M, left_m, _SIGMA_PER_MISFIT * evidence.misfit_m)
        self.shape = replace(self.shape, betas=betas, sigma_m=sigma_m, noise_m=left_m)

    def recent(self, num_frames: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the positions (F, K, 3) and weights (F, K) of the last frames, at most *num_frames*."""
        latest = list(self._history)[-num_frames:]
        positions, weights = (np.stack(parts) for parts in zip(*latest, strict=True))
        return positions, weights

    def _seen(self) -> SolverPoints:
        positions, weights = self.recent(len(self._history))
        return replace(self._points.empty(), positions=positions, weights=weights)

    def _first_shape(self) -> ShapeEstimate:
        """Return the shape that fits the bone lengths of the first frame."""
        points = self._seen()
        smoothed = smooth_points(points.positions, points.weights, self._fps)
        noise = after_smoothing(smoothed.noise_m, self._options.smoothing)
        if self._options.betas is None:
            betas = betas_from_lengths(points.names, self._model, smoothed.positions, points.weights, noise)
        else:
            betas = known_betas(self._options.betas, self._model.body.data)
        noise_m = float(np.median(noise))
        return ShapeEstimate(betas, self._model, first_sigma_m(noise_m), None, noise_m)

    def _search(self) -> _Search:
        return _Search(self._seen(), self._model, self.shape.betas, self._fps, self._options, self._predictor)


@dataclass(frozen=True, eq=False)
class _Search:
    """An estimate of the shape from a number of frames, in parts.

    Attributes:
        points: the measured points.
        model: these points on the body.
        betas: (B,) initial betas.
        fps: frames per second.
        options: the fit options.
        predictor: predicts the expected poses.
    """

    points: SolverPoints
    model: KeypointModel
    betas: np.ndarray
    fps: float
    options: FitOptions
    predictor: PosePredictor

    def parts(self) -> Iterator[ShapeEstimate | None]:
        """Do the work in parts: yield None after each, and the shape after the last."""
        points, strength, known = self.points, self.options.smoothing, self.options.betas is not None
        smoothed = smooth_points(points.positions, points.weights, self.fps, strength=strength)
        yield None
        targets = make_targets(points, smoothed, self.fps, self.model.body)
        state = ShapeState(
            points.names,
            self.model,
            targets.select(spread_frames(targets.weights, _SPREAD_FRAMES).tolist()),
            self.model.body.array(self.betas),
            float(np.median(after_smoothing(smoothed.noise_m, strength))),
            points.trust,
            self.predictor,
        )
        rounds = min(_ROUNDS, QUALITIES[self.options.quality].shape_rounds)
        for _ in state.refine(rounds, hold_betas=known):
            yield None
        found = state.estimate()
        yield replace(found, betas=self.betas) if known else found
