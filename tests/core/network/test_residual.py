"""One pass of the residual network: against the published outputs, with missing points, on NumPy and torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from core.math.arrays import DeviceError
from core.math.rotations import axis_angle_to_matrix
from core.network import ResidualNetwork
from core.network.cuda_graph import CapturedNetwork, packed_inputs, unpacked_inputs
from core.network.frame import human_frame, normalised

pytestmark = pytest.mark.slow

INPUTS = ("start_joints", "end_joints", "rotations", "betas")


@pytest.fixture(params=["numpy", "cpu"])
def network(request, published_weights) -> ResidualNetwork:
    return ResidualNetwork(published_weights, request.param)


def predicted(network: ResidualNetwork, *inputs, **options) -> np.ndarray:
    result = network.predict(*inputs, **options)
    assert isinstance(result, np.ndarray if network.device == "numpy" else torch.Tensor)
    return np.asarray(result)


def test_outputs_equal_the_published_ones(network, parity):
    found = predicted(network, *(parity[name] for name in INPUTS))
    assert found.shape == (16, 24, 3, 3)
    np.testing.assert_allclose(found[:, :22], parity["pred_rotmat"], atol=2e-4, rtol=0)
    assert np.array_equal(found[:, 22:], parity["rotations"][:, 22:])


def test_human_frame_equals_the_published_one(parity):
    axes, origin = human_frame(parity["start_joints"])
    np.testing.assert_allclose(axes, parity["frame_R"], atol=1e-6, rtol=0)
    np.testing.assert_allclose(origin, parity["frame_T"], atol=1e-6, rtol=0)
    np.testing.assert_allclose(normalised(parity["end_joints"], axes, origin), parity["norm_end"], atol=2e-6, rtol=0)
    np.testing.assert_allclose(np.linalg.det(axes), -1.0, atol=1e-5)


def drawn(batch: int) -> list[np.ndarray]:
    draws = np.random.default_rng(batch)
    start = draws.normal(size=(batch, 25, 3)).astype(np.float32)
    target = start + 0.05 * draws.normal(size=start.shape).astype(np.float32)
    rotations = axis_angle_to_matrix(0.3 * draws.normal(size=(batch, 24, 3)).astype(np.float32))
    return [start, target, rotations, draws.normal(size=10).astype(np.float32)]


def test_large_batch_equals_single_samples(network):
    start, target, rotations, betas = drawn(131)
    whole = predicted(network, start, target, rotations, betas)
    for index in (0, 63, 64, 130):
        one = slice(index, index + 1)
        alone = predicted(network, start[one], target[one], rotations[one], betas[None])
        np.testing.assert_allclose(whole[one], alone, atol=1e-4)


def test_missing_points_count_as_not_moved(network):
    start, target, rotations, betas = drawn(4)
    seen = np.ones((4, 25), dtype=np.float32)
    seen[0, 4] = seen[2, 10] = 0.0
    holes = np.where(seen[..., None] > 0, target, np.float32(np.nan))
    still = np.where(seen[..., None] > 0, target, start)
    expected = predicted(network, start, still, rotations, betas)
    assert np.array_equal(predicted(network, start, holes, rotations, betas), expected)
    assert np.array_equal(predicted(network, start, target, rotations, betas, seen=seen), expected)
    assert np.array_equal(predicted(network, start, holes, rotations, betas, seen=np.ones_like(seen)), expected)
    assert not np.array_equal(predicted(network, start, target, rotations, betas), expected)


def test_output_is_invariant_to_world_rotation_and_translation(network):
    start, target, rotations, betas = drawn(3)
    turn = axis_angle_to_matrix(np.array([0.4, -1.1, 0.7], dtype=np.float32))
    turned = [(points @ turn.T + np.float32(2.0)) for points in (start, target)]
    upright = predicted(network, start, target, rotations, betas)
    np.testing.assert_allclose(predicted(network, *turned, rotations, betas), upright, atol=2e-3)


def test_float64_inputs_and_a_network_in_float64(published_weights):
    inputs = drawn(2)
    single = ResidualNetwork(published_weights).predict(*(array.astype(np.float64) for array in inputs))
    double = ResidualNetwork(published_weights, dtype=np.float64).predict(*inputs)
    assert (single.dtype, double.dtype) == (np.float32, np.float64)
    np.testing.assert_allclose(single, double, atol=1e-4)


def test_empty_batch_gives_no_rotations(network):
    assert predicted(network, *(array[:0] for array in drawn(2)[:3]), np.zeros(10)).shape == (0, 24, 3, 3)


def test_all_wrong_shapes_are_reported(network):
    start, target, rotations, betas = drawn(2)
    with pytest.raises(ValueError, match=r"target_points \(2, 25, 3\), got \(2, 24, 3\); betas \(10,\), got \(2, 9\)"):
        network.predict(start, target[:, :24], rotations, np.zeros((2, 9)))
    with pytest.raises(ValueError, match=r"seen \(2, 25\), got \(25,\)"):
        network.predict(start, target, rotations, betas, seen=np.ones(25))


class _Recorder(TorchDispatchMode):
    """Records every operation that would wait for a GPU, or copy data to it, while a graph is captured."""

    BANNED = ("_local_scalar_dense", "nonzero", "lift_fresh", "_to_copy", "is_nonzero", "item", "masked_select")

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.banned: list[str] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.__name__.split(".")[0]
        self.names.append(name)
        boolean_index = name in ("index", "index_put_") and any(
            index is not None and index.dtype == torch.bool for index in args[1]
        )
        if name in self.BANNED or boolean_index:
            self.banned.append(name)
        return func(*args, **(kwargs or {}))


def test_pass_can_be_captured_as_a_cuda_graph(published_weights):
    network = ResidualNetwork(published_weights, "cpu")
    start, target, rotations, betas = drawn(1)
    inputs = unpacked_inputs(torch.from_numpy(packed_inputs(start, target, rotations, betas, None)))
    with _Recorder() as recorder, torch.no_grad():
        found = network.predict_placed(*inputs)
    assert recorder.banned == []
    assert len(recorder.names) < 600
    np.testing.assert_allclose(found, np.asarray(network.predict(start, target, rotations, betas)), atol=1e-6)


def test_recorder_detects_what_cannot_be_captured():
    with _Recorder() as recorder:
        values = torch.ones(3)
        values[values > 0] = 2.0
        bool(values.sum() > 0)
        torch.tensor(1.0)
    assert {"index_put_", "_local_scalar_dense", "lift_fresh"} <= set(recorder.banned)


def test_packed_inputs_are_unpacked_unchanged():
    start, target, rotations, betas = drawn(3)
    seen = np.arange(75, dtype=np.float32).reshape(3, 25)
    parts = unpacked_inputs(packed_inputs(start, target, rotations, betas, seen))
    expected = (start, target, rotations, np.tile(betas, (3, 1)), seen)
    assert all(np.array_equal(part, array) for part, array in zip(parts, expected, strict=True))


def test_only_a_network_on_a_gpu_is_captured(network):
    with pytest.raises(DeviceError, match="expected a network on a CUDA device"):
        CapturedNetwork(network)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
def test_captured_pass_equals_the_network(published_weights):
    network = ResidualNetwork(published_weights, "cuda")
    captured = CapturedNetwork(network)
    for seed in (1, 1, 1):
        inputs = drawn(seed)
        kept = captured.predict(*inputs)
        expected = ResidualNetwork(published_weights).predict(*inputs)
        captured.predict(*(array * 0.5 for array in inputs[:2]), *inputs[2:])
        np.testing.assert_allclose(kept.cpu().numpy(), expected, atol=1e-4)
