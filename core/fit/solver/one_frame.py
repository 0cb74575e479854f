"""The exact solve of a single frame: that of `core.fit.solver.gauss_newton`, in few NumPy calls. K keypoints.

A block of frames takes its steps together, in arrays whose last axis is long. The time of a single frame is set by the
number of calls instead, so its 69 unknowns are solved as one dense matrix: 22 rotation vectors in the joints' own axes,
in which the prior's precision is constant, and the translation. A frame starts from the pose of the frame before, where
one or two steps are enough. N is 66, the number of rotation axes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...body.keypoints import ShapedKeypoints
from ...body.skinned_keypoints import Levers, PosedPairs
from ...math.frames_last import cross_matrices, from_rotation_vectors, rotation_vectors
from ...smpl_skeleton import NUM_BODY_ROTATIONS
from ..priors.regression_prior import joint_axes
from .gauss_newton import MAX_STEP_RAD, OUTLIER_FROM_STEP, SHOWING_M, TAIL, IterationLimits, PosePrior
from .joint_limits import LIMITED_AXES, LIMITED_JOINTS, limit_pulls
from .normal_equations import DAMPING

MOVING_RAD = 0.15
"""A frame whose last step rotated a joint by more has not converged."""
_NUM_TURNS = 3 * NUM_BODY_ROTATIONS
_JOINTS = np.arange(NUM_BODY_ROTATIONS)
_LIMITS = 3 * np.array(LIMITED_JOINTS) + np.array(LIMITED_AXES)
_DIAGONAL = np.arange(_NUM_TURNS + 3)


@dataclass(frozen=True, eq=False)
class FramePose:
    """A pose of one frame.

    Attributes:
        rotations: (24, 3, 3) local rotations.
        trans: (3,) metres.
    """

    rotations: np.ndarray
    trans: np.ndarray


@dataclass(frozen=True, eq=False)
class FrameTargets:
    """Target positions of the keypoints of one frame.

    Attributes:
        points: (K, 3) metres; arbitrary finite values where the weight is 0.
        weights: (K,) 0 or more.
    """

    points: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True, eq=False)
class ShapeEvidence:
    """The normal equations of the betas from one frame, its pose eliminated.

    Attributes:
        matrix: (B, B) normal matrix, square metres.
        right: (B,) right side, for the change of the betas.
        misfit_m: root mean square error of the points per axis, metres.
    """

    matrix: np.ndarray
    right: np.ndarray
    misfit_m: float


class FramePrior:
    """The prior on the pose of one frame, in the form that `FrameSolver` uses."""

    def __init__(self, prior: PosePrior) -> None:
        """Convert the prior of one frame, of NumPy arrays."""
        self.rotations = prior.rotations[0]
        precision = prior.precision if prior.precision.ndim == 3 else prior.precision[0]
        self._precision = precision
        self._sigma_squared = prior.sigma_m**2
        self._couplings = [
            (np.array(joint_axes(joint_precision.joints)), joint_precision.precision[0])
            for joint_precision in prior.joint_precisions
        ]

    def pull(self, rotations: np.ndarray, matrix: np.ndarray) -> np.ndarray:
        """Return the gradient (N,) towards the expected rotations, in the joints' own axes; see `gauss_newton.Goal`.

        Args:
            rotations: (24, 3, 3) local rotations.
            matrix: (N + 3, N + 3) the normal matrix, to which the precision is added.
        """
        body = rotations[:NUM_BODY_ROTATIONS]
        between = body.swapaxes(1, 2) @ self.rotations[:NUM_BODY_ROTATIONS]
        away = rotation_vectors(between.transpose(1, 2, 0)).T
        moment = (self._precision @ away[:, :, None])[:, :, 0]
        share = self._believed(np.einsum("ja,ja->j", away, moment), 3)
        by_joint = matrix[:_NUM_TURNS, :_NUM_TURNS].reshape(NUM_BODY_ROTATIONS, 3, NUM_BODY_ROTATIONS, 3)
        by_joint[_JOINTS, :, _JOINTS] += share[:, None, None] * self._precision
        moments: np.ndarray = (share[:, None] * moment).reshape(-1)
        flat = away.reshape(-1)
        for axes, precision in self._couplings:
            distance = flat[axes]
            pull = precision @ distance
            believed = self._believed(distance @ pull, len(axes))
            moments[axes] += believed * pull
            matrix[axes[:, None], axes] += believed * precision
        back, firm = limit_pulls(rotations.transpose(1, 2, 0)[..., None])
        moments[_LIMITS] += back[:, 0]
        matrix[_LIMITS, _LIMITS] += firm[:, 0]
        return moments

    def _believed(self, squared: np.ndarray, size: int) -> np.ndarray:
        """Return the robust weight of Student's t for *squared* distances of *size* axes."""
        share: np.ndarray = np.minimum((TAIL + size) / (TAIL + squared / self._sigma_squared), 1.0)
        return share


@dataclass(frozen=True, eq=False)
class _Problem:
    """The linear problem of one step.

    Attributes:
        matrix: (N + 3, N + 3) normal matrix of the rotations, then the translation.
        right: (N + 3,) right side.
        slopes: (N + 3, 3 K) Jacobian of the weighted keypoints, transposed.
        off: (3 K,) weighted residuals, metres.
        weights: (K,) weights of the keypoints, with the robust ones.
        posed: the keypoints.
    """

    matrix: np.ndarray
    right: np.ndarray
    slopes: np.ndarray
    off: np.ndarray
    weights: np.ndarray
    posed: PosedPairs


class FrameSolver:
    """Solves single frames on one body."""

    def __init__(self, keypoints: ShapedKeypoints) -> None:
        """Prepare *keypoints*, of NumPy arrays, on one body."""
        self._paired = keypoints.paired
        pairs = self._paired.pairs
        num_points = len(pairs.gather)
        every, count = pairs.all_levers, NUM_BODY_ROTATIONS * num_points
        matrix = every.matrix[:count]
        self._levers = Levers(matrix, every.joints[:count], every.points[:count])
        self._showing = (keypoints.reach[:NUM_BODY_ROTATIONS] > SHOWING_M).astype(matrix.dtype)

    def points(self, pose: FramePose) -> np.ndarray:
        """Return the keypoints (K, 3) of a pose, metres."""
        points: np.ndarray = self._posed(pose.rotations).points[:, :, 0].T + pose.trans
        return points

    def solve(
        self,
        pose: FramePose,
        targets: FrameTargets,
        prior: FramePrior,
        *,
        iterations: IterationLimits,
        outlier_m: float | None = None,
        near: bool = True,
    ) -> tuple[FramePose, float]:
        """Return the pose that fits *targets* best, and the largest rotation of the last step, radians.

        Args:
            pose: initial pose.
            targets: target positions of the keypoints.
            prior: expected rotations.
            iterations: limits of the steps.
            outlier_m: error at which a point's weight falls to a quarter (Geman and McClure); None for equal weights.
            near: whether *pose* is close to the solution; if not, the first steps weight all points alike.
        """
        moved = np.inf
        for step in range(iterations.steps + iterations.extra_steps):
            pose, moved = self._step(pose, targets, prior, outlier_m if near or step >= OUTLIER_FROM_STEP else None)
            if moved <= (iterations.still_rad if step + 1 < iterations.steps else MOVING_RAD):
                break
        return pose, moved

    def shape_evidence(
        self, pose: FramePose, targets: FrameTargets, prior: FramePrior, outlier_m: float | None = None
    ) -> ShapeEvidence:
        """Return the evidence of one frame on the betas, its pose eliminated as in `core.fit.shape.shared_system`.

        Args:
            pose: the pose that fits the targets best.
            targets: target positions of the keypoints.
            prior: expected rotations.
            outlier_m: as for `solve`.
        """
        problem = self._problem(pose, targets, prior, outlier_m)
        slopes = self._paired.shape_jacobian(problem.posed)[..., 0]
        slopes = slopes.reshape(-1, slopes.shape[-1]) * np.tile(problem.weights, 3)[:, None]
        mixed = problem.slopes @ slopes
        solved = np.linalg.solve(problem.matrix, np.concatenate([mixed, problem.right[:, None]], axis=1))
        explained = mixed.T @ solved
        total = 3.0 * max(float(problem.weights @ problem.weights), 1e-9)
        misfit_m = float(np.sqrt(problem.off @ problem.off / total))
        return ShapeEvidence(slopes.T @ slopes - explained[:, :-1], slopes.T @ problem.off - explained[:, -1], misfit_m)

    def _step(
        self, pose: FramePose, targets: FrameTargets, prior: FramePrior, outlier_m: float | None
    ) -> tuple[FramePose, float]:
        """Return the pose after a Gauss-Newton step, and the largest turn of the step, radians."""
        problem = self._problem(pose, targets, prior, outlier_m)
        step = np.linalg.solve(problem.matrix, problem.right)
        turns = step[:_NUM_TURNS].reshape(-1, 3).T
        size = np.sqrt(np.einsum("aj,aj->j", turns, turns))
        turns = turns * np.minimum(MAX_STEP_RAD / np.maximum(size, 1e-9), 1.0)
        rotations = pose.rotations.copy()
        turned = from_rotation_vectors(turns).transpose(2, 0, 1)
        rotations[:NUM_BODY_ROTATIONS] = rotations[:NUM_BODY_ROTATIONS] @ turned
        return FramePose(rotations, pose.trans + step[_NUM_TURNS:]), min(float(size.max()), MAX_STEP_RAD)

    def _problem(self, pose: FramePose, targets: FrameTargets, prior: FramePrior, outlier_m: float | None) -> _Problem:
        """Return the linear problem of the next step; see `gauss_newton.linearised`."""
        posed = self._posed(pose.rotations)
        residual = targets.points.T - posed.points[:, :, 0] - pose.trans[:, None]
        weights = targets.weights
        if outlier_m is not None:
            squared = outlier_m**2
            weights = weights * (squared / (squared + np.einsum("ak,ak->k", residual, residual)))
        slopes = self._slopes(posed, targets.weights > 0)
        slopes *= np.tile(weights, 3)
        off = (residual * weights).reshape(-1)
        matrix = slopes @ slopes.T
        right = slopes @ off
        right[:_NUM_TURNS] += prior.pull(pose.rotations, matrix)
        matrix[_DIAGONAL, _DIAGONAL] += DAMPING
        return _Problem(matrix, right, slopes, off, weights, posed)

    def _posed(self, rotations: np.ndarray) -> PosedPairs:
        return self._paired.posed(np.ascontiguousarray(rotations.transpose(1, 2, 0))[..., None])

    def _slopes(self, posed: PosedPairs, seen: np.ndarray) -> np.ndarray:
        """Return the transposed Jacobian (N + 3, 3 K): rotations about the joints' own axes, then the translation."""
        num_points = len(seen)
        levers = posed.levers(self._levers).reshape(3, NUM_BODY_ROTATIONS, num_points)
        shown = (self._showing @ seen > 0)[:, None]
        about_world = cross_matrices(levers * shown).transpose(2, 0, 1, 3).reshape(NUM_BODY_ROTATIONS, 3, -1)
        to_own = posed.world[:, :, :NUM_BODY_ROTATIONS, 0].transpose(2, 1, 0)
        slopes = np.zeros((_NUM_TURNS + 3, 3 * num_points), dtype=levers.dtype)
        np.matmul(to_own, about_world, out=slopes[:_NUM_TURNS].reshape(NUM_BODY_ROTATIONS, 3, -1))
        for axis in range(3):
            slopes[_NUM_TURNS + axis, axis * num_points : (axis + 1) * num_points] = 1.0
        return slopes
