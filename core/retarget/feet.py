"""Plan the feet of a character: they roll about the planted point, with the sole on the floor. F frames.

The contacts are those of the source. During a contact the standing point, heel or ball, has no speed; so the ankle
moves by what the foot's rotation moves it about that point, and the whole stance is placed where the transferred foot
is in the mean. Its height follows from the skin: the lowest point of the sole is on the floor. Between stances the
displacement passes smoothly from one to the next. Everything is in the floor's axes: Y = 0 is the floor.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..fit.solver.gauss_newton import blocks
from ..math.frames_last import apply, cross, from_rotation_vectors, times
from ..math.runs import find_runs
from ..math.smoothstep import smoothstep
from .soles import Foot

_FEWEST_FLAT = 3
_MAX_PITCH_RAD = 0.5
_MAX_TOE_BEND_RAD = 1.2
_MOST_SWING_RAD = 0.2
"""Most that a foot is turned for the line between its heel and ball to stay."""
_TIPTOE_RAD, _LYING_RAD = 1.6, 2.4
"""A foot that is tilted by up to the first may stand, from the second on it lies."""
_UP = np.array([[0.0], [1.0], [0.0]])
_TINY = 1e-9
_BLOCK_FRAMES = 4096


@dataclass(frozen=True, eq=False)
class FootPath:
    """The motion of one foot, frames last.

    Attributes:
        ankle: (3, F) positions of the ankle, metres.
        foot: (3, 3, F) world rotations of the foot.
        toe: (3, 3, F) world rotations of the toes; the foot's if it has none.
    """

    ankle: np.ndarray
    foot: np.ndarray
    toe: np.ndarray


def plan_foot(foot: Foot, path: FootPath, contacts: np.ndarray, drift: np.ndarray, strength: float) -> FootPath:
    """Return where a foot should be.

    Args:
        foot: the foot.
        path: its motion, transferred.
        contacts: (F, 2) bool, whether heel and ball are on the floor.
        drift: (3, F) how far the floor has moved below the body.
        strength: 0 returns the path unchanged, 1 plants the foot fully.
    """
    placed = PlacedFoot.of(foot, path, contacts, strength)
    heel, ball, turned = placed.heel, placed.ball, placed.foot
    on_floor = path.ankle - drift
    stands = contacts.any(axis=1)
    moves = np.zeros_like(on_floor)
    for run in find_runs(stands):
        rolled = _rolled(heel[:, run], ball[:, run], contacts[run])
        away = on_floor[:, run] - rolled
        moves[:, run] = away.mean(axis=1, keepdims=True) - away
    standing = placed.level_m
    height = np.maximum(on_floor[1] + _between(standing - on_floor[1], stands), standing)
    toe, standing = placed.on_floor(height, strength)
    moves[1] = standing - on_floor[1]
    moves = _between(moves, stands)
    moves[1] = np.maximum(moves[1], standing - on_floor[1])
    return FootPath(path.ankle + strength * moves, turned, toe)


@dataclass(frozen=True, eq=False)
class PlacedFoot:
    """A foot turned as its soles demand, before it is moved.

    Attributes:
        of_character: the foot.
        foot: (3, 3, F) world rotations of the foot.
        toe: (3, 3, F) world rotations of the toes.
        heel: (3, F) from the ankle to the heel.
        ball: (3, F) from the ankle to the ball.
    """

    of_character: Foot
    foot: np.ndarray
    toe: np.ndarray
    heel: np.ndarray
    ball: np.ndarray

    @classmethod
    def of(cls, foot: Foot, path: FootPath, contacts: np.ndarray, strength: float) -> PlacedFoot:
        """Return *foot* on its *path*; what is not named here is as in `plan_foot`."""
        tilted, toe = (_tilted(rotations, strength * (foot.tilt - 1.0)) for rotations in (path.foot, path.toe))
        pitch = strength * _flat_pitch(foot, tilted, contacts)
        turned, toe = (_pitched(rotations, tilted, -pitch) for rotations in (tilted, toe))
        turned = _steadied(foot, turned, contacts, strength)
        heel, ball = (apply(turned, point[:, None]) for point in (foot.heel, foot.ball))
        return cls(foot, turned, toe, heel, ball)

    @property
    def level_m(self) -> np.ndarray:
        """Height of the ankle (F,) at which heel or ball is on the floor."""
        height: np.ndarray = -np.minimum(self.heel[1], self.ball[1] - self.of_character.ball_height)
        return height

    def on_floor(self, height: np.ndarray, strength: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the toes (3, 3, F) of a foot whose ankle is at *height* (F,), and where it stands on its skin (F,)."""
        toe = _bent_toes(self.of_character, self.toe, height + self.ball[1], strength)
        return toe, -lowest_point(self.of_character, self.foot, toe)


def _steadied(foot: Foot, rotations: np.ndarray, contacts: np.ndarray, strength: float) -> np.ndarray:
    """Return *rotations* (3, 3, F) in which the line from heel to ball does not turn while both stand.

    The source's foot rolls sideways about its own line, which slopes otherwise, so heel or ball would slide.
    """
    flat = contacts.all(axis=1)
    line = apply(rotations, (foot.ball - foot.heel)[:, None])
    swing = np.zeros_like(line)
    for run in find_runs(flat):
        mean = line[:, run].mean(axis=1, keepdims=True)
        sine = cross(line[:, run], np.broadcast_to(mean, line[:, run].shape))
        sine /= np.maximum(np.linalg.norm(line[:, run], axis=0) * np.linalg.norm(mean), _TINY)
        swing[:, run] = sine * np.minimum(_MOST_SWING_RAD / np.maximum(np.linalg.norm(sine, axis=0), _TINY), 1.0)
    if not swing.any():
        return rotations
    steadied: np.ndarray = times(from_rotation_vectors(strength * _between(swing, flat)), rotations)
    return steadied


def _flat_pitch(foot: Foot, rotations: np.ndarray, contacts: np.ndarray) -> float:
    """Return the median angle, radians, by which the ball is raised while heel and ball are on the floor."""
    flat = contacts.all(axis=1)
    if flat.sum() < _FEWEST_FLAT:
        return 0.0
    sole = foot.ball - foot.heel - [0.0, foot.ball_height, 0.0]
    rise = (rotations[1][:, flat] * sole[:, None]).sum(axis=0) / max(float(np.linalg.norm(sole)), _TINY)
    return float(np.clip(np.median(np.arcsin(np.clip(rise, -1.0, 1.0))), -_MAX_PITCH_RAD, _MAX_PITCH_RAD))


def _tilted(rotations: np.ndarray, change: float) -> np.ndarray:
    """Return *rotations* (3, 3, F) with their tilt against the vertical increased by the factor 1 + *change*.

    A foot that does not stand but lies on its side or its back keeps its tilt.
    """
    if change == 0.0:
        return rotations
    up = rotations[:, 1]
    axis = cross(np.broadcast_to(_UP, up.shape), up)
    sine = np.sqrt((axis * axis).sum(axis=0))
    angle = np.arctan2(sine, up[1])
    stands = 1.0 - smoothstep((angle - _TIPTOE_RAD) / (_LYING_RAD - _TIPTOE_RAD))
    turn = axis * (change * stands * angle / np.maximum(sine, _TINY))
    tilted: np.ndarray = times(from_rotation_vectors(turn), rotations)
    return tilted


def _pitched(rotations: np.ndarray, foot: np.ndarray, angle: float) -> np.ndarray:
    """Return *rotations* (3, 3, F) with the toes raised by *angle* about the foot's level side axis."""
    if angle == 0.0:
        return rotations
    turned: np.ndarray = times(from_rotation_vectors(angle * _raising_axis(foot[:, 2])), rotations)
    return turned


def _raising_axis(ahead: np.ndarray) -> np.ndarray:
    """Return the level unit axis (3, F) about which a positive rotation raises what points *ahead* (3, F)."""
    axis = cross(ahead, np.broadcast_to(_UP, ahead.shape))
    level: np.ndarray = axis / np.maximum(np.sqrt((axis * axis).sum(axis=0)), _TINY)
    return level


def _rolled(heel: np.ndarray, ball: np.ndarray, contacts: np.ndarray) -> np.ndarray:
    """Return the path (3, S) of the ankle during a stance, from 0, if the standing point does not move.

    Args:
        heel: (3, S) from the ankle to the heel.
        ball: (3, S) from the ankle to the ball.
        contacts: (S, 2) which of them stand. From one frame to the next the foot rolls about the point that stands in
            both, or about the middle if both points do, or none.
    """
    weight = (contacts[1:] & contacts[:-1]).astype(np.float64)
    weight[~weight.any(axis=1)] = 1.0
    weight /= weight.sum(axis=1, keepdims=True)
    steps = weight[:, 0] * np.diff(heel, axis=1) + weight[:, 1] * np.diff(ball, axis=1)
    return np.concatenate([np.zeros((3, 1)), -np.cumsum(steps, axis=1)], axis=1)


def _between(moves: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return *moves* (..., F) with those that are not *known* (F,) passing smoothly from the last to the next one."""
    frames, numbers = np.flatnonzero(known), np.arange(len(known))
    if len(frames) == 0:
        return np.zeros_like(moves)
    after = np.searchsorted(frames, numbers)
    last, following = frames[np.maximum(after - 1, 0)], frames[np.minimum(after, len(frames) - 1)]
    share = smoothstep((numbers - last) / np.maximum(following - last, 1))
    smooth: np.ndarray = np.where(known, moves, (1.0 - share) * moves[..., last] + share * moves[..., following])
    return smooth


def lowest_point(foot: Foot, rotations: np.ndarray, toe: np.ndarray) -> np.ndarray:
    """Return the height (F,) of the lowest point of a foot above the ankle, with the skin of the shin taken as rigid.

    Args:
        foot: the foot.
        rotations: (3, 3, F) its world rotations.
        toe: (3, 3, F) those of the toes.
    """
    rows, levels = {foot.ankle: rotations[1]}, {foot.ankle: np.zeros(rotations.shape[-1])}
    if foot.toe is not None:
        rows[foot.toe] = toe[1]
        levels[foot.toe] = (rotations[1] * foot.ball[:, None]).sum(axis=0)
    lowest = np.empty(rotations.shape[-1])
    for block in blocks(len(lowest), _BLOCK_FRAMES):
        parts = ({joint: values[..., block] for joint, values in found.items()} for found in (rows, levels))
        lowest[block] = foot.support.heights(*parts).min(axis=0)
    return lowest


def _bent_toes(foot: Foot, toe: np.ndarray, height: np.ndarray, strength: float) -> np.ndarray:
    """Return the rotations (3, 3, F) of the toes, raised so far that they do not reach below the floor.

    Args:
        foot: the foot.
        toe: (3, 3, F) rotations of the toes.
        height: (F,) height of the toe joint above the floor.
        strength: share of the bend.
    """
    if foot.toe is None or len(foot.support.toes) == 0:
        return toe
    bent = np.empty_like(toe)
    for block in blocks(len(height), _BLOCK_FRAMES):
        axis, angle = _toe_bend(foot.support.toes, toe[..., block], height[block])
        bent[..., block] = times(from_rotation_vectors(strength * angle * axis), toe[..., block])
    return bent


def _toe_bend(points: np.ndarray, toe: np.ndarray, height: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the axis (3, F) and the angle (F,) by which toes must be raised so that no point (T, 3) is below 0."""
    axis = _raising_axis(toe[:, 2])
    ahead = cross(np.broadcast_to(_UP, axis.shape), axis)
    placed = np.einsum("ijf,vj->ivf", toe, points)
    along = np.maximum((placed * ahead[:, None]).sum(axis=0), 0.0)
    up = placed[1]
    length = np.maximum(np.sqrt(along * along + up * up), _TINY)
    needed = np.arcsin(np.clip(-height / length, -1.0, 1.0)) - np.arctan2(up, along)
    angle = np.where(up < -height, needed, 0.0).max(axis=0)
    return axis, np.clip(angle, 0.0, _MAX_TOE_BEND_RAD)
