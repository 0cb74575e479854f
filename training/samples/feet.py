"""Plan the footprints and foot paths of the sample's walk, rolling from heel to toe. F frames.

Convention: metres, radians, seconds, Y up, the floor at y = 0; positions on the floor are (x, z); a heading of 0 faces
+Z and positive headings turn towards +X; pitch is positive with the toes up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.math.rotations import axis_angle_to_matrix, transposed
from core.smpl_skeleton import JOINT_INDEX, VERTEX_IDS

FIRST_STEP_S = 0.5
STEP_S = 0.54
SWING_S = 0.42
FOOT_OFFSET_M = 0.085
"""Distance from the path's centre line to either foot."""
TOE_OUT_RAD = 0.10
STRIKE_PITCH_RAD = 0.30
STRIKE_ROLL_S = 0.11
PUSH_PITCH_RAD = -0.72
PUSH_ROLL_S = 0.24
SWING_LIFT_M = 0.035
STEPS_M = (0.45, 1.05, 1.66, 2.27, 2.78, 2.78)
"""Position of each footprint along the centre line, right foot first."""
TURN_RAD = 0.9
"""Total turn of the walk, to the left."""


def _turn(angles: np.ndarray, axis: int) -> np.ndarray:
    vectors = np.zeros((*np.shape(angles), 3))
    vectors[..., axis] = angles
    matrices: np.ndarray = axis_angle_to_matrix(vectors)
    return matrices


def turn_x(angles: np.ndarray) -> np.ndarray:
    """Return rotations (..., 3, 3) about X by *angles* (...)."""
    return _turn(angles, 0)


def turn_y(angles: np.ndarray) -> np.ndarray:
    """Return rotations (..., 3, 3) about Y by *angles* (...)."""
    return _turn(angles, 1)


def turn_z(angles: np.ndarray) -> np.ndarray:
    """Return rotations (..., 3, 3) about Z by *angles* (...)."""
    return _turn(angles, 2)


def ease(times: np.ndarray, start_s: float, end_s: float) -> np.ndarray:
    """Return 0 before *start_s*, 1 after *end_s*, and a smooth rise (quintic smoothstep) between."""
    share = np.clip((times - start_s) / (end_s - start_s), 0.0, 1.0)
    return share**3 * (10.0 - 15.0 * share + 6.0 * share**2)


@dataclass(frozen=True)
class Footprint:
    """Position and time of a foot's stance.

    Attributes:
        place: (x, z) of the ankle above the flat foot.
        heading: direction of the foot.
        strike_s: time of the heel strike; minus infinity for a stance from the start.
        off_s: time of toe-off; infinity for a stance to the end.
    """

    place: tuple[float, float]
    heading: float
    strike_s: float
    off_s: float


@dataclass(frozen=True)
class Walk:
    """The plan of the walk.

    Attributes:
        footprints: each side's footprints, in order of time.
        start_s: time at which the first foot leaves the floor.
        end_s: time at which the last foot has landed.
    """

    footprints: dict[str, tuple[Footprint, ...]]
    start_s: float
    end_s: float

    def amplitude(self, times: np.ndarray) -> np.ndarray:
        """Return the amplitude of the gait (F,): 0 standing, 1 walking."""
        return ease(times, self.start_s, self.start_s + 0.7) - ease(times, self.end_s - 0.8, self.end_s + 0.1)

    def swing(self, times: np.ndarray) -> np.ndarray:
        """Return the counter-swing of trunk and arms (F,): +1 with left arm and right leg in front, -1 reversed."""
        phase = np.pi * (times - self.start_s - SWING_S) / STEP_S
        return np.cos(phase) * self.amplitude(times)


def plan_walk() -> Walk:
    """Plan the footprints: right foot first, along a curve to the left, feet together at the end."""
    placed: dict[str, list[tuple[float, float, float]]] = {"left": [], "right": []}
    for index, along in enumerate((0.0, 0.0, *STEPS_M)):
        side = "left" if index % 2 else "right"
        sign = 1.0 if side == "left" else -1.0
        curve = TURN_RAD / STEPS_M[-1]
        heading = curve * along
        middle = np.array([1.0 - np.cos(heading), np.sin(heading)]) / curve
        place = middle + sign * FOOT_OFFSET_M * np.array([np.cos(heading), -np.sin(heading)])
        placed[side].append((place[0], place[1], heading + sign * TOE_OUT_RAD))
    footprints: dict[str, tuple[Footprint, ...]] = {}
    for side, places in placed.items():
        first = FIRST_STEP_S + (STEP_S if side == "left" else 0.0)
        off = [first + 2.0 * STEP_S * number for number in range(len(places) - 1)]
        strike = [-np.inf, *(moment + SWING_S for moment in off)]
        footprints[side] = tuple(
            Footprint((x, z), heading, start, end)
            for (x, z, heading), start, end in zip(places, strike, [*off, np.inf], strict=True)
        )
    return Walk(footprints, FIRST_STEP_S, FIRST_STEP_S + STEP_S * (len(STEPS_M) - 1) + SWING_S)


@dataclass(frozen=True, eq=False)
class FootShape:
    """The shaped body's foot, relative to its ankle in the rest pose.

    Attributes:
        ankle_height: height of the ankle above the floor.
        heel: (3,) the heel's contact point with the floor.
        ball: (3,) the toe joint, about which the foot rolls off.
    """

    ankle_height: float
    heel: np.ndarray
    ball: np.ndarray

    @classmethod
    def of_body(cls, rest: np.ndarray, vertices: np.ndarray, floor: float, side: str) -> FootShape:
        """Measure the foot of *side*.

        Args:
            rest: (24, 3) rest joints above the floor.
            vertices: (V, 3) rest vertices in the body's own coordinates.
            floor: y of the floor in the coordinates of *vertices*.
            side: "left" or "right".
        """
        ankle = rest[JOINT_INDEX[f"{side}_ankle"]]
        heel = vertices[VERTEX_IDS[f"{side}_heel"]] - np.array([0.0, floor, 0.0]) - ankle
        heel[1] = -ankle[1]
        return cls(float(ankle[1]), heel, rest[JOINT_INDEX[f"{side}_foot"]] - ankle)


@dataclass(frozen=True, eq=False)
class FootPath:
    """Motion of a foot.

    Attributes:
        ankle: (F, 3) path of the ankle joint.
        ground: (F, 2) position of the foot on the floor plane; changes only while the foot swings.
        heading: (F,) direction of the foot.
        rotation: (F, 3, 3) the ankle joint's world rotation.
        toes: (F, 3, 3) the toe joint's local rotation; keeps the toes flat while the heel rises.
        lift: (F,) 0 in stance, up to 1 in the middle of the swing.
    """

    ankle: np.ndarray
    ground: np.ndarray
    heading: np.ndarray
    rotation: np.ndarray
    toes: np.ndarray
    lift: np.ndarray


def _stance_pitch(times: np.ndarray, footprint: Footprint) -> np.ndarray:
    """Return the pitch (F,) of a foot in stance: lowering after the heel strike, flat, rising onto the toes."""
    landing = STRIKE_PITCH_RAD * (1.0 - np.clip((times - footprint.strike_s) / STRIKE_ROLL_S, 0.0, 1.0)) ** 2
    rising = PUSH_PITCH_RAD * np.clip(1.0 + (times - footprint.off_s) / PUSH_ROLL_S, 0.0, 1.0) ** 2
    return landing + rising


def _stance_ankle(pitch: np.ndarray, footprint: Footprint, shape: FootShape) -> np.ndarray:
    """Return the ankle (F, 3) of a foot that rolls over its heel (toes up) or its ball (heel up)."""
    pivot = np.where((pitch > 0.0)[:, None], shape.heel, shape.ball)
    heading = turn_y(np.full(len(pitch), footprint.heading))
    flat = np.array([footprint.place[0], shape.ankle_height, footprint.place[1]])
    turned = (turn_x(-pitch) @ pivot[..., None])[..., 0]
    return flat + (heading @ (pivot - turned)[..., None])[..., 0]


def _hermite(share: np.ndarray, ends: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    """Return the Hermite cubic (F, ...) through *ends* (2, ...) with *slopes* (2, ...) per unit of *share* (F,)."""
    share = share.reshape(-1, *(1,) * (ends.ndim - 1))
    square, cube = share**2, share**3
    return (
        (2.0 * cube - 3.0 * square + 1.0) * ends[0]
        + (cube - 2.0 * square + share) * slopes[0]
        + (3.0 * square - 2.0 * cube) * ends[1]
        + (cube - square) * slopes[1]
    )


def _swing(times: np.ndarray, before: Footprint, after: Footprint, shape: FootShape) -> tuple[np.ndarray, np.ndarray]:
    """Return ankle (F, 3) and pitch (F,) from one footprint to the next, with continuous velocity."""
    step = 1e-4
    duration = after.strike_s - before.off_s
    ends = []
    for footprint, moment, direction in ((before, before.off_s, -1.0), (after, after.strike_s, 1.0)):
        near = np.array([moment, moment + direction * step])
        pitch = _stance_pitch(near, footprint)
        ankle = _stance_ankle(pitch, footprint, shape)
        slope = direction * duration / step
        ends.append((ankle[0], slope * (ankle[1] - ankle[0]), pitch[0], slope * (pitch[1] - pitch[0])))
    share = (times - before.off_s) / duration
    places, speeds, pitches, rates = (np.stack(values) for values in zip(*ends, strict=True))
    ankle = _hermite(share, places, speeds)
    ankle[:, 1] += SWING_LIFT_M * np.sin(np.pi * share) ** 2
    return ankle, _hermite(share, pitches, rates)


def foot_path(footprints: tuple[Footprint, ...], times: np.ndarray, shape: FootShape) -> FootPath:
    """Return the foot's motion over *footprints* at *times* (F,)."""
    num_frames = len(times)
    ankle, ground = np.zeros((num_frames, 3)), np.zeros((num_frames, 2))
    pitch, heading, lift = np.zeros(num_frames), np.zeros(num_frames), np.zeros(num_frames)
    for number, footprint in enumerate(footprints):
        stands = (times >= footprint.strike_s) & (times <= footprint.off_s)
        pitch[stands] = _stance_pitch(times[stands], footprint)
        ankle[stands] = _stance_ankle(pitch[stands], footprint, shape)
        ground[stands], heading[stands] = footprint.place, footprint.heading
        if number + 1 == len(footprints):
            break
        after = footprints[number + 1]
        swings = (times > footprint.off_s) & (times < after.strike_s)
        ankle[swings], pitch[swings] = _swing(times[swings], footprint, after, shape)
        share = ease(times[swings], footprint.off_s, after.strike_s)
        places = np.array([footprint.place, after.place])
        ground[swings] = places[0] + share[:, None] * (places[1] - places[0])
        heading[swings] = footprint.heading + share * (after.heading - footprint.heading)
        lift[swings] = np.sin(np.pi * (times[swings] - footprint.off_s) / (after.strike_s - footprint.off_s)) ** 2
    rotation = turn_y(heading) @ turn_x(-pitch)
    toes = transposed(turn_x(-np.minimum(pitch, 0.0)))
    return FootPath(ankle, ground, heading, rotation, toes, lift)
