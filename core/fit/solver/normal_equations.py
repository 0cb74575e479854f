"""The Gauss-Newton normal equations, in blocks: one trunk, and limbs that are independent of each other.

The normal matrix of all 69 unknowns is mostly zero, since a limb's keypoint moves only with that limb and the trunk.
Each limb is therefore eliminated on its own, which leaves the equations of the trunk's rotations and of the translation
of the whole body. A keypoint that two limbs move, as with certain regressors, is split between them: ``|t + a + b|^2 <=
s |t + a / s|^2 + r |t + b / r|^2`` for s + r = 1, which can only shorten a step. The right-hand side stays exact, so
the iteration converges to the same solution.

M right-hand sides, F frames; two limbs of J joints with L keypoints; T trunk unknowns that couple to a limb: the
translation, and the rotations of the trunk's first joints. Arrays have the frames last (`core.math.frames_last`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...body.skinned_keypoints import TRUNK, KeypointPairs, LimbPair, PosedPairs
from ...math.arrays import Array, contiguous, kind_of, namespace
from ...math.frames_last import cross_matrices, in_rows

_SHIFT = 3
_DENSE_FRAMES, _DENSE_SIDES = 32, 32
"""With at most this many frames and at least this many right-hand sides, dense LAPACK is faster in NumPy."""
DAMPING = 1e-5
"""Added to the normal matrix's diagonal, in square metres; keeps it invertible where no keypoint is seen."""


@dataclass(frozen=True, eq=False)
class Unknowns:
    """The unknowns of the normal equations, or their right-hand sides.

    Attributes:
        turns: (3, 24, M, F) small joint rotations about world axes, radians; on the right-hand side, moments. 0 for the
            hands.
        shift: (3, M, F) translation of the whole body, metres; on the right-hand side, forces.
    """

    turns: Array
    shift: Array

    def minus_shared(self, change: Array) -> Unknowns:
        """Return the last solution minus the other solutions, each times its shared unknown's *change* (M - 1,).

        The other solutions are those for the right-hand sides that the shared unknowns contribute, one by one.
        """
        xp = namespace(change)
        turns = self.turns[:, :, -1] - xp.einsum("b,ajbf->ajf", change, self.turns[:, :, :-1])
        shift = self.shift[:, -1] - xp.einsum("b,abf->af", change, self.shift[:, :-1])
        return Unknowns(turns[:, :, None], shift[:, None])


@dataclass(frozen=True, eq=False)
class NormalMatrix:
    """The normal matrix, in blocks.

    Attributes:
        pairs: the pairs of keypoints and joints.
        limbs: for legs and arms, (3 J, 3 J + T, 2, F): rows are a limb's rotations; columns are these, then the trunk's
            unknowns.
        trunk: (39, 39, F): the translation, then the trunk's rotations.
    """

    pairs: KeypointPairs
    limbs: tuple[Array, ...]
    trunk: Array

    def solve(self, right: Unknowns) -> Unknowns:
        """Return the solutions for the right-hand sides *right*."""
        num_sides, num_frames = right.shift.shape[1:]
        if isinstance(self.trunk, np.ndarray) and num_frames <= _DENSE_FRAMES and num_sides >= _DENSE_SIDES:
            return self._solve_dense(right)
        xp = namespace(self.trunk)
        sides = xp.reshape(xp.permute_dims(right.turns[:, list(TRUNK)], (1, 0, 2, 3)), (-1, num_sides, num_frames))
        trunk = xp.concat([self.trunk, xp.concat([right.shift, sides], axis=0)], axis=1)
        eliminated = []
        for pair, rows in zip(self.pairs.limbs, self.limbs, strict=True):
            limbs = xp.concat([rows, _by_limb(pair, right.turns)], axis=1)
            _eliminate(limbs)
            _subtract_schur(limbs, trunk)
            eliminated.append(limbs)
        of_trunk = _solve_each(trunk)
        turns = xp.zeros_like(right.turns)
        turns[:, list(TRUNK)] = xp.permute_dims(
            xp.reshape(of_trunk[_SHIFT:], (len(TRUNK), 3, num_sides, num_frames)), (1, 0, 2, 3)
        )
        for pair, limbs in zip(self.pairs.limbs, eliminated, strict=True):
            num_rows, num_trunk = len(limbs), limbs.shape[1] - len(limbs) - num_sides
            coupled = limbs[:, num_rows : num_rows + num_trunk]
            limbs[:, num_rows + num_trunk :] -= xp.einsum("rclf,cmf->rmlf", coupled, of_trunk[:num_trunk])
            solved = xp.reshape(_substitute(limbs, num_rows + num_trunk), (-1, 3, num_sides, 2, num_frames))
            turns[:, pair.joints] = xp.reshape(
                xp.permute_dims(solved, (1, 3, 0, 2, 4)), (3, len(pair.joints), num_sides, num_frames)
            )
        return Unknowns(turns, of_trunk[:_SHIFT])

    def _solve_dense(self, right: Unknowns) -> Unknowns:
        """Return the same as `solve`, frame by frame with the dense matrix of all 69 unknowns."""
        num_sides, num_frames = right.shift.shape[1:]
        limbs = [limb for pair in self.pairs.limbs for limb in pair.limbs]
        joints = [*TRUNK, *(joint for limb in limbs for joint in limb)]
        matrix = np.zeros((num_frames, _SHIFT + 3 * len(joints), _SHIFT + 3 * len(joints)), dtype=self.trunk.dtype)
        end = len(self.trunk)
        matrix[:, :end, :end] = self.trunk.transpose(2, 0, 1)
        for rows in self.limbs:
            for limb in rows.transpose(2, 3, 0, 1):
                size, trunk = limb.shape[1], limb.shape[2] - limb.shape[1]
                own = slice(end, end + size)
                matrix[:, own, own] = limb[:, :, :size]
                matrix[:, own, :trunk] = limb[:, :, size:]
                matrix[:, :trunk, own] = limb[:, :, size:].swapaxes(1, 2)
                end += size
        sides = np.empty((num_frames, end, num_sides), dtype=matrix.dtype)  # contiguous, so that BLAS is used
        sides[:, :_SHIFT] = right.shift.transpose(2, 0, 1)
        sides[:, _SHIFT:] = right.turns[:, joints].transpose(3, 1, 0, 2).reshape(num_frames, -1, num_sides)
        # For that many sides LAPACK's substitution takes twice as long as an inverse, which is exact enough in float64.
        inverse = np.linalg.inv(matrix.astype(np.float64)).astype(matrix.dtype)
        found = inverse @ sides
        answer = np.zeros_like(right.turns)
        by_joint = found[:, _SHIFT:].reshape(num_frames, len(joints), 3, num_sides)
        answer[:, joints] = by_joint.transpose(2, 1, 3, 0)
        return Unknowns(answer, np.ascontiguousarray(found[:, :_SHIFT].transpose(1, 2, 0)))

    def couple(self, joints: tuple[int, ...], precision: Array) -> None:
        """Add a precision (3 J, 3 J, F) about world axes that couples *joints*, all in the trunk or all in one limb."""
        if joints[0] in TRUNK:
            rows = _rows([TRUNK.index(joint) for joint in joints], _SHIFT)
            self.trunk[_grid(rows)] += precision
            return
        for pair, by_limb in zip(self.pairs.limbs, self.limbs, strict=True):
            for side, limb in enumerate(pair.limbs):
                if joints[0] in limb:
                    rows = _rows([limb.index(joint) for joint in joints])
                    by_limb[(*_grid(rows), side)] += precision


def _rows(indices: list[int], first: int = 0) -> list[int]:
    """Return the row indices of the axes of the joints at *indices*, counted from *first*."""
    return [first + 3 * index + axis for index in indices for axis in range(3)]


def _grid(rows: list[int]) -> tuple[list[list[int]], list[list[int]]]:
    """Return the index arrays that select *rows* and the same columns."""
    return [[row] for row in rows], [rows]


def normal_matrix(
    pairs: KeypointPairs, posed: PosedPairs, weights: Array, shown: Array, precision: Array
) -> NormalMatrix:
    """Return the normal matrix.

    Args:
        pairs: the pairs of keypoints and joints.
        posed: these pairs on the posed body.
        weights: (K, F) keypoint weights.
        shown: (24, F) 0 for joints that no keypoint may turn, else 1.
        precision: (3, 3, 24, F) the prior's precision about world axes.
    """
    xp = namespace(weights)
    num_frames = weights.shape[1]
    trunk = posed.levers(pairs.trunk) * (weights[pairs.trunk.points] * shown[pairs.trunk.joints])
    trunk = xp.reshape(trunk, (3, len(TRUNK), -1, num_frames))
    limbs = []
    for pair in pairs.limbs:
        levers = posed.levers(pair.levers) * (weights[pair.levers.points] * shown[pair.levers.joints])
        levers = xp.reshape(levers, (3, 2, len(pair.limbs[0]), -1, num_frames))
        limbs.append(_limb_rows(pair, levers, trunk, weights, precision[:, :, pair.joints]))
    return NormalMatrix(pairs, tuple(limbs), _trunk_rows(trunk, weights, precision[:, :, list(TRUNK)]))


def _limb_rows(pair: LimbPair, limbs: Array, trunk: Array, weights: Array, precision: Array) -> Array:
    """Return two limbs' rows (3 J, 3 J + T, 2, F) from their levers (3, 2, J, L, F) and the trunk's (3, 12, K, F)."""
    xp = namespace(limbs)
    num_joints, num_frames = limbs.shape[2], limbs.shape[-1]
    num_rows, num_trunk = 3 * num_joints, 3 * pair.trunk_joints
    of_trunk = xp.reshape(
        trunk[:, : pair.trunk_joints][:, :, pair.all_points], (3, pair.trunk_joints, 2, -1, num_frames)
    )
    own = _turning(xp.einsum("blikf,aljkf->iajblf", limbs, limbs / -pair.split))
    for index in range(num_joints):
        own[index, :, index] += precision[:, :, index::num_joints]
    mixed = _turning(xp.einsum("bljkf,ailkf->jaiblf", limbs, -of_trunk))
    by_limb = xp.reshape(weights[pair.all_points], (2, 1, -1, num_frames))
    coupling = xp.permute_dims(cross_matrices(xp.sum(limbs * by_limb, axis=3)), (3, 0, 1, 2, 4))
    rows = xp.empty((num_rows, num_rows + _SHIFT + num_trunk, 2, num_frames), **kind_of(limbs))
    rows[:, :num_rows] = xp.reshape(own, (num_rows, num_rows, 2, num_frames))
    rows[:, num_rows : num_rows + _SHIFT] = xp.reshape(coupling, (num_rows, _SHIFT, 2, num_frames))
    rows[:, num_rows + _SHIFT :] = xp.reshape(mixed, (num_rows, num_trunk, 2, num_frames))
    diagonal = list(range(num_rows))
    rows[diagonal, diagonal] += DAMPING
    return rows


def _trunk_rows(trunk: Array, weights: Array, precision: Array) -> Array:
    """Return the trunk's rows (39, 39, F) from its levers (3, 12, K, F)."""
    xp = namespace(trunk)
    num_turns, num_frames = 3 * len(TRUNK), trunk.shape[-1]
    own = _turning(xp.einsum("bikf,ajkf->iajbf", trunk, -trunk))
    for index in range(len(TRUNK)):
        own[index, :, index] += precision[:, :, index]
    coupling = cross_matrices(xp.sum(trunk * weights, axis=2))
    rows = xp.zeros((_SHIFT + num_turns, _SHIFT + num_turns, num_frames), **kind_of(trunk))
    rows[_SHIFT:, _SHIFT:] = xp.reshape(own, (num_turns, num_turns, num_frames))
    coupling = xp.reshape(xp.permute_dims(coupling, (2, 0, 1, 3)), (num_turns, _SHIFT, num_frames))
    rows[_SHIFT:, :_SHIFT] = coupling
    rows[:_SHIFT, _SHIFT:] = xp.permute_dims(coupling, (1, 0, 2))
    shift = list(range(_SHIFT))
    rows[shift, shift] = xp.sum(weights * weights, axis=0)
    diagonal = list(range(_SHIFT + num_turns))
    rows[diagonal, diagonal] += DAMPING
    return rows


def _turning(products: Array) -> Array:
    """Return the blocks ``trace(Q) I - Q^T`` from lever products ``-Q^T`` (i, 3, j, 3, ...) of joints i and j."""
    trace = products[:, 0, :, 0] + products[:, 1, :, 1] + products[:, 2, :, 2]
    for axis in range(3):
        products[:, axis, :, axis] -= trace
    return products


def _by_limb(pair: LimbPair, turns: Array) -> Array:
    """Return two limbs' part (3 J, M, 2, F) of the right-hand sides *turns* (3, 24, M, F)."""
    xp = namespace(turns)
    num_sides, num_frames = turns.shape[2:]
    parted = xp.reshape(turns[:, pair.joints], (3, 2, -1, num_sides, num_frames))
    return xp.reshape(xp.permute_dims(parted, (2, 0, 3, 1, 4)), (-1, num_sides, 2, num_frames))


def _eliminate(rows: Array) -> None:
    """Reduce *rows* (N, N + ..., B, F), positive definite in the first N columns, to upper triangular form in place."""
    size = len(rows)
    for pivot in range(size - 1):
        row = rows[pivot, pivot + 1 :]
        factors = row[: size - pivot - 1] / rows[pivot, pivot]
        rows[pivot + 1 :, pivot + 1 :] -= factors[:, None] * row[None]


def _subtract_schur(limbs: Array, trunk: Array) -> None:
    """Subtract two eliminated limbs (3 J, 3 J + T + M, 2, F) from the trunk's rows (39, 39 + M, F), in place.

    This leaves the Schur complement.
    """
    xp = namespace(limbs)
    num_rows = len(limbs)
    num_sides = trunk.shape[1] - len(trunk)
    num_trunk = limbs.shape[1] - num_rows - num_sides
    pivots = in_rows(*(limbs[row, row] for row in range(num_rows)))
    scaled = limbs[:, num_rows : num_rows + num_trunk] / pivots[:, None]
    product = xp.einsum("rclf,rmlf->cmf", scaled, limbs[:, num_rows:])
    trunk[:num_trunk, :num_trunk] -= product[:, :num_trunk]
    trunk[:num_trunk, len(trunk) :] -= product[:, num_trunk:]


def _solve_each(rows: Array) -> Array:
    """Return the solutions (N, M, F) of the augmented systems *rows* (N, N + M, F)."""
    xp = namespace(rows)
    by_frame = contiguous(xp.permute_dims(rows, (2, 0, 1)))
    size = by_frame.shape[1]
    return contiguous(xp.permute_dims(xp.linalg.solve(by_frame[:, :, :size], by_frame[:, :, size:]), (1, 2, 0)))


def _substitute(rows: Array, first_side: int) -> Array:
    """Return the solutions (N, M, B, F) of upper triangular *rows* (N, N + ... + M, B, F), in place."""
    sides = rows[:, first_side:]
    for row in reversed(range(len(rows))):
        sides[row] /= rows[row, row]
        sides[:row] -= rows[:row, row, None] * sides[row]
    return sides
