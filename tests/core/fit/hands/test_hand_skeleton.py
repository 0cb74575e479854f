"""Angles of fingers: their rotations move the body's joints as the chains say, and are read back from them."""

from __future__ import annotations

import numpy as np

from core.body.free_body import load_free_body_with_fingers
from core.body.model import world_positions, world_rotations
from core.fit.hands.limits import angle_limits
from core.fit.hands.skeleton import FLEXION, MIDDLE, MIRROR, angles_of, hand_points, joint_rotations
from core.layouts import FINGERS
from core.smpl_skeleton import SMPLH

from .scenes import drawn_angles, hands


def _joints(rotations: np.ndarray) -> np.ndarray:
    """Joints (F, 52, 3) of the free body in a T-pose with the finger rotations (F, H, 15, 3, 3)."""
    body = load_free_body_with_fingers()
    local = np.broadcast_to(np.eye(3), (len(rotations), 52, 3, 3)).copy()
    local[:, 22:37], local[:, 37:] = rotations[:, 0], rotations[:, 1]
    rest = body.joint_regressor.astype(np.float64) @ body.v_template
    return world_positions(world_rotations(local, SMPLH), rest, SMPLH)


def test_the_rotations_move_the_joints_of_the_body_as_the_chains():
    angles = drawn_angles(20)
    joints = _joints(joint_rotations(angles, hands()))
    points = hand_points(angles, hands()).reshape(20, 2, 5, 4, 3)
    for hand, side in enumerate(("left", "right")):
        wrist = joints[:, SMPLH.index(f"{side}_wrist")]
        for number, finger in enumerate(FINGERS):
            for joint in range(3):
                place = joints[:, SMPLH.index(f"{side}_{finger}{joint + 1}")] - wrist
                expected = points[:, hand, number, joint] * (MIRROR if hand else 1.0)
                np.testing.assert_allclose(place, expected, atol=1e-6)


def test_angles_are_read_back_from_rotations():
    angles = drawn_angles(20, seed=1)
    np.testing.assert_allclose(angles_of(joint_rotations(angles, hands()), hands()), angles, atol=1e-9)


def test_both_hands_are_mirror_images():
    angles = drawn_angles(5, seed=2)
    angles[:, :, 1] = angles[:, :, 0]
    rotations = joint_rotations(angles, hands())
    np.testing.assert_allclose(rotations[:, 1], rotations[:, 0] * np.outer(MIRROR, MIRROR), atol=1e-6)


def test_fingers_bend_to_the_palm():
    straight = np.zeros((5, 5, 2, 1))
    for angle in (FLEXION, MIDDLE):
        bent = straight.copy()
        bent[angle, 1:] = 0.5
        tips = [hand_points(angles, hands()).reshape(2, 5, 4, 3)[:, 1:, 3] for angles in (straight, bent)]
        assert ((tips[1] - tips[0])[..., 1] < -0.01).all()


def test_the_limits_hold_what_is_usual_and_rest():
    limits = angle_limits(hands())
    assert (limits.lowest < limits.usual).all()
    assert (limits.usual < limits.highest).all()
    assert (limits.lowest <= np.deg2rad(1.0)).all()
    assert (limits.highest >= np.deg2rad(10.0)).all()
