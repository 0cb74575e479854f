"""Augmentation of pairs: each kind has its documented effect, and none when it is off."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from core.body.free_body import load_free_body  # noqa: E402
from core.body.model import BodyModel  # noqa: E402
from core.network.pose_architecture import POSE_POINTS  # noqa: E402
from core.smpl_skeleton import JOINT_INDEX, JOINT_NAMES  # noqa: E402
from training.config import AugmentConfig  # noqa: E402
from training.data.augment import LIMBS, Augmentation  # noqa: E402
from training.data.body_perturbation import draw_point_offsets, perturb_bones  # noqa: E402
from training.data.examples import analytic_examples, clean_examples, training_examples  # noqa: E402
from training.data.pairs import PairBatch  # noqa: E402
from training.data.training_body import TrainingBody  # noqa: E402
from training.run.metrics import joint_angles_deg  # noqa: E402

SIZE = 64


@pytest.fixture(scope="module")
def body() -> TrainingBody:
    return TrainingBody(load_free_body(), "cpu", num_vertices=100, point_names=POSE_POINTS)


@pytest.fixture
def batch() -> PairBatch:
    torch.manual_seed(0)
    start = 0.2 * torch.randn(SIZE, 66)
    moved = start + 0.05 * torch.randn(SIZE, 66)
    return PairBatch(start, torch.randn(SIZE, 3), moved, torch.randn(SIZE, 3), torch.randn(SIZE, 10))


def augmentation(**settings: float) -> Augmentation:
    spread = np.random.default_rng(0).normal(size=(500, 66)) * np.linspace(0.0, 0.5, 66)
    return Augmentation(AugmentConfig(**settings), POSE_POINTS, spread)


def never(examples: object) -> torch.Tensor:
    raise AssertionError("the network's own answers were not asked for")


def test_augmentation_is_off_by_default(batch, body):
    plain, drawn = clean_examples(batch, body), training_examples(batch, body, augmentation(), never)
    for name, value in vars(plain).items():
        assert torch.equal(value, getattr(drawn, name)), name


def test_mirrored_pair_is_the_mirror_image(batch, body):
    mirrored = augmentation(mirror=1.0).augment_motion(batch)
    still = replace(batch, betas=0.0 * batch.betas)
    plain, other = clean_examples(still, body), clean_examples(replace(mirrored, betas=still.betas), body)
    swapped = [POSE_POINTS.index(_other_side(name)) for name in POSE_POINTS]
    for name in ("start_points", "true_points"):
        expected = getattr(plain, name)[:, swapped] * torch.tensor([-1.0, 1.0, 1.0])
        torch.testing.assert_close(getattr(other, name), expected, atol=4e-3, rtol=0)


def _other_side(name: str) -> str:
    return name.replace("left", "*").replace("right", "left").replace("*", "right")


def test_limbs_are_exchanged_whole_and_in_both_frames(batch):
    lent = augmentation(limbs=1.0).augment_motion(batch)
    for joints in LIMBS:
        columns = [3 * joint + axis for joint in joints for axis in range(3)]
        lenders: list[list[int]] = []
        for before, after in ((batch.start_poses, lent.start_poses), (batch.target_poses, lent.target_poses)):
            distance = (after[:, None, columns] - before[None, :, columns]).abs().amax(dim=2)
            assert float(distance.amin(dim=1).max()) == 0.0
            lenders.append(distance.argmin(dim=1).tolist())
        assert lenders[0] == lenders[1] and len(set(lenders[0])) == SIZE
    legs = [3 * JOINT_INDEX["left_knee"] + axis for axis in range(3)]
    assert torch.equal(lent.start_poses[:, legs], batch.start_poses[:, legs])


def test_pose_noise_is_proportional_to_the_spread_in_the_data(batch):
    noisy = augmentation(pose_noise=0.5).augment_motion(batch)
    moved = (noisy.start_poses - batch.start_poses).std(dim=0)
    assert float(moved[:3].max()) == 0.0
    expected = 0.5 * torch.linspace(0.0, 0.5, 66)[3:]
    torch.testing.assert_close(moved[3:], expected, rtol=0.5, atol=0.01)
    torch.testing.assert_close(noisy.start_poses - batch.start_poses, noisy.target_poses - batch.target_poses)


def test_tilted_pair_is_only_rotated(batch, body):
    plain, tilted = (clean_examples(one, body) for one in (batch, augmentation(tilt_rad=0.3).augment_motion(batch)))
    for name in ("start_points", "true_points"):
        before, after = (_distances(getattr(one, name)) for one in (plain, tilted))
        torch.testing.assert_close(after, before, atol=1e-4, rtol=0)
    up = joint_angles_deg(plain.true[:, :1], tilted.true[:, :1])
    assert 5.0 < float(up.mean()) < 40.0
    assert torch.allclose(plain.true[:, 1:], tilted.true[:, 1:], atol=1e-5)


def _distances(points: torch.Tensor) -> torch.Tensor:
    return torch.linalg.vector_norm(points[:, :, None] - points[:, None], dim=-1)


def test_points_have_the_reported_noise(batch, body):
    torch.manual_seed(1)
    examples = training_examples(batch, body, augmentation(point_noise_m=0.02), never)
    found = (examples.target_points - examples.true_points).flatten(1).std(dim=1)
    torch.testing.assert_close(found, examples.sigma_m, rtol=0.35, atol=1e-5)
    assert float(examples.sigma_m.max()) > 0.008 and float((examples.sigma_m < 0.002).float().mean()) > 0.3


def test_torso_points_are_never_missing(batch, body):
    torch.manual_seed(1)
    examples = training_examples(batch, body, augmentation(missing=0.6, layouts=0.7), never)
    assert 0.2 < float(examples.seen.mean()) < 0.8
    for name in ("left_hip", "right_hip", "left_shoulder", "right_shoulder"):
        assert bool((examples.seen[:, POSE_POINTS.index(name)] == 1.0).all())
    assert float(examples.seen[:, POSE_POINTS.index("left_index_knuckle")].sum()) > 0


def test_starts_are_analytic_or_the_networks_own_prediction(batch, body):
    analytic = training_examples(batch, body, augmentation(analytic_start=1.0), never)
    expected = analytic_examples(clean_examples(batch, body), body)
    torch.testing.assert_close(analytic.start, expected.start, atol=1e-4, rtol=0)
    torch.testing.assert_close(analytic.start_points, expected.start_points, atol=1e-4, rtol=0)
    asked = []

    def answer(examples):
        asked.append(examples)
        return examples.true

    own = training_examples(batch, body, augmentation(own_start=1.0), answer)
    assert len(asked) == 1 and torch.equal(own.start, own.true)
    torch.testing.assert_close(own.start_points, own.true_points, atol=1e-4, rtol=0)
    part = training_examples(batch, body, augmentation(own_start=0.5), answer)
    changed = (part.start - part.true).abs().amax(dim=(1, 2, 3))
    assert 0.2 < float((changed == 0.0).float().mean()) < 0.8


def test_betas_are_hidden_where_they_carry_no_information(batch):
    drawn = augmentation(unknown_betas=0.5)
    output = drawn.hide_betas(batch.betas, known=True)
    hidden = (output == 0.0).all(dim=1)
    assert 0.2 < float(hidden.float().mean()) < 0.8
    assert torch.equal(output[~hidden], batch.betas[~hidden])
    assert not drawn.hide_betas(batch.betas, known=False).any()


def test_perturbed_bodies_have_other_bones_and_points_and_stay_symmetric():
    data = load_free_body()
    other = perturb_bones(data, np.random.default_rng(2))
    rest, moved = (BodyModel(one).rest_joints(np.zeros(10, dtype=np.float32)) for one in (data, other))
    lengths = np.linalg.norm(rest - moved, axis=-1)
    assert 0.005 < lengths.mean() < 0.08
    right = [JOINT_INDEX[_other_side(name)] for name in JOINT_NAMES]
    np.testing.assert_allclose(moved[right] * [-1.0, 1.0, 1.0], moved, atol=2e-3)
    assert draw_point_offsets(48, np.random.default_rng(0)).std() == pytest.approx(0.01, rel=0.2)
