"""Limbs without evidence glide between what was seen; SciPy's Slerp is the oracle."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation, Slerp

from core.fit.holding import Evidence, find_evidence, hold
from core.layouts import COCO17, WHOLEBODY133
from core.skeletons import JOINT_INDEX, JOINT_NAMES

from .scenes import solver_names

BODY = solver_names()
LEFT_FOOT = ("left_big_toe", "left_small_toe")
FACE = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")


def _weights(names, hidden, frames=slice(1, 2), num_frames=3) -> np.ndarray:
    weights = np.ones((num_frames, len(names)))
    weights[frames, [names.index(name) for name in hidden]] = 0.0
    return weights


def _unknown(evidence: Evidence, frame: int = 1) -> set[str]:
    return {name for name, unknown in zip(JOINT_NAMES, evidence.unknown[frame], strict=True) if unknown}


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
def test_what_hangs_from_the_last_point_seen_is_unknown(hidden, limb, unknown):
    evidence = find_evidence(BODY, _weights(BODY, hidden))
    assert _unknown(evidence) == unknown
    assert not evidence.unknown[[0, 2]].any() and not evidence.absent.any()
    for name, marked in evidence.limbs.items():
        np.testing.assert_array_equal(marked, [False, name == limb, False], err_msg=name)


@pytest.mark.parametrize("hidden", [("left_knee",), ("left_elbow",), ("left_ankle",), ("nose", "left_ear")])
def test_a_joint_between_points_that_are_seen_is_known(hidden):
    evidence = find_evidence(BODY, _weights(BODY, hidden))
    assert not evidence.unknown.any()
    assert not any(marked.any() for marked in evidence.limbs.values())


def test_a_limb_that_is_never_seen_is_not_held():
    names = solver_names(COCO17)
    evidence = find_evidence(names, _weights(names, ("left_wrist",), frames=slice(None)))
    assert not evidence.unknown.any()
    assert not evidence.limbs["left arm"].any()


def test_knuckles_make_the_wrist_known():
    names = solver_names(WHOLEBODY133)
    knuckles = [name for name in names if "left" in name and "knuckle" in name]
    assert _unknown(find_evidence(names, _weights(names, knuckles))) == {"left_wrist"}
    one_left = [name for name in knuckles if name != "left_index_knuckle"]
    assert _unknown(find_evidence(names, _weights(names, one_left))) == set()


def test_without_the_torso_everything_is_unknown():
    torso = ("left_hip", "right_hip", "left_shoulder", "right_shoulder", "mid_hip", "mid_shoulder")
    evidence = find_evidence(BODY, _weights(BODY, torso[:4]))
    assert evidence.absent.tolist() == [False, True, False]
    assert _unknown(evidence) == set(JOINT_NAMES)
    assert not any(marked.any() for marked in evidence.limbs.values())
    assert not find_evidence(BODY, _weights(BODY, torso[:3])).absent.any()


def _random(num_frames: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(3)
    turns = Rotation.from_rotvec(generator.normal(0.0, 0.8, (num_frames * 24, 3))).as_matrix()
    return turns.reshape(num_frames, 24, 3, 3).astype(np.float32), generator.normal(size=(num_frames, 3))


def _evidence(num_frames: int, joint: int, frames: list[int], absent: list[int] = ()) -> Evidence:
    unknown = np.zeros((num_frames, 24), dtype=bool)
    unknown[frames, joint] = True
    missing = np.zeros(num_frames, dtype=bool)
    missing[list(absent)] = True
    unknown[missing] = True
    return Evidence(unknown, missing, {})


def test_unknown_joints_follow_slerp_and_the_ends_stand_still():
    rotations, trans = _random(12)
    joint = JOINT_INDEX["left_elbow"]
    gone = [0, 1, 4, 5, 6, 8, 10, 11]
    before = rotations.copy()
    held, places = hold(rotations, trans, _evidence(12, joint, gone))
    known = [frame for frame in range(12) if frame not in gone]
    slerp = Slerp(known, Rotation.from_matrix(rotations[known, joint]))
    expected = slerp(np.clip(np.arange(12), known[0], known[-1])).as_matrix()
    np.testing.assert_allclose(held[:, joint], expected, atol=1e-5)
    others = [index for index in range(24) if index != joint]
    np.testing.assert_array_equal(held[:, others], rotations[:, others])
    np.testing.assert_array_equal(places, trans)
    np.testing.assert_array_equal(rotations, before)


def test_an_absent_person_glides_straight():
    rotations, trans = _random(9)
    _, places = hold(rotations, trans, _evidence(9, 0, [], absent=[0, 3, 4, 8]))
    known = [1, 2, 5, 6, 7]
    expected = np.stack([np.interp(np.arange(9), known, trans[known, axis]) for axis in range(3)], axis=-1)
    np.testing.assert_allclose(places, expected, atol=1e-6)


def test_what_is_never_known_stays_as_it_is():
    rotations, trans = _random(4)
    held, places = hold(rotations, trans, _evidence(4, 7, [0, 1, 2, 3]))
    np.testing.assert_array_equal(held, rotations)
    held, places = hold(rotations, trans, _evidence(4, 0, [], absent=[0, 1, 2, 3]))
    np.testing.assert_array_equal(held, rotations)
    np.testing.assert_array_equal(places, trans)
