"""Bony landmarks: they lie on the skin, mirror each other, and follow their bone instead of the skin."""

from __future__ import annotations

import numpy as np
import pytest

from core.body.bony_landmarks import BONY_LANDMARKS, landmark_holders, landmark_row
from core.body.free_body import load_free_body
from core.body.keypoints import KeypointModel
from core.body.landmarks import landmark_regressor
from core.body.model import BodyModel
from core.math.rotations import axis_angle_to_matrix
from core.smpl_skeleton import JOINT_INDEX

NAMES = tuple(BONY_LANDMARKS)


@pytest.mark.parametrize("name", NAMES)
def test_a_landmark_lies_on_the_skin_near_its_place(name):
    body = load_free_body()
    joint, offset, _ = BONY_LANDMARKS[name]
    row = landmark_row(body, name)
    place = body.joint_regressor[JOINT_INDEX[joint]] @ body.v_template + np.array(offset)
    found = row @ body.v_template
    assert row.sum() == pytest.approx(1.0)
    assert np.linalg.norm(body.v_template - found, axis=1).min() < 0.012
    # Places above the spine are inside clothes and soft tissue of the people it was measured on.
    assert np.linalg.norm(found - place) < (0.09 if name in ("c7", "t10", "sternum") else 0.025)


def test_left_and_right_mirror_each_other():
    body = load_free_body()
    for name in NAMES:
        if name.startswith("left_"):
            left, right = (landmark_row(body, each) @ body.v_template for each in (name, name.replace("left", "right")))
            assert right == pytest.approx(left * [-1.0, 1.0, 1.0], abs=3e-3), name


def test_landmarks_follow_the_joint_that_carries_them_and_nothing_else():
    data = load_free_body()
    body = BodyModel(data)
    rng = np.random.default_rng(3)
    rotations = axis_angle_to_matrix(rng.normal(0.0, 0.5, (4, 24, 3)))
    trans, betas = rng.normal(size=(4, 3)), rng.normal(size=10)
    model = KeypointModel(body, landmark_regressor(data, NAMES), landmark_holders(NAMES))
    points = model.shaped(betas).points(rotations, trans)
    world, places = body.joint_transforms(rotations, betas, trans)
    rest_joints = body.rest_joints(betas)
    rest = landmark_regressor(data, NAMES) @ np.asarray(body.rest_vertices(betas), dtype=np.float64)
    for index, name in enumerate(NAMES):
        joint = JOINT_INDEX[BONY_LANDMARKS[name][2]]
        expected = places[:, joint] + world[:, joint] @ (rest[index] - rest_joints[joint])
        assert points[:, index] == pytest.approx(np.asarray(expected), abs=2e-5), name


def test_a_thigh_that_bends_moves_the_skin_of_the_hip_bone_but_not_the_landmark():
    data = load_free_body()
    names = ("left_asis", "left_psis")
    pose = np.zeros((2, 24, 3))
    pose[1, JOINT_INDEX["left_hip"]] = [-1.4, 0.0, 0.0]
    rotations, still = axis_angle_to_matrix(pose), np.zeros((2, 3))
    regressor = landmark_regressor(data, names)
    bone = KeypointModel(BodyModel(data), regressor, landmark_holders(names)).shaped(np.zeros(10))
    skin = KeypointModel(BodyModel(data), regressor).shaped(np.zeros(10))
    moved = [np.linalg.norm(np.diff(points.points(rotations, still), axis=0)[0], axis=1) for points in (bone, skin)]
    assert moved[0].max() < 1e-6
    assert moved[1][0] > 0.005
