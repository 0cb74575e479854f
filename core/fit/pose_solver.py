"""The steps that the clip fit and the stream share: targets, shape, and the poses of a block of frames."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..body.data import NUM_BETAS, BodyData
from ..body.keypoints import KeypointModel, ShapedKeypoints
from ..body.model import BodyModel
from ..errors import BodyError
from ..math.arrays import Array, at_least, like, namespace, to_numpy
from ..smpl_skeleton import NUM_BODY_ROTATIONS
from .blocks import OnProgress
from .observations import SolverPoints
from .point_groups import LEG_POINTS
from .priors.pose_predictor import SHIPPED_PREDICTOR, PosePredictor
from .priors.regression_prior import SubjectOffset
from .quality import Quality
from .shape.estimate import ShapeEstimate, ShapeState, betas_from_lengths, spread_frames
from .solver.gauss_newton import IterationLimits, PosePrior, Targets, refine
from .solver.initial_pose import align_translation, analytic_start
from .temporal.keypoint_smoothing import SmoothedPoints
from .temporal.planted_feet import hold_still_feet
from .temporal.pose_artifacts import PoseArtifacts

_GAP_S, _LEG_GAP_S, _OPEN_GAP_S = 0.4, 0.2, 0.1
"""The longest gaps that are bridged, for points in general and for leg points, and how far bridging reaches into a gap
at the start or end of the clip. The rest of the body predicts a hidden leg better than the leg's own points do
(`core.fit.temporal.visibility`)."""
_BRIDGED_WEIGHT = 0.5
_RESIDUAL_NOISE_SHARE = 0.45
"""The share of a track's noise that remains after smoothing (measured at 3 to 20 mm)."""
_NOISE_RANGE, _MIN_NOISE_M = (0.5, 2.0), 5e-4
"""The range of factors by which a point's noise changes its weight, and the noise below which all points weigh the
same, since motion alone is measured as that much noise."""
_OUTLIER_SIGMAS, _OUTLIER_M = 8.0, 0.08
_LOST_M, _LOST_SIGMAS = 0.04, 5.0
"""A frame whose root mean square error exceeds both started from a wrong pose."""
_ARTIFACT_M, _ARTIFACT_SPREAD_RAD = 0.01, 0.25
"""The prior of a refined joint: this keypoint error is worth this angle from the motion around it."""
_JITTER_SIGMAS = 3.0
"""The same keypoint error for a joint that only jitters, in multiples of sigma."""
_REFINING_STEPS = 3
"""A refined frame starts close to its solution and needs fewer steps."""
_KNOWN_SPREAD_RAD = np.deg2rad(6.0)
"""How far a joint turns between a known pose and the next frame."""
_MUCH_WORSE, _WORSE_M = 1.3, 0.005
"""How much the error of a refined frame may grow: a factor, and metres on top."""


@dataclass(frozen=True, eq=False)
class InitialPose:
    """The initial pose of a block of frames, before the exact solve.

    Attributes:
        rotations: (F, 24, 3, 3) local rotations that place every limb where it was seen.
        trans: (F, 3) metres.
        expected: the prior on the pose.
    """

    rotations: Array
    trans: Array
    expected: PosePrior


@dataclass(frozen=True, eq=False)
class PoseSolver:
    """Solve the poses of blocks of frames on one shaped body.

    Attributes:
        names: (K,) the solver points.
        keypoints: these points on the shaped body.
        sigma_m: keypoint error per axis, metres.
        iterations: number of steps of the exact solve.
        subject_offset: the subject-specific pose offset, if known.
        noise_m: the part of *sigma_m* that is noise, independent in every frame.
        predictor: predicts the expected pose.
    """

    names: tuple[str, ...]
    keypoints: ShapedKeypoints
    sigma_m: float
    iterations: IterationLimits
    subject_offset: SubjectOffset | None = None
    noise_m: float = 0.0
    predictor: PosePredictor = SHIPPED_PREDICTOR

    def initial_pose(self, targets: Targets, known: Array | None = None) -> InitialPose:
        """Return the initial pose of a block of frames.

        Args:
            targets: target positions of the points.
            known: (F, 24, 3, 3) local rotations of the frame before, to start from; None for the analytic start.
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
        """Return local rotations (F, 24, 3, 3) and trans (F, 3) of the exact solve.

        The solve starts from the expected pose. Frames with a large remaining error are solved again from the initial
        rotations, which place every limb where it was seen.

        Args:
            targets: target positions of the points.
            initial_pose: their initial pose, from `initial_pose`.
        """
        xp = namespace(targets.points)
        start, trans, expected = initial_pose.rotations, initial_pose.trans, initial_pose.expected
        pose = self._refine(targets, (expected.rotations, trans), expected, self.iterations)
        errors = self.rms_error(targets, pose)
        lost = [frame for frame, error_m in enumerate(errors.tolist()) if is_lost(error_m, self.sigma_m)]
        if not lost:
            return pose
        lost_targets = targets.select(lost)
        again = self._refine(lost_targets, (start[lost], trans[lost]), expected.select(lost), self.iterations)
        better = self.rms_error(lost_targets, again) < errors[lost]
        rotations, translations = xp.asarray(pose[0], copy=True), xp.asarray(pose[1], copy=True)
        rotations[lost] = xp.where(better[:, None, None, None], again[0], rotations[lost])
        translations[lost] = xp.where(better[:, None], again[1], translations[lost])
        return rotations, translations

    def _refine(
        self, targets: Targets, start: tuple[Array, Array], prior: PosePrior, iterations: IterationLimits
    ) -> tuple[Array, Array]:
        """Return the pose that fits *targets* best, starting from *start*."""
        outlier_m = outlier_limit_m(self.sigma_m)
        return refine(self.keypoints, start, targets, prior, iterations=iterations, outlier_m=outlier_m)

    def refine_artifacts(
        self, targets: Targets, expected: PosePrior, pose: tuple[Array, Array], artifacts: PoseArtifacts
    ) -> tuple[Array, Array]:
        """Return frames solved again with the motion around them as a prior on the joints that have artifacts.

        A frame keeps its pose if the new one fits its points much worse.

        Args:
            targets: the targets of these frames.
            expected: the prior of these frames.
            pose: their local rotations (F, 24, 3, 3) and trans (F, 3).
            artifacts: the joints that have artifacts, and their rotations from the frames around.
        """
        xp = namespace(targets.points)
        rotations, trans = pose
        affected = like(artifacts.joints.astype(np.float32), rotations)[..., None, None] > 0
        around = like(artifacts.around, rotations)
        error_m = _ARTIFACT_M if artifacts.wrong else _JITTER_SIGMAS * self.sigma_m
        firm = like((error_m / _ARTIFACT_SPREAD_RAD) ** 2 * np.eye(3), rotations)
        prior = PosePrior(
            xp.where(affected, around, expected.rotations),
            expected.precision + xp.where(affected[:, :NUM_BODY_ROTATIONS], firm, 0.0 * firm),
            self.sigma_m,
            expected.joint_precisions,
        )
        iterations = replace(self.iterations, steps=min(_REFINING_STEPS, self.iterations.steps))
        refined = self._refine(targets, (xp.where(affected, around, rotations), trans), prior, iterations)
        return self._unless_worse(targets, pose, refined)

    def replace_outliers(
        self, targets: Targets, pose: tuple[Array, Array], artifacts: PoseArtifacts
    ) -> tuple[Array, Array]:
        """Return frames whose remaining outlier joints are replaced by their rotations from the frames around.

        A joint that is still an outlier after refinement has points that are wrong consistently: otherwise another pose
        would fit them. A frame keeps its pose if the new one fits its points much worse.

        Args:
            targets: the targets of these frames.
            pose: their local rotations (F, 24, 3, 3) and trans (F, 3).
            artifacts: the joints that are outliers, and their rotations from the frames around.
        """
        xp = namespace(targets.points)
        affected = like(artifacts.joints.astype(np.float32), pose[0])[..., None, None] > 0
        replaced = xp.where(affected, like(artifacts.around, pose[0]), pose[0])
        return self._unless_worse(targets, pose, (replaced, align_translation(self.keypoints, replaced, targets)[0]))

    def _unless_worse(
        self, targets: Targets, pose: tuple[Array, Array], other: tuple[Array, Array]
    ) -> tuple[Array, Array]:
        """Return the *other* pose, except *pose* in frames whose points *other* fits much worse."""
        xp = namespace(targets.points)
        worse = self.rms_error(targets, other) > _MUCH_WORSE * self.rms_error(targets, pose) + _WORSE_M
        return xp.where(worse[:, None, None, None], pose[0], other[0]), xp.where(worse[:, None], pose[1], other[1])

    def rms_error(self, targets: Targets, pose: tuple[Array, Array]) -> Array:
        """Return the weighted root mean square distance (F,) of each frame's points from their targets, metres."""
        xp = namespace(targets.points)
        residual = targets.points - self.keypoints.points(*pose)
        squared = targets.weights * xp.sum(residual * residual, axis=-1)
        return xp.sqrt(xp.sum(squared, axis=1) / at_least(xp.sum(targets.weights, axis=1), 1e-9))


def is_lost(error_m: float, sigma_m: float) -> bool:
    """Return whether a pose with a root mean square error of *error_m* was solved from a wrong initial pose."""
    return error_m > max(_LOST_M, _LOST_SIGMAS * sigma_m)


def outlier_limit_m(sigma_m: float) -> float:
    """Return the error at which a point's weight falls to a quarter, given the usual error *sigma_m* per axis."""
    return max(_OUTLIER_M, _OUTLIER_SIGMAS * sigma_m)


def make_targets(points: SolverPoints, smoothed: SmoothedPoints, fps: float, body: BodyModel) -> Targets:
    """Return the smoothed points as weighted targets; bridged and noisier points get lower weights.

    Args:
        points: the measured points.
        smoothed: the same points, smoothed.
        fps: frames per second.
        body: the body model, which sets the kind of array to return.
    """
    usual = np.max(points.weights, axis=0)
    seen = (points.weights > 0) & (smoothed.distance == 0)
    is_leg_point = np.isin(points.names, LEG_POINTS) & seen.any(axis=1)[:, None]
    longest_gap_s = np.where(is_leg_point, _LEG_GAP_S, _GAP_S)
    reach_s = np.where(smoothed.gap <= np.maximum(longest_gap_s * fps, 1.0), 2.0 * longest_gap_s, 0.0)
    reach_s = np.where(np.isinf(smoothed.gap), _OPEN_GAP_S, reach_s)
    near = np.clip(1.0 - smoothed.distance / np.maximum(reach_s * fps, 1.0), 0.0, 1.0)
    positions, planted = hold_still_feet(points.names, smoothed.positions, seen, fps)
    weights = np.where(seen, points.weights, np.maximum(near, planted) * _BRIDGED_WEIGHT * usual)
    noise = np.maximum(smoothed.noise_m, _MIN_NOISE_M)
    relative = np.median(noise) / noise
    weights = weights * np.clip(relative, *_NOISE_RANGE)
    return Targets(body.array(positions), body.array(weights))


def after_smoothing(noise_m: np.ndarray, strength: float) -> np.ndarray:
    """Return the noise (K,), metres, that remains of *noise_m* (K,) after smoothing with *strength* (0 to 1)."""
    remaining: np.ndarray = noise_m * (1.0 - strength * (1.0 - _RESIDUAL_NOISE_SHARE))
    return remaining


def find_shape(
    points: SolverPoints,
    model: KeypointModel,
    targets: Targets,
    noise_m: np.ndarray,
    betas: np.ndarray | None,
    *,
    predictor: PosePredictor = SHIPPED_PREDICTOR,
    rounds: int = Quality.shape_rounds,
    on_progress: OnProgress = lambda part: None,
) -> ShapeEstimate:
    """Estimate betas (unless known), keypoint offsets, sigma and subject offset, from a few dozen spread frames.

    Args:
        points: the measured points.
        model: these points on the body.
        targets: target positions of all frames.
        noise_m: (K,) noise of the targets per axis, metres.
        betas: (B,) known betas, or None.
        predictor: predicts the expected pose.
        rounds: number of alternations between the shape and the expected poses.
        on_progress: called with the completed fraction, 0 to 1; an exception it raises ends the work.
    """
    if betas is None:
        initial_betas = betas_from_lengths(points.names, model, to_numpy(targets.points), points.weights, noise_m)
    else:
        initial_betas = known_betas(betas, model.body.data)
    state = ShapeState(
        points.names,
        model,
        targets.select(spread_frames(to_numpy(targets.weights)).tolist()),
        model.body.array(initial_betas),
        float(np.median(noise_m)),
        points.trust,
        predictor,
    )
    for completed in state.refine(rounds, hold_betas=betas is not None):
        on_progress(completed)
    estimate = state.estimate()
    return estimate if betas is None else replace(estimate, betas=initial_betas)


def known_betas(betas: np.ndarray, body: BodyData) -> np.ndarray:
    """Return *betas* as (B,) float64, truncated to the number that *body* has or padded with zeros.

    Raises:
        BodyError: a beta that would be cut off is not 0.
    """
    values = np.asarray(betas, dtype=np.float64)
    if np.any(values[NUM_BETAS:]):
        raise BodyError(
            f"expected {NUM_BETAS} betas for body {body.name!r}, got {len(values)} of which later ones are not 0"
        )
    padded = np.zeros(NUM_BETAS)
    padded[: min(len(values), NUM_BETAS)] = values[:NUM_BETAS]
    return padded
