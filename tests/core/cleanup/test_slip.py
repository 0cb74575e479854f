"""How far a foot slides and turns on the floor: a block of skin on a foot, moved and turned by known amounts."""

from __future__ import annotations

import numpy as np
import pytest

from core.cleanup.contacts import Contact
from core.cleanup.ground import Ground
from core.cleanup.slip import slip_of
from core.cleanup.soles import Sole
from core.cleanup.standing import Holds, plan_holds
from core.math.frames_last import from_rotation_vectors

FRAMES = 40
SKIN = np.array([[x, -0.08, z] for z in (-0.06, -0.04, 0.1, 0.12) for x in (-0.02, 0.02)])
"""A heel and a ball, 16 cm apart, relative to an ankle 8 cm above the floor."""
SOLE = Sole.of_points(SKIN, np.zeros(len(SKIN)), np.array([0.0, -0.05, 0.11]))
BOTH = (Contact(0, 5, 30), Contact(1, 5, 30))
BALL = (Contact(1, 5, 30),)


def _holds(contacts: tuple[Contact, ...]) -> Holds:
    return plan_holds(contacts, np.zeros((FRAMES, 4, 3)), np.zeros(4), Ground(0.0, np.zeros(2)), 30.0)


def _slip(
    contacts: tuple[Contact, ...], turn: np.ndarray, ankle: np.ndarray, pitch: np.ndarray | float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Return slip (2, F) and turn (F,) of a left foot with an *ankle* (F, 2) along x and z, turned by *turn* (F,)."""
    vectors = np.zeros((2, 3, 2, FRAMES))
    vectors[0, 1, 0], vectors[1, 0, 0] = turn, pitch
    yaw, pitched = (from_rotation_vectors(one) for one in vectors)
    foot = np.einsum("ij...,jk...->ik...", yaw, pitched)
    ankles = np.full((3, 2, FRAMES), 0.08)
    ankles[[0, 2], 0] = ankle.T
    skin = np.einsum("i...,vi->v...", foot[1, :, 0], SOLE.basis[:, :3].astype(np.float64)) + ankles[1, 0]
    slip, turned = slip_of(ankles, foot, foot, (SOLE, SOLE), (skin, skin), _holds(contacts))
    return slip[:, 0], turned[0]


def test_flat_foot_that_slides_and_turns_has_slid_and_turned_so():
    turn = 0.1 * np.sin(np.arange(FRAMES) / 10.0)
    ankle = 0.01 * np.stack([np.cos(np.arange(FRAMES) / 8.0), np.arange(FRAMES) / 10.0], axis=1)
    slip, turned = _slip(BOTH, turn, ankle)
    stance = slice(5, 31)
    np.testing.assert_allclose(turned[stance], (turn - turn[stance].mean())[stance], atol=1e-4)
    np.testing.assert_allclose(np.diff(slip[:, stance]), np.diff(ankle[stance], axis=0).T, atol=2e-4)
    np.testing.assert_allclose(slip[:, :5], slip[:, 5:6] @ np.ones((1, 5)), atol=1e-12)
    np.testing.assert_allclose(turned[31:], turned[30], atol=1e-12)


def test_foot_on_its_ball_may_pivot():
    """It turns about its ball by 45 degrees: the skin there stays where it is."""
    turn = np.linspace(0.0, np.pi / 4.0, FRAMES)
    ball = np.array([0.0, 0.11])
    ankle = ball - 0.11 * np.stack([np.sin(turn), np.cos(turn)], axis=1)
    slip, turned = _slip(BALL, turn, ankle)
    np.testing.assert_allclose(turned, 0.0, atol=1e-12)
    np.testing.assert_allclose(slip, 0.0, atol=2e-4)


@pytest.mark.parametrize("first", [5, 10, 20])
def test_slip_is_continuous_where_the_ball_comes_down(first):
    """A foot slides forwards at a steady rate, first on its heel, then on both: so does the slip."""
    ankle = np.stack([np.zeros(FRAMES), 0.002 * np.arange(FRAMES)], axis=1)
    slip, _ = _slip((Contact(0, 5, 30), Contact(1, first, 30)), np.zeros(FRAMES), ankle)
    np.testing.assert_allclose(np.diff(slip[1, 5:31]), 0.002, atol=1e-9)
    assert slip[1, 5:31].mean() == pytest.approx(0.0, abs=1e-9)


def test_raised_heel_does_not_decide_where_the_foot_goes():
    """The foot is pitched about its ball, which stays; the heel, 2 cm up, moves but bears nothing."""
    pitch = np.linspace(0.12, 0.35, FRAMES)
    down, forwards = -0.08, 0.12
    ankle = np.stack([np.zeros(FRAMES), -(forwards * np.cos(pitch) + down * np.sin(pitch))], axis=1)
    slip, _ = _slip(BOTH, np.zeros(FRAMES), ankle, pitch)
    assert np.ptp(slip) < 1e-3
