"""Generate natural hand motion: grasps, pointing, pinches, signs, waves and beat gestures. L fingers, H hands.

No finger motion was recorded for this project. Postures are joint angles after the grasps of Feix et al. ("The GRASP
taxonomy of human grasp types", IEEE Transactions on Human-Machine Systems 46, 2016) and common emblems; the hand moves
between them by minimum-jerk paths (Flash and Hogan, "The coordination of arm movements", Journal of Neuroscience 5,
1985), finger after finger, with slow random deviations. End joints follow middle joints (Rijpkema and Girard, 1991), by
an amount that varies by person. Joints are no perfect hinges: each finger also twists and bends slightly out of plane.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.fit.hands.limits import angle_limits
from core.fit.hands.skeleton import MIDDLE, NUM_ANGLES, Hands, joint_rotations
from core.layouts import FINGERS
from core.math.rotations import axis_angle_to_matrix, matrix_to_axis_angle

FingerAngles = tuple[float, float, float]
_FLAT: FingerAngles = (0.0, 0.0, 4.0)
_CURLED: FingerAngles = (75.0, 0.0, 95.0)
_LOOSE: tuple[FingerAngles, ...] = ((18.0, 0.0, 24.0), (24.0, 0.0, 30.0), (28.0, 0.0, 33.0), (30.0, 0.0, 33.0))
_THUMB_LOOSE = (4.0, 0.0, 0.0, 14.0, 12.0)
_THUMB_IN = (30.0, -10.0, 14.0, 35.0, 35.0)
_THUMB_OUT = (-22.0, 8.0, -5.0, -2.0, -8.0)
_THUMB_OPPOSED = (20.0, -22.0, 22.0, 18.0, 20.0)

POSTURES: dict[str, tuple[tuple[float, ...], tuple[FingerAngles, ...]]] = {
    "relaxed": (_THUMB_LOOSE, _LOOSE),
    "flat": ((-10.0, 0.0, 0.0, 5.0, 5.0), (_FLAT,) * 4),
    "spread": (_THUMB_OUT, ((-5.0, 13.0, 4.0), (-5.0, 2.0, 4.0), (-5.0, -8.0, 4.0), (-5.0, -17.0, 6.0))),
    "fist": (_THUMB_IN, (_CURLED, (80.0, 0.0, 98.0), (82.0, 0.0, 98.0), (80.0, 0.0, 92.0))),
    "point": (_THUMB_IN, ((2.0, 0.0, 5.0), _CURLED, _CURLED, _CURLED)),
    "pinch": (_THUMB_OPPOSED, ((48.0, 2.0, 46.0), *_LOOSE[1:])),
    "ring sign": (_THUMB_OPPOSED, ((52.0, 0.0, 52.0), (12.0, 2.0, 12.0), (6.0, -4.0, 10.0), (2.0, -10.0, 8.0))),
    "tripod": (_THUMB_OPPOSED, ((46.0, 0.0, 42.0), (52.0, 0.0, 48.0), (55.0, 0.0, 62.0), (55.0, 0.0, 66.0))),
    "cylinder": (_THUMB_OPPOSED, ((42.0, 2.0, 50.0), (46.0, 0.0, 54.0), (48.0, -2.0, 54.0), (48.0, -5.0, 52.0))),
    "sphere": (_THUMB_OPPOSED, ((26.0, 10.0, 42.0), (28.0, 2.0, 46.0), (28.0, -6.0, 46.0), (28.0, -14.0, 44.0))),
    "hook": ((-8.0, 5.0, 0.0, 8.0, 8.0), ((4.0, 0.0, 85.0),) * 4),
    "key": ((12.0, 2.0, 4.0, 15.0, 22.0), ((48.0, 0.0, 62.0), (58.0, 0.0, 74.0), (62.0, 0.0, 78.0), (64.0, 0.0, 78.0))),
    "thumb up": (_THUMB_OUT, (_CURLED,) * 4),
    "two": (_THUMB_IN, ((0.0, 10.0, 4.0), (0.0, -6.0, 4.0), _CURLED, _CURLED)),
    "three": (_THUMB_IN, ((0.0, 10.0, 4.0), (0.0, 0.0, 4.0), (0.0, -9.0, 6.0), _CURLED)),
    "call": (_THUMB_OUT, (_CURLED, _CURLED, _CURLED, (0.0, -12.0, 6.0))),
    "offer": (
        (-14.0, 6.0, -4.0, 4.0, 4.0),
        ((14.0, 6.0, 14.0), (18.0, 1.0, 18.0), (20.0, -4.0, 20.0), (22.0, -9.0, 20.0)),
    ),
    "wave": (_THUMB_OUT, ((40.0, 4.0, 12.0), (40.0, 0.0, 12.0), (40.0, -4.0, 12.0), (40.0, -8.0, 12.0))),
}  # fmt: skip
"""Angles in degrees: five of the thumb; of each other finger, flexion and abduction of the knuckle and flexion of the
middle joint. Abduction is positive towards the thumb."""
_CYCLES: tuple[tuple[str, ...], ...] = (("wave", "flat", "wave", "flat"), ("relaxed", "offer", "relaxed", "offer"))
"""Sequences of postures: a wave, beat gestures."""


def draw_hands(
    generator: np.random.Generator, num_frames: int, fps: float, hands: Hands, *, postures: Sequence[str] = ()
) -> np.ndarray:
    """Return axis-angle rotations (F, 2, 15, 3) of the finger joints of both hands.

    Args:
        generator: draws the motion.
        num_frames: F.
        fps: frames per second.
        hands: the body's hands.
        postures: the postures to draw from; all if empty.
    """
    limits = angle_limits(hands)
    angles = np.stack([_draw(generator, num_frames, fps, postures or tuple(POSTURES)) for _ in range(2)], axis=2)
    angles[MIDDLE:] -= limits.rest_bends
    beyond = np.deg2rad(4.0)
    angles = np.clip(angles, limits.lowest + beyond, limits.highest - beyond)
    rotations = joint_rotations(angles, hands)
    off = np.deg2rad(1.5) * generator.standard_normal((1, *rotations.shape[1:3], 3))
    drawn: np.ndarray = matrix_to_axis_angle(rotations @ axis_angle_to_matrix(off))
    return drawn


def _draw(generator: np.random.Generator, num_frames: int, fps: float, names: Sequence[str]) -> np.ndarray:
    """Return the angles (5, L, F) of one hand, radians."""
    coupling = generator.normal(2.0 / 3.0, 0.1)
    delays = generator.uniform(0.0, 0.06, (1, len(FINGERS)))
    seconds = np.arange(num_frames) / fps
    angles = np.repeat(_posture(generator, "relaxed", coupling)[..., None], num_frames, axis=-1)
    time = generator.uniform(0.0, 0.8)
    queue: list[str] = []
    while time < seconds[-1]:
        if not queue:
            cycle = generator.random() < 0.2 and len(names) == len(POSTURES)
            queue = list(_CYCLES[generator.integers(len(_CYCLES))]) if cycle else [str(generator.choice(names))]
        target = _posture(generator, queue.pop(0), coupling)[..., None]
        lasts = generator.uniform(0.15, 0.6)
        share = np.clip((seconds - time - delays[..., None]) / lasts, 0.0, 1.0)
        share = share**3 * (10.0 - 15.0 * share + 6.0 * share**2)
        start = angles[..., np.searchsorted(seconds, time) - 1][..., None]
        angles = np.where(share > 0.0, start + share * (target - start), angles)
        time += lasts + (0.0 if queue else generator.uniform(0.1, 1.2))
    angles += _wander(generator, seconds)
    return np.deg2rad(angles)


def _posture(generator: np.random.Generator, name: str, coupling: float) -> np.ndarray:
    """Return a variation (5, L) of a posture, degrees."""
    thumb, others = POSTURES[name]
    angles = np.zeros((NUM_ANGLES, len(FINGERS)))
    angles[:, 0] = thumb
    for finger, (flexion, abduction, middle) in enumerate(others, 1):
        angles[:, finger] = flexion, abduction, 0.0, middle, coupling * middle
    spread = np.array([6.0, 2.5, 3.0, 6.0, 5.0])[:, None]
    angles *= generator.uniform(0.8, 1.1)
    return angles + spread * generator.standard_normal(angles.shape)


def _wander(generator: np.random.Generator, seconds: np.ndarray) -> np.ndarray:
    """Return slow deviations (5, L, F), degrees."""
    size = np.array([1.5, 0.8, 0.8, 1.5, 1.5])[:, None, None]
    waves = [
        np.sin(
            2.0 * np.pi * (generator.uniform(0.2, 1.2, (NUM_ANGLES, len(FINGERS), 1)) * seconds + generator.random())
        )
        for _ in range(2)
    ]
    return size * (waves[0] + waves[1])
