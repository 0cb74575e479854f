"""Published and own checkpoints are converted to weights files with the same network outputs."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.math.rotations import axis_angle_to_matrix
from core.network import ResidualNetwork, read_weights
from tests.core.network.state_rule import rule_state
from tests.training.published import published_checkpoint
from training.convert_checkpoint import draw_samples, load_network, main
from training.network.checkpoints import Checkpoint, save_checkpoint
from training.network.model import ResidualNet


@pytest.mark.parametrize("prefix", ["", "module."])
def test_published_checkpoint_loads_and_runs(tmp_path, reference_dir, prefix):
    network, _ = load_network(published_checkpoint(tmp_path / "best_ckpt.pth.tar", prefix=prefix))
    assert network.graph == "published"
    with np.load(reference_dir / "reference_parity.npz", allow_pickle=False) as stored:
        parity = {name: torch.tensor(stored[name]) for name in stored.files}
    rotations = axis_angle_to_matrix(torch.cat([parity["root_orient"], parity["body_pose"]], dim=1))
    with torch.no_grad():
        found = network(parity["start_joints"], parity["end_joints"], rotations, parity["betas"])
    assert (found.rotations - parity["pred_rotmat"]).abs().max() < 2e-4


def test_published_checkpoint_is_converted_to_a_weights_file(tmp_path, capsys):
    path = published_checkpoint(tmp_path / "best_ckpt.pth.tar", prefix="module.")
    output = tmp_path / "published.npz"
    assert main([str(path), "-o", str(output), "--metric", "mpve_mm=3.23"]) == 0
    assert "graph published, body smpl" in capsys.readouterr().out
    weights = read_weights(output)
    assert weights.info.metrics["mpve_mm"] == 3.23
    assert weights.info.metrics["storage_error_max_deg"] < 0.05
    assert weights.info.source == "published checkpoint best_ckpt.pth.tar"
    samples = draw_samples(20, seed=3)
    network, _ = load_network(path)
    fields = (samples.start_points, samples.target_points, samples.rotations, samples.betas)
    with torch.no_grad():
        expected = network(*(torch.tensor(array) for array in fields)).rotations.numpy()
    np.testing.assert_allclose(ResidualNetwork(weights).predict(*fields)[:, :22], expected, atol=2e-4)


def test_half_precision_reports_its_error(tmp_path, capsys):
    """The rule's weights rotate joints arbitrarily far; scale them to the small rotations of trained networks."""
    last = rule_state()["regressor.layers.1.weight"]
    bias = np.tile(np.float32([1, 0, 0, 1, 0, 0]), (22, 1))
    change = {"regressor.layers.1.weight": last * 0.1, "regressor.layers.1.bias": bias}
    path = published_checkpoint(tmp_path / "best_ckpt.pth.tar", change=change.items())
    sizes = {}
    for precision in ("float32", "float16"):
        output = tmp_path / f"{precision}.npz"
        assert main([str(path), "-o", str(output), "--precision", precision, "--graph", "body25"]) == 0
        info = read_weights(output).info
        assert info.graph == "body25"
        sizes[precision] = (output.stat().st_size, info.metrics["storage_error_max_deg"])
    assert sizes["float16"][0] < 5.5e6 < sizes["float32"][0] < 11e6
    assert sizes["float32"][1] < 1e-3 < sizes["float16"][1] < 0.05
    assert "largest" in capsys.readouterr().out


def test_own_checkpoint_keeps_its_graph_body_and_metrics(tmp_path):
    checkpoint = Checkpoint(
        ResidualNet("body25").state_dict(),
        {"model": {"graph": "body25"}, "data": {"dataset": "amass"}},
        "free_body",
        {},
        {"stride_1": {"mpve_mm": 2.5, "per_joint": [1.0]}},
    )
    path = tmp_path / "last.pth"
    save_checkpoint(path, checkpoint)
    assert main([str(path), "-o", str(tmp_path / "ours.npz"), "--data", "CMU, 12 subjects"]) == 0
    info = read_weights(tmp_path / "ours.npz").info
    assert (info.graph, info.body, info.training_data) == ("body25", "free_body", "CMU, 12 subjects")
    assert info.metrics["stride_1.mpve_mm"] == 2.5


def test_weights_beyond_half_precision_are_not_written(tmp_path, capsys):
    change = {"linear.0.bias": np.full(256, 2e5, np.float32), "linear.0.weight": np.zeros((256, 335), np.float32)}
    path = published_checkpoint(tmp_path / "best_ckpt.pth.tar", change=change.items())
    assert main([str(path), "-o", str(tmp_path / "out.npz"), "--precision", "float16"]) == 1
    assert "--precision float32" in capsys.readouterr().err
    assert not (tmp_path / "out.npz").exists()


def test_checkpoint_is_not_overwritten(tmp_path, capsys):
    path = published_checkpoint(tmp_path / "best_ckpt.pth.tar")
    before = path.read_bytes()
    (tmp_path / "link.npz").symlink_to(path)
    for output in (path, tmp_path / "link.npz"):
        assert main([str(path), "-o", str(output)]) == 1
        assert "to be another file than the checkpoint" in capsys.readouterr().err
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "words"),
    [({"linear.0.weight": np.zeros((256, 334), np.float32)}, "linear.0.weight"), ({"more": np.zeros(3)}, "more")],
)
def test_checkpoints_of_other_networks_are_refused(tmp_path, capsys, change, words):
    path = published_checkpoint(tmp_path / "best_ckpt.pth.tar", change=change.items())
    assert main([str(path), "-o", str(tmp_path / "out.npz")]) == 1
    assert words in capsys.readouterr().err


def test_missing_and_foreign_files_are_reported(tmp_path, capsys):
    (tmp_path / "text.pth").write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    for name in ("nowhere.pth", "text.pth"):
        assert main([str(tmp_path / name), "-o", str(tmp_path / "out.npz")]) == 1
        assert name in capsys.readouterr().err
