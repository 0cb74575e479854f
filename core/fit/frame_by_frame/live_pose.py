"""Solve the pose of each next frame of a stream, starting from the last one. K keypoints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...body.keypoints import ShapedKeypoints
from ...math.arrays import to_numpy
from ..pose_solver import is_lost, outlier_limit_m
from ..priors.pose_predictor import PosePredictor
from ..shape.estimate import ShapeEstimate
from ..solver.gauss_newton import IterationLimits, Targets
from ..solver.initial_pose import analytic_start
from ..solver.one_frame import FramePose, FramePrior, FrameSolver, FrameTargets, ShapeEvidence
from ..temporal.visibility import Visibility

_EXPECTED_S, _EXPECTED_FRAMES = 0.1, 3
"""The expected pose is predicted again after at most this time and this number of frames. On clean points of 8 clips of
held-out people, a prediction in every frame gains a tenth of a millimetre PVE, for twice the time."""
_STEPS = 2
"""Steps of a frame, which starts from the last one; only a frame whose last step is large gets more."""
_DOUBT_S = 0.5
"""After a frame that no start fits, the full solve is not repeated for so long."""


@dataclass(frozen=True, eq=False)
class _Found:
    """A solved pose, relative to the centre of its targets.

    Attributes:
        targets: the targets.
        pose: the pose.
        points: (K, 3) its keypoints, metres.
        error_m: their weighted root mean square distance from the targets.
    """

    targets: FrameTargets
    pose: FramePose
    points: np.ndarray
    error_m: float


class LivePose:
    """A running pose of one person.

    Attributes:
        points: (K, 3) the keypoints of the last pose, metres.
    """

    points: np.ndarray

    def __init__(self, names: Sequence[str], fps: float, iterations: IterationLimits, predictor: PosePredictor) -> None:
        """Begin without frames.

        Args:
            names: (K,) the solver points.
            fps: frames per second.
            iterations: limits of the steps of a frame.
            predictor: predicts the expected poses.
        """
        self._names, self._iterations, self._predictor = tuple(names), iterations, predictor
        self._expected_frames = int(np.clip(round(_EXPECTED_S * fps), 1, _EXPECTED_FRAMES))
        self._doubt_frames = max(1, round(_DOUBT_S * fps))
        self._last: FramePose | None = None
        self._found: _Found | None = None
        self._shown = False
        self._unknown = np.zeros(24, dtype=bool)
        self._age, self._doubt = self._expected_frames, 0
        predictor.prepare()

    @property
    def expects_next(self) -> bool:
        """Whether the next frame, unlike those after it, predicts the expected pose again."""
        return self._expected_frames > 1 and self._age + 1 >= self._expected_frames

    @property
    def rest_joints(self) -> np.ndarray:
        """Joints (24, 3) of the rest pose of the person's shape, metres; known once a frame was pushed."""
        return to_numpy(self._keypoints.rest_joints)

    def push(self, targets: FrameTargets, visibility: Visibility, shape: ShapeEstimate) -> FramePose:
        """Return the pose of the next frame; the last pose if the frame does not show enough of the person.

        Args:
            targets: target positions of the points.
            visibility: which joints they show.
            shape: the person's shape.
        """
        if self._last is None or shape is not self._shape:
            self._take(shape)
        self._age += 1
        self._doubt = max(0, self._doubt - 1)
        self._shown = not visibility.absent[0]
        if not self._shown:
            assert self._last is not None
            self.points = self._solver.points(self._last)
            return self._last
        centre = np.average(targets.points, axis=0, weights=targets.weights)
        local = FrameTargets((targets.points - centre).astype(np.float32), targets.weights.astype(np.float32))
        found = self._solved(local, visibility, centre)
        unknown = visibility.unknown[0]
        if self._last is not None and unknown.any():
            held = np.where(unknown[:, None, None], self._last.rotations, found.pose.rotations)
            found = self._measured(local, FramePose(held, found.pose.trans))
        self._unknown, self._found = unknown, found
        self.points = found.points + centre
        self._last = FramePose(found.pose.rotations, found.pose.trans + centre)
        return self._last

    def prepare(self) -> bool:
        """Predict the expected pose from the last frame, if the next one would have to; return whether it did."""
        if not self.expects_next or not self._shown or self._found is None:
            return False
        self._predict(self._found.targets)
        return True

    def shape_evidence(self) -> ShapeEvidence:
        """Return the evidence on the shape of the last frame that showed enough of the person."""
        found = self._found
        assert found is not None
        return self._solver.shape_evidence(found.pose, found.targets, self._prior, outlier_limit_m(self._sigma_m))

    def _take(self, shape: ShapeEstimate) -> None:
        """Continue with another shape."""
        self._shape, self._sigma_m = shape, shape.sigma_m
        self._keypoints: ShapedKeypoints = shape.model.shaped(shape.model.body.array(shape.betas))
        self._solver = FrameSolver(self._keypoints)

    def _solved(self, targets: FrameTargets, visibility: Visibility, centre: np.ndarray) -> _Found:
        """Solve the pose, relative to *centre*."""
        if self._last is None:
            return self._from_nothing(targets)
        if self._age >= self._expected_frames:
            self._predict(targets)
        back = self._unknown & ~visibility.unknown[0]
        begin = np.where(back[:, None, None], self._prior.rotations, self._last.rotations)
        found = self._finish(targets, FramePose(begin, (self._last.trans - centre).astype(np.float32)), near=True)
        if self._doubt or not is_lost(found.error_m, self._sigma_m):
            return found
        again = self._from_nothing(targets)
        if again.error_m < found.error_m:
            return again
        self._doubt = self._doubt_frames
        return found

    def _from_nothing(self, targets: FrameTargets) -> _Found:
        """Solve the pose without the last one, as a frame of a clip (`core.fit.pose_solver.PoseSolver.solve`)."""
        start, trans = self._predict(targets)
        found = self._finish(targets, FramePose(self._prior.rotations, trans), near=False)
        if not is_lost(found.error_m, self._sigma_m):
            return found
        again = self._finish(targets, FramePose(start, trans), near=False)
        return again if again.error_m < found.error_m else found

    def _finish(self, targets: FrameTargets, begin: FramePose, *, near: bool) -> _Found:
        """Refine the pose *begin*; *near* means that it is close to the solution."""
        steps = min(_STEPS, self._iterations.steps) if near else self._iterations.steps
        pose = self._solver.solve(
            begin,
            targets,
            self._prior,
            iterations=replace(self._iterations, steps=steps),
            outlier_m=outlier_limit_m(self._sigma_m),
            near=near,
        )[0]
        return self._measured(targets, pose)

    def _measured(self, targets: FrameTargets, pose: FramePose) -> _Found:
        points = self._solver.points(pose)
        return _Found(targets, pose, points, _rms_error(targets, points))

    def _predict(self, targets: FrameTargets) -> tuple[np.ndarray, np.ndarray]:
        """Predict the expected pose; return the analytic start: rotations (24, 3, 3) and trans (3,)."""
        block = Targets(targets.points[None], targets.weights[None])
        start, trans = analytic_start(self._names, self._keypoints, block)
        shape = self._shape
        expected = self._predictor.predict(
            self._names, self._keypoints, start, block,
            sigma_m=shape.sigma_m, noise_m=shape.noise_m, subject_offset=shape.subject_offset,
        )  # fmt: skip
        self._prior, self._age = FramePrior(expected), 0
        return start[0], trans[0]


def _rms_error(targets: FrameTargets, points: np.ndarray) -> float:
    """Return the weighted root mean square distance of *points* (K, 3) from their targets, metres."""
    off = targets.points - points
    squared = targets.weights @ np.einsum("ka,ka->k", off, off)
    return float(np.sqrt(squared / max(float(targets.weights.sum()), 1e-9)))
