"""Estimate what is constant over a clip: betas, keypoint offsets and shares, error scales, and the subject offset.

The betas are initialised from the lengths of rigid bones. Then everything is estimated together with the poses of
frames spread over the clip (`core.fit.shape.shared_system`), as one hierarchical Gaussian model: betas N(0, 1), each
point's offset N(0, spread^2), the subject offset with the prior's covariance, each frame's points
N(posed position, sigma^2). The two scales are restricted maximum likelihood estimates. Residuals and frames get robust
weights, so neither an outlier nor a frame whose pose was not found affects other frames. B betas.

A tracker's hips and knees may be the pivots of its skeleton, or a spot between the skin that moves as the joint bends:
the points tell to which share they follow the bone (`core.body.landmarks.JOINT_CARRIERS`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...body.keypoints import KeypointModel, ShapedKeypoints
from ...math.arrays import Array, to_numpy
from ...math.frames_last import column, from_rotation_vectors, matrices_last, reversed_axes, times
from ...smpl_skeleton import NUM_BODY_ROTATIONS, NUM_JOINTS, SIDES
from ..priors.pose_predictor import PosePredictor
from ..priors.regression_prior import SubjectOffset
from ..solver.gauss_newton import Goal, Targets, linearised, stepped
from ..solver.initial_pose import analytic_start
from .shared_system import SUBJECT_OFFSET_AXES, SharedSystem

_LENGTH_NOISE_M = 0.004
_LENGTH_STEPS = 6
_STEPS_PER_ROUND = 3
_SPREAD_FRAMES = 24
_NEARLY_BEST = 0.8
"""The share of the best frame's weight that makes a frame as good for estimating the shape."""
_FEW_FRAMES = 8
"""With at most this many frames, a step is short enough to be one part of the work."""
MIN_SIGMA_M = 7e-4
_FIRST_SIGMA_M = 0.005
_FIRST_SPREAD_M = 0.005
"""Close to what real tracks have; with a smaller one, sigma takes what offsets explain, and then holds them back."""
_SPREAD_RANGE_M = (3e-4, 0.03)
_SPREAD_PER_DOUBT = 10.0
"""How much the standard deviation of a point's offset grows, as a factor, from full trust in the point to none."""
_USUAL_SHARE, _SHARE_SPREAD = 1.0, 1.0
"""Mean and standard deviation, over tracks, of the share to which points at joints follow their carriers. Hips of
skeletons, of markers' joint centres and of video solved with a skeleton have 0.9 to 1; those of our own body have 0."""
_PREDICTION_NOISE_SHARE = 0.5
"""The share of sigma that counts as noise, independent in each frame, for a pose predicted from the points."""
_FIRST_INDEPENDENT_FRAMES = 2.0
"""The number of frames with independent errors before any are known."""
_BETA_LIMIT, _SIZE_LIMIT = 5.0, 9.0
"""Limits of the betas, and of the first, which scales the whole body: down to 0.85 m, for children, and up to 2.5 m."""
_FIRST_OUTLIER_M = 0.3
_OUTLIER_M, _OUTLIER_MEDIANS = 0.05, 6.0
"""An error of the larger of both reduces a point's weight to a quarter: metres, and multiples of the median error,
which outliers do not affect."""
_POOR_FRAME_MEDIANS = 4.0
"""A frame whose mean squared error exceeds this multiple of the median frame's has not found its pose yet, or its
recording is broken; its evidence on what all frames share is reduced to that of a frame at the limit."""
_MIN_ROBUST_WEIGHT = 0.2
"""Points with a smaller robust weight are not used to predict the expected poses."""


def _rigid_pairs() -> tuple[tuple[str, str, float], ...]:
    """Return pairs of points whose distance hardly changes with the pose, and the trust in each, 0 to 1."""
    pairs = [("left_hip", "right_hip", 1.0), ("left_shoulder", "right_shoulder", 0.5), ("left_ear", "right_ear", 1.0)]
    pairs += [("left_eye", "right_eye", 1.0), ("mid_hip", "mid_shoulder", 0.3), ("neck", "head", 0.5)]
    pairs += [("pelvis", "spine1", 1.0), ("spine1", "spine2", 1.0), ("spine2", "spine3", 1.0)]
    for side in SIDES:
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
    """Estimate betas (B,) from the clip's median bone lengths, with the prior N(0, 1).

    Args:
        names: the solver points.
        model: these points on the body.
        points: (F, K, 3) metres.
        weights: (F, K) 0 where missing.
        noise_m: (K,) remaining noise of *points* per axis, which makes every length look longer.
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
    betas, measured, trusts = zero, np.array(lengths), np.array(trust)
    bone = base[first] - base[second]
    bone_dirs = directions[first] - directions[second]
    for _ in range(_LENGTH_STEPS):
        current = bone + bone_dirs @ betas
        length = np.linalg.norm(current, axis=-1)
        jacobian = trusts[:, None] * np.einsum("pc,pcb->pb", current / length[:, None], bone_dirs)
        right = jacobian.T @ (trusts * (measured - length)) - betas
        betas = limited(betas + np.linalg.solve(jacobian.T @ jacobian + np.eye(len(betas)), right))
    return betas


def limited(betas: np.ndarray) -> np.ndarray:
    """Return *betas* (B,) clipped to the limits of a fit."""
    limit = np.full(len(betas), _BETA_LIMIT)
    limit[:1] = _SIZE_LIMIT
    return np.clip(betas, -limit, limit)


def spread_frames(weights: np.ndarray, count: int = _SPREAD_FRAMES) -> np.ndarray:
    """Return the indices of at most *count* frames spread over the clip.

    Each section gives the first frame with nearly as much weight as its best one, so that a point that is missing for
    some frames does not change which frames the shape is estimated from.

    Args:
        weights: (F, K) point weights.
        count: number of sections.
    """
    seen = weights.sum(axis=1)
    edges = np.unique(np.linspace(0, len(seen), min(count, len(seen)) + 1).round().astype(int))
    sections = [seen[start:end] for start, end in zip(edges[:-1], edges[1:], strict=True)]
    picks = edges[:-1] + [int(np.argmax(section >= _NEARLY_BEST * section.max())) for section in sections]
    return np.array([pick for pick in picks if seen[pick] > 0], dtype=np.int64)


def _frame_shares(error_m: np.ndarray, squared_weights: np.ndarray) -> np.ndarray:
    """Return the factor (F,), 0 to 1, of each frame's evidence on what all frames share.

    Args:
        error_m: (K, F) distances of the points from their targets, metres.
        squared_weights: (K, F) their weights, squared.
    """
    squares = (squared_weights * error_m**2).sum(axis=0) / np.maximum(squared_weights.sum(axis=0), 1e-9)
    limit = max(_POOR_FRAME_MEDIANS * float(np.median(squares)), MIN_SIGMA_M**2)
    shares: np.ndarray = limit / np.maximum(squares, limit)
    return shares


def _independent_frames(errors: np.ndarray) -> float:
    """Return how many frames with independent errors carry as much as these, 1 to F.

    Errors of a model or a tracker repeat whenever the pose does: they lie in a few directions however many frames there
    are. The number is (sum of the eigenvalues)^2 / (sum of their squares) of the frames' Gram matrix (Bretherton et
    al., "The effective number of spatial degrees of freedom of a time-varying field", J. Climate 12, 1999).

    Args:
        errors: (3, K, F) weighted errors of the points.
    """
    by_frame = errors.reshape(-1, errors.shape[-1])
    gram = by_frame.T @ by_frame
    return max(1.0, float(np.trace(gram) ** 2 / max(float((gram**2).sum()), np.finfo(float).tiny)))


@dataclass(frozen=True, eq=False)
class ShapeEstimate:
    """The estimates that are constant over a clip.

    Attributes:
        betas: (B,) float64.
        model: the keypoints, with the estimated offsets on the body.
        sigma_m: keypoint error per axis within a frame, standard deviation, metres.
        subject_offset: the subject-specific pose offset of trunk and legs.
        noise_m: the part of *sigma_m* that counts as noise for a pose predicted from the points.
        spread_m: keypoint offset per axis, constant over the clip, standard deviation, metres.
    """

    betas: np.ndarray
    model: KeypointModel
    sigma_m: float
    subject_offset: SubjectOffset | None = None
    noise_m: float = 0.0
    spread_m: float = 0.0


def first_sigma_m(noise_m: float) -> float:
    """Return the initial keypoint error sigma per axis, metres, for points with the noise *noise_m*."""
    return max(_FIRST_SIGMA_M, noise_m)


@dataclass(eq=False)
class ShapeState:
    """The current estimates, and the frames they are made from.

    Attributes:
        names: (K,) the solver points.
        model: these points on the body.
        targets: target positions in a few dozen frames.
        betas: (B,) current betas, as the same kind of array as the targets.
        noise_m: white noise of the points per axis, metres.
        trust: (K,) 0 to 1, how well each point is known to lie where the model has it on the body.
        predictor: predicts the expected poses.
    """

    names: Sequence[str]
    model: KeypointModel
    targets: Targets
    betas: Array
    noise_m: float
    trust: np.ndarray
    predictor: PosePredictor

    def __post_init__(self) -> None:
        """Begin with the betas given, and with nothing known of the rest."""
        self.floor_m = max(MIN_SIGMA_M, self.noise_m)
        self.sigma_m = first_sigma_m(self.noise_m)
        self.spread_m = _FIRST_SPREAD_M
        self.outlier_m = _FIRST_OUTLIER_M
        self.independent_frames = _FIRST_INDEPENDENT_FRAMES
        self.offsets = np.zeros(3 * self.model.num_points)
        self._carry(np.full(len(self.model.carriers), _USUAL_SHARE))
        self.turns = np.zeros(len(SUBJECT_OFFSET_AXES))
        self.inliers = np.ones(self.targets.weights.shape)
        self.frame_shares = np.ones(len(self.targets.weights))
        self.offset_scale = np.repeat(1.0 + _SPREAD_PER_DOUBT * (1.0 - self.trust), 3)
        seen = dict(zip(self.names, to_numpy(self.targets.weights).max(axis=0), strict=True))
        everywhere = self.predictor.prior.subject_offset_covariance(seen)
        subject_offsets = everywhere[np.ix_(SUBJECT_OFFSET_AXES, SUBJECT_OFFSET_AXES)]
        self.subject_offset_precision = np.linalg.inv(subject_offsets)
        self.pose: tuple[Array, Array] | None = None

    def refine(self, rounds: int, *, hold_betas: bool) -> Iterator[float]:
        """Refine the estimates in parts, and yield the completed fraction, 0 to 1, after each part.

        Args:
            rounds: how often the expected poses are updated.
            hold_betas: keep the betas fixed.
        """
        for round_index in range(rounds):
            completed = round_index / rounds
            for _ in self._predict_poses():
                yield completed
            for _ in range(_STEPS_PER_ROUND):
                for _ in self._step(hold_betas=hold_betas):
                    yield completed

    @property
    def prediction_noise_m(self) -> float:
        """Noise per axis, metres, that a predicted pose must allow for."""
        return float(np.hypot(self.noise_m, _PREDICTION_NOISE_SHARE * self.sigma_m))

    def _keypoints(self) -> ShapedKeypoints:
        offsets = self.model.body.array(self.offsets.reshape(-1, 3))
        return self.model.shifted(offsets).shaped(self.betas)

    def _carry(self, shares: np.ndarray) -> None:
        """Take these shares to which the points at joints follow their carriers, within 0 to 1."""
        self.shares = np.clip(shares, 0.0, 1.0)
        if len(shares):
            self.model = self.model.with_shares(self.shares.tolist())

    def _predict_poses(self) -> Iterator[None]:
        """Update the expected poses of the frames, without the subject offset; yield after each part."""
        keypoints = self._keypoints()
        inliers = Targets(self.targets.points, self.targets.weights * self.model.body.array(self.inliers))
        start, trans = analytic_start(self.names, keypoints, inliers)
        yield
        self.prediction = self.predictor.predict(
            self.names,
            keypoints,
            start,
            inliers,
            sigma_m=self.sigma_m,
            noise_m=self.prediction_noise_m,
            subject_offset=self._subject_offset(None),
        )
        self.goal = Goal.of(keypoints, inliers, self.prediction).weighted(self.model.body.array(self.frame_shares))
        if self.pose is None:
            self.pose = self._turned(matrices_last(self.prediction.rotations)), reversed_axes(trans)
        yield

    def _subject_offset(self, subject_covariance: np.ndarray | None) -> SubjectOffset:
        """Return the estimated subject offset with *subject_covariance*, or a certain zero offset if it is None."""
        turns, covariance = np.zeros(3 * NUM_BODY_ROTATIONS), np.zeros((3 * NUM_BODY_ROTATIONS,) * 2)
        if subject_covariance is not None:
            turns[SUBJECT_OFFSET_AXES] = self.turns
            covariance[np.ix_(SUBJECT_OFFSET_AXES, SUBJECT_OFFSET_AXES)] = subject_covariance
        return SubjectOffset(turns.reshape(-1, 3), covariance)

    def _turned(self, rotations: Array) -> Array:
        """Return expected rotations (3, 3, 24, F) with the subject offset applied."""
        turns = np.zeros(3 * NUM_JOINTS)
        turns[SUBJECT_OFFSET_AXES] = self.turns
        return times(rotations, from_rotation_vectors(column(turns.reshape(-1, 3).T, rotations)))

    def _step(self, *, hold_betas: bool) -> Iterator[None]:
        """Update poses and shared unknowns by one Gauss-Newton step, then the scales; yield after each part."""
        assert self.pose is not None
        keypoints = self._keypoints()
        goal = replace(self.goal, expected=self._turned(matrices_last(self.prediction.rotations)))
        equations = linearised(keypoints.paired, goal, self.pose, self.outlier_m)
        system = SharedSystem(keypoints, equations, goal, self.pose[0], with_betas=not hold_betas)
        if self.targets.points.shape[0] > _FEW_FRAMES:
            yield
        betas = np.zeros(0) if hold_betas else to_numpy(self.betas).astype(np.float64)
        current = np.concatenate([betas, self.shares - _USUAL_SHARE, self.offsets, self.turns])
        solution = system.solve(
            current, self._precision(len(betas)), sigma_m=self.sigma_m, share=self._evidence_share()
        )
        num_betas = len(betas)
        if num_betas:
            change = self.model.body.array(solution.change[:num_betas])
            self.betas = self.model.body.array(limited(to_numpy(self.betas + change)))
        shares, offsets, turns = np.split(solution.change[num_betas:], np.cumsum([len(self.shares), len(self.offsets)]))
        self._carry(self.shares + shares)
        self.offsets = self.offsets + offsets
        self.turns = self.turns + turns
        rotations, trans, _ = stepped(*self.pose, equations.posed.world, solution.step)
        self.pose = rotations, trans
        self.solution = solution
        self._update_scales()
        yield

    def _precision(self, num_betas: int) -> np.ndarray:
        """Return the prior precision (S, S) of the shared unknowns."""
        shares = np.full(len(self.shares), 1.0 / _SHARE_SPREAD**2)
        own = [np.ones(num_betas), shares, 1.0 / (self.spread_m * self.offset_scale) ** 2, np.zeros(len(self.turns))]
        precision = np.diag(np.concatenate(own))
        precision[-len(self.turns) :, -len(self.turns) :] = self.subject_offset_precision
        return precision

    def _evidence_share(self) -> float:
        """Return the factor by which each frame's evidence on the shared unknowns is weighted.

        White noise averages out over frames. The rest of sigma is correlated: soft tissue, clothes and a tracker's
        biases repeat with the pose, or last for many frames, so all frames together carry as much information as the
        few that are independent.
        """
        white = min(self.noise_m, self.sigma_m) ** 2
        correlated = self.sigma_m**2 - white
        repeats = max(1.0, self.targets.points.shape[0] / self.independent_frames)
        return float(self.sigma_m**2 / (white + correlated * repeats))

    def _update_scales(self) -> None:
        """Update the error scales, the inliers, and the number of independent frames.

        The spread of the offsets is updated by expectation-maximisation (Dempster, Laird and Rubin, J. Royal
        Statistical Society B 39, 1977).
        """
        solution = self.solution
        assert self.pose is not None
        keypoints = self._keypoints()
        rotations, trans = self.pose
        posed = keypoints.paired.posed(rotations)
        residual = to_numpy(self.goal.points - posed.points - trans[:, None])
        squared_weights = to_numpy(reversed_axes(self.targets.weights)) ** 2
        error = np.sqrt((residual**2).sum(axis=0))
        seen = squared_weights > 0
        self.outlier_m = max(_OUTLIER_M, _OUTLIER_MEDIANS * float(np.median(error[seen])))
        robust = self.outlier_m**2 / (self.outlier_m**2 + error**2)
        self.inliers = (robust > _MIN_ROBUST_WEIGHT).T.astype(np.float64)
        squared_robust = seen * robust**2
        self.frame_shares = _frame_shares(error, squared_robust * squared_weights)
        squared_robust *= self.frame_shares
        degrees_of_freedom = (squared_robust * np.maximum(3.0 - solution.followed, 0.0)).sum()
        sigma = np.sqrt((squared_robust * squared_weights * error**2).sum() / max(degrees_of_freedom, 1e-9))
        self.sigma_m = float(max(self.floor_m, sigma))
        self.independent_frames = _independent_frames(residual * np.sqrt(squared_robust * squared_weights))
        first = len(solution.change) - len(self.offsets) - len(self.turns)
        variance = np.diag(solution.covariance)[first : first + len(self.offsets)]
        spread = np.sqrt(np.mean((self.offsets**2 + variance) / self.offset_scale**2))
        self.spread_m = float(np.clip(spread, *_SPREAD_RANGE_M))

    def estimate(self) -> ShapeEstimate:
        """Return the estimates that `refine` ended with."""
        num_axes = len(self.turns)
        offsets = self.model.body.array(self.offsets.reshape(-1, 3))
        return ShapeEstimate(
            to_numpy(self.betas).astype(np.float64),
            self.model.shifted(offsets),
            self.sigma_m,
            self._subject_offset(self.solution.covariance[-num_axes:, -num_axes:]),
            self.prediction_noise_m,
            self.spread_m,
        )
