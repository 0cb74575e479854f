"""Unobserved limbs are interpolated between seen poses."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from core.fit.temporal.visibility import Visibility, find_visibility, interpolate_unobserved
from core.layouts import COCO17, WHOLEBODY133
from core.smpl_skeleton import JOINT_INDEX, JOINT_NAMES

from .scenes import body_model, solver_names, walking

BODY = solver_names()
FPS = 30.0
LEFT_FOOT = ("left_big_toe", "left_small_toe")
FACE = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")


def _weights(names, hidden, frames=slice(1, 2), num_frames=3) -> np.ndarray:
    weights = np.ones((num_frames, len(names)))
    weights[frames, [names.index(name) for name in hidden]] = 0.0
    return weights


def _unknown(visibility: Visibility, frame: int = 1) -> set[str]:
    return {name for name, unknown in zip(JOINT_NAMES, visibility.unknown[frame], strict=True) if unknown}


@pytest.mark.parametrize(
    ("hidden", "limb", "unknown"),
    [
        (("left_wrist",), "left arm", {"left_elbow", "left_wrist"}),
        (("right_elbow", "right_wrist"), "right arm", {"right_shoulder", "right_elbow", "right_wrist"}),
        (LEFT_FOOT, "left leg", {"left_ankle", "left_foot"}),
        (("left_ankle", *LEFT_FOOT), "left leg", {"left_knee", "left_ankle", "left_foot"}),
        (
            ("left_knee", "left_ankle", *LEFT_FOOT),
            "left leg",
            {"left_hip", "left_knee", "left_ankle", "left_foot"},
        ),
        (FACE, "head", {"neck", "head"}),
    ],
)
def test_joints_beyond_the_last_seen_point_are_unknown(hidden, limb, unknown):
    visibility = find_visibility(BODY, _weights(BODY, hidden))
    assert _unknown(visibility) == unknown
    assert not visibility.unknown[[0, 2]].any() and not visibility.absent.any()
    for name, marked in visibility.limbs.items():
        np.testing.assert_array_equal(marked, [False, name == limb, False], err_msg=name)


@pytest.mark.parametrize("hidden", [("left_knee",), ("left_elbow",), ("left_ankle",), ("nose", "left_ear")])
def test_a_joint_between_seen_points_is_known(hidden):
    visibility = find_visibility(BODY, _weights(BODY, hidden))
    assert not visibility.unknown.any()
    assert not any(marked.any() for marked in visibility.limbs.values())


def test_a_limb_that_is_never_seen_is_not_interpolated():
    names = solver_names(COCO17)
    visibility = find_visibility(names, _weights(names, ("left_wrist",), frames=slice(None)))
    assert not visibility.unknown.any()
    assert not visibility.limbs["left arm"].any()


def test_knuckles_determine_the_wrist():
    names = solver_names(WHOLEBODY133)
    knuckles = [name for name in names if "left" in name and "knuckle" in name]
    assert _unknown(find_visibility(names, _weights(names, knuckles))) == {"left_wrist"}
    one_left = [name for name in knuckles if name != "left_index_knuckle"]
    assert _unknown(find_visibility(names, _weights(names, one_left))) == set()


def test_without_the_torso_everything_is_unknown():
    torso = ("left_hip", "right_hip", "left_shoulder", "right_shoulder", "mid_hip", "mid_shoulder")
    visibility = find_visibility(BODY, _weights(BODY, torso[:4]))
    assert visibility.absent.tolist() == [False, True, False]
    assert _unknown(visibility) == set(JOINT_NAMES)
    assert not any(marked.any() for marked in visibility.limbs.values())
    assert not find_visibility(BODY, _weights(BODY, torso[:3])).absent.any()


def _random(num_frames: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(3)
    turns = Rotation.from_rotvec(generator.normal(0.0, 0.8, (num_frames * 24, 3))).as_matrix()
    return turns.reshape(num_frames, 24, 3, 3).astype(np.float32), generator.normal(size=(num_frames, 3))


def _visibility(num_frames: int, joint: int, frames: list[int], absent: list[int] = ()) -> Visibility:
    unknown = np.zeros((num_frames, 24), dtype=bool)
    unknown[frames, joint] = True
    missing = np.zeros(num_frames, dtype=bool)
    missing[list(absent)] = True
    unknown[missing] = True
    return Visibility(unknown, missing, {})


def _turning(num_frames: int, joint: int, rad_per_frame: float = 0.04) -> np.ndarray:
    """Return rotations (F, 24, 3, 3) in which one joint turns steadily about one axis."""
    rotations, _ = _random(1)
    rotations = np.repeat(rotations, num_frames, axis=0)
    turns = np.arange(num_frames)[:, None] * rad_per_frame * np.array([0.6, 0.0, 0.8])
    rotations[:, joint] = rotations[:, joint] @ Rotation.from_rotvec(turns).as_matrix().astype(np.float32)
    return rotations


def _apart_deg(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    turns = Rotation.from_matrix((np.swapaxes(first, -1, -2) @ second).reshape(-1, 3, 3).astype(np.float64))
    return np.rad2deg(turns.magnitude()).reshape(first.shape[:-2])


def test_steady_rotation_continues_through_gaps():
    joint = JOINT_INDEX["left_elbow"]
    true, trans = _turning(60, joint), np.zeros((60, 3))
    gone = [12, 13, 14, 20, *range(30, 40)]
    seen = true.copy()
    seen[gone, joint] = np.eye(3)
    before = seen.copy()
    interpolated, translations = interpolate_unobserved(seen, trans, _visibility(60, joint, gone), FPS)
    assert _apart_deg(interpolated[:, joint], true[:, joint]).max() < 2.0
    others = [index for index in range(24) if index != joint]
    np.testing.assert_array_equal(interpolated[:, others], seen[:, others])
    np.testing.assert_array_equal(translations, trans)
    np.testing.assert_array_equal(seen, before)


def test_a_joint_that_is_not_seen_again_comes_to_rest():
    joint = JOINT_INDEX["right_knee"]
    true = _turning(90, joint)
    interpolated, _ = interpolate_unobserved(true, np.zeros((90, 3)), _visibility(90, joint, list(range(30, 90))), FPS)
    assert _apart_deg(interpolated[:30, joint], true[:30, joint]).max() < 1e-3
    assert _apart_deg(interpolated[30, joint], interpolated[29, joint]) < 3.0
    assert _apart_deg(interpolated[29:, joint], true[29, joint]).max() < 45.0
    assert _apart_deg(interpolated[60:, joint], interpolated[59:-1, joint]).max() < 0.2


@pytest.mark.parametrize(("limb", "most_m"), [("leg", 0.2), ("arm", 0.1)])
def test_a_limb_hidden_in_a_walk_keeps_walking(limb: str, most_m: float):
    """From its last and next pose alone, the foot would be off by half a metre."""
    walk = walking()[:130]
    chains = {"leg": ("hip", "knee", "ankle", "foot"), "arm": ("shoulder", "elbow", "wrist")}
    joints = [JOINT_INDEX[f"left_{name}"] for name in chains[limb]]
    unknown = np.zeros((130, 24), dtype=bool)
    unknown[60:90, joints] = True
    hidden = walk.rotations.copy()
    hidden[60:90, joints] = np.eye(3)
    interpolated, trans = interpolate_unobserved(
        hidden, walk.trans, Visibility(unknown, np.zeros(130, dtype=bool), {}), walk.fps
    )
    off = np.linalg.norm(body_model().joints(interpolated, walk.betas, trans) - walk.joints, axis=-1)
    assert off[60:90].max() < most_m
    assert off[:60].max() < 1e-6 and off[90:].max() < 1e-6


def test_an_absent_person_continues_in_a_straight_line():
    rotations, _ = _random(40)
    line = np.arange(40.0)[:, None] * [0.03, 0.0, -0.02] + [0.5, 1.0, 0.0]
    absent = list(range(10, 20))
    seen = line.copy()
    seen[absent] = 0.0
    _, translations = interpolate_unobserved(rotations, seen, _visibility(40, 0, [], absent=absent), FPS)
    np.testing.assert_allclose(translations, line, atol=1e-6)


def test_a_person_who_does_not_come_back_stays_near():
    rotations, _ = _random(100)
    line = np.arange(100.0)[:, None] * [0.05, 0.0, 0.0]
    _, translations = interpolate_unobserved(rotations, line, _visibility(100, 0, [], absent=list(range(20, 100))), FPS)
    assert np.linalg.norm(translations[20:] - line[19], axis=1).max() < 0.4


def test_joints_that_are_never_known_do_not_change():
    rotations, trans = _random(4)
    interpolated, translations = interpolate_unobserved(rotations, trans, _visibility(4, 7, [0, 1, 2, 3]), FPS)
    np.testing.assert_array_equal(interpolated, rotations)
    interpolated, translations = interpolate_unobserved(
        rotations, trans, _visibility(4, 0, [], absent=[0, 1, 2, 3]), FPS
    )
    np.testing.assert_array_equal(interpolated, rotations)
    np.testing.assert_array_equal(translations, trans)
