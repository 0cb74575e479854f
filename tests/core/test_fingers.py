"""Motions with and without fingers: what is kept, what becomes relaxed, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from core.body.free_body import load_free_body, load_free_body_with_fingers
from core.body.model import BodyModel
from core.errors import SkeletonError
from core.fingers import (
    FLAT_HANDS,
    RELAXED_HANDS,
    hands_of,
    has_fingers,
    mirrored_hands,
    with_fingers,
    with_hands,
    without_fingers,
)
from core.math.rotations import axis_angle_to_matrix
from core.motion import Motion
from core.smpl_skeleton import JOINT_INDEX, SMPL, SMPLH, VERTEX_IDS
from tests.fingers import FINGERED


def motion(num_frames: int = 4, *, hands: bool = False) -> Motion:
    rng = np.random.default_rng(1)
    poses = rng.normal(0.0, 0.4, (num_frames, 72))
    if not hands:
        poses[:, 66:] = 0.0
    return Motion(poses, rng.normal(size=10), rng.normal(size=(num_frames, 3)), 30.0)


def vertices(motion: Motion) -> np.ndarray:
    body = load_free_body_with_fingers() if motion.skeleton == SMPLH else load_free_body()
    parts = (motion.rotations(), motion.betas, motion.trans)
    return np.asarray(BodyModel(body).vertices(*(part.astype(np.float32) for part in parts)))


def test_a_motion_without_fingers_gets_relaxed_hands_or_flat_ones() -> None:
    plain = motion()
    relaxed, flat = with_fingers(plain), with_fingers(plain, FLAT_HANDS)
    assert relaxed.skeleton == flat.skeleton == SMPLH
    np.testing.assert_array_equal(hands_of(relaxed), np.broadcast_to(RELAXED_HANDS, (4, 2, 15, 3)))
    np.testing.assert_allclose(vertices(flat), vertices(plain), atol=5e-6)
    np.testing.assert_array_equal(without_fingers(relaxed).poses, plain.poses)


def test_a_hand_that_turns_as_one_turns_its_fingers() -> None:
    """The fingers turn about their knuckles instead of the middle of these, so the tips are off by little."""
    plain = motion(hands=True)
    plain.poses[:, 66:] *= 0.5
    fingered = with_fingers(plain, FLAT_HANDS)
    tips = [VERTEX_IDS[f"{side}_{finger}_tip"] for side in ("left", "right") for finger in ("index", "middle", "ring")]
    distance = np.linalg.norm((vertices(fingered) - vertices(plain))[:, tips], axis=-1)
    assert distance.max() < 0.03
    assert np.abs(vertices(fingered) - vertices(with_fingers(motion(), FLAT_HANDS)))[:, tips].max() > 0.02


def test_a_motion_that_has_fingers_keeps_them() -> None:
    hands = np.random.default_rng(2).normal(0.0, 0.3, (4, 2, 15, 3))
    fingered = with_hands(motion(), hands)
    assert with_fingers(fingered) is fingered
    np.testing.assert_array_equal(hands_of(fingered), hands)
    np.testing.assert_array_equal(hands_of(with_hands(fingered, hands[:, ::-1])), hands[:, ::-1])
    assert without_fingers(motion()).skeleton == SMPL and hands_of(motion()) is None


def test_mirrored_hands_are_mirror_images() -> None:
    left = np.random.default_rng(3).normal(size=(15, 3))
    flip = np.diag([-1.0, 1.0, 1.0])
    matrices = axis_angle_to_matrix(mirrored_hands(left))
    np.testing.assert_allclose(matrices[1], flip @ matrices[0] @ flip, atol=1e-12)


def test_other_skeletons_are_refused() -> None:
    other = Motion(np.zeros((1, 90)), np.zeros(10), np.zeros((1, 3)), 30.0, skeleton=FINGERED)
    with pytest.raises(SkeletonError, match="expected the motion to have the 24 joints of SMPL, found 30"):
        with_fingers(other)
    with pytest.raises(SkeletonError, match="expected the motion to have the 52 joints of SMPL-H"):
        without_fingers(other)
    assert not has_fingers(FINGERED) and not has_fingers(SMPL) and has_fingers(SMPLH)


def test_the_thumb_of_smpls_hand_does_not_turn_with_the_fingers() -> None:
    plain = motion(hands=True)
    fingers = hands_of(with_fingers(plain, FLAT_HANDS))
    assert fingers is not None
    assert not fingers[:, :, 12:].any()
    stored = plain.poses.reshape(-1, 24, 3)[:, [JOINT_INDEX["left_hand"], JOINT_INDEX["right_hand"]]]
    for finger in range(4):
        np.testing.assert_allclose(fingers[:, :, 3 * finger], stored, atol=1e-9)
