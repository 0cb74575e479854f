"""What pose to expect of some points, beyond what they show, and how firmly to hold to it. F frames, K keypoints.

Two experts, both taught by real motion. The pose network is asked for the arms: it halves what the twist of an upper
arm is off. Trunk, head and legs are the regressions' (`core.fit.priors.regression_prior`): how a person tilts the
pelvis differs from one to the next more than from moment to moment, and of the few people there were to learn from,
regressions that are held back learn that better. A network that was taught by more people may be asked for all joints.
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
from ...smpl_skeleton import JOINT_INDEX, NUM_BODY_ROTATIONS
from ..solver.gauss_newton import PosePrior, Targets
from ..solver.initial_pose import align_translation
from .regression_prior import SubjectOffset, load_prior

WEIGHTS = Path(__file__).resolve().parents[2] / "network" / "assets" / "pose_mlp.npz"
UNSEEN_PEOPLE = 4.0
"""How many times the variances that the network tells are those of people that it never saw. Measured: 1.3 to 2 in the
mean, more for those unlike the people it has learned from, who lose most by a prediction that is too sure."""
NETWORK_JOINTS: dict[str, tuple[int, ...]] = {
    "none": (),
    "arms": tuple(
        JOINT_INDEX[f"{side}_{joint}"] for side in ("left", "right") for joint in ("shoulder", "elbow", "wrist")
    ),
    "all": tuple(range(NUM_BODY_ROTATIONS)),
}
"""The joints that the network may be asked for, by what a fit is told."""
MAX_PASSES = 5
_MAX_NETWORK_SHARE, _NETWORK_SIGMA_M = 0.5, 0.005
"""Where points are far off, two that have learned differently from the same people are wrong together less than either
alone. Chosen on OpenCap's squat in video and marker joints and on held-out CMU clips with realistic errors: half, from
points on that are some millimetres off; on points of the body itself the regressions know better."""


@cache
def load_pose_network(device: str) -> PoseNetwork:
    """Return the network that ships with the project, on a device; it is read once."""
    return PoseNetwork(read_weights(WEIGHTS), device)


def read_pose_network(path: Path | str, device: str) -> PoseNetwork:
    """Return the pose network in a weights file, on a device.

    Raises:
        InputMissingError: there is no such file.
        NetworkError: it is no weights file, or one of another network.
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
    """Who is asked what pose to expect.

    Attributes:
        network: the pose network, on the device of the fit; None for the one that ships with the project.
        joints: which joints it is asked for, a key of `NETWORK_JOINTS`; the others are the regressions',
            which know nothing of arms but how the start has them.
        passes: how often it is asked, each time from its last answer.
    """

    network: PoseNetwork | None = None
    joints: str = "arms"
    passes: int = 1

    def prepare(self) -> None:
        """Read what ships with the project, which else the first frame would wait for."""
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
        """Return the pose to expect of *targets*.

        Args:
            names: the solver points, in the order of *targets*.
            keypoints: those points on the shaped body.
            start: (F, 24, 3, 3) the analytic start's local rotations.
            targets: where the points are.
            sigma_m: how far off they are per axis.
            noise_m: how much of that is noise, other in every frame.
            subject_offset: the person's, if it is known.
        """
        joints = NETWORK_JOINTS[self.joints]
        if len(joints) == NUM_BODY_ROTATIONS:
            return self.predict_by_network(names, keypoints, start, targets, sigma_m=sigma_m)
        usual = load_prior().predict(
            start, names, targets.weights, sigma_m=sigma_m, noise_m=noise_m, subject_offset=subject_offset
        )
        if not joints:
            return usual
        told = self.predict_by_network(names, keypoints, start, targets, sigma_m=sigma_m)
        xp = namespace(start)
        mask = np.isin(np.arange(start.shape[1]), joints)[:, None, None]
        chosen = like(mask.astype(np.float32), start) > 0
        share = xp.zeros_like(usual.rotations[..., 0, 0]) + _network_share(sigma_m)
        blended = slerp_matrices(usual.rotations, told.rotations, share)
        return PosePrior(
            xp.where(chosen, told.rotations, blended),
            xp.where(chosen[:NUM_BODY_ROTATIONS], told.precision, usual.precision),
            sigma_m,
            usual.joint_precisions,
        )

    def predict_by_network(
        self, names: Sequence[str], keypoints: ShapedKeypoints, start: Array, targets: Targets, *, sigma_m: float
    ) -> PosePrior:
        """Return what the network alone expects, of every joint; arguments as for `predict`.

        Args:
            names: the solver points.
            keypoints: those points on the shaped body.
            start: (F, 24, 3, 3) local rotations to begin from.
            targets: where the points are.
            sigma_m: how far off they are per axis.
        """
        xp = namespace(start)
        body = keypoints.model.body
        network = self.network or load_pose_network(body.device)
        order = _order(names, start)
        seen = ones_where(targets.weights > 0, targets.weights) @ order
        points = xp.matrix_transpose(order) @ targets.points
        betas = keypoints.betas if body.data.name == network.info.body else xp.zeros_like(keypoints.betas)
        betas = xp.broadcast_to(betas, (start.shape[0], betas.shape[-1]))
        sigma = xp.zeros_like(start[:, 0, 0, 0]) + sigma_m
        rotations, log_variances = start, start[:, :NUM_BODY_ROTATIONS, 0]
        for _ in range(self.passes):
            start_points = xp.matrix_transpose(order) @ align_translation(keypoints, rotations, targets)[1]
            answer, log_variances = network.predict(rotations, start_points, points, seen, betas, sigma)
            rotations = xp.concat([answer, start[:, NUM_BODY_ROTATIONS:]], axis=1)
        precision = xp.exp(-log_variances) * (sigma_m**2 / UNSEEN_PEOPLE)
        return PosePrior(rotations, precision[..., None] * like(np.eye(3), start), sigma_m)


SHIPPED_PREDICTOR = PosePredictor()
"""Those of a fit that is told nothing else. A second pass would gain about a tenth of a millimetre on noisy points."""


def _network_share(sigma_m: float) -> float:
    """Return how far the network moves what the regressions expect of joints that it is not asked for alone."""
    return _MAX_NETWORK_SHARE * sigma_m**2 / (sigma_m**2 + _NETWORK_SIGMA_M**2)


def _order(names: Sequence[str], other: Array) -> Array:
    """Return the matrix (K, P) that puts the points *names* where the network reads them; others it does not read."""
    order = np.zeros((len(names), len(POSE_POINTS)))
    for index, name in enumerate(names):
        if name in POSE_POINTS:
            order[index, POSE_POINTS.index(name)] = 1.0
    return like(order, other)
