"""Predict the expected pose and its precision from keypoints. F frames, K keypoints.

Two predictors, both trained on real motion, are combined. The pose network predicts the arms: it halves the twist error
of the upper arms. Trunk, head and legs are predicted by the regressions (`core.fit.priors.regression_prior`): pelvis
tilt differs more from person to person than over time, and with few people to train on, regularised regressions learn
that better. A network that was trained on more people may predict all joints.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from ...body.keypoints import ShapedKeypoints
from ...math.arrays import Array, like, namespace, ones_where
from ...math.rotations import slerp_matrices
from ...network.graph import NetworkError
from ...network.pose_architecture import POSE_MLP, POSE_POINTS
from ...network.pose_mlp import PoseNetwork
from ...network.weights import read_weights
from ...smpl_skeleton import JOINT_INDEX, NUM_BODY_ROTATIONS, SIDES
from ..solver.gauss_newton import PosePrior, Targets
from ..solver.initial_pose import align_translation
from .prior_file import load_prior
from .regression_prior import RegressionPrior, SubjectOffset

WEIGHTS = Path(__file__).resolve().parents[2] / "network" / "assets" / "pose_mlp.npz"
UNSEEN_PEOPLE = 4.0
"""Factor from the network's predicted variances to those for people it was not trained on. Measured: 1.3 to 2 on
average; more for people unlike those it was trained on, who lose most by an overconfident prediction."""
NETWORK_JOINTS: dict[str, tuple[int, ...]] = {
    "none": (),
    "arms": tuple(JOINT_INDEX[f"{side}_{joint}"] for side in SIDES for joint in ("shoulder", "elbow", "wrist")),
    "all": tuple(range(NUM_BODY_ROTATIONS)),
}
"""The joints that the network predicts, by the value of `FitOptions.network_joints`."""
MAX_PASSES = 5
_MAX_NETWORK_WEIGHT, _NETWORK_SIGMA_M = 0.5, 0.005
"""The largest weight of the network for joints that the regressions predict, and the keypoint error at which the weight
is half of that. With inaccurate points, the mean of two predictors trained differently on the same people is better
than either alone; with exact points, the regressions are better. Chosen on OpenCap's squat in video and marker joints
and on held-out CMU clips with realistic errors."""


@cache
def load_pose_network(device: str) -> PoseNetwork:
    """Return the network that ships with the project, on a device. It is read once."""
    return PoseNetwork(read_weights(WEIGHTS), device)


def read_pose_network(path: Path | str, device: str) -> PoseNetwork:
    """Read the pose network in a weights file, onto a device.

    Raises:
        InputMissingError: the file does not exist.
        NetworkError: the file is not a weights file, or holds another kind of network.
    """
    weights = read_weights(path)
    if weights.info.architecture != POSE_MLP:
        raise NetworkError(
            f"expected the weights of a {POSE_MLP} network for a fit, found those of a {weights.info.architecture} in "
            f"{path}; train one with training/configs/pose_mlp.yaml and convert its checkpoint"
        )
    return PoseNetwork(weights, device)


@dataclass(frozen=True, eq=False)
class PosePredictor:
    """Predicts the expected pose by the pose network and the regressions.

    Attributes:
        network: the pose network, on the device of the fit; None for the one that ships with the project.
        joints: the joints that the network predicts, a key of `NETWORK_JOINTS`; the regressions predict the others, and
            leave arms as in the initial pose.
        passes: number of times the network is applied, each time to its last prediction.
        own_prior: the regressions; None for those that ship with the project.
    """

    network: PoseNetwork | None = None
    joints: str = "arms"
    passes: int = 1
    own_prior: RegressionPrior | None = None

    @property
    def prior(self) -> RegressionPrior:
        """The regressions that predict trunk and legs."""
        return self.own_prior or load_prior()

    def prepare(self) -> None:
        """Load the shipped prior and network now, so that the first frame does not wait for them."""
        if self.own_prior is None:
            load_prior()
        if self.network is None:
            load_pose_network("numpy")

    def predict(
        self,
        names: Sequence[str],
        keypoints: ShapedKeypoints,
        start: Array,
        targets: Targets,
        *,
        sigma_m: float,
        noise_m: float = 0.0,
        subject_offset: SubjectOffset | None = None,
    ) -> PosePrior:
        """Return the prior on the pose, given *targets*.

        Args:
            names: the solver points, in the order of *targets*.
            keypoints: these points on the shaped body.
            start: (F, 24, 3, 3) local rotations of the analytic start.
            targets: target positions of the points.
            sigma_m: keypoint error per axis, metres.
            noise_m: the part of *sigma_m* that is noise, independent in every frame.
            subject_offset: the subject-specific pose offset, if known.
        """
        joints = NETWORK_JOINTS[self.joints]
        if len(joints) == NUM_BODY_ROTATIONS:
            return self.predict_by_network(names, keypoints, start, targets, sigma_m=sigma_m)
        by_regression = self.prior.predict(
            start, names, targets.weights, sigma_m=sigma_m, noise_m=noise_m, subject_offset=subject_offset
        )
        if not joints:
            return by_regression
        by_network = self.predict_by_network(names, keypoints, start, targets, sigma_m=sigma_m)
        xp = namespace(start)
        mask = np.isin(np.arange(start.shape[1]), joints)[:, None, None]
        from_network = like(mask.astype(np.float32), start) > 0
        weight = xp.zeros_like(by_regression.rotations[..., 0, 0]) + _network_weight(sigma_m)
        blended = slerp_matrices(by_regression.rotations, by_network.rotations, weight)
        return PosePrior(
            xp.where(from_network, by_network.rotations, blended),
            xp.where(from_network[:NUM_BODY_ROTATIONS], by_network.precision, by_regression.precision),
            sigma_m,
            by_regression.joint_precisions,
        )

    def predict_by_network(
        self, names: Sequence[str], keypoints: ShapedKeypoints, start: Array, targets: Targets, *, sigma_m: float
    ) -> PosePrior:
        """Return the prior that the network alone predicts, for every joint.

        Args:
            names: the solver points, in the order of *targets*.
            keypoints: these points on the shaped body.
            start: (F, 24, 3, 3) initial local rotations.
            targets: target positions of the points.
            sigma_m: keypoint error per axis, metres.
        """
        xp = namespace(start)
        body = keypoints.model.body
        network = self.network or load_pose_network(body.device)
        order = _input_matrix(names, start)
        seen = ones_where(targets.weights > 0, targets.weights) @ order
        points = xp.matrix_transpose(order) @ targets.points
        betas = keypoints.betas if body.data.name == network.info.body else xp.zeros_like(keypoints.betas)
        betas = xp.broadcast_to(betas, (start.shape[0], betas.shape[-1]))
        sigma = xp.zeros_like(start[:, 0, 0, 0]) + sigma_m
        rotations, log_variances = start, start[:, :NUM_BODY_ROTATIONS, 0]
        for _ in range(self.passes):
            start_points = xp.matrix_transpose(order) @ align_translation(keypoints, rotations, targets)[1]
            predicted, log_variances = network.predict(rotations, start_points, points, seen, betas, sigma)
            rotations = xp.concat([predicted, start[:, NUM_BODY_ROTATIONS:]], axis=1)
        precision = xp.exp(-log_variances) * (sigma_m**2 / UNSEEN_PEOPLE)
        return PosePrior(rotations, precision[..., None] * like(np.eye(3), start), sigma_m)


SHIPPED_PREDICTOR = PosePredictor()
"""The default predictor. A second pass would gain about a tenth of a millimetre on noisy points."""


def _network_weight(sigma_m: float) -> float:
    """Return the network's weight in the blend for joints that the regressions predict."""
    return _MAX_NETWORK_WEIGHT * sigma_m**2 / (sigma_m**2 + _NETWORK_SIGMA_M**2)


def _input_matrix(names: Sequence[str], other: Array) -> Array:
    """Return the selection matrix (K, P) from the points *names* to the network's P input points."""
    matrix = np.zeros((len(names), len(POSE_POINTS)))
    for index, name in enumerate(names):
        if name in POSE_POINTS:
            matrix[index, POSE_POINTS.index(name)] = 1.0
    return like(matrix, other)
