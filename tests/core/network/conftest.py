"""The network with weights by the rule of the parity fixture."""

from __future__ import annotations

import numpy as np
import pytest

from core.math.rotations import axis_angle_to_matrix
from core.network import NetworkInfo, NetworkWeights
from core.network.folding import fold

from .state_rule import rule_state


@pytest.fixture(scope="session")
def state() -> dict[str, np.ndarray]:
    """Return the state dict by the rule."""
    return rule_state()


@pytest.fixture(scope="session", params=["published", "body25"])
def graph(request) -> str:
    """Return each graph in turn."""
    return request.param


@pytest.fixture(scope="session")
def folded(state, graph) -> dict[str, np.ndarray]:
    """Return the rule's weights, folded for the graph, float64."""
    return fold(state, graph)


@pytest.fixture(scope="session")
def published_weights(state) -> NetworkWeights:
    """Return the rule's weights for the published graph, float32."""
    arrays = {name: array.astype(np.float32) for name, array in fold(state, "published").items()}
    return NetworkWeights(arrays, NetworkInfo("published", "smpl", "drawn by a rule", {"mpve_mm": 1.5}))


@pytest.fixture(scope="session")
def parity(reference_dir) -> dict[str, np.ndarray]:
    """Return inputs and outputs of the published network; ``rotations`` (16, 24, 3, 3) is the start pose."""
    with np.load(reference_dir / "reference_parity.npz", allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    turns = np.concatenate([arrays["root_orient"], arrays["body_pose"]], axis=1)
    return arrays | {"rotations": axis_angle_to_matrix(turns)}
