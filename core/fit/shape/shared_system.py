"""Solve the unknowns that all frames share together with the poses: shape, keypoint offsets, the subject offset.

This is one least-squares problem. Each frame has its own pose and all share the rest, so the poses are eliminated frame
by frame (Schur complement), which leaves a few dozen equations. K keypoints, F frames, S shared unknowns: D of the
shape, which are the betas (none if they are known) and the shares of `KeypointModel.with_shares`, three axes of each
point's offset, and the axes of the subject offset.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...body.keypoints import ShapedKeypoints
from ...math.arrays import Array, kind_of, like, namespace, to_numpy
from ...math.frames_last import apply_transposed, cross, rotation_vectors, transposed_times
from ...smpl_skeleton import NUM_JOINTS
from ..priors.regression_prior import PARTS, joint_axes, part_joints
from ..solver.gauss_newton import Goal, Linearised
from ..solver.normal_equations import Unknowns

SUBJECT_OFFSET_JOINTS = tuple(joint for part, side in PARTS for joint in part_joints(part, side))
SUBJECT_OFFSET_AXES = joint_axes(SUBJECT_OFFSET_JOINTS)
"""Indices of the axes of the joints that have a subject offset, among those of all joints."""


@dataclass(frozen=True, eq=False)
class SharedSolution:
    """A Gauss-Newton step of poses and shared unknowns.

    Attributes:
        step: the step of the poses.
        change: (S,) the step of the shared unknowns.
        covariance: (S, S) posterior covariance of the shared unknowns.
        followed: (K, F) each point's leverage on the pose of its frame, 0 to 3: how much the pose follows its errors.
    """

    step: Unknowns
    change: np.ndarray
    covariance: np.ndarray
    followed: np.ndarray


class SharedSystem:
    """The normal equations of the shared unknowns."""

    def __init__(
        self, keypoints: ShapedKeypoints, equations: Linearised, goal: Goal, rotations: Array, *, with_betas: bool
    ) -> None:
        """Take the shaped and shifted *keypoints*, and the poses' *equations*, *goal* and *rotations* (3, 3, 24, F)."""
        self._keypoints, self._equations, self._goal = keypoints, equations, goal
        self._axes = equations.posed.world[:, :, keypoints.model.holders]
        self._squared = equations.weights * equations.weights
        self._away = rotation_vectors(transposed_times(rotations, goal.expected))
        xp = namespace(rotations)
        columns = [keypoints.paired.shape_jacobian(equations.posed)] if with_betas else []
        if keypoints.model.carriers:
            columns.append(keypoints.onto_carriers(equations.posed, rotations))
        self._jacobian = xp.concat(columns, axis=2) if columns else None
        blocks = [self._of_shape()] if columns else []
        blocks += [self._of_offsets(), self._of_subject_offset()]
        self._mixed = Unknowns(
            xp.concat([block.turns for block in blocks], axis=2), xp.concat([block.shift for block in blocks], axis=1)
        )
        self._num_shape = sum(column.shape[2] for column in columns)

    @cached_property
    def _weighted_jacobian(self) -> Array:
        """`_jacobian` times the squared weights (3, K, D, F)."""
        return self._jacobian * self._squared[:, None]

    def _of_shape(self) -> Unknowns:
        """Return the coupling of poses with betas and shares."""
        forces = self._weighted_jacobian
        turns = self._equations.posed.moments(self._keypoints.paired.pairs, forces)
        return Unknowns(turns * self._equations.shown[:, None], namespace(forces).sum(forces, axis=1))

    def _of_offsets(self) -> Unknowns:
        xp = namespace(self._squared)
        posed = self._equations.posed
        levers = posed.levers(self._keypoints.paired.pairs.all_levers)
        num_points, num_frames = self._squared.shape
        levers = xp.reshape(levers, (3, NUM_JOINTS, num_points, 1, num_frames))
        forces = xp.permute_dims(self._axes, (0, 2, 1, 3)) * self._squared[:, None]
        turns = xp.reshape(cross(levers, forces[:, None]), (3, NUM_JOINTS, -1, num_frames))
        return Unknowns(turns * self._equations.shown[:, None], xp.reshape(forces, (3, -1, num_frames)))

    def _of_subject_offset(self) -> Unknowns:
        """Return the coupling of poses and subject offset; negative, since the offset moves the expected pose."""
        xp = namespace(self._squared)
        num_frames = self._squared.shape[-1]
        turns = xp.zeros((3, NUM_JOINTS, len(SUBJECT_OFFSET_AXES), num_frames), **kind_of(self._squared))
        for joint_precision in self._equations.pull.joint_precisions:
            axes = joint_axes([SUBJECT_OFFSET_JOINTS.index(joint) for joint in joint_precision.joints])
            by_joint = joint_precision.turned(self._equations.posed.world)
            by_joint = xp.reshape(by_joint, (len(joint_precision.joints), 3, -1, num_frames))
            for index, joint in enumerate(joint_precision.joints):
                turns[:, joint, axes] -= by_joint[index]
        return Unknowns(turns, 0.0 * turns[:, 0])

    def _own(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the matrix (S, S) and gradient (S,) of the shared unknowns with the poses held fixed."""
        residual = self._equations.residual
        xp = namespace(residual)
        num_points = residual.shape[1]
        first, second = self._num_shape, self._num_shape + 3 * num_points
        size = second + len(SUBJECT_OFFSET_AXES)
        own, gradient = np.zeros((size, size)), np.zeros(size)
        if self._jacobian is not None:
            forces = self._weighted_jacobian
            own[:first, :first] = to_numpy(xp.einsum("akbf,akcf->bc", forces, self._jacobian))
            gradient[:first] = to_numpy(xp.einsum("akbf,akf->b", forces, residual))
            mixed = to_numpy(xp.einsum("akbf,ackf->bkc", forces, self._axes)).reshape(first, -1)
            own[:first, first:second], own[first:second, :first] = mixed, mixed.T
        diagonal = np.arange(first, second)
        own[diagonal, diagonal] = np.repeat(to_numpy(xp.sum(self._squared, axis=-1)), 3)
        forces_on_offsets = xp.sum(apply_transposed(self._axes, residual) * self._squared, axis=-1)
        gradient[first:second] = to_numpy(forces_on_offsets).T.reshape(-1)
        for joint_precision in self._equations.pull.joint_precisions:
            axes = second + np.array(
                joint_axes([SUBJECT_OFFSET_JOINTS.index(joint) for joint in joint_precision.joints])
            )
            own[np.ix_(axes, axes)] += to_numpy(xp.sum(joint_precision.precision, axis=-1))
            moments = xp.sum(joint_precision.moment(self._away[:, list(joint_precision.joints)]), axis=-1)
            gradient[axes] -= to_numpy(moments).T.reshape(-1)
        return own, gradient

    def solve(self, current: np.ndarray, precision: np.ndarray, *, sigma_m: float, share: float) -> SharedSolution:
        """Return the step of poses and shared unknowns.

        Args:
            current: (S,) current values of the shared unknowns.
            precision: (S, S) their prior precision; the prior mean is 0.
            sigma_m: keypoint error per axis, metres.
            share: factor that weights each frame's evidence on them, since the frames' errors are correlated.
        """
        xp = namespace(self._squared)
        mixed, right = self._mixed, self._equations.right
        sides = Unknowns(xp.concat([mixed.turns, right.turns], axis=2), xp.concat([mixed.shift, right.shift], axis=1))
        solved = self._equations.normal.solve(sides)
        through_poses = to_numpy(_products(mixed, solved)).astype(np.float64)
        own, gradient = self._own()
        prior = precision * sigma_m**2
        covariance = np.linalg.inv(share * (own - through_poses[:, :-1]) + prior)
        change = covariance @ (share * (gradient - through_poses[:, -1]) - prior @ current)
        step = solved.minus_shared(like(change, self._squared))
        return SharedSolution(step, change, covariance * sigma_m**2, self._followed(solved))

    def _followed(self, solved: Unknowns) -> np.ndarray:
        """Return the leverage (K, F), 0 to 3, of each point's errors on the pose of its frame.

        This is the trace of the point's block of the hat matrix, which does not depend on the axes.
        """
        num_points = self._squared.shape[0]
        own = slice(self._num_shape, self._num_shape + 3 * num_points)
        xp = namespace(self._squared)
        along = xp.sum(xp.sum(self._mixed.turns[:, :, own] * solved.turns[:, :, own], axis=0), axis=0)
        along = along + xp.sum(self._mixed.shift[:, own] * solved.shift[:, own], axis=0)
        by_point = to_numpy(xp.sum(xp.reshape(along, (num_points, 3, -1)), axis=1))
        squared = to_numpy(self._squared)
        followed: np.ndarray = np.where(squared > 0, by_point / np.maximum(squared, 1e-12), 0.0)
        return np.clip(followed, 0.0, 3.0)


def _products(first: Unknowns, second: Unknowns) -> Array:
    """Return the inner products (M, N) of *first* (M right-hand sides) and *second* (N right-hand sides)."""
    xp = namespace(first.shift)

    def flat(unknowns: Unknowns) -> Array:
        turns = xp.permute_dims(unknowns.turns, (2, 0, 1, 3))
        shift = xp.permute_dims(unknowns.shift, (1, 0, 2))
        num_sides = shift.shape[0]
        return xp.concat([xp.reshape(turns, (num_sides, -1)), xp.reshape(shift, (num_sides, -1))], axis=1)

    return flat(first) @ xp.matrix_transpose(flat(second))
