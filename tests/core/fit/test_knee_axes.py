"""Knees as hinges: the twist about the thigh goes to the hip, and no joint moves."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from core.body.free_body import load_free_body
from core.body.model import BodyModel
from core.fit.solver.knee_axes import align_knee_axes
from core.smpl_skeleton import JOINT_INDEX

HIP, KNEE = (JOINT_INDEX[f"right_{name}"] for name in ("hip", "knee"))


def _poses(seed: int, frames: int = 20) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return Rotation.from_rotvec(rng.normal(0.0, 0.6, (frames * 24, 3))).as_matrix().reshape(frames, 24, 3, 3)


def test_no_joint_and_no_shank_moves():
    body = BodyModel(load_free_body())
    rotations, betas, trans = _poses(1), np.linspace(-1.0, 1.0, 10), np.zeros((20, 3))
    turned = align_knee_axes(rotations, np.asarray(body.rest_joints(betas)))
    before, after = (body.joint_transforms(each, betas, trans) for each in (rotations, turned))
    assert after[1] == pytest.approx(before[1], abs=1e-6)
    moved = np.abs(after[0] - before[0]).max(axis=(0, 2, 3))
    thighs = [JOINT_INDEX["left_hip"], JOINT_INDEX["right_hip"]]
    assert moved[[joint for joint in range(24) if joint not in thighs]].max() < 1e-6
    assert moved[thighs].min() > 0.05


def test_the_knee_flexes_about_an_axis_across_the_thigh():
    rest = np.asarray(BodyModel(load_free_body()).rest_joints(np.zeros(10)))
    thigh = (rest[KNEE] - rest[HIP]) / np.linalg.norm(rest[KNEE] - rest[HIP])
    turned = align_knee_axes(_poses(2), rest)
    assert Rotation.from_matrix(turned[:, KNEE]).as_rotvec() @ thigh == pytest.approx(np.zeros(20), abs=1e-6)
    assert align_knee_axes(turned, rest) == pytest.approx(turned, abs=1e-6)


def test_a_knee_turned_by_half_a_circle_across_the_thigh_stays():
    rest = np.asarray(BodyModel(load_free_body()).rest_joints(np.zeros(10)))
    thigh = (rest[KNEE] - rest[HIP]) / np.linalg.norm(rest[KNEE] - rest[HIP])
    across = np.cross(thigh, [0.0, 0.0, 1.0])
    rotations = np.tile(np.eye(3), (1, 24, 1, 1))
    rotations[0, KNEE] = Rotation.from_rotvec(np.pi * across / np.linalg.norm(across)).as_matrix()
    assert align_knee_axes(rotations, rest) == pytest.approx(rotations, abs=1e-5)
