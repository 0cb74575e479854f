"""The steps that the whole clip and the stream share: targets, shape, and the pose of a block of frames."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ..body.data import NUM_BETAS, BodyData
from ..body.keypoints import KeypointModel, ShapedKeypoints
from ..body.model import BodyModel
from ..errors import BodyError
from ..math.arrays import Array, at_least, like, namespace, to_numpy
from ..smpl_skeleton import NUM_BODY_ROTATIONS
from .observations import LEG_POINTS, SolverPoints
from .priors.pose_predictor import SHIPPED_PREDICTOR, PosePredictor
from .priors.regression_prior import SubjectOffset
from .quality import Quality
from .shape.estimate import ShapeEstimate, betas_from_lengths, refine_shape, spread_frames
from .solver.gauss_newton import IterationLimits, PosePrior, Targets, refine
from .solver.initial_pose import align_translation, analytic_start
from .temporal.keypoint_smoothing import SmoothedPoints
from .temporal.planted_feet import hold_still_feet
from .temporal.pose_artifacts import PoseArtifacts

_GAP_S, _LEG_GAP_S, _OPEN_GAP_S = 0.4, 0.2, 0.1
"""The longest gaps that points are bridged over, those of legs, and how far into gaps open at an end. A leg does what
the rest of the body does more than what its own points did (`core.fit.temporal.visibility`)."""
_BRIDGED_SHARE = 0.5
_SMOOTHED_NOISE = 0.45
"""How much of a track's noise is left after smoothing (measured at 3 to 20 mm)."""
_NOISE_RANGE, _EVEN_NOISE_M = (0.5, 2.0), 5e-4
"""How far a point's noise may change its weight, and the noise below which all are alike: motion measures as that."""
_OUTLIER_SIGMAS, _OUTLIER_M = 8.0, 0.08
_LOST_M, _LOST_SIGMAS = 0.04, 5.0
"""A frame whose points are missed by more, root mean square, was begun at a wrong pose."""
_SETTLED_M, _SETTLED_SPREAD_RAD = 0.01, 0.25
"""So far off a point may be for a joint that is so far from where it is around then."""
_TREMOR_SIGMAS = 3.0
"""The same for a joint that may be right, in how far off the points are anyway."""
_SETTLING_STEPS = 3
"""A settled frame begins near where it ends, and needs fewer steps than another."""
_KNOWN_SPREAD_RAD = np.deg2rad(6.0)
"""How far a joint turns in a moment."""
_MUCH_WORSE, _WORSE_M = 1.3, 0.005
"""A settled frame may miss its points by so much more, as a factor and in metres."""


@dataclass(frozen=True, eq=False)
class InitialPose:
    """What is known of frames before the finish.

    Attributes:
        rotations: (F, 24, 3, 3) local rotations that have every limb where it was seen.
        trans: (F, 3).
        expected: the pose to expect.
    """

    rotations: Array
    trans: Array
    expected: PosePrior


@dataclass(frozen=True, eq=False)
class PoseSolver:
    """What every block of frames is solved with.

    Attributes:
        names: (K,) the solver points.
        keypoints: those points on the shaped body.
        sigma_m: how far off the points are per axis.
        iterations: how many steps the finish gets.
        subject_offset: the person's, if it is known.
        noise_m: how much of *sigma_m* is noise, other in every frame.
        predictor: who is asked what pose to expect.
    """

    names: tuple[str, ...]
    keypoints: ShapedKeypoints
    sigma_m: float
    iterations: IterationLimits
    subject_offset: SubjectOffset | None = None
    noise_m: float = 0.0
    predictor: PosePredictor = SHIPPED_PREDICTOR

    def initial_pose(self, targets: Targets, known: Array | None = None) -> InitialPose:
        """Return what is known of frames before the finish.

        Args:
            targets: where the points are.
            known: (F, 24, 3, 3) poses to start from, of a moment before; the analytic start without them.
        """
        if known is None:
            start, trans = analytic_start(self.names, self.keypoints, targets)
            expected = self.predictor.predict(
                self.names, self.keypoints, start, targets,
                sigma_m=self.sigma_m, noise_m=self.noise_m, subject_offset=self.subject_offset,
            )  # fmt: skip
            return InitialPose(start, trans, expected)
        firm = like((self.sigma_m / _KNOWN_SPREAD_RAD) ** 2 * np.eye(3), known)
        precision = namespace(known).broadcast_to(firm, known[:, :NUM_BODY_ROTATIONS].shape)
        return InitialPose(
            known, align_translation(self.keypoints, known, targets)[0], PosePrior(known, precision, self.sigma_m)
        )

    def solve(self, targets: Targets, initial_pose: InitialPose) -> tuple[Array, Array]:
        """Return local rotations (F, 24, 3, 3) and trans (F, 3), by the exact finish.

        The finish begins at the expected pose; a frame whose points it then misses by far begins again at the start,
        which has every limb where it was seen.

        Args:
            targets: where the points are.
            initial_pose: what `initial_pose` says of them.
        """
        xp = namespace(targets.points)
        start, trans, expected = initial_pose.rotations, initial_pose.trans, initial_pose.expected
        pose = self._finish(targets, (expected.rotations, trans), expected, self.iterations)
        miss = self.miss(targets, pose)
        lost = [frame for frame, off in enumerate(miss.tolist()) if is_lost(off, self.sigma_m)]
        if not lost:
            return pose
        some = targets.select(lost)
        again = self._finish(some, (start[lost], trans[lost]), expected.select(lost), self.iterations)
        better = self.miss(some, again) < miss[lost]
        rotations, place = xp.asarray(pose[0], copy=True), xp.asarray(pose[1], copy=True)
        rotations[lost] = xp.where(better[:, None, None, None], again[0], rotations[lost])
        place[lost] = xp.where(better[:, None], again[1], place[lost])
        return rotations, place

    def _finish(
        self, targets: Targets, start: tuple[Array, Array], prior: PosePrior, iterations: IterationLimits
    ) -> tuple[Array, Array]:
        """Return the pose that explains *targets* best, found from *start*."""
        outlier_m = outlier_limit_m(self.sigma_m)
        return refine(self.keypoints, start, targets, prior, iterations=iterations, outlier_m=outlier_m)

    def settle(
        self, targets: Targets, expected: PosePrior, pose: tuple[Array, Array], artifacts: PoseArtifacts
    ) -> tuple[Array, Array]:
        """Return frames in which joints pop or tremble, solved again from where those joints are around that moment.

        A frame is left as it was if its points are explained much worse then.

        Args:
            targets: of those frames.
            expected: of those frames.
            pose: their local rotations (F, 24, 3, 3) and trans (F, 3).
            artifacts: which of their joints do, and where these are around then.
        """
        xp = namespace(targets.points)
        rotations, trans = pose
        popped = like(artifacts.joints.astype(np.float32), rotations)[..., None, None] > 0
        around = like(artifacts.around, rotations)
        off_m = _SETTLED_M if artifacts.wrong else _TREMOR_SIGMAS * self.sigma_m
        firm = like((off_m / _SETTLED_SPREAD_RAD) ** 2 * np.eye(3), rotations)
        prior = PosePrior(
            xp.where(popped, around, expected.rotations),
            expected.precision + xp.where(popped[:, :NUM_BODY_ROTATIONS], firm, 0.0 * firm),
            self.sigma_m,
            expected.joint_precisions,
        )
        iterations = replace(self.iterations, steps=min(_SETTLING_STEPS, self.iterations.steps))
        refined = self._finish(targets, (xp.where(popped, around, rotations), trans), prior, iterations)
        return self._unless_worse(targets, pose, refined)

    def calm(self, targets: Targets, pose: tuple[Array, Array], artifacts: PoseArtifacts) -> tuple[Array, Array]:
        """Return frames in which joints hop even though they were settled, with those joints as around that moment.

        Their points are wrong then, and wrong together: else another pose would explain them. A frame is left as it
        was if its points are explained much worse without.

        Args:
            targets: of those frames.
            pose: their local rotations (F, 24, 3, 3) and trans (F, 3).
            artifacts: which of their joints do, and where these are around then.
        """
        xp = namespace(targets.points)
        popped = like(artifacts.joints.astype(np.float32), pose[0])[..., None, None] > 0
        calmed = xp.where(popped, like(artifacts.around, pose[0]), pose[0])
        return self._unless_worse(targets, pose, (calmed, align_translation(self.keypoints, calmed, targets)[0]))

    def _unless_worse(
        self, targets: Targets, pose: tuple[Array, Array], other: tuple[Array, Array]
    ) -> tuple[Array, Array]:
        """Return the *other* pose, but where it explains the points much worse."""
        xp = namespace(targets.points)
        worse = self.miss(targets, other) > _MUCH_WORSE * self.miss(targets, pose) + _WORSE_M
        return xp.where(worse[:, None, None, None], pose[0], other[0]), xp.where(worse[:, None], pose[1], other[1])

    def miss(self, targets: Targets, pose: tuple[Array, Array]) -> Array:
        """Return the weighted root mean square distance of each frame's points from their targets (F,), metres."""
        xp = namespace(targets.points)
        off = targets.points - self.keypoints.points(*pose)
        squared = targets.weights * xp.sum(off * off, axis=-1)
        return xp.sqrt(xp.sum(squared, axis=1) / at_least(xp.sum(targets.weights, axis=1), 1e-9))


def is_lost(miss_m: float, sigma_m: float) -> bool:
    """Return whether a pose that misses its points by *miss_m*, root mean square, was begun at a wrong one."""
    return miss_m > max(_LOST_M, _LOST_SIGMAS * sigma_m)


def outlier_limit_m(sigma_m: float) -> float:
    """Return how far off a point counts a quarter, beside points that are *sigma_m* off per axis."""
    return max(_OUTLIER_M, _OUTLIER_SIGMAS * sigma_m)


def make_targets(points: SolverPoints, smoothed: SmoothedPoints, fps: float, body: BodyModel) -> Targets:
    """Return the smoothed points with weights: less for bridged ones, and for noisier ones than the others.

    Args:
        points: what was measured.
        smoothed: the same, smoothed.
        fps: frames a second.
        body: whose kind of array to make.
    """
    usual = np.max(points.weights, axis=0)
    seen = (points.weights > 0) & (smoothed.distance == 0)
    of_legs = np.isin(points.names, LEG_POINTS) & seen.any(axis=1)[:, None]
    longest_s = np.where(of_legs, _LEG_GAP_S, _GAP_S)
    reach_s = np.where(smoothed.gap <= np.maximum(longest_s * fps, 1.0), 2.0 * longest_s, 0.0)
    reach_s = np.where(np.isinf(smoothed.gap), _OPEN_GAP_S, reach_s)
    near = np.clip(1.0 - smoothed.distance / np.maximum(reach_s * fps, 1.0), 0.0, 1.0)
    positions, stays = hold_still_feet(points.names, smoothed.positions, seen, fps)
    weights = np.where(seen, points.weights, np.maximum(near, stays) * _BRIDGED_SHARE * usual)
    noise = np.maximum(smoothed.noise_m, _EVEN_NOISE_M)
    relative = np.median(noise) / noise
    weights = weights * np.clip(relative, *_NOISE_RANGE)
    return Targets(body.array(positions), body.array(weights))


def residual_noise(smoothed: SmoothedPoints, strength: float) -> np.ndarray:
    """Return the noise (K,) per axis, metres, that points smoothed with *strength* (0 to 1) still hold."""
    return after_smoothing(smoothed.noise_m, strength)


def after_smoothing(noise_m: np.ndarray, strength: float) -> np.ndarray:
    """Return what smoothing with *strength* (0 to 1) leaves of noise (K,), metres."""
    left: np.ndarray = noise_m * (1.0 - strength * (1.0 - _SMOOTHED_NOISE))
    return left


def find_shape(
    points: SolverPoints,
    model: KeypointModel,
    targets: Targets,
    noise: np.ndarray,
    betas: np.ndarray | None,
    *,
    predictor: PosePredictor = SHIPPED_PREDICTOR,
    rounds: int = Quality.shape_rounds,
    on_progress: Callable[[float], None] = lambda part: None,
) -> ShapeEstimate:
    """Return betas (unless they are known), keypoint offsets, sigma and habit, from some dozens of spread frames.

    Args:
        points: what was measured.
        model: those points on the body.
        targets: where they should be.
        noise: (K,) noise of the targets per axis, metres.
        betas: (B,) known betas, or None.
        predictor: who is asked what pose to expect.
        rounds: how often the shape is found anew from poses, and these from it.
        on_progress: hears now and then what part is done, 0 to 1; what it raises ends the work.
    """
    known = None if betas is None else known_betas(betas, model.body.data)
    if known is None:
        rough = betas_from_lengths(points.names, model, to_numpy(targets.points), points.weights, noise)
    else:
        rough = known
    frames = spread_frames(to_numpy(targets.weights)).tolist()
    some = Targets(targets.points[frames], targets.weights[frames])
    noise_m = float(np.median(noise))
    found = refine_shape(
        points.names,
        model,
        some,
        rough,
        noise_m=noise_m,
        trust=points.trust,
        hold_betas=known is not None,
        predictor=predictor,
        rounds=rounds,
        on_progress=on_progress,
    )
    return found if known is None else replace(found, betas=known)


def known_betas(betas: np.ndarray, body: BodyData) -> np.ndarray:
    """Return *betas* as (B,) float64, cut to the number that *body* has, or filled up with zeros.

    Raises:
        BodyError: betas that would be cut are not 0.
    """
    values = np.asarray(betas, dtype=np.float64)
    if np.any(values[NUM_BETAS:]):
        raise BodyError(
            f"expected {NUM_BETAS} betas for body {body.name!r}, got {len(values)} of which later ones are not 0"
        )
    padded = np.zeros(NUM_BETAS)
    padded[: min(len(values), NUM_BETAS)] = values[:NUM_BETAS]
    return padded
