"""Generate motions on the floor: on all fours, push-ups, kneeling, sitting, lying, and getting down. F frames.

They contain no recorded motion. Each pose rotates body parts relative to the pelvis, swinging over time; the body is
then pitched and translated so that the skin of a front and a back part rests exactly on the floor in every frame. So
the touching parts are known, and nothing is below the floor.

Convention: metres, radians, Y up, +Z front and +X left; a body part's rotation is from SMPL's rest pose.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from core.body.free_body import load_free_body
from core.body.model import BodyModel, local_rotations
from core.math.rotations import axis_angle_to_matrix, matrix_to_axis_angle, slerp_matrices, swing_between
from core.math.smoothstep import smoothstep
from core.motion import Motion
from core.smpl_skeleton import JOINT_INDEX, JOINT_PARENTS, NUM_JOINTS

FPS = 30.0
_DURATION_S = 4.0
_CYCLES = 2.0
_HALVINGS = 30
_PITCH_RANGE = 0.6
"""Limit of the pitch that places a pose on the floor, radians."""
_SIDES = (("left", 1.0), ("right", -1.0))

Turns = dict[str, np.ndarray]
"""Rotations (3, 3) of body parts by joint; other joints rotate with their parents."""


@dataclass(frozen=True)
class FloorPose:
    """A pose on the floor.

    Attributes:
        turns: rotations of the body parts relative to the pelvis.
        pitch: forward pitch of the pelvis, radians.
        front: joints whose skin rests on the floor in front.
        back: joints whose skin rests on the floor behind; empty to rest on the lowest point.
    """

    turns: Turns
    pitch: float = 0.0
    front: tuple[str, ...] = ()
    back: tuple[str, ...] = ()


def _x(angle: float) -> np.ndarray:
    turn: np.ndarray = axis_angle_to_matrix(np.array([angle, 0.0, 0.0]))
    return turn


def _along(side: float, direction: tuple[float, float, float]) -> np.ndarray:
    """Return the rotation of an arm part that points along *direction*, given for the left side."""
    goal = np.array([side * direction[0], *direction[1:]])
    turn: np.ndarray = swing_between(np.array([side, 0.0, 0.0]), goal / np.linalg.norm(goal))
    return turn


def _legs(thigh: float, shin: float, foot: float, toes: float | None = None) -> Turns:
    """Return both legs' rotations from the forward pitches of their parts, radians; negative ones raise a thigh."""
    parts = {"hip": thigh, "knee": shin, "ankle": foot, "foot": foot if toes is None else toes}
    return {f"{side}_{joint}": _x(angle) for side, _ in _SIDES for joint, angle in parts.items()}


def _arms(upper: tuple[float, float, float], lower: tuple[float, float, float], flat: float | None = None) -> Turns:
    """Return both arms' rotations; *flat* is the pelvis pitch with palms flat on the floor, fingers forward."""
    turns: Turns = {}
    for side, sign in _SIDES:
        turns[f"{side}_shoulder"], turns[f"{side}_elbow"] = _along(sign, upper), _along(sign, lower)
        if flat is not None:
            forward = axis_angle_to_matrix(np.array([0.0, -sign * 0.5 * np.pi, 0.0]))
            turns[f"{side}_wrist"] = _x(-flat) @ forward
    return turns


_DOWN = (0.1, -1.0, 0.05)


def _all_fours(swing: float) -> FloorPose:
    lean = 0.2 * swing
    arms = _arms((0.06, -0.7 * lean, 1.0), (0.02, -0.7 * lean, 1.0), flat=1.57)
    legs = _legs(-1.57 + lean, 0.0, 1.2)
    knees = tuple(f"{side}_knee" for side, _ in _SIDES)
    head = {"neck": _x(-0.3 - 0.2 * swing), "head": _x(-0.4 - 0.2 * swing)}
    return FloorPose({**arms, **legs, **head}, 1.57, _HANDS, knees)


def _push_up(swing: float) -> FloorPose:
    depth = 0.5 + 0.5 * swing
    arms = _arms((0.1 + 0.8 * depth, -0.35 * depth, 1.0 - 0.8 * depth), (0.05, 0.0, 1.0), flat=1.3)
    return FloorPose({**arms, **_legs(0.0, 0.0, 0.15, -1.2)}, 1.3, _HANDS, _FEET)


def _kneeling(swing: float) -> FloorPose:
    back = 0.5 + 0.5 * swing
    knees = tuple(f"{side}_knee" for side, _ in _SIDES)
    arms = _arms(_DOWN, (0.05, -1.0, 0.2))
    return FloorPose({**arms, **_legs(-0.9 * back, 1.57, 2.6)}, 0.1, knees, _FEET)


def _sitting(swing: float) -> FloorPose:
    arms = _arms((0.35, -0.8, -0.5), (0.15, -0.95, -0.25))
    bend = 0.25 + 0.25 * swing
    return FloorPose({**arms, **_legs(-1.5 - bend, -1.5 + bend, -0.1)}, -0.15 - 0.1 * swing, _FEET, _SEAT)


def _lying(swing: float) -> FloorPose:
    side = 0.4 * swing
    arms = _arms((0.8, -0.6 + side, -0.12), (0.7, -0.7 + side, -0.05))
    return FloorPose({**arms, **_legs(0.0, 0.06, 0.3)}, -1.57, _FEET, _BACK)


def _prone(swing: float) -> FloorPose:
    arms = _arms((0.8, 0.5, 0.1), (0.1, 1.0, 0.1))
    head = {"neck": _x(-0.3), "head": _x(-0.5)}
    return FloorPose({**arms, **head, **_legs(0.05 * swing, 0.05 * swing, 1.2)}, 1.5, _CHEST, _SEAT)


_HANDS = tuple(f"{side}_{joint}" for side, _ in _SIDES for joint in ("wrist", "hand"))
_FEET = tuple(f"{side}_{joint}" for side, _ in _SIDES for joint in ("ankle", "foot"))
_SEAT = ("pelvis", "left_hip", "right_hip")
_BACK = ("spine2", "spine3", "left_collar", "right_collar", "head")
_CHEST = ("spine1", "spine2", "spine3")
_STANDING = FloorPose({**_arms(_DOWN, _DOWN)})
_GETTING_DOWN = (
    _STANDING,
    _kneeling(-1.0),
    _all_fours(0.0),
    _prone(0.0),
    _prone(0.0),
    _all_fours(0.0),
    _kneeling(-1.0),
)

MOTIONS: dict[str, Callable[[float], FloorPose]] = {
    "all_fours": _all_fours,
    "push_up": _push_up,
    "kneeling": _kneeling,
    "sitting": _sitting,
    "lying": _lying,
    "prone": _prone,
}
"""Motions that stay in one pose: functions of a swing from -1 to 1."""
NAMES = (*MOTIONS, "getting_down")


@dataclass(eq=False)
class _FloorPlacement:
    """Places a body on the floor."""

    model: BodyModel = field(default_factory=lambda: BodyModel(load_free_body()))

    def __post_init__(self) -> None:
        self._main = np.asarray(self.model.data.weights).argmax(axis=1)
        self._rest = np.asarray(self.model.rest_joints(np.zeros(10, dtype=np.float32)), dtype=np.float64)

    def place(self, worlds: np.ndarray, poses: Sequence[FloorPose]) -> tuple[np.ndarray, np.ndarray]:
        """Return the rotations (F, 24, 3, 3), pitched so that front and back are at the same height, and trans (F, 3).

        Args:
            worlds: (F, 24, 3, 3) world rotations.
            poses: what rests on the floor in each frame.
        """
        arrays = (local_rotations(worlds), np.zeros(10), np.zeros((len(worlds), 3)))
        posed = np.asarray(self.model.vertices(*(self.model.array(array) for array in arrays)), dtype=np.float64)
        placed = [self._place(world, skin, pose) for world, skin, pose in zip(worlds, posed, poses, strict=True)]
        turned, moved = (np.stack(part) for part in zip(*placed, strict=True))
        return turned, moved

    def _place(self, world: np.ndarray, skin: np.ndarray, pose: FloorPose) -> tuple[np.ndarray, np.ndarray]:
        """Place one frame with the vertices (V, 3)."""
        turn, anchor = np.eye(3), skin
        if pose.back:
            front, back = (
                skin[np.isin(self._main, [JOINT_INDEX[name] for name in names])] for names in (pose.front, pose.back)
            )
            low, high = -_PITCH_RANGE, _PITCH_RANGE
            for _ in range(_HALVINGS):
                middle = 0.5 * (low + high)
                is_high = (front @ _x(middle)[1]).min() > (back @ _x(middle)[1]).min()
                low, high = (middle, high) if is_high else (low, middle)  # leaning forward lowers what is in front
            turn, anchor = _x(0.5 * (low + high)), back
        moved = np.array([0.0, -(skin @ turn[1]).min(), -(anchor @ turn[2]).mean()])
        return turn @ world, turn @ self._rest[0] - self._rest[0] + moved


def _world(pose: FloorPose) -> np.ndarray:
    """Return the world rotations (24, 3, 3) of a pose."""
    root = _x(pose.pitch)
    world = np.empty((NUM_JOINTS, 3, 3))
    names: Mapping[int, str] = {number: name for name, number in JOINT_INDEX.items()}
    for joint in range(NUM_JOINTS):
        turn = pose.turns.get(names[joint])
        world[joint] = root @ turn if turn is not None else root if joint == 0 else world[JOINT_PARENTS[joint]]
    return world


def floor_motion(name: str) -> Motion:
    """Return the motion *name*, one of `NAMES`, on the mean shape of the free body, with its floor at height 0."""
    count = round(_DURATION_S * FPS)
    if name == "getting_down":
        keys = np.stack([_world(pose) for pose in _GETTING_DOWN])
        at = np.linspace(0.0, len(keys) - 1.0, 2 * count)
        first = np.minimum(at.astype(int), len(keys) - 2)
        share = smoothstep(at - first)
        worlds, poses = slerp_matrices(keys[first], keys[first + 1], share[:, None]), [FloorPose({})] * len(at)
    else:
        poses = [MOTIONS[name](float(swing)) for swing in -np.cos(np.linspace(0.0, 2.0 * np.pi * _CYCLES, count))]
        worlds = np.stack([_world(pose) for pose in poses])
    world, trans = _FloorPlacement().place(worlds, poses)
    vectors = matrix_to_axis_angle(local_rotations(world)).reshape(len(world), -1)
    return Motion(vectors, np.zeros(10), trans, FPS)
