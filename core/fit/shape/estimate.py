"""What is constant over a clip: betas, where its points lie on the body, how far off they are, the person's habit.

The betas begin with the lengths of rigid bones. Then all of it is estimated together with the poses of spread frames
(`core.fit.shape.shared_system`), as one hierarchical Gaussian model: betas N(0, 1), each point's offset N(0, spread^2),
the habit as people's are, each frame's points N(their place, sigma^2). The two scales come from restricted likelihood,
and what a point is missed by is seen by a robust weight, so no bad point reaches a frame that it is not in. B betas.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...body.keypoints import KeypointModel, ShapedKeypoints
from ...math.arrays import Array, to_numpy
from ...math.frames_last import column, from_rotation_vectors, matrices_last, reversed_axes, times
from ...smpl_skeleton import NUM_BODY_ROTATIONS, NUM_JOINTS
from ..priors.pose_predictor import SHIPPED_PREDICTOR, PosePredictor
from ..priors.regression_prior import SubjectOffset, load_prior
from ..quality import Quality
from ..solver.gauss_newton import Goal, Targets, linearised, stepped
from ..solver.initial_pose import analytic_start
from .shared_system import SUBJECT_OFFSET_AXES, SharedSolution, SharedSystem

_LENGTH_NOISE_M = 0.004
_LENGTH_STEPS = 6
_STEPS_PER_ROUND = 3
_SPREAD_FRAMES = 24
MIN_SIGMA_M = 7e-4
_FIRST_SIGMA_M = 0.005
_FIRST_SPREAD_M = 0.003
_SPREAD_RANGE_M = (3e-4, 0.03)
_SPREAD_PER_DOUBT = 10.0
"""A point that a layout does not trust at all may lie by this factor farther from the body's own than one it trusts."""
_LEAST_KNOWN = 1.0
_EXPECTED_SHARE = 0.5
"""How much of sigma an expectation made from the points must reckon with, as if it were noise of each frame."""
_FRAMES_WORTH = 1.5
"""What is not white of the errors leaves all frames together this much to tell. Chosen on OpenCap's squat, in video
and marker joints: with more, the pelvis follows what is not constant in the points; with less, bones keep wrong
lengths."""
_BETA_LIMIT, _SIZE_LIMIT = 5.0, 9.0
"""How far betas may go, and the first, which scales the whole body: to 0.85 m, for children, and to 2.5 m."""
_FIRST_OUTLIER_M = 0.3
_OUTLIER_M, _OUTLIER_MEDIANS = 0.05, 6.0
"""A point that is off by more than both counts a quarter; the limit follows a median, not the outliers."""
_BELIEVED = 0.2
"""Points that are believed less are left out of what expectations are made from."""


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
        betas = limited(betas + np.linalg.solve(jacobian.T @ jacobian + np.eye(len(betas)), right))
    return betas


def limited(betas: np.ndarray) -> np.ndarray:
    """Return *betas* (B,) that are no farther from 0 than a fit lets them go."""
    limit = np.full(len(betas), _BETA_LIMIT)
    limit[:1] = _SIZE_LIMIT
    return np.clip(betas, -limit, limit)


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
        sigma_m: how far off the points are per axis from frame to frame, metres.
        subject_offset: how the person holds trunk and legs.
        noise_m: how much of *sigma_m* an expectation made from the points must reckon with.
        spread_m: how far the points lie from the body's own, per axis, all through the clip, metres.
    """

    betas: np.ndarray
    model: KeypointModel
    sigma_m: float
    subject_offset: SubjectOffset | None = None
    noise_m: float = 0.0
    spread_m: float = 0.0


def refine_shape(
    names: Sequence[str],
    model: KeypointModel,
    targets: Targets,
    betas: np.ndarray,
    *,
    noise_m: float,
    trust: np.ndarray,
    hold_betas: bool = False,
    predictor: PosePredictor = SHIPPED_PREDICTOR,
    rounds: int = Quality.shape_rounds,
    on_progress: Callable[[float], None] = lambda part: None,
) -> ShapeEstimate:
    """Return betas, keypoint offsets, scales and habit, estimated together with the poses of the frames of *targets*.

    Args:
        names: the solver points.
        model: those points on the body.
        targets: some frames' points; a few dozen are enough.
        betas: (B,) to begin from.
        noise_m: white noise of the points per axis.
        trust: (K,) 0 to 1, how far each point is taken to be the body's own.
        hold_betas: the betas are known.
        predictor: who is asked what pose to expect.
        rounds: how often the scales and the expected poses are found anew.
        on_progress: hears now and then what part is done, 0 to 1; what it raises ends the work.
    """
    state = _ShapeState(names, model, targets, model.body.array(betas), noise_m, trust, predictor)
    for turn in range(rounds):
        on_progress(turn / rounds)
        state.expect()
        for _ in range(_STEPS_PER_ROUND):
            on_progress(turn / rounds)
            solution = state.step(hold_betas=hold_betas)
        state.weigh(solution)
    return state.estimate(solution)


def first_sigma_m(noise_m: float) -> float:
    """Return how far off points with so much noise are taken to be before anything is known of them."""
    return max(_FIRST_SIGMA_M, noise_m)


@dataclass(eq=False)
class _ShapeState:
    """The estimates so far, and the frames they are made from."""

    names: Sequence[str]
    model: KeypointModel
    targets: Targets
    betas: Array
    noise_m: float
    trust: np.ndarray
    predictor: PosePredictor

    def __post_init__(self) -> None:
        self.floor_m = max(MIN_SIGMA_M, self.noise_m)
        self.sigma_m = first_sigma_m(self.noise_m)
        self.spread_m = _FIRST_SPREAD_M
        self.outlier_m = _FIRST_OUTLIER_M
        self.offsets = np.zeros(3 * self.model.num_points)
        self.turns = np.zeros(len(SUBJECT_OFFSET_AXES))
        self.good = np.ones(self.targets.weights.shape)
        self.wide = np.repeat(1.0 + _SPREAD_PER_DOUBT * (1.0 - self.trust), 3)
        seen = dict(zip(self.names, to_numpy(self.targets.weights).max(axis=0), strict=True))
        subject_offsets = load_prior().subject_offset_covariance(seen)[np.ix_(SUBJECT_OFFSET_AXES, SUBJECT_OFFSET_AXES)]
        self.subject_offset_precision = np.linalg.inv(subject_offsets)
        self.pose: tuple[Array, Array] | None = None

    @property
    def vague_m(self) -> float:
        """Noise that an expectation must reckon with."""
        return float(np.hypot(self.noise_m, _EXPECTED_SHARE * self.sigma_m))

    def _keypoints(self) -> ShapedKeypoints:
        offsets = self.model.body.array(self.offsets.reshape(-1, 3))
        return self.model.shifted(offsets).shaped(self.betas)

    def expect(self) -> None:
        """Find the pose to expect of the frames, without the person's habit."""
        keypoints = self._keypoints()
        good = Targets(self.targets.points, self.targets.weights * self.model.body.array(self.good))
        start, trans = analytic_start(self.names, keypoints, good)
        self.usual = self.predictor.predict(
            self.names,
            keypoints,
            start,
            good,
            sigma_m=self.sigma_m,
            noise_m=self.vague_m,
            subject_offset=self._subject_offset(None),
        )
        self.goal = Goal.of(keypoints, good, self.usual)
        if self.pose is None:
            self.pose = self._turned(matrices_last(self.usual.rotations)), reversed_axes(trans)

    def _subject_offset(self, unknown: np.ndarray | None) -> SubjectOffset:
        """Return the habit found, or none that is surely none where *unknown* (its covariance) is not given."""
        turns, covariance = np.zeros(3 * NUM_BODY_ROTATIONS), np.zeros((3 * NUM_BODY_ROTATIONS,) * 2)
        if unknown is not None:
            turns[SUBJECT_OFFSET_AXES] = self.turns
            covariance[np.ix_(SUBJECT_OFFSET_AXES, SUBJECT_OFFSET_AXES)] = unknown
        return SubjectOffset(turns.reshape(-1, 3), covariance)

    def _turned(self, rotations: Array) -> Array:
        """Return expected rotations (3, 3, 24, F) turned by the habit."""
        turns = np.zeros(3 * NUM_JOINTS)
        turns[SUBJECT_OFFSET_AXES] = self.turns
        return times(rotations, from_rotation_vectors(column(turns.reshape(-1, 3).T, rotations)))

    def step(self, *, hold_betas: bool) -> SharedSolution:
        """Take a step of poses and shared unknowns; return its solution."""
        assert self.pose is not None
        keypoints = self._keypoints()
        goal = replace(self.goal, expected=self._turned(matrices_last(self.usual.rotations)))
        equations = linearised(keypoints.paired, goal, self.pose, self.outlier_m)
        system = SharedSystem(keypoints, equations, goal, self.pose[0], with_betas=not hold_betas)
        betas = np.zeros(0) if hold_betas else to_numpy(self.betas).astype(np.float64)
        now = np.concatenate([betas, self.offsets, self.turns])
        solution = system.solve(now, self._precision(len(betas)), sigma_m=self.sigma_m, share=self._share())
        num_betas = len(betas)
        if num_betas:
            change = self.model.body.array(solution.change[:num_betas])
            self.betas = self.model.body.array(limited(to_numpy(self.betas + change)))
        self.offsets = self.offsets + solution.change[num_betas : num_betas + len(self.offsets)]
        self.turns = self.turns + solution.change[num_betas + len(self.offsets) :]
        rotations, trans, _ = stepped(*self.pose, equations.posed.world, solution.step)
        self.pose = rotations, trans
        return solution

    def _precision(self, num_betas: int) -> np.ndarray:
        """Return the precision (S, S) of what is known of the shared unknowns beforehand."""
        own = [np.ones(num_betas), 1.0 / (self.spread_m * self.wide) ** 2, np.zeros(len(self.turns))]
        precision = np.diag(np.concatenate(own))
        precision[-len(self.turns) :, -len(self.turns) :] = self.subject_offset_precision
        return precision

    def _share(self) -> float:
        """How much of a frame's word counts for what all frames share.

        White noise averages out over frames. What is left of sigma does not: it is soft tissue, clothes, a tracker's
        habits, alike whenever the pose is alike, so all frames together tell hardly more than one.
        """
        white = min(self.noise_m, self.sigma_m) ** 2
        alike = self.sigma_m**2 - white
        repeats = max(1.0, self.targets.points.shape[0] / _FRAMES_WORTH)
        return float(self.sigma_m**2 / (white + alike * repeats))

    def weigh(self, solution: SharedSolution) -> None:
        """Estimate the scales of the errors, and which points are far off."""
        assert self.pose is not None
        keypoints = self._keypoints()
        rotations, trans = self.pose
        posed = keypoints.paired.posed(rotations)
        residual = to_numpy(self.goal.points - posed.points - trans[:, None])
        plain = to_numpy(reversed_axes(self.targets.weights)) ** 2
        off = np.sqrt((residual**2).sum(axis=0))
        seen = plain > 0
        self.outlier_m = max(_OUTLIER_M, _OUTLIER_MEDIANS * float(np.median(off[seen])))
        believed = self.outlier_m**2 / (self.outlier_m**2 + off**2)
        self.good = (believed > _BELIEVED).T.astype(np.float64)
        squared = seen * believed**2
        free = (squared * np.maximum(3.0 - solution.followed, 0.0)).sum()
        sigma = np.sqrt((squared * plain * off**2).sum() / max(free, 1e-9))
        self.sigma_m = float(max(self.floor_m, sigma))
        first = len(solution.change) - len(self.offsets) - len(self.turns)
        places = np.arange(first, first + len(self.offsets))
        variance = np.diag(solution.covariance)[places]
        known = np.clip(1.0 - variance / (self.spread_m * self.wide) ** 2, 0.0, 1.0).sum()
        spread = np.sqrt(((self.offsets / self.wide) ** 2).sum() / max(known, _LEAST_KNOWN))
        self.spread_m = float(np.clip(spread, *_SPREAD_RANGE_M))

    def estimate(self, solution: SharedSolution) -> ShapeEstimate:
        """Return what was found."""
        num_axes = len(self.turns)
        offsets = self.model.body.array(self.offsets.reshape(-1, 3))
        return ShapeEstimate(
            to_numpy(self.betas).astype(np.float64),
            self.model.shifted(offsets),
            self.sigma_m,
            self._subject_offset(solution.covariance[-num_axes:, -num_axes:]),
            self.vague_m,
            self.spread_m,
        )
