"""Read files of OpenSim and its viewers: coordinates over time (.mot) and poses of bodies (JSON). F frames, T times."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.errors import TrackFileError
from core.formats.opensim_bodies import JOINTS
from core.formats.textfile import decode_text, read_bytes, split_lines
from core.joint_angles import Angles, bends, leg_ball_joints
from core.math.rotations import transposed
from core.opensim import ARM_COORDINATES, LEG_COORDINATES
from core.smpl_skeleton import SIDES

_COORDINATES = LEG_COORDINATES | {"elbow_flex": ARM_COORDINATES["elbow_flex"]}
"""OpenSim's coordinates and the corresponding `core.joint_angles.ANGLES`."""
_BENDS = ("knee", "elbow")
_BODY_KEYS = ("translation", "rotation")


@dataclass(frozen=True, eq=False)
class AngleFile:
    """Joint angles over time.

    Attributes:
        times: (T,) seconds.
        angles: (T,) degrees by ``SIDE_ANGLE``; a model without arms has no elbows.
    """

    times: np.ndarray
    angles: Angles


@dataclass(frozen=True, eq=False)
class BodyFile:
    """A model's bodies over time.

    Convention: metres, Y up, OpenSim's axes of bodies.

    Attributes:
        times: (T,) seconds.
        joints: (T, 3) origins of the bodies, by SMPL's names of the limb joints.
        rotations: (T, 3, 3) in the ground frame, by body name.
    """

    times: np.ndarray
    joints: dict[str, np.ndarray]
    rotations: dict[str, np.ndarray]


def read_mot(path: Path) -> AngleFile:
    """Read the joint angles of a ``.mot`` or ``.sto`` file of coordinates.

    Knee and elbow bends are absolute values, since models differ in their sign.

    Raises:
        TrackFileError: the file is not of that kind.
    """
    lines = [line.strip() for line in split_lines(decode_text(read_bytes(path), path), path)]
    words = [line.lower().replace(" ", "") for line in lines]
    if "endheader" not in words:
        raise TrackFileError(f"expected a line 'endheader' in {path}, found none; export the coordinates again")
    end = words.index("endheader")
    in_degrees = "indegrees=yes" in words[:end]
    rows = [line.split() for line in lines[end + 1 :] if line]
    try:
        names, table = rows[0], np.array(rows[1:], dtype=np.float64)
        columns = dict(zip(names, table.T, strict=True))
        times = columns["time"]
    except (IndexError, ValueError, KeyError) as error:
        raise TrackFileError(
            f"expected names with 'time' and rows of equally many numbers after 'endheader' in {path}; export it again"
        ) from error
    angles: Angles = {}
    for coordinate, angle in _COORDINATES.items():
        for side in SIDES:
            if (column := columns.get(f"{coordinate}_{side[0]}")) is not None:
                degrees = column if in_degrees else np.degrees(column)
                angles[f"{side}_{angle}"] = np.abs(degrees) if angle in _BENDS else degrees
    if not angles:
        raise TrackFileError(f"expected coordinates such as hip_flexion_l in {path}, found {', '.join(names[:8])}")
    return AngleFile(times, angles)


def read_bodies(path: Path) -> BodyFile:
    """Read the poses of a model's bodies, as exported for OpenCap's visualizer.

    ``time`` is (T,); ``bodies`` contains, for each body, ``translation`` (T, 3), metres, and ``rotation`` (T, 3),
    radians about the body's own X, Y, Z in that order.

    Raises:
        TrackFileError: the file is not of that kind.
    """
    try:
        stored = json.loads(read_bytes(path))
        times = np.array(stored["time"], dtype=np.float64)
        bodies = {
            name: tuple(np.array(body[key], dtype=np.float64).reshape(len(times), 3) for key in _BODY_KEYS)
            for name, body in stored["bodies"].items()
        }
        joints = {joint: bodies[body][0] for body, joint in JOINTS.items()}
        needed = ["pelvis", *(f"{body}_{side[0]}" for body in ("femur", "tibia", "talus") for side in SIDES)]
        rotations = {name: _xyz_matrices(bodies[name][1]) for name in needed}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise TrackFileError(
            f"expected time and bodies with translation and rotation at each time in {path}: {error!r}"
        ) from error
    return BodyFile(times, joints, rotations)


def opensim_angles(rotations: Mapping[str, np.ndarray], positions: Mapping[str, np.ndarray]) -> Angles:
    """Return the angles of OpenSim's bodies.

    Args:
        rotations: (F, 3, 3) in the ground frame, by body: pelvis, femur_l, tibia_l, talus_l and so on.
        positions: (F, 3) positions of `LIMB_JOINTS`.
    """
    angles: Angles = {}
    for side in SIDES:
        femur, tibia, talus = (rotations[f"{body}_{side[0]}"] for body in ("femur", "tibia", "talus"))
        angles |= leg_ball_joints(side, transposed(rotations["pelvis"]) @ femur, transposed(tibia) @ talus)
    return angles | bends(positions)


def _xyz_matrices(angles: np.ndarray) -> np.ndarray:
    """Return the rotations (T, 3, 3) Rx Ry Rz of *angles* (T, 3), radians."""
    cosine, sine = np.cos(angles), np.sin(angles)
    turns = []
    for axis in range(3):
        first, second = (axis + 1) % 3, (axis + 2) % 3
        turn = np.tile(np.eye(3), (len(angles), 1, 1))
        turn[:, first, first] = turn[:, second, second] = cosine[:, axis]
        turn[:, second, first], turn[:, first, second] = sine[:, axis], -sine[:, axis]
        turns.append(turn)
    return np.asarray(turns[0] @ turns[1] @ turns[2])
