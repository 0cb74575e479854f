"""Hands in known poses, and their points. L fingers, H hands, F frames."""

from __future__ import annotations

from functools import cache

import numpy as np

from core.body.free_body import load_free_body_with_fingers
from core.fit.hands.limits import angle_limits
from core.fit.hands.skeleton import MIDDLE, Hands, hand_points, hands_of_body
from core.motion import Motion
from training.evaluation.hand_metrics import draw_motion


@cache
def hands() -> Hands:
    """The hands of the free body's mean shape."""
    return hands_of_body(load_free_body_with_fingers(), np.zeros(10))


def drawn_angles(num_frames: int, seed: int = 0) -> np.ndarray:
    """Angles (5, L, H, F) anywhere within the limits, with little abduction and twist, as of hands in use."""
    generator = np.random.default_rng(seed)
    limits = angle_limits(hands())
    share = generator.random((5, 5, 2, num_frames))
    share[1:3] = 0.5 + 0.2 * (share[1:3] - 0.5)
    angles = limits.lowest + share * (limits.highest - limits.lowest)
    angles[MIDDLE + 1, 1:] = 2.0 / 3.0 * (angles[MIDDLE, 1:] + limits.rest_bends[0, 1:]) - limits.rest_bends[1, 1:]
    return angles


def points_of(angles: np.ndarray, of: Hands | None = None) -> np.ndarray:
    """The 21 points (F, H, 21, 3) of hands with *angles*, wrist first, in the wrist's frame, as left hands."""
    points = hand_points(angles, of or hands())
    return np.concatenate([np.zeros_like(points[:, :, :1]), points], axis=2)


@cache
def moving(seed: int = 11, num_frames: int = 150) -> Motion:
    """The sample's motion with drawn hands."""
    return draw_motion(seed, num_frames)
