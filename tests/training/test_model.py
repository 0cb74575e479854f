"""The torch network equals the published one in its state dict and its outputs."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from core.math.rotations import axis_angle_to_matrix
from core.network.graph import GraphError, adjacency
from core.smpl_skeleton import BODY25_NAMES
from tests.core.network.state_rule import rule_state
from training.network.model import GraphConvolution, ResidualNet, TimeConvolution

RELATIVE = 1e-4


@pytest.fixture(scope="module")
def parity(reference_dir) -> dict[str, torch.Tensor]:
    """Return inputs, intermediates and outputs of the published network."""
    with np.load(reference_dir / "reference_parity.npz", allow_pickle=False) as stored:
        return {name: torch.tensor(stored[name]) for name in stored.files}


@pytest.fixture(scope="module")
def weights() -> dict[str, torch.Tensor]:
    """Return the weights used to generate the fixture."""
    return {name: torch.tensor(array) for name, array in rule_state().items()}


def near(found: torch.Tensor, expected: torch.Tensor, relative: float = RELATIVE) -> bool:
    assert found.shape == expected.shape
    return bool((found - expected).abs().max() <= relative * expected.abs().max())


def start_pose(parity: dict[str, torch.Tensor]) -> torch.Tensor:
    return axis_angle_to_matrix(torch.cat([parity["root_orient"], parity["body_pose"]], dim=1))


@pytest.mark.parametrize("graph", ["published", "body25"])
def test_state_dict_matches_the_published_names_shapes_and_order(graph, reference_dir):
    expected = json.loads((reference_dir / "reference_state_dict.json").read_text(encoding="utf-8"))
    network = ResidualNet(graph)
    assert [[name, list(value.shape)] for name, value in network.state_dict().items()] == expected
    assert len(expected) == 217
    assert sum(value.numel() for value in network.parameters()) == pytest.approx(6.10e6, abs=5e3)


@pytest.mark.parametrize("trimmed", [True, False])
def test_every_intermediate_of_the_published_network_is_reproduced(parity, weights, trimmed):
    network = ResidualNet("published", trimmed=trimmed).eval()
    network.load_state_dict(weights)
    passed = []
    network.backbone.register_forward_hook(lambda module, inputs, output: passed.extend((inputs[0], output)))
    with torch.no_grad():
        found = network(parity["start_joints"], parity["end_joints"], start_pose(parity), parity["betas"])
    points, features = passed
    assert near(found.axes, parity["frame_R"])
    assert near(found.origin, parity["frame_T"])
    assert near(points[:, 0], parity["norm_start"])
    assert near(points[:, 1], parity["norm_end"])
    assert near(features, parity["feat"])
    assert near(found.delta_6d, parity["delta_6d"])
    assert (found.deltas - parity["delta_rotmat"]).abs().max() < 2e-4
    assert (found.rotations - parity["pred_rotmat"]).abs().max() < 2e-4


def test_another_graph_gives_other_outputs(parity, weights):
    network = ResidualNet("body25").eval()
    network.load_state_dict(weights)
    with torch.no_grad():
        found = network(parity["start_joints"], parity["end_joints"], start_pose(parity), parity["betas"])
    assert (found.rotations - parity["pred_rotmat"]).abs().max() > 0.1


@pytest.mark.parametrize(("frames", "stride"), [(1, 1), (2, 1), (2, 2), (3, 1), (7, 2), (12, 1)])
def test_trimmed_taps_change_nothing_at_any_length(frames, stride):
    torch.manual_seed(frames)
    layer = TimeConvolution(8, 16, stride=stride).double()
    features = torch.randn(2, 8, frames, 25, dtype=torch.float64)
    trimmed = layer(features)
    layer.trimmed = False
    torch.testing.assert_close(trimmed, layer(features), rtol=0, atol=1e-13)


def test_graph_convolution_by_hand():
    layer = GraphConvolution(1, 1, "body25").double().eval()
    with torch.no_grad():
        for index, conv in enumerate(layer.conv_list):
            conv.weight.fill_(10.0**index)
            conv.bias.fill_(0.0)
        layer.mask[2] *= 2.0
    features = torch.arange(1.0, 26.0, dtype=torch.float64).reshape(1, 1, 1, 25)
    found = layer(features)[0, 0, 0] * (1 + 1e-5) ** 0.5
    place = {name: index for index, name in enumerate(BODY25_NAMES)}
    value = {name: index + 1.0 for name, index in place.items()}
    expected = value["left_knee"] + 10 * value["left_hip"] + 200 * value["left_ankle"]
    assert found[place["left_knee"]].item() == pytest.approx(expected)
    ankle = value["left_ankle"] + 10 * value["left_knee"] + 200 * (value["left_big_toe"] + value["left_heel"]) / 2
    assert found[place["left_ankle"]].item() == pytest.approx(ankle, rel=1e-6)


def test_initial_weights_predict_almost_no_motion(parity):
    torch.manual_seed(0)
    network = ResidualNet().eval()
    rotations = start_pose(parity)
    with torch.no_grad():
        found = network(parity["start_joints"], parity["end_joints"], rotations, parity["betas"])
    assert (found.rotations - rotations[:, :22]).abs().max() < 0.1


def test_every_parameter_learns_and_the_start_pose_may_be_identity(parity):
    torch.manual_seed(0)
    network = ResidualNet(dropout=0.0)
    rotations = torch.eye(3).expand(16, 24, 3, 3).clone().requires_grad_()
    found = network(parity["start_joints"], parity["end_joints"], rotations, parity["betas"][0])
    (found.rotations * torch.linspace(-1, 1, 9).reshape(3, 3)).sum().backward()
    gradients = {name: value.grad for name, value in network.named_parameters()}
    assert all(gradient is not None and gradient.isfinite().all() for gradient in gradients.values())
    silent = {name for name, gradient in gradients.items() if not gradient.any()}
    assert silent == set()
    assert rotations.grad.isfinite().all()


def test_dropout_acts_only_in_training(parity):
    torch.manual_seed(0)
    network = ResidualNet()
    torch.nn.init.normal_(network.regressor.layers[1].weight)
    inputs = (parity["start_joints"], parity["end_joints"], start_pose(parity), parity["betas"])
    with torch.no_grad():
        assert not torch.equal(network(*inputs).delta_6d, network(*inputs).delta_6d)
        network.eval()
        assert torch.equal(network(*inputs).delta_6d, network(*inputs).delta_6d)


def test_graph_is_not_in_the_state_dict_and_unknown_graphs_are_refused():
    assert not any("adjacency" in name for name in ResidualNet().state_dict())
    assert np.allclose(ResidualNet("published").backbone.gcn0.adjacency, adjacency("published"))
    with pytest.raises(GraphError, match="kinect"):
        ResidualNet("kinect")
