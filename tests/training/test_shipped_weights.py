"""The weights of the paper's architecture that come with the training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.body.free_body import load_free_body
from core.body.keypoints import KeypointModel
from core.body.landmarks import landmark_regressor
from core.body.model import BodyModel
from core.network import ResidualNetwork
from core.network.architecture import NUM_BETAS
from core.network.weights import read_weights
from training.sample_motion import sample_motion
from training.shown_body import POINT_NAMES

WEIGHTS = Path(__file__).resolve().parents[2] / "training" / "weights" / "learnable_smplify.npz"
FEWEST_FRAMES, MOST_FRAMES = 3, 9


@pytest.mark.parametrize("stride", [FEWEST_FRAMES, MOST_FRAMES])
def test_it_brings_a_walk_it_never_saw_nearer(stride):
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
