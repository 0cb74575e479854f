"""The shipped weights of the paper's architecture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from core.body.free_body import load_free_body  # noqa: E402
from core.body.keypoints import KeypointModel  # noqa: E402
from core.body.landmarks import landmark_regressor  # noqa: E402
from core.body.model import BodyModel  # noqa: E402
from core.network import ResidualNetwork  # noqa: E402
from core.network.architecture import NUM_BETAS  # noqa: E402
from core.network.weights import read_weights  # noqa: E402
from training.data.training_body import POINT_NAMES  # noqa: E402
from training.network.pose_mlp import PoseMlp  # noqa: E402
from training.samples.motion import sample_motion  # noqa: E402

REPOSITORY = Path(__file__).resolve().parents[2]
WEIGHTS = REPOSITORY / "training" / "weights" / "learnable_smplify.npz"
POSE_WEIGHTS = REPOSITORY / "core" / "network" / "assets" / "pose_mlp.npz"
FEWEST_FRAMES, MOST_FRAMES = 3, 9


@pytest.mark.parametrize("stride", [FEWEST_FRAMES, MOST_FRAMES])
def test_shipped_network_improves_an_unseen_walk(stride):
    network = ResidualNetwork(read_weights(WEIGHTS))
    assert network.info.graph == "body25" and network.info.body == "free_body"
    motion = sample_motion()
    rotations, betas = motion.rotations().astype(np.float32)[::2], motion.betas[:NUM_BETAS].astype(np.float32)
    trans = np.zeros((len(rotations), 3), dtype=np.float32)
    body = BodyModel(load_free_body())
    regressor = landmark_regressor(load_free_body(), POINT_NAMES)
    points = KeypointModel(body, regressor).shaped(betas).points(rotations, trans)
    start, target = slice(None, -stride, 10), slice(stride, None, 10)
    found = network.predict(points[start], points[target], rotations[start], betas)

    def off_mm(guess: np.ndarray) -> float:
        joints, true = (body.joints(each, betas, trans[target]) for each in (guess, rotations[target]))
        return 1000.0 * float(np.linalg.norm(joints - true, axis=-1).mean())

    assert off_mm(found) < 0.7 * off_mm(rotations[start])


def test_pose_network_loads_a_weights_file():
    stored = read_weights(POSE_WEIGHTS).arrays
    network = PoseMlp()
    with torch.no_grad():
        network.norm.weight.fill_(2.0)
    network.load_stored(stored)
    again = network.stored_arrays()
    assert again.keys() == stored.keys()
    for name, array in stored.items():
        np.testing.assert_array_equal(again[name], array, err_msg=name)
