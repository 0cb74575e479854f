"""Read Acclaim's skeleton (.asf) and motion (.amc) files, as published in CMU's database. F frames, N bones.

A bone's rotation M, in its own axes C, rotates it by ``C M C^-1`` relative to its parent. In the zero pose all bones
lie as defined in the skeleton file: each leg 21 degrees outwards and the arms 8 degrees above the T-pose. The angles
below come from cgspeed's BVH files of the same motions, which begin with the T-pose.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.errors import InputMissingError, MotionError
from core.formats.bvh import axis_turns

from .actor import ActorMotion

AMC_FPS = 120.0
AMC_BONES: dict[str, str] = {
    "pelvis": "root",
    "spine1": "lowerback",
    "spine2": "upperback",
    "spine3": "thorax",
    "neck": "lowerneck",
    "head": "head",
    **{
        f"{side}_{joint}": f"{side[0]}{bone}"
        for side in ("left", "right")
        for joint, bone in (
            ("hip", "femur"),
            ("knee", "tibia"),
            ("ankle", "foot"),
            ("foot", "toes"),
            ("shoulder", "humerus"),
            ("elbow", "radius"),
            ("wrist", "wrist"),
        )
    },
}
"""CMU's ASF bone by SMPL joint."""

_INCH_M = 0.0254
_LEGS, _ARMS = ("femur", "tibia", "foot", "toes"), ("humerus", "radius", "wrist", "hand", "fingers", "thumb")
T_POSE: dict[str, tuple[int, float]] = {
    **{f"l{bone}": (2, -21.0) for bone in _LEGS},
    **{f"r{bone}": (2, 21.0) for bone in _LEGS},
    **{f"l{bone}": (2, -8.0) for bone in _ARMS},
    **{f"r{bone}": (2, 8.0) for bone in _ARMS},
    "lowerneck": (0, -16.0),
    "upperneck": (0, -11.0),
    "head": (0, 5.0),
}
"""By bone: world axis and angle, degrees, of the rotation from the zero pose to the T-pose."""

_MAX_BYTES = 1 << 28
_TURNS = ("rx", "ry", "rz")
_ROOT_CHANNELS = ("tx", "ty", "tz", *_TURNS)


def _read_text(path: Path | str, what: str) -> str:
    """Read a file's text, decoded as Latin-1.

    Raises:
        InputMissingError: the file does not exist.
        MotionError: the file is too large.
    """
    path = Path(path)
    if not path.is_file():
        raise InputMissingError(f"expected {what}, found no file at {path}; check the path")
    if path.stat().st_size > _MAX_BYTES:
        raise MotionError(f"expected {what} of up to {_MAX_BYTES} bytes, found {path.stat().st_size} in {path}")
    return path.read_text(encoding="latin-1")


@dataclass(frozen=True, eq=False)
class Bone:
    """A bone of a skeleton file.

    Attributes:
        parent: name of the parent bone; empty for the root.
        axes: (3, 3) the rotation C from the bone's own axes to the world's.
        reach: (3,) from head to tail in the zero pose, metres.
        channels: the bone's channels in a motion file, in order: "tx", ..., "rz", "l".
    """

    parent: str
    axes: np.ndarray
    reach: np.ndarray
    channels: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Skeleton:
    """A skeleton file.

    Attributes:
        bones: by name, parents first; the first is "root".
        metres: metres per unit of length.
        degrees: whether angles are degrees.
    """

    bones: dict[str, Bone]
    metres: float
    degrees: bool


def read_asf(path: Path | str) -> Skeleton:
    """Read the skeleton of an ASF file.

    Raises:
        InputMissingError: the file does not exist.
        MotionError: the file is damaged or not ASF.
    """
    text = _read_text(path, "an ASF file")
    try:
        return _skeleton(_sections(text))
    except (ValueError, IndexError, KeyError) as error:
        raise MotionError(
            f"expected a whole ASF file, found a damaged one ({error}) in {path}; download it again"
        ) from error


def _sections(text: str) -> dict[str, list[list[str]]]:
    """Return the lines under each ``:keyword``, split into words."""
    sections: dict[str, list[list[str]]] = {}
    current: list[list[str]] = []
    for line in text.splitlines():
        words = line.partition("#")[0].replace("(", " ").replace(")", " ").split()
        if words and words[0].startswith(":"):
            current = sections.setdefault(words[0][1:].lower(), [])
            words = words[1:]
        if words:
            current.append(words)
    return sections


def _euler(angles: list[float], order: str, degrees: bool) -> np.ndarray:
    """Return the rotation (3, 3) about the world's axes in *order*: about X, then Y, then Z for "XYZ"."""
    turn = np.eye(3)
    for angle, axis in zip(angles, order.upper(), strict=True):
        turn = axis_turns("XYZ".index(axis), np.array([np.deg2rad(angle) if degrees else angle]))[0] @ turn
    return turn


def _skeleton(sections: dict[str, list[list[str]]]) -> Skeleton:
    units = {line[0].lower(): line[1] for line in sections["units"]}
    degrees = units.get("angle", "deg").startswith("deg")
    metres = _INCH_M / float(units.get("length", "1"))
    root = {line[0].lower(): line[1:] for line in sections["root"]}
    channels = tuple(word.lower() for word in root["order"])
    if sorted(channels) != sorted(_ROOT_CHANNELS):
        raise ValueError(f"root order {channels}")
    frame = _euler([float(word) for word in root["orientation"]], root.get("axis", ["XYZ"])[0], degrees)
    bones = {"root": Bone("", frame, np.zeros(3), channels)}
    bone_data = _bone_data(sections["bonedata"], metres, degrees)
    for line in sections["hierarchy"]:
        if line[0].lower() in ("begin", "end"):
            continue
        if line[0] not in bones:
            raise ValueError(f"children of {line[0]!r}, which is not defined yet")
        for name in line[1:]:
            axes, reach, bone_channels = bone_data[name]
            bones[name] = Bone(line[0], axes, reach, bone_channels)
    return Skeleton(bones, metres, degrees)


def _bone_data(
    lines: list[list[str]], metres: float, degrees: bool
) -> dict[str, tuple[np.ndarray, np.ndarray, tuple[str, ...]]]:
    """Return axes, reach and channels of each bone."""
    bones = {}
    values: dict[str, list[str]] = {}
    for line in lines:
        if line[0] == "begin":
            values = {}
        elif line[0] == "end":
            axes = _euler([float(word) for word in values["axis"][:3]], values["axis"][3], degrees)
            reach = np.array([float(word) for word in values["direction"]]) * float(values["length"][0]) * metres
            if reach.shape != (3,):
                raise ValueError(f"direction {values['direction']}")
            bones[values["name"][0]] = (axes, reach, tuple(word.lower() for word in values.get("dof", [])))
        else:
            values.setdefault(line[0], line[1:])
    return bones


def read_amc(path: Path | str, skeleton: Skeleton) -> dict[str, np.ndarray]:
    """Read the values (F, channels) of an AMC file, by bone.

    Raises:
        InputMissingError: the file does not exist.
        MotionError: the file is damaged or belongs to another skeleton.
    """
    rows: dict[str, list[list[float]]] = {name: [] for name, bone in skeleton.bones.items() if bone.channels}
    num_frames = 0
    for number, line in enumerate(_read_text(path, "an AMC file").splitlines(), 1):
        words = line.split()
        if not words or words[0][0] in "#:":
            continue
        if words[0].isdigit() and len(words) == 1:
            num_frames += 1
            continue
        bone = skeleton.bones.get(words[0])
        try:
            values = [float(word) for word in words[1:]]
        except ValueError:
            values = []
        if bone is None or not values or len(values) != len(bone.channels) or len(rows[words[0]]) != num_frames - 1:
            raise MotionError(
                f"expected {bone.channels if bone else 'a bone of the skeleton'} once per frame, found {line[:60]!r} "
                f"in line {number} of {path}; give the .asf of the same subject, or download it again"
            )
        rows[words[0]].append(values)
    short = sorted(name for name, values in rows.items() if len(values) != num_frames)
    if short or not num_frames:
        raise MotionError(
            f"expected every bone in each of {num_frames} frames, {', '.join(short)} lack frames in {path}"
        )
    return {name: np.array(values) for name, values in rows.items()}


def read_asf_amc(skeleton_path: Path | str, motion_path: Path | str) -> ActorMotion:
    """Read the motion of an AMC file on the skeleton of its ASF file.

    Raises:
        InputMissingError: a file does not exist.
        MotionError: a file is damaged, or the two do not belong together.
    """
    skeleton = read_asf(skeleton_path)
    values = read_amc(motion_path, skeleton)
    num_frames = len(values["root"])
    rotations: dict[str, np.ndarray] = {}
    tails: dict[str, np.ndarray] = {}
    heads: dict[str, np.ndarray] = {}
    for name, bone in skeleton.bones.items():
        turn = np.broadcast_to(np.eye(3), (num_frames, 3, 3))
        shift = np.zeros((num_frames, 3))
        for column, channel in enumerate(bone.channels):
            if channel in _TURNS:
                angles = values[name][:, column]
                turn = axis_turns(_TURNS.index(channel), np.deg2rad(angles) if skeleton.degrees else angles) @ turn
            elif channel[0] == "t":
                shift[:, "xyz".index(channel[1])] = values[name][:, column]
        turn = bone.axes @ turn @ bone.axes.T
        rotations[name] = rotations[bone.parent] @ turn if bone.parent else turn
        heads[name] = tails[bone.parent] if bone.parent else skeleton.metres * shift
        tails[name] = heads[name] + rotations[name] @ bone.reach
    names = tuple(skeleton.bones)
    relative = [rotations[name] @ _t_pose(name).T for name in names]
    return ActorMotion(names, np.stack(relative, axis=1), np.stack([heads[name] for name in names], axis=1), AMC_FPS)


def _t_pose(name: str) -> np.ndarray:
    axis, degrees = T_POSE.get(name, (0, 0.0))
    return axis_turns(axis, np.array([np.deg2rad(degrees)]))[0]
