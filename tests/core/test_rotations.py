"""Rotation conversions against SciPy's, for NumPy arrays and torch tensors, at every angle."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation, Slerp

from core.math import rotations as ours

RNG = np.random.default_rng(7)
ANGLES = [0.0, 1e-12, 1e-7, 9e-5, 1.1e-4, 0.3, 1.5, 3.0, np.pi - 1e-4, np.pi - 1e-7, np.pi, 4.0, 2 * np.pi - 0.2, 9.0]


def _axis_angles() -> np.ndarray:
    axes = np.concatenate([np.eye(3), -np.eye(3), RNG.normal(size=(20, 3))])
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    return (axes[:, None] * np.array(ANGLES)[:, None]).reshape(-1, 3)


AXIS_ANGLES = _axis_angles()
ROTATIONS = Rotation.from_rotvec(AXIS_ANGLES)
MATRICES = ROTATIONS.as_matrix()
QUATS_WXYZ = ROTATIONS.as_quat()[:, [3, 0, 1, 2]]


@pytest.fixture(params=["numpy", pytest.param("torch", marks=pytest.mark.slow)])
def kind(request):
    """Return a function that converts NumPy arrays to the kind of array under test."""
    return (lambda array: array) if request.param == "numpy" else pytest.importorskip("torch").as_tensor


def _angle_between(matrices, expected) -> np.ndarray:
    """Return the angles between rotations, exact for small ones."""
    return np.linalg.norm(np.asarray(matrices) - expected, axis=(-2, -1)) / np.sqrt(2.0)


def _assert_kind(array, kind):
    assert type(array) is type(kind(np.zeros(1)))


def test_axis_angle_to_matrix(kind):
    matrices = ours.axis_angle_to_matrix(kind(AXIS_ANGLES))
    _assert_kind(matrices, kind)
    np.testing.assert_allclose(matrices, MATRICES, atol=1e-14)


def test_axis_angle_to_quaternion(kind):
    quats = np.asarray(ours.axis_angle_to_quat_wxyz(kind(AXIS_ANGLES)))
    np.testing.assert_allclose(np.linalg.norm(quats, axis=1), 1.0, atol=1e-14)
    same = np.sign((quats * QUATS_WXYZ).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(quats * same, QUATS_WXYZ, atol=1e-14)


def test_matrix_to_axis_angle_is_the_shortest_equal_rotation(kind):
    vectors = ours.matrix_to_axis_angle(kind(MATRICES))
    _assert_kind(vectors, kind)
    vectors = np.asarray(vectors)
    assert np.linalg.norm(vectors, axis=1).max() <= np.pi + 1e-12
    np.testing.assert_allclose(Rotation.from_rotvec(vectors).as_matrix(), MATRICES, atol=1e-9)
    below = ROTATIONS.magnitude() < np.pi - 1e-6
    np.testing.assert_allclose(vectors[below], ROTATIONS.as_rotvec()[below], atol=1e-9)


def test_tiny_angles_keep_their_precision(kind):
    tiny = RNG.normal(size=(50, 3)) * 1e-9
    back = ours.matrix_to_axis_angle(ours.axis_angle_to_matrix(kind(tiny)))
    np.testing.assert_allclose(back, tiny, rtol=1e-6)


def test_matrix_to_quaternion_has_positive_w_and_unit_length(kind):
    quats = np.asarray(ours.matrix_to_quat_wxyz(kind(MATRICES)))
    assert (quats[:, 0] >= 0.0).all()
    np.testing.assert_allclose(np.linalg.norm(quats, axis=1), 1.0, atol=1e-14)
    np.testing.assert_allclose(ours.quat_wxyz_to_matrix(kind(quats)), MATRICES, atol=1e-9)


def test_quaternion_to_axis_angle_does_not_depend_on_the_sign(kind):
    for sign in (1.0, -1.0):
        vectors = np.asarray(ours.quat_wxyz_to_axis_angle(kind(sign * QUATS_WXYZ)))
        np.testing.assert_allclose(Rotation.from_rotvec(vectors).as_matrix(), MATRICES, atol=1e-12)


def test_single_precision_is_kept_and_accurate(kind):
    single = kind(AXIS_ANGLES.astype(np.float32))
    matrices = ours.axis_angle_to_matrix(single)
    assert matrices.dtype == single.dtype
    assert _angle_between(matrices, MATRICES).max() < 2e-6
    back = ours.matrix_to_axis_angle(matrices)
    assert back.dtype == single.dtype
    np.testing.assert_allclose(Rotation.from_rotvec(np.asarray(back)).as_matrix(), MATRICES, atol=2e-6)


def test_any_leading_dimensions(kind):
    vectors = kind(AXIS_ANGLES[:24].reshape(2, 3, 4, 3))
    matrices = ours.axis_angle_to_matrix(vectors)
    assert tuple(matrices.shape) == (2, 3, 4, 3, 3)
    np.testing.assert_allclose(np.asarray(matrices).reshape(-1, 3, 3), MATRICES[:24], atol=1e-14)
    assert tuple(ours.matrix_to_axis_angle(matrices).shape) == (2, 3, 4, 3)
    assert tuple(ours.rot6d_to_matrix(kind(np.ones((2, 3, 4, 6)))).shape) == (2, 3, 4, 3, 3)
    assert tuple(ours.axis_angle_to_matrix(kind(AXIS_ANGLES[0])).shape) == (3, 3)


def test_rot6d_is_the_first_two_columns_row_by_row(kind):
    six = MATRICES[:, :, :2].reshape(-1, 6)
    np.testing.assert_allclose(ours.rot6d_to_matrix(kind(six)), MATRICES, atol=1e-12)


def test_any_six_numbers_give_a_rotation(kind):
    six = RNG.normal(size=(100, 6))
    matrices = np.asarray(ours.rot6d_to_matrix(kind(six)))
    np.testing.assert_allclose(
        matrices @ matrices.transpose(0, 2, 1), np.broadcast_to(np.eye(3), (100, 3, 3)), atol=1e-12
    )
    np.testing.assert_allclose(np.linalg.det(matrices), 1.0, atol=1e-12)
    first = six.reshape(-1, 3, 2)[..., 0]
    np.testing.assert_allclose(matrices[..., 0], first / np.linalg.norm(first, axis=1, keepdims=True), atol=1e-12)


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 1.0])
def test_slerp(kind, share):
    start, end = Rotation.random(40, random_state=1), Rotation.random(40, random_state=2)
    mixed = ours.slerp_matrices(kind(start.as_matrix()), kind(end.as_matrix()), kind(np.full(40, share)))
    for index in range(40):
        expected = Slerp([0.0, 1.0], Rotation.concatenate([start[index], end[index]]))(share).as_matrix()
        np.testing.assert_allclose(mixed[index], expected, atol=1e-9)


def test_slerp_between_the_same_and_opposite_rotations(kind):
    start = Rotation.random(5, random_state=3).as_matrix()
    half = kind(np.full(5, 0.5))
    np.testing.assert_allclose(ours.slerp_matrices(kind(start), kind(start), half), start, atol=1e-12)
    flipped = start @ Rotation.from_rotvec([0.0, np.pi, 0.0]).as_matrix()
    middle = np.asarray(ours.slerp_matrices(kind(start), kind(flipped), half))
    np.testing.assert_allclose(np.linalg.det(middle), 1.0, atol=1e-9)
    for near, far in ((start, middle), (middle, flipped)):
        angles = Rotation.from_matrix(np.swapaxes(near, 1, 2) @ far).magnitude()
        np.testing.assert_allclose(angles, np.pi / 2, atol=1e-6)


def test_swing_turns_one_direction_to_the_other_by_the_smallest_angle(kind):
    start, end = RNG.normal(size=(60, 3)), RNG.normal(size=(60, 3))
    swings = np.asarray(ours.swing_between(kind(start), kind(end)))
    start /= np.linalg.norm(start, axis=1, keepdims=True)
    end /= np.linalg.norm(end, axis=1, keepdims=True)
    np.testing.assert_allclose((swings @ start[..., None])[..., 0], end, atol=1e-12)
    angles = np.arctan2(np.linalg.norm(np.cross(start, end), axis=1), (start * end).sum(axis=1))
    np.testing.assert_allclose(Rotation.from_matrix(swings).magnitude(), angles, atol=1e-9)


@pytest.mark.parametrize("off", [0.0, 1e-12, 1e-9, 1e-6, 1e-4, 1e-2])
def test_swing_of_opposite_and_nearly_opposite_directions(kind, off):
    start = np.concatenate([np.eye(3), -np.eye(3), RNG.normal(size=(20, 3))])
    start /= np.linalg.norm(start, axis=1, keepdims=True)
    end = -start + off * RNG.normal(size=start.shape)
    swings = np.asarray(ours.swing_between(kind(start), kind(end)))
    end /= np.linalg.norm(end, axis=1, keepdims=True)
    np.testing.assert_allclose(swings.transpose(0, 2, 1) @ swings, np.broadcast_to(np.eye(3), swings.shape), atol=1e-9)
    np.testing.assert_allclose(np.linalg.det(swings), 1.0, atol=1e-9)
    np.testing.assert_allclose((swings @ start[..., None])[..., 0], end, atol=2e-3)


def test_swing_of_equal_directions_is_the_identity(kind):
    start = RNG.normal(size=(10, 3))
    swings = ours.swing_between(kind(start), kind(2.0 * start))
    np.testing.assert_allclose(swings, np.broadcast_to(np.eye(3), (10, 3, 3)), atol=1e-12)


def test_nearest_rotation_is_kabsch(kind):
    points = RNG.normal(size=(30, 8, 3))
    turns = Rotation.random(30, random_state=5)
    seen = np.stack([turn.apply(cloud) for turn, cloud in zip(turns, points, strict=True)])
    seen += RNG.normal(0.0, 0.1, seen.shape)
    nearest = np.asarray(ours.nearest_rotation(kind(np.einsum("fkc,fkd->fcd", seen, points))))
    for index in range(30):
        expected, _ = Rotation.align_vectors(seen[index], points[index])
        np.testing.assert_allclose(nearest[index], expected.as_matrix(), atol=1e-8)


def test_nearest_rotation_never_mirrors(kind):
    mirrored = MATRICES @ np.diag([1.0, 1.0, -0.3])
    nearest = np.asarray(ours.nearest_rotation(kind(mirrored)))
    np.testing.assert_allclose(np.linalg.det(nearest), 1.0, atol=1e-12)
    np.testing.assert_allclose(ours.nearest_rotation(kind(1.7 * MATRICES)), MATRICES, atol=1e-12)


def test_small_helpers(kind):
    first, second = RNG.normal(size=(9, 3)), RNG.normal(size=(9, 3))
    np.testing.assert_allclose(ours.cross(kind(first), kind(second)), np.cross(first, second), atol=1e-14)
    np.testing.assert_allclose(ours.dot(kind(first), kind(second)), (first * second).sum(axis=1), atol=1e-14)
    np.testing.assert_allclose(np.linalg.norm(ours.unit(kind(first)), axis=1), 1.0, atol=1e-14)
    np.testing.assert_array_equal(ours.unit(kind(np.zeros((2, 3)))), np.zeros((2, 3)))
    np.testing.assert_array_equal(ours.transposed(kind(MATRICES)), MATRICES.transpose(0, 2, 1))
