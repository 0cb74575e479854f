"""The shape of a person in a stream: found anew from more and more frames, beside the frames' own work.

What a clip does at once, `core.fit.shape.estimate.refine_shape`, would keep a frame waiting for a tenth of a second and
more. Here each frame does a part of it; until that has been done once, the shape is what the frames tell one by one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ...body.keypoints import KeypointModel
from ..observations import LayoutPoints, SolverPoints
from ..options import FitOptions
from ..pose_solver import after_smoothing, known_betas, make_targets, residual_noise
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
from ..solver.one_frame import Lesson
from ..temporal.keypoint_smoothing import smooth_points

CALIBRATION_FRAMES = (5, 40, 120)
"""After that many frames it is begun to find the shape anew from all the frames so far; the last one found is kept."""
_HELD_AS_FRAMES, _SIGMA_PER_MISFIT = 20.0, 0.5
"""How firmly a rough shape is held: as by so many frames of noise, and how far off its points are taken to be."""
_ROUNDS = 2
"""The betas are nearly known when the work begins, so it takes fewer rounds than in a clip."""
_SPREAD_FRAMES = 16
"""From so many of them: how long a part of the work takes depends on it."""


class Calibration:
    """Finds a person's shape from the frames of a stream.

    Attributes:
        shape: as far as it is known.
        num_pushed: how many frames have come.
        rough: all that is known is what each frame tells by itself.
    """

    shape: ShapeEstimate

    def __init__(
        self, points: LayoutPoints, model: KeypointModel, fps: float, options: FitOptions, predictor: PosePredictor
    ) -> None:
        """Begin with nothing seen.

        Args:
            points: which of the layout's the solver reads.
            model: those points on the body, on NumPy.
            fps: frames a second.
            options: settings.
            predictor: who is asked what pose to expect.
        """
        self._points, self._model, self._fps, self._predictor = points, model, fps, predictor
        self._options = options
        self._history: deque[tuple[np.ndarray, np.ndarray]] = deque(maxlen=max(CALIBRATION_FRAMES))
        self._due = list(CALIBRATION_FRAMES)
        self._work: Iterator[ShapeEstimate | None] | None = None
        self.num_pushed = 0
        num_betas = model.body.data.shapedirs.shape[-1]
        self._firm, self._drawn = np.zeros((num_betas, num_betas)), np.zeros(num_betas)
        self._num_lessons, self._misfit_squared = 0, 0.0
        self.rough = True

    @property
    def ended(self) -> bool:
        """Whether the shape stays."""
        return not self._due and self._work is None

    def push(self, positions: np.ndarray, weights: np.ndarray, *, busy: bool) -> None:
        """Take the next frame, and do a part of the work.

        Args:
            positions: (K, 3) metres, NaN where missing.
            weights: (K,) 0 where missing.
            busy: there is much else to do in this frame, so the work waits for the next one.
        """
        self._history.append((positions, weights))
        self.num_pushed += 1
        if self.num_pushed == 1:
            self.shape = self._first_shape()
        due = self._work is None and self._due and self.num_pushed >= self._due[0]
        if due and any(shown.any() for _, shown in self._history):
            self._due = [frames for frames in self._due if frames > self.num_pushed]
            self._work = self._search().parts()
        if self._work is None or busy:
            return
        work, self._work = self._work, None
        found = next(work)
        if found is None:
            self._work = work
        else:
            self.shape, self.rough = found, False

    def learn(self, lesson: Lesson, noise_m: np.ndarray) -> None:
        """Take into the shape what a frame tells of it, while it is rough: least squares, frame by frame.

        Args:
            lesson: what it tells.
            noise_m: (K,) noise of the points per axis.
        """
        betas = self.shape.betas
        self._firm += lesson.matrix
        self._drawn += lesson.matrix @ betas + lesson.right
        self._num_lessons += 1
        self._misfit_squared += (lesson.misfit_m**2 - self._misfit_squared) / self._num_lessons
        left_m = float(np.median(after_smoothing(noise_m, self._options.smoothing)))
        if self._options.betas is None:
            hold = left_m**2 * _HELD_AS_FRAMES + self._misfit_squared * self._num_lessons
            betas = limited(np.linalg.solve(self._firm + hold * np.eye(len(betas)), self._drawn))
        sigma_m = max(MIN_SIGMA_M, left_m, _SIGMA_PER_MISFIT * lesson.misfit_m)
        self.shape = replace(self.shape, betas=betas, sigma_m=sigma_m, noise_m=left_m)

    def recent(self, num_frames: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the positions (F, K, 3) and weights (F, K) of the last frames, at most *num_frames*."""
        some = list(self._history)[-num_frames:]
        positions, weights = (np.stack(parts) for parts in zip(*some, strict=True))
        return positions, weights

    def _seen(self) -> SolverPoints:
        positions, weights = self.recent(len(self._history))
        return replace(self._points.empty(), positions=positions, weights=weights)

    def _first_shape(self) -> ShapeEstimate:
        """Return what the lengths of the bones in the first frame tell."""
        points = self._seen()
        smoothed = smooth_points(points.positions, points.weights, self._fps)
        noise = residual_noise(smoothed, self._options.smoothing)
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
    """A search for the shape in some frames; knows nothing of the stream.

    Attributes:
        points: what was measured.
        model: those points on the body.
        betas: (B,) as far as they are known.
        fps: frames a second.
        options: settings.
        predictor: who is asked what pose to expect.
    """

    points: SolverPoints
    model: KeypointModel
    betas: np.ndarray
    fps: float
    options: FitOptions
    predictor: PosePredictor

    def parts(self) -> Iterator[ShapeEstimate | None]:
        """Do the next part of the work; yield None after each, and the shape after the last."""
        points, strength, known = self.points, self.options.smoothing, self.options.betas is not None
        smoothed = smooth_points(points.positions, points.weights, self.fps, strength=strength)
        yield None
        targets = make_targets(points, smoothed, self.fps, self.model.body)
        state = ShapeState(
            points.names,
            self.model,
            targets.select(spread_frames(targets.weights, _SPREAD_FRAMES).tolist()),
            self.model.body.array(self.betas),
            float(np.median(residual_noise(smoothed, strength))),
            points.trust,
            self.predictor,
        )
        rounds = min(_ROUNDS, QUALITIES[self.options.quality].shape_rounds)
        for _ in state.refine(rounds, hold_betas=known):
            yield None
        found = state.estimate()
        yield replace(found, betas=self.betas) if known else found
