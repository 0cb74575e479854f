"""Losses, metrics and the training body against hand-computed values, SciPy and smplx."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import procrustes
from scipy.spatial.transform import Rotation

torch = pytest.importorskip("torch")

from core.body.free_body import load_free_body  # noqa: E402
from core.errors import BodyError  # noqa: E402
from core.motion import Motion  # noqa: E402
from training.config import BodyConfig, LossConfig  # noqa: E402
from training.data.training_body import TrainingBody, evenly_spaced_vertices, load_regressor, pose_rotations  # noqa: E402
from training.network.losses import geodesic_angle, pair_loss  # noqa: E402
from training.network.networks import MixedResidualNet  # noqa: E402
from training.run.distributed import GlooBatchNorm, Processes  # noqa: E402
from training.run.metrics import (  # noqa: E402
    Accumulator,
    acceleration_error_mm,
    aligned_error_mm,
    joint_angles_deg,
    mesh_errors_mm,
    point_error_mm,
    similarity_aligned,
)


def rotations(*shape: int, seed: int = 0) -> tuple[torch.Tensor, Rotation]:
    drawn = Rotation.random(int(np.prod(shape)), random_state=seed)
    return torch.as_tensor(drawn.as_matrix(), dtype=torch.float32).view(*shape, 3, 3), drawn


def test_geodesic_angle_against_scipy() -> None:
    (first, a), (second, b) = rotations(40), rotations(40, seed=1)
    expected = (a.inv() * b).magnitude()
    np.testing.assert_allclose(geodesic_angle(first, second), expected, atol=1e-3)
    np.testing.assert_allclose(joint_angles_deg(first[None], second[None])[0], np.rad2deg(expected), atol=1e-3)


def test_equal_rotations_have_a_finite_gradient() -> None:
    same = rotations(5)[0].requires_grad_()
    angle = geodesic_angle(same, same.detach())
    np.testing.assert_allclose(angle.detach(), np.full(5, np.sqrt(2e-6)), rtol=0.2)
    angle.sum().backward()
    assert torch.isfinite(same.grad).all()
    assert float(joint_angles_deg(same.detach(), same.detach()).max()) < 1e-4


def test_loss_is_weighted_as_in_the_paper() -> None:
    eye = torch.eye(3).expand(2, 22, 3, 3)
    quarter = torch.tensor([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]).expand(2, 22, 3, 3)
    vertices = torch.zeros(2, 7, 3), torch.tensor([0.3, 0.0, 0.4]).expand(2, 7, 3)
    points = torch.zeros(2, 25, 3), torch.tensor([0.0, 0.1, 0.0]).expand(2, 25, 3)
    loss = pair_loss((eye, quarter), vertices, points, LossConfig())
    assert float(loss.rotation) == pytest.approx(1.0, abs=1e-5)
    assert float(loss.vertices) == pytest.approx(0.5)
    assert float(loss.total) == pytest.approx(1.0 + 0.5 + 5.0 * 0.1, abs=1e-5)


def test_similarity_alignment_against_scipy() -> None:
    generator = np.random.default_rng(0)
    target = generator.normal(size=(30, 3))
    turn = Rotation.from_euler("xyz", [1.0, 2.0, 3.0]).as_matrix()
    noisy = 1.7 * target @ turn.T + [1.0, 2.0, 3.0] + generator.normal(size=(30, 3)) * 0.2
    aligned = similarity_aligned(torch.as_tensor(noisy[None]), torch.as_tensor(target[None]))[0].numpy()
    standard, fitted, _ = procrustes(target, noisy)
    scale = np.linalg.norm(target - target.mean(0))
    np.testing.assert_allclose(aligned, fitted * scale + target.mean(0), atol=1e-6)
    np.testing.assert_allclose(target, standard * scale + target.mean(0), atol=1e-9)


def test_mirrored_cloud_is_not_aligned_by_a_reflection() -> None:
    points = torch.randn(1, 30, 3, generator=torch.Generator().manual_seed(0))
    assert float(aligned_error_mm(points * torch.tensor([-1.0, 1.0, 1.0]), points)) > 100.0
    assert float(aligned_error_mm(points * 3.0 + 1.0, points)) < 1e-2


def test_distances_and_accelerations_by_hand() -> None:
    true = torch.zeros(1, 3, 2, 3)
    predicted = true.clone()
    predicted[0, 1, 0, 1] = 0.002
    assert float(acceleration_error_mm(predicted, true)) == pytest.approx(0.5 * 4.0)
    assert float(point_error_mm(predicted[:, 1], true[:, 1])) == pytest.approx(1.0)


def test_means_are_over_pairs_not_over_batches() -> None:
    sums = Accumulator(["row"])
    names = ("mpve_mm", "mpve_at_ankle_mm", "mpapve_mm", "mpjpe_mm", "acceleration_mm_per_frame2")
    for values in ([1.0], [4.0, 4.0, 4.0]):
        column = torch.tensor(values)
        sums.add("row", dict.fromkeys(names, column), column[:, None].expand(-1, 22))
    row = sums.means(Processes(0, 1, torch.device("cpu")))["row"]
    assert row["mpve_mm"] == row["angle_deg"] == row["angle_deg/left_knee"] == 3.25
    assert row["pairs"] == 4


def test_gloo_batch_norm_of_one_process_is_batch_norm() -> None:
    torch.manual_seed(0)
    torch.distributed.init_process_group("gloo", rank=0, world_size=1, store=torch.distributed.HashStore())
    try:
        ours, theirs = GlooBatchNorm(4), torch.nn.BatchNorm2d(4)
        for module in (ours, theirs):
            torch.nn.init.constant_(module.weight, 1.5)
        inputs = [torch.randn(6, 4, 2, 5) * 3 + 1 for _ in range(2)]
        gradients = []
        for module in (ours, theirs):
            leaves = [one.clone().requires_grad_() for one in inputs]
            outputs = [module(one) for one in leaves]
            sum((one**3).sum() for one in outputs).backward()
            gradients.append([outputs[1], leaves[1].grad, module.weight.grad, module.running_mean, module.running_var])
        for mine, other in zip(*gradients, strict=True):
            torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-3)
        torch.testing.assert_close(ours.eval()(inputs[0]), theirs.eval()(inputs[0]))
    finally:
        torch.distributed.destroy_process_group()


@pytest.fixture(scope="module")
def sampled_poses(walk: Motion) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    frames = np.linspace(0, walk.num_frames - 1, 12).astype(int)
    poses = torch.as_tensor(walk.poses[frames, :66], dtype=torch.float32)
    betas = torch.randn(12, 10, generator=torch.Generator().manual_seed(0))
    return pose_rotations(poses), betas, torch.as_tensor(walk.trans[frames], dtype=torch.float32)


def test_keypoints_of_many_bodies_are_the_regressor_times_their_vertices(sampled_poses) -> None:
    from core.body.landmarks import landmark_regressor
    from training.data.training_body import POINT_NAMES

    body = TrainingBody(load_free_body(), "cpu")
    regressor = torch.as_tensor(landmark_regressor(body.data, POINT_NAMES), dtype=torch.float32)
    expected = torch.einsum("kv,bvc->bkc", regressor, body.vertices(*sampled_poses))
    torch.testing.assert_close(body.keypoints(*sampled_poses), expected, rtol=0.0, atol=2e-5)


def test_smplx_computes_the_same_vertices(sampled_poses) -> None:
    pytest.importorskip("smplx")
    ours = TrainingBody(load_free_body(), "cpu", num_vertices=500)
    theirs = TrainingBody(load_free_body(), "cpu", engine="smplx", num_vertices=500)
    torch.testing.assert_close(ours.vertices(*sampled_poses), theirs.vertices(*sampled_poses), rtol=0.0, atol=2e-5)
    subset, expected = ours.selected_vertices(*sampled_poses), theirs.selected_vertices(*sampled_poses)
    torch.testing.assert_close(subset, expected, rtol=0.0, atol=2e-5)


def test_vertex_subset_approximates_the_full_loss(sampled_poses) -> None:
    """The loss is within 2 %, the gradient within 5 degrees of those of all vertices."""
    start, betas, trans = sampled_poses
    results = []
    for count in (0, 690):
        body = TrainingBody(load_free_body(), "cpu", num_vertices=count)
        leaf = start.clone().requires_grad_()
        true = body.selected_vertices(start.roll(1, 0), betas, trans)
        loss = torch.linalg.vector_norm(body.selected_vertices(leaf, betas, trans) - true, dim=-1).mean()
        loss.backward()
        results.append((float(loss.detach()), leaf.grad.flatten()))
    assert results[1][0] == pytest.approx(results[0][0], rel=0.02)
    assert float(torch.cosine_similarity(results[0][1], results[1][1], dim=0)) > np.cos(np.deg2rad(5.0))


def test_spread_vertices_are_distinct_and_ordered() -> None:
    chosen = evenly_spaced_vertices(6890, 690)
    assert len(np.unique(chosen)) == 690 and chosen[0] == 0 and chosen[-1] == 6889
    assert len(evenly_spaced_vertices(6890, 0)) == 6890


def test_mixed_precision_changes_a_rotation_by_little(sampled_poses) -> None:
    """bfloat16 inner layers on the CPU: at most a tenth of a degree where the network rotates joints by ten."""
    start, betas, trans = sampled_poses
    torch.manual_seed(0)
    mixed = MixedResidualNet("body25", dropout=0.0, device_type="cpu").eval()
    torch.nn.init.normal_(mixed.regressor.layers[1].weight, std=0.02)
    plain = type(mixed).__mro__[1]("body25", dropout=0.0).eval()
    plain.load_state_dict(mixed.state_dict())
    body = TrainingBody(load_free_body(), "cpu")
    points = body.keypoints(start, betas, trans)
    with torch.no_grad():
        results = [one(points, points.roll(1, 0), start, betas) for one in (mixed, plain)]
    assert results[0].rotations.dtype == torch.float32
    turned = joint_angles_deg(start[:, :22], results[1].rotations).mean()
    off = joint_angles_deg(results[0].rotations, results[1].rotations).mean()
    assert float(off) < 0.03 * float(turned)


def test_vertices_are_aligned_at_the_pelvis_and_at_the_right_ankle() -> None:
    """A mesh that is right but for the right ankle's joint: aligned there, every vertex is off by as much."""
    vertices = torch.randn(2, 30, 3, generator=torch.Generator().manual_seed(0))
    joints = torch.zeros(2, 24, 3)
    moved = joints.clone()
    moved[:, 8, 2] = 0.02
    errors = mesh_errors_mm((vertices, vertices), (moved, joints))
    assert float(errors["mpve_mm"].max()) == 0.0 and float(errors["mpapve_mm"].max()) < 1e-2
    assert errors["mpve_at_ankle_mm"].tolist() == pytest.approx([20.0, 20.0], rel=1e-4)


def test_keypoints_of_a_regressor_file_replace_our_own(sampled_poses, tmp_path) -> None:
    body = load_free_body()
    rows = np.zeros((25, len(body.v_template)))
    rows[np.arange(25), 100 * np.arange(25)] = 1.0
    np.save(tmp_path / "rows.npy", rows)
    assert load_regressor(BodyConfig(), body) is None
    shown = TrainingBody(body, "cpu", regressor=load_regressor(BodyConfig(regressor=str(tmp_path / "rows.npy")), body))
    expected = shown.vertices(*sampled_poses)[:, ::100][:, :25]
    torch.testing.assert_close(shown.keypoints(*sampled_poses), expected, atol=2e-5, rtol=0.0)
    with pytest.raises(BodyError, match="a regressor of 25 points, got 24"):
        TrainingBody(body, "cpu", regressor=rows[1:])
