"""The pose of the next frame of a stream, from the last one. K keypoints."""

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
from ..solver.one_frame import FramePose, FramePrior, FrameSolver, FrameTargets, Lesson
from ..temporal.visibility import Visibility

_EXPECTED_S, _EXPECTED_FRAMES = 0.1, 3
"""What pose to expect is asked anew after so long, and after so many frames, at most. On clean points of 8 clips of
people that it never saw, asking in every frame gains a tenth of a millimetre PVE, for twice the time."""
_STEPS = 2
"""A frame goes on from the last one, and the next goes on from there; only one that still moves by much gets more."""
_DOUBT_S = 0.5
"""A frame that lies far from its points however it is solved is not tried in full again before that."""


@dataclass(frozen=True, eq=False)
class _Found:
    """A pose that was found for some targets, all relative to one place.

    Attributes:
        targets: the targets.
        pose: the pose.
        points: (K, 3) its keypoints, metres.
        miss_m: their weighted root mean square distance from the targets.
    """

    targets: FrameTargets
    pose: FramePose
    points: np.ndarray
    miss_m: float


class LivePose:
    """A running pose of one person.

    Attributes:
        points: (K, 3) the keypoints of the last pose, metres.
    """

    points: np.ndarray

    def __init__(self, names: Sequence[str], fps: float, iterations: IterationLimits, predictor: PosePredictor) -> None:
        """Begin with no pose.

        Args:
            names: (K,) the solver points.
            fps: frames a second.
            iterations: how many steps a frame gets.
            predictor: who is asked what pose to expect.
        """
        self._names, self._iterations, self._predictor = tuple(names), iterations, predictor
        self._expected_frames = int(np.clip(round(_EXPECTED_S * fps), 1, _EXPECTED_FRAMES))
        self._doubt_frames = max(1, round(_DOUBT_S * fps))
        self._last: FramePose | None = None
        self._unknown = np.zeros(24, dtype=bool)
        self._age, self._doubt = self._expected_frames, 0
        predictor.prepare()

    @property
    def expects_next(self) -> bool:
        """Whether the next frame asks anew what pose to expect, and those after it do not."""
        return self._expected_frames > 1 and self._age + 1 >= self._expected_frames

    @property
    def rest_joints(self) -> np.ndarray:
        """Joints (24, 3) of the rest pose of the person's shape, metres; known once a frame was pushed."""
        return to_numpy(self._keypoints.rest_joints)

    def push(self, targets: FrameTargets, visibility: Visibility, shape: ShapeEstimate) -> FramePose:
        """Return the pose of the next frame; the last one where it does not show enough of the person.

        Args:
            targets: where the points are.
            visibility: what they tell.
            shape: the person's.
        """
        if self._last is None or shape is not self._shape:
            self._take(shape)
        self._age += 1
        self._doubt = max(0, self._doubt - 1)
        if visibility.absent[0]:
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

    def lesson(self) -> Lesson:
        """Return what the last frame that showed enough of the person tells of the shape."""
        found = self._found
        return self._solver.lesson(found.pose, found.targets, self._prior, outlier_limit_m(self._sigma_m))

    def _take(self, shape: ShapeEstimate) -> None:
        """Go on with another shape."""
        self._shape, self._sigma_m = shape, shape.sigma_m
        self._keypoints: ShapedKeypoints = shape.model.shaped(shape.model.body.array(shape.betas))
        self._solver = FrameSolver(self._keypoints)

    def _solved(self, targets: FrameTargets, visibility: Visibility, centre: np.ndarray) -> _Found:
        """Return the pose, relative to *centre*."""
        if self._last is None:
            return self._from_nothing(targets)
        if self._age >= self._expected_frames:
            self._expect(targets)
        back = self._unknown & ~visibility.unknown[0]
        begin = np.where(back[:, None, None], self._prior.rotations, self._last.rotations)
        found = self._finish(targets, FramePose(begin, (self._last.trans - centre).astype(np.float32)), near=True)
        if self._doubt or not is_lost(found.miss_m, self._sigma_m):
            return found
        again = self._from_nothing(targets)
        if again.miss_m < found.miss_m:
            return again
        self._doubt = self._doubt_frames
        return found

    def _from_nothing(self, targets: FrameTargets) -> _Found:
        """Return the pose as a clip's frame finds it (`core.fit.pose_solver.PoseJob.solve`), whatever was before."""
        start, trans = self._expect(targets)
        found = self._finish(targets, FramePose(self._prior.rotations, trans), near=False)
        if not is_lost(found.miss_m, self._sigma_m):
            return found
        again = self._finish(targets, FramePose(start, trans), near=False)
        return again if again.miss_m < found.miss_m else found

    def _finish(self, targets: FrameTargets, begin: FramePose, *, near: bool) -> _Found:
        """Return the pose that explains *targets* best, found from one that is *near* or not."""
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
        return _Found(targets, pose, points, _miss(targets, points))

    def _expect(self, targets: FrameTargets) -> tuple[np.ndarray, np.ndarray]:
        """Ask anew what pose to expect; return the analytic start's rotations (24, 3, 3) and trans (3,)."""
        block = Targets(targets.points[None], targets.weights[None])
        start, trans = analytic_start(self._names, self._keypoints, block)
        shape = self._shape
        expected = self._predictor.predict(
            self._names, self._keypoints, start, block,
            sigma_m=shape.sigma_m, noise_m=shape.noise_m, subject_offset=shape.subject_offset,
        )  # fmt: skip
        self._prior, self._age = FramePrior(expected), 0
        return start[0], trans[0]


def _miss(targets: FrameTargets, points: np.ndarray) -> float:
    """Return the weighted root mean square distance of *points* (K, 3) from their targets, metres."""
    off = targets.points - points
    squared = targets.weights @ np.einsum("ka,ka->k", off, off)
    return float(np.sqrt(squared / max(float(targets.weights.sum()), 1e-9)))
