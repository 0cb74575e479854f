"""The pose network: equal outputs on NumPy, torch and the training module; invariance to heading and position."""

from __future__ import annotations

import copy
import dataclasses

import numpy as np
import pytest
import torch

from core.layouts import BODY25, LAYOUTS
from core.math.rotations import axis_angle_to_matrix
from core.network import NetworkError, NetworkInfo, NetworkWeights, read_weights, write_weights
from core.network.pose_architecture import NUM_FEATURES, NUM_POINTS, POSE_MLP, POSE_MLP_SHAPES, POSE_POINTS
from core.network.pose_mlp import PoseNetwork, answer_of, pose_features
from training.network.pose_mlp import PoseMlp

pytestmark = pytest.mark.slow

INFO = NetworkInfo("", "free_body", "drawn at random", {"mpve_mm": 3.5}, architecture=POSE_MLP)


@pytest.fixture(scope="module")
def module() -> PoseMlp:
    """Return the training module with random weights, including norms and outputs.

    Its outputs rotate joints by 10 degrees, like those of a trained network. Larger ones have nearly parallel axes in a
    few of 15,000 joints, and orthonormalising those magnifies the rounding error, which differs between processors.
    """
    torch.manual_seed(3)
    network = PoseMlp().eval()
    for part in network.modules():
        if isinstance(part, torch.nn.LayerNorm):
            torch.nn.init.uniform_(part.weight, 0.5, 1.5)
            torch.nn.init.normal_(part.bias, std=0.2)
    torch.nn.init.normal_(network.output.weight, std=0.005)
    return network


@pytest.fixture(scope="module")
def weights(module: PoseMlp) -> NetworkWeights:
    """Return the same weights in stored form."""
    return NetworkWeights(module.stored_arrays(), INFO)


def drawn(batch: int, seed: int = 0) -> list[np.ndarray]:
    """Return random inputs: start, start points, points, seen, betas, sigma."""
    draws = np.random.default_rng(seed)
    start = axis_angle_to_matrix(0.5 * draws.normal(size=(batch, 24, 3)).astype(np.float32))
    points = draws.normal(size=(batch, NUM_POINTS, 3)).astype(np.float32)
    moved = points + 0.05 * draws.normal(size=points.shape).astype(np.float32)
    seen = (draws.random((batch, NUM_POINTS)) < 0.7).astype(np.float32)
    betas = draws.normal(size=(batch, 10)).astype(np.float32)
    return [start, points, moved, seen, betas, 0.01 * draws.random(batch).astype(np.float32)]


@pytest.mark.parametrize("device", ["numpy", "cpu"])
@pytest.mark.parametrize("batch", [1, 700])
def test_stored_weights_give_the_output_of_the_module(module, weights, device, batch):
    inputs = drawn(batch)
    with torch.no_grad():
        expected = copy.deepcopy(module).double()(*(torch.tensor(array).double() for array in inputs))
    placed = inputs if device == "numpy" else [torch.tensor(array) for array in inputs]
    rotations, log_variances = (np.asarray(part) for part in PoseNetwork(weights, device).predict(*placed))
    np.testing.assert_allclose(rotations, expected.rotations.numpy(), atol=1e-5)
    np.testing.assert_allclose(log_variances, expected.log_variances.numpy(), atol=1e-5)
    np.testing.assert_allclose(np.linalg.det(rotations), 1.0, atol=1e-5)


def test_output_is_invariant_to_heading_and_position(weights):
    start, start_points, points, seen, betas, sigma_m = drawn(20)
    turn = axis_angle_to_matrix(np.array([0.0, 2.0, 0.0], dtype=np.float32))
    away = np.array([3.0, 0.7, -2.0], dtype=np.float32)
    turned = start.copy()
    turned[:, 0] = turn @ start[:, 0]
    network = PoseNetwork(weights)
    plain = network.predict(start, start_points, points, seen, betas, sigma_m)
    other = network.predict(turned, start_points @ turn.T + away, points @ turn.T + away, seen, betas, sigma_m)
    np.testing.assert_allclose(turn @ plain[0][:, 0], other[0][:, 0], atol=1e-4)
    np.testing.assert_allclose(plain[0][:, 1:], other[0][:, 1:], atol=1e-4)
    np.testing.assert_allclose(plain[1], other[1], atol=1e-3)


def test_output_depends_on_the_up_direction(weights):
    start, start_points, points, seen, betas, sigma_m = drawn(20)
    turn = axis_angle_to_matrix(np.array([0.5, 0.0, 0.0], dtype=np.float32))
    turned = start.copy()
    turned[:, 0] = turn @ start[:, 0]
    plain = pose_features(start, start_points, points, seen, betas, sigma_m)
    tilted = pose_features(turned, start_points @ turn.T, points @ turn.T, seen, betas, sigma_m)
    np.testing.assert_allclose(plain[:, :-3], tilted[:, :-3], atol=1e-5)
    np.testing.assert_allclose(tilted[:, -3:], turned[:, 0, 1], atol=1e-6)
    assert np.abs(plain[:, -3:] - tilted[:, -3:]).max() > 0.1


def test_unseen_points_do_not_matter(weights):
    start, start_points, points, seen, betas, sigma_m = drawn(20)
    gone = np.where(seen[..., None] > 0, points, 100.0).astype(np.float32)
    features = [pose_features(start, start_points, one, seen, betas, sigma_m) for one in (points, gone)]
    assert features[0].shape == (20, NUM_FEATURES)
    np.testing.assert_array_equal(*features)


def test_zero_output_gives_the_start_pose():
    start = drawn(4)[0]
    rotations, _ = answer_of(np.zeros((4, 22 * 9), dtype=np.float32), start)
    np.testing.assert_allclose(rotations, start[:, :22], atol=1e-6)


def test_points_are_solver_points_in_fixed_order():
    assert POSE_POINTS[:25] == tuple(point.solver for point in BODY25.points)
    assert len(set(POSE_POINTS)) == NUM_POINTS == 48
    read = {point.solver for layout in LAYOUTS.values() for point in layout.points if point.solver}
    assert {"left_index_knuckle", "head_top", "spine2", "right_hand"} <= set(POSE_POINTS) & read


def test_written_file_is_read_back(weights, tmp_path):
    path = tmp_path / "weights.npz"
    write_weights(path, weights, precision="float16")
    loaded = read_weights(path)
    assert loaded.info == INFO and path.stat().st_size < 4e6
    rounded = weights.as_stored("float16")
    assert all(np.array_equal(loaded.arrays[name], rounded.arrays[name]) for name in POSE_MLP_SHAPES)


def test_file_of_another_network_is_reported(weights, tmp_path):
    path = tmp_path / "weights.npz"
    with pytest.raises(NetworkError, match="no skeleton graph for a pose_mlp network, got 'body25'"):
        write_weights(path, NetworkWeights(weights.arrays, dataclasses.replace(INFO, graph="body25")))
    with pytest.raises(NetworkError, match="residual_st_gcn, pose_mlp; got 'transformer'"):
        write_weights(path, NetworkWeights(weights.arrays, dataclasses.replace(INFO, architecture="transformer")))
    wide = {**weights.arrays, "output": np.zeros((512, 199), np.float32)}
    with pytest.raises(NetworkError, match=r"pose_mlp network .* output has shape \(512, 199\), expected \(512, 198\)"):
        write_weights(path, NetworkWeights(wide, INFO))
    assert not path.exists()
