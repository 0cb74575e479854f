"""Betas once per clip: from the lengths of rigid bones, then together with the poses of spread frames. B betas.

The second step is one least-squares problem: each frame's pose is its own unknown and the betas are shared, so the
poses are eliminated frame by frame (Schur complement) and 10 equations remain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np

from ..arrays import Array, like, namespace, to_numpy
from ..body.keypoints import KeypointModel
from ..body.pairs import PairedKeypoints
from ..frames_last import apply_transposed, matrices_last, reversed_axes
from .analytic import analytic_start
from .equations import Unknowns
from .expectation import SHIPPED_EXPERTS, Experts
from .habit import find_habit
from .pose_prior import Habit
from .quality import Quality
from .refine import Goal, Linearised, PosePrior, Targets, linearised, stepped

_LENGTH_NOISE_M = 0.004
_LENGTH_STEPS = 6
_STEPS_PER_ROUND = 3
_SPREAD_FRAMES = 48
_MIN_SIGMA_M = 7e-4
_FIRST_SIGMA_M = 0.005
_SIGMA_PER_MISFIT = 0.5
"""Half, because the prior's own pull is part of the misfit."""
_BETA_LIMIT = 5.0
_BETA_PRIOR = 20.0
"""How many frames' worth of N(0, 1) the betas are held by: errors of one clip's frames are far from independent."""
_ALIEN_M = 0.0025
"""Points that the best body leaves this far off, beyond noise, are not that body's own; at twice that surely not."""
_ALIEN_SIGMA_M = 0.002
"""How far off such points are at least, also in a clip that they explain better: joints turn where no offset does."""
_ALIEN_DOUBT = 0.1
"""What is then doubted of points that the layout trusts fully."""
_FIRM_SIGMA_M = 0.015
"""Poses are held this firmly while offsets are found."""
_OFFSET_PER_DOUBT_M = 0.15
_POSE_OFFSET_M = 0.010
"""How far off poses that are only expected put a point."""
_EXPECTING_ROUNDS = 2
"""Later rounds change the betas too little for other poses to be expected."""
_OFFSET_ROUNDS = 3
_LAST_ROUNDS = 2


def _rigid_pairs() -> tuple[tuple[str, str, float], ...]:
    """Pairs of points whose distance a pose hardly changes, and how far to trust each."""
    pairs = [("left_hip", "right_hip", 1.0), ("left_shoulder", "right_shoulder", 0.5), ("left_ear", "right_ear", 1.0)]
    pairs += [("left_eye", "right_eye", 1.0), ("mid_hip", "mid_shoulder", 0.3), ("neck", "head", 0.5)]
    pairs += [("pelvis", "spine1", 1.0), ("spine1", "spine2", 1.0), ("spine2", "spine3", 1.0)]
    for side in ("left", "right"):
        bones = (
            ("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"), ("ankle", "big_toe"),
            ("ankle", "heel"), ("ankle", "foot"), ("big_toe", "small_toe"), ("wrist", "middle_knuckle"),
        )  # fmt: skip
        pairs += [(f"{side}_{first}", f"{side}_{second}", 1.0) for first, second in bones]
        pairs += [("nose", f"{side}_ear", 1.0), ("spine3", f"{side}_collar", 0.5)]
    return tuple(pairs)


RIGID_PAIRS = _rigid_pairs()


def betas_from_lengths(
    names: Sequence[str], model: KeypointModel, points: np.ndarray, weights: np.ndarray, noise_m: np.ndarray
) -> np.ndarray:
    """Return betas (B,) whose rest body has the clip's median bone lengths, held towards 0 as N(0, 1).

    Args:
        names: the solver points.
        model: those points on the body.
        points: (F, K, 3) metres.
        weights: (F, K) 0 where missing.
        noise_m: (K,) noise per axis that *points* still hold; it makes every length look longer.
    """
    index = {name: position for position, name in enumerate(names)}
    first, second, lengths, trust = [], [], [], []
    for start, end, share in RIGID_PAIRS:
        if start not in index or end not in index:
            continue
        a, b = index[start], index[end]
        known = (weights[:, a] > 0) & (weights[:, b] > 0)
        if not known.any():
            continue
        median = np.median(np.linalg.norm(points[known, a] - points[known, b], axis=-1))
        excess = 2.0 * (noise_m[a] ** 2 + noise_m[b] ** 2)
        lengths.append(np.sqrt(max(median**2 - excess, 0.25 * median**2)))
        first.append(a)
        second.append(b)
        trust.append(share / _LENGTH_NOISE_M)
    zero = np.zeros(model.body.data.shapedirs.shape[-1])
    base = to_numpy(model.rest(model.body.array(zero))).astype(np.float64)
    directions = (
        np.stack([to_numpy(model.rest(model.body.array(row))) for row in np.eye(len(zero))], -1) - base[..., None]
    )
    if not lengths:
        return zero
    betas, wanted, trusts = zero, np.array(lengths), np.array(trust)
    bone = base[first] - base[second]
    bone_dirs = directions[first] - directions[second]
    for _ in range(_LENGTH_STEPS):
        now = bone + bone_dirs @ betas
        length = np.linalg.norm(now, axis=-1)
        jacobian = trusts[:, None] * np.einsum("pc,pcb->pb", now / length[:, None], bone_dirs)
        right = jacobian.T @ (trusts * (wanted - length)) - betas
        betas = np.clip(betas + np.linalg.solve(jacobian.T @ jacobian + np.eye(len(betas)), right), -5.0, 5.0)
    return betas


def spread_frames(weights: np.ndarray, count: int = _SPREAD_FRAMES) -> np.ndarray:
    """Return indices (at most *count*) of frames spread over the clip, each the best seen of its stretch.

    Args:
        weights: (F, K).
        count: how many stretches.
    """
    seen = weights.sum(axis=1)
    edges = np.unique(np.linspace(0, len(seen), min(count, len(seen)) + 1).round().astype(int))
    picks = [start + int(np.argmax(seen[start:end])) for start, end in zip(edges[:-1], edges[1:], strict=True)]
    return np.array([pick for pick in picks if seen[pick] > 0], dtype=np.int64)


@dataclass(frozen=True, eq=False)
class ShapeEstimate:
    """What is constant over a clip.

    Attributes:
        betas: (B,) float64.
        model: the keypoints, moved to where this layout has them on the body.
        sigma_m: how far off the points are per axis, metres: their noise, and what such a body cannot explain.
        habit: how the person holds trunk and legs.
        noise_m: how much of *sigma_m* is noise, other in every frame.
    """

    betas: np.ndarray
    model: KeypointModel
    sigma_m: float
    habit: Habit | None = None
    noise_m: float = 0.0


def refine_shape(
    names: Sequence[str],
    model: KeypointModel,
    targets: Targets,
    betas: np.ndarray,
    *,
    noise_m: float,
    trust: np.ndarray,
    hold_betas: bool = False,
    experts: Experts = SHIPPED_EXPERTS,
    rounds: int = Quality.shape_rounds,
    told: Callable[[float], None] = lambda part: None,
) -> ShapeEstimate:
    """Return betas and keypoint offsets refined together with the poses of the frames of *targets*.

    A layout's points never lie exactly where the body has its own. Where a body of any shape leaves more than noise,
    what is constant of that, in the axes of the joint that holds the point, is found as an offset, while the poses
    are held firmly to what is expected: else a bent spine would explain shoulders that sit lower than SMPL's.

    Last, the person's habit is found from the poses of these frames.

    Args:
        names: the solver points.
        model: those points on the body.
        targets: some frames' points; a few dozen are enough.
        betas: (B,) to begin from.
        noise_m: noise of the points per axis.
        trust: (K,) 0 to 1, how far each point is taken to be the body's own.
        hold_betas: the betas are known.
        experts: who is asked what pose to expect.
        rounds: how often the shape is found anew from poses, and these from it.
        told: hears now and then what part is done, 0 to 1; what it raises ends the work.
    """
    floor, first = (max(least, noise_m) for least in (_MIN_SIGMA_M, _FIRST_SIGMA_M))
    state = _ShapeState(model, model.body.array(betas), first, first, noise_m, experts)
    done = count()

    def fit_round(*, expects_anew: bool = True) -> np.ndarray:
        told(next(done) / (rounds + _OFFSET_ROUNDS + _LAST_ROUNDS))
        if expects_anew:
            state.expect(names, targets)
        return _fit_round(state, targets, hold_betas=hold_betas)

    for turn in range(rounds):
        fit_round(expects_anew=turn < _EXPECTING_ROUNDS)
        state.sigma_m = max(floor, _SIGMA_PER_MISFIT * state.misfit_m)
    alien = float(np.clip((state.misfit_m - noise_m) / _ALIEN_M - 1.0, 0.0, 1.0))
    if alien == 0.0:
        return state.estimate(names, targets)
    begin = betas if hold_betas else 0.0 * betas
    state = _ShapeState(model, model.body.array(begin), _FIRM_SIGMA_M, _FIRM_SIGMA_M, noise_m, experts)
    share = _offset_share(np.minimum(trust, 1.0 - _ALIEN_DOUBT * alien))
    offsets = np.zeros((model.num_points, 3))
    for _ in range(_OFFSET_ROUNDS):
        offsets = share * (offsets + fit_round())
        state.model = model.shifted(model.body.array(offsets))
    floor = max(floor, _ALIEN_SIGMA_M * alien)
    for _ in range(_LAST_ROUNDS):
        fit_round()
        state.sigma_m = max(floor, _SIGMA_PER_MISFIT * state.misfit_m)
    return state.estimate(names, targets)


def _offset_share(trust: np.ndarray) -> np.ndarray:
    """Return how much (K, 1) of what a point is missed by is its offset, the rest the poses', by its *trust* (K,)."""
    spread = _OFFSET_PER_DOUBT_M * (1.0 - trust)
    share: np.ndarray = (spread**2 / (spread**2 + _POSE_OFFSET_M**2))[:, None]
    return share


@dataclass(eq=False)
class _ShapeState:
    model: KeypointModel
    betas: Array
    sigma_m: float
    misfit_m: float
    noise_m: float
    experts: Experts
    pose: tuple[Array, Array] | None = None
    start: tuple[Array, Array] | None = None
    expected: PosePrior | None = None

    def expect(self, names: Sequence[str], targets: Targets) -> None:
        """Find the analytic start, and the pose to expect."""
        keypoints = self.model.shaped(self.betas)
        self.start = analytic_start(names, keypoints, targets)
        self.expected = self.experts.expected_pose(
            names, keypoints, self.start[0], targets, sigma_m=self.sigma_m, noise_m=self.noise_m
        )

    def estimate(self, names: Sequence[str], targets: Targets) -> ShapeEstimate:
        """Return what was found, and the person's habit, found from there on."""
        assert self.start is not None and self.pose is not None
        keypoints = self.model.shaped(self.betas)
        habit = find_habit(
            names,
            keypoints,
            targets,
            self.start[0],
            self.pose,
            sigma_m=self.sigma_m,
            noise_m=self.noise_m,
            experts=self.experts,
        )
        return ShapeEstimate(to_numpy(self.betas).astype(np.float64), self.model, self.sigma_m, habit, self.noise_m)


def _fit_round(state: _ShapeState, targets: Targets, *, hold_betas: bool) -> np.ndarray:
    """Fit the poses, and the betas unless they are held; measure the misfit; return each point's mean miss (K, 3).

    The miss is in the axes of the joint that holds the point, metres.
    """
    xp = namespace(targets.points)
    assert state.start is not None and state.expected is not None
    expected = state.expected.rescaled(state.sigma_m)
    goal = Goal.of(state.model.shaped(state.betas), targets, expected)
    rotations, trans = state.pose or (matrices_last(expected.rotations), reversed_axes(state.start[1]))
    pull = state.noise_m**2 * _BETA_PRIOR + state.misfit_m**2 * targets.points.shape[0]
    for _ in range(_STEPS_PER_ROUND):
        paired = state.model.shaped(state.betas).paired
        equations = linearised(paired, goal, (rotations, trans))
        if hold_betas:
            step = equations.normal.solve(equations.right)
        else:
            shared = _SharedBetas(paired, equations, goal.weights)
            step, change = shared.solve(equations, state.betas, pull)
            state.betas = xp.clip(state.betas + change, -_BETA_LIMIT, _BETA_LIMIT)
        rotations, trans, _ = stepped(rotations, trans, equations.posed.world, step)
    state.pose = (rotations, trans)
    posed = state.model.shaped(state.betas).paired.posed(rotations)
    residual = to_numpy(goal.points - posed.points - trans[:, None])
    weights = to_numpy(goal.weights) ** 2
    state.misfit_m = float(np.sqrt((weights * residual**2).sum() / max(3.0 * weights.sum(), 1e-9)))
    local = apply_transposed(to_numpy(posed.world)[:, :, state.model.holders], residual)
    miss: np.ndarray = (weights * local).sum(axis=-1) / np.maximum(weights.sum(axis=-1), 1e-9)
    return miss.T


class _SharedBetas:
    """The part of the least-squares problem that concerns the betas, which all frames share."""

    def __init__(self, keypoints: PairedKeypoints, equations: Linearised, weights: Array) -> None:
        """Take the body's keypoints, the poses' own *equations*, and the weights (K, F)."""
        jacobian = keypoints.shape_jacobian(equations.posed)
        xp = namespace(jacobian)
        weighted = jacobian * (weights * weights)[:, None]
        turns = equations.posed.moments(keypoints.pairs, weighted) * equations.shown[:, None]
        self._mixed = Unknowns(turns, xp.sum(weighted, axis=1))
        self._own = xp.einsum("akbf,akcf->bc", weighted, jacobian)
        self._gradient = xp.einsum("akbf,akf->b", weighted, equations.residual)

    def solve(self, equations: Linearised, betas: Array, hold: float) -> tuple[Unknowns, Array]:
        """Return the poses' step and the betas' change (B,).

        Args:
            equations: the poses' own.
            betas: (B,) as they are.
            hold: strength of the pull of the betas towards 0.
        """
        xp = namespace(betas)
        num_betas = betas.shape[0]
        mixed, right = self._mixed, equations.right
        sides = Unknowns(xp.concat([mixed.turns, right.turns], axis=2), xp.concat([mixed.shift, right.shift], axis=1))
        solved = equations.normal.solve(sides)
        # How much of each right side the betas feel: what (B, B + 1) the poses' answers to it take out of theirs.
        felt = xp.einsum("ajbf,ajcf->bc", mixed.turns, solved.turns) + xp.einsum(
            "abf,acf->bc", mixed.shift, solved.shift
        )
        schur = self._own - felt[:, :num_betas] + hold * like(np.eye(num_betas), betas)
        gradient = self._gradient - felt[:, num_betas] - hold * betas
        change = xp.linalg.solve(schur, gradient[:, None])[:, 0]
        return solved.less_shared(change), change
