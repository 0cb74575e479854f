"""The folded network gives the same output as the torch module in evaluation mode, and as the published network."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest
import torch

from core.network.architecture import FOLDED_SHAPES
from core.network.folding import fold
from core.network.forward import FoldedNetwork
from core.network.graph import NetworkError, adjacency
from training.network.model import GraphConvolution, ResidualNet

from .state_rule import state_shapes

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def module(state, graph) -> ResidualNet:
    """Return the torch module in float64 with all kernel taps."""
    network = ResidualNet(graph, trimmed=False)
    network.load_state_dict({name: torch.tensor(array) for name, array in state.items()})
    network = network.double().eval()
    for part in network.modules():
        if isinstance(part, GraphConvolution):
            part.adjacency = torch.tensor(adjacency(graph))
    return network


def drawn(batch: int) -> list[np.ndarray]:
    """Return points, pose features and betas for a batch."""
    draws = np.random.default_rng(batch)
    return [0.5 * draws.normal(size=(batch, *shape)) for shape in ((2, 25, 3), (69,), (10,))]


def answer(module: ResidualNet, inputs: list[np.ndarray], dtype: torch.dtype) -> np.ndarray:
    with torch.no_grad():
        return deepcopy(module).to(dtype).residual(*(torch.tensor(array, dtype=dtype) for array in inputs)).numpy()


@pytest.mark.parametrize("batch", [1, 7])
def test_folding_is_exact_in_float64(module, folded, batch):
    inputs = drawn(batch)
    expected = answer(module, inputs, torch.float64)
    found = FoldedNetwork(folded, dtype=np.float64).residual(*inputs)
    assert found.shape == (batch, 22, 6)
    assert np.abs(found - expected).max() < 1e-12 * np.abs(expected).max()


@pytest.mark.parametrize("device", ["numpy", "cpu"])
def test_folding_is_exact_to_float32(module, folded, device):
    inputs = drawn(5)
    expected = answer(module, inputs, torch.float32)
    network = FoldedNetwork(folded, device=device)
    kind = np.asarray if device == "numpy" else torch.tensor
    found = network.residual(*(kind(array.astype(np.float32)) for array in inputs))
    assert type(found) is (np.ndarray if device == "numpy" else torch.Tensor)
    assert np.abs(np.asarray(found) - expected).max() < 1e-5 * np.abs(expected).max()


def test_inputs_and_weights_are_not_modified(folded):
    inputs = [array.astype(np.float32) for array in drawn(3)]
    before = [array.copy() for array in inputs]
    network = FoldedNetwork(folded)
    first = network.residual(*inputs)
    assert np.array_equal(network.residual(*inputs), first)
    assert all(np.array_equal(array, copy) for array, copy in zip(inputs, before, strict=True))


def test_rule_has_the_shapes_of_the_published_state_dict(state):
    expected = {name: tuple(value.shape) for name, value in ResidualNet("published").state_dict().items()}
    assert state_shapes() == expected
    assert len(state) == 217


def test_folded_arrays_have_the_declared_shapes(folded):
    assert {name: array.shape for name, array in folded.items()} == FOLDED_SHAPES
    assert sum(array.size for array in folded.values()) < 0.45 * sum(np.prod(s) for s in state_shapes().values())


def test_state_dicts_of_other_networks_are_rejected(state):
    with pytest.raises(NetworkError, match=r"gcn1\.mask"):
        fold({name: array for name, array in state.items() if "backbone.3.gcn1.mask" not in name}, "body25")
    with pytest.raises(NetworkError, match="shapes"):
        fold(state | {"linear.2.weight": state["linear.2.weight"][:100]}, "body25")
