"""The fit frame by frame, for live use: each frame from its own points and what came before, never from what follows.

The points of a frame are filtered (`core.fit.frame_by_frame.live_points`), its pose is solved from the last one in a
step or two (`core.fit.solver.one_frame`), and the expected pose is predicted again every few hundredths of a second.
The shape is estimated beside it, by a bounded part of the work in each frame (`core.fit.frame_by_frame.calibration`). A
frame whose points the solution does not fit, after a cut or a long gap, is solved as a frame of a clip is.

On noise-free points, a stream's joints are within 1 mm in the mean, and 10 mm at most, of those of the clip fit, once
the shape is known. The filter is causal, so with noise they are within twice the noise in the mean, and six times at
most. A limb whose points are missing keeps its last pose, since the stream cannot know where it will reappear.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...body.data import BodyData
from ...body.model import BodyModel
from ...errors import FitOptionError, TrackError
from ...layouts import Layout
from ...math.arrays import check_device
from ...track import MAX_FPS, KeypointTrack
from ..observations import keypoint_model, layout_points
from ..options import FitOptions
from ..quality import QUALITIES
from ..shape.estimate import ShapeEstimate
from ..solver.knee_axes import align_knee_axes
from ..solver.one_frame import FrameTargets
from ..temporal.keypoint_smoothing import measure_noise
from ..temporal.visibility import Visibility, find_visibility
from .calibration import Calibration
from .live_points import LivePoint, LivePoints
from .live_pose import LivePose
from .live_screening import LiveScreening, Screening

_NOISE_IN, _NOISE_EVERY = (1, 5, 9, 13, 17, 25), 30
"""The points' noise is measured in these frames, and then once in this many frames."""
_NOISE_FRAMES = 60
_LENGTHS_FIRST, _LENGTHS_EVERY = 6, 60
"""Distances between points are measured after this many frames, and then at most once in this many."""
_MAX_DISTANCE_M = 1e6
"""Nobody is recorded farther from the origin, where the square of a distance is no longer exact to a millimetre."""
_SIZES_M = (0.02, 5.0)
"""Median distance of anybody's points in metres from their middle; wrong points do not change it much."""


@dataclass(frozen=True, eq=False)
class StreamPose:
    """One frame's result.

    Attributes:
        rotations: (24, 3, 3) local rotations.
        trans: (3,) metres.
        betas: (B,) the shape of this frame.
        point_error_m: (K,) distance between measured and fitted solver points, NaN where missing.
        jumps: (K,) bool, points ignored as implausible.
        visibility: the joints that the frame's points do not show (one frame).
        sigma_m: keypoint error per axis, standard deviation, metres.
    """

    rotations: np.ndarray
    trans: np.ndarray
    betas: np.ndarray
    point_error_m: np.ndarray
    jumps: np.ndarray
    visibility: Visibility
    sigma_m: float


class FitStream:
    """A running fit of one person.

    Attributes:
        names: (K,) the solver points that are read, in order.
    """

    def __init__(self, layout: Layout, fps: float, body: BodyData, options: FitOptions | None = None) -> None:
        """Begin with nothing seen.

        Args:
            layout: the layout of the points.
            fps: frames per second.
            body: the body to fit.
            options: the fit options; ``mode`` and ``fps`` are ignored, and the device must be NumPy, since one frame is
                too little work for another.

        Raises:
            FitOptionError: *layout* is not a `Layout`, or *fps* not above 0 and up to `core.track.MAX_FPS`.
        """
        if not isinstance(layout, Layout):
            raise FitOptionError(f"expected a Layout, such as core.layouts.LAYOUTS['body25'], got {str(layout)[:40]!r}")
        if not isinstance(fps, (int, float, np.number)) or not 0.0 < fps <= MAX_FPS:
            raise FitOptionError(f"expected a frame rate above 0 and up to {MAX_FPS:g}, got {str(fps)[:40]!r}")
        self._options = options or FitOptions()
        check_device(self._options.device)
        self._layout, self._fps = layout, fps
        self._points = layout_points(layout)
        self.names = self._points.names
        model = keypoint_model(layout, BodyModel(self._options.fitted_body(body)), self._options.regressor)
        predictor = self._options.predictor("numpy")
        self._calibration = Calibration(self._points, model, fps, self._options, predictor)
        self._filter = LivePoints(len(self.names), fps, self._options.smoothing)
        self._pose = LivePose(self.names, fps, QUALITIES[self._options.quality].iterations, predictor)
        self._usual = np.zeros(len(self.names))
        self._evidence: tuple[bytes, Visibility] | None = None
        self._noise_m, self._noise_due = np.zeros(len(self.names)), False
        self._lengths_due = _LENGTHS_FIRST
        self._prepared = False
        self._rest_points = model.rest(model.body.array(np.zeros(body.shapedirs.shape[-1])))

    @property
    def calibrated(self) -> bool:
        """Whether the shape is final."""
        return self._calibration.ended

    @property
    def shape(self) -> ShapeEstimate:
        """The current estimates of what is constant over the frames; undefined before the first frame."""
        return self._calibration.shape

    def push(self, positions: np.ndarray, confidence: np.ndarray) -> StreamPose:
        """Return the pose of the next frame.

        Args:
            positions: (points of the layout, 3) metres, Y up; NaN where missing.
            confidence: (points of the layout,) 0 to 1.

        Raises:
            TrackError: the first frame does not show hips and shoulders, the shapes are wrong, or the points cannot be
                a person's in metres. The frame is ignored; push the next one.
        """
        frame = self._checked(positions, confidence)
        points = self._points.take(frame)
        measured, weights = points.positions[0], points.weights[0]
        screening = self._screened(measured, weights)
        weights = np.where(screening.wrong, 0.0, weights)
        self._calibrate(measured, weights)
        self._prepared = False
        live = self._filter.push(measured, weights, self._noise_m, screening.restarted)
        self._usual = np.maximum(self._usual, weights)
        visibility = self._find_evidence(live)
        shape = self._calibration.shape
        pose = self._pose.push(FrameTargets(live.positions, live.weights), visibility, shape)
        if self._calibration.rough and not visibility.absent[0]:
            self._calibration.learn(self._pose.shape_evidence(), self._noise_m)
        off = np.nan_to_num(measured) - self._pose.points
        error = np.where(weights > 0, np.sqrt(np.einsum("ka,ka->k", off, off)), np.nan)
        rotations = align_knee_axes(pose.rotations[None], self._pose.rest_joints)[0]
        return StreamPose(rotations, pose.trans, shape.betas, error, screening.wrong, visibility, shape.sigma_m)

    def prepare(self) -> None:
        """Do ahead what the next frame would have to do besides its own pose; call it when there is time before that.

        It predicts the expected pose from the last frame, or continues the estimate of the shape. Poses differ little
        from those without it, and the next `push` takes about half as long where it would have done that itself.
        """
        if not self._prepared and self._calibration.num_pushed:
            self._prepared = True
            if not self._pose.prepare():
                self._calibration.work()

    def _checked(self, positions: np.ndarray, confidence: np.ndarray) -> KeypointTrack:
        """Return the frame as a track.

        Raises:
            TrackError: shapes are wrong, or all points are absurdly far away.
        """
        try:
            points, trust = np.array([positions], dtype=np.float64), np.array([confidence], dtype=np.float64)
        except (TypeError, ValueError, OverflowError) as error:
            raise TrackError(f"expected positions and confidence as arrays of numbers, got {error}") from error
        frame = KeypointTrack(points, trust, self._fps, self._layout)
        distances = np.abs(points[trust > 0.0])
        nearest_m = distances[np.isfinite(distances).all(axis=-1)].max(axis=-1).min(initial=np.inf)
        if _MAX_DISTANCE_M < nearest_m < np.inf:
            raise TrackError(
                f"expected points in metres within {_MAX_DISTANCE_M / 1000:g} km of the origin, found all of them "
                f"beyond it, the nearest at {nearest_m:.3g} m; check their unit and origin"
            )
        return frame

    def _check_size(self, measured: np.ndarray) -> None:
        """Check that the person of the first frame has the size of one in metres.

        Raises:
            TrackError: it has not.
        """
        seen = measured[np.isfinite(measured).all(axis=-1)]
        size_m = float(np.median(np.linalg.norm(seen - np.median(seen, axis=0), axis=-1)))
        if not _SIZES_M[0] <= size_m <= _SIZES_M[1]:
            raise TrackError(
                f"expected points of a person in metres, found half of them within {size_m:.3g} of their middle in the "
                "first frame; check their unit"
            )

    def _screened(self, measured: np.ndarray, weights: np.ndarray) -> Screening:
        """Return the implausible points.

        Raises:
            TrackError: the first frame does not show hips and shoulders, or not a person in metres.
        """
        begins = not self._usual.any()
        if begins:
            self._screening = LiveScreening(self.names, self._fps, self._rest_points)
        screening = self._screening.push(measured, weights, self._noise_m)
        right = np.where(screening.wrong, 0.0, weights)
        if begins and find_visibility(self.names, right[None]).absent[0]:
            raise TrackError("expected the first frame to show both hips and both shoulders; wait for such a frame")
        if begins:
            self._check_size(measured[weights > 0.0])
        return screening

    def _calibrate(self, measured: np.ndarray, weights: np.ndarray) -> None:
        """Continue the estimate of the shape, or measure the points' noise from time to time.

        Never both in one frame, nor in a frame that predicts the expected pose, which has the most work.
        """
        number = self._calibration.num_pushed + 1
        self._noise_due |= number in _NOISE_IN or number % _NOISE_EVERY == 0
        busy = self._pose.expects_next and number > 1
        measures = self._noise_due and not busy
        self._calibration.push(measured, weights, busy=busy or measures or self._prepared)
        if measures:
            positions, shown = self._calibration.recent(_NOISE_FRAMES)
            self._noise_m, self._noise_due = measure_noise(np.nan_to_num(positions), shown > 0), False
        if number >= self._lengths_due and not busy:
            self._screening.measure(*self._calibration.recent(_LENGTHS_EVERY))
            self._lengths_due += min(number, _LENGTHS_EVERY)

    def _find_evidence(self, live: LivePoint) -> Visibility:
        """Return the visibility of this frame's joints, compared with the points that are usually seen."""
        shown = np.stack([self._usual, live.weights])
        pattern = (shown > 0).tobytes()
        if self._evidence is None or self._evidence[0] != pattern:
            self._evidence = pattern, find_visibility(self.names, shown).select(slice(1, None))
        return self._evidence[1]
