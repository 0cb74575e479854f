"""Read BVH files, and those of CMU's database (cgspeed's conversion): T-pose in frame 0, unit, bone names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.errors import InputMissingError, MotionError

from .actor import METRES_PER_UNIT, ActorMotion

BVH_BONES: dict[str, str] = {
    "pelvis": "Hips",
    "spine1": "LowerBack",
    "spine2": "Spine",
    "spine3": "Spine1",
    "neck": "Neck",
    "head": "Head",
    "left_hip": "LeftUpLeg",
    "left_knee": "LeftLeg",
    "left_ankle": "LeftFoot",
    "left_foot": "LeftToeBase",
    "left_shoulder": "LeftArm",
    "left_elbow": "LeftForeArm",
    "left_wrist": "LeftHand",
    "right_hip": "RightUpLeg",
    "right_knee": "RightLeg",
    "right_ankle": "RightFoot",
    "right_foot": "RightToeBase",
    "right_shoulder": "RightArm",
    "right_elbow": "RightForeArm",
    "right_wrist": "RightHand",
}
"""CMU's BVH bone by SMPL joint."""

MAX_BYTES = 1 << 28
_MAX_JOINTS = 1000
_CHANNELS = {f"{axis}{kind}" for axis in "XYZ" for kind in ("position", "rotation")}
_ROUND_FPS = 1e-3


@dataclass(frozen=True, eq=False)
class Bvh:
    """Contents of a BVH file.

    Attributes:
        names: names of the J joints, parents first.
        parents: indices of the J parents, -1 for the root.
        offsets: (J, 3) from the parent, in the file's unit.
        channels: for each joint, channels such as ("Xposition", "Zrotation").
        values: (F, all channels) in the file's unit and degrees.
        fps: frames per second.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: np.ndarray
    channels: tuple[tuple[str, ...], ...]
    values: np.ndarray
    fps: float

    def pose(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the world rotations (F, J, 3, 3) and positions (F, J, 3) of all joints."""
        rotations: list[np.ndarray] = []
        positions: list[np.ndarray] = []
        first = 0
        for joint, (parent, channels) in enumerate(zip(self.parents, self.channels, strict=True)):
            turn = np.broadcast_to(np.eye(3), (len(self.values), 3, 3))
            shift = np.broadcast_to(self.offsets[joint], (len(self.values), 3)).copy()
            for column, channel in enumerate(channels, first):
                axis = "XYZ".index(channel[0])
                if channel.endswith("position"):
                    shift[:, axis] = self.values[:, column] + (self.offsets[joint, axis] if parent >= 0 else 0.0)
                else:
                    turn = turn @ axis_turns(axis, np.deg2rad(self.values[:, column]))
            first += len(channels)
            if parent >= 0:
                shift = positions[parent] + (rotations[parent] @ shift[..., None])[..., 0]
                turn = rotations[parent] @ turn
            rotations.append(turn)
            positions.append(shift)
        return np.stack(rotations, axis=1), np.stack(positions, axis=1)


def axis_turns(axis: int, angles: np.ndarray) -> np.ndarray:
    """Return the rotation matrices (F, 3, 3) about X, Y or Z (*axis* 0, 1, 2) by *angles* (F,), radians."""
    turns = np.zeros((len(angles), 3, 3))
    one, two = (axis + 1) % 3, (axis + 2) % 3
    turns[:, axis, axis] = 1.0
    turns[:, one, one] = turns[:, two, two] = np.cos(angles)
    turns[:, two, one] = np.sin(angles)
    turns[:, one, two] = -np.sin(angles)
    return turns


def read_text(path: Path | str, what: str) -> str:
    """Read a file's text, decoded as Latin-1.

    Raises:
        InputMissingError: the file does not exist.
        MotionError: the file is too large.
    """
    path = Path(path)
    if not path.is_file():
        raise InputMissingError(f"expected {what}, found no file at {path}; check the path")
    if path.stat().st_size > MAX_BYTES:
        raise MotionError(f"expected {what} of up to {MAX_BYTES} bytes, found {path.stat().st_size} in {path}")
    return path.read_text(encoding="latin-1")


def read_bvh(path: Path | str) -> Bvh:
    """Read a BVH file.

    Raises:
        InputMissingError: the file does not exist.
        MotionError: the file is damaged or not BVH.
    """
    words = read_text(path, "a BVH file").split()
    try:
        split = words.index("MOTION")
        names, parents, offsets, channels = _hierarchy(iter(words[:split]))
        fps, values = _motion(words[split + 1 :], sum(map(len, channels)))
    except (ValueError, IndexError, StopIteration) as error:
        raise MotionError(
            f"expected a whole BVH file, found a damaged one ({error}) in {path}; download it again"
        ) from error
    return Bvh(tuple(names), tuple(parents), np.array(offsets), tuple(channels), values, fps)


def _hierarchy(words: Iterator[str]) -> tuple[list[str], list[int], list[list[float]], list[tuple[str, ...]]]:
    names: list[str] = []
    parents: list[int] = []
    offsets: list[list[float]] = []
    channels: list[tuple[str, ...]] = []
    open_joints: list[int | None] = []
    for word in words:
        if word in ("ROOT", "JOINT"):
            parents.append(next((joint for joint in reversed(open_joints) if joint is not None), -1))
            names.append(next(words))
            channels.append(())
            open_joints.append(len(names) - 1)
            if next(words) != "{" or len(names) > _MAX_JOINTS:
                raise ValueError(f"no {{ after joint {names[-1]}, or more than {_MAX_JOINTS} joints")
        elif word == "End":
            open_joints.append(None)
            if (next(words), next(words)) != ("Site", "{"):
                raise ValueError("an End without Site {")
        elif word == "OFFSET":
            offset = [float(next(words)) for _ in range(3)]
            if open_joints[-1] is not None:
                offsets.append(offset)
        elif word == "CHANNELS":
            joint = open_joints[-1]
            channels[-1 if joint is None else joint] = tuple(next(words) for _ in range(int(next(words))))
        elif word == "}":
            open_joints.pop()
        elif word != "HIERARCHY":
            raise ValueError(f"the word {word[:40]!r} in the hierarchy")
    unknown = {channel for one in channels for channel in one} - _CHANNELS
    if unknown or open_joints or len(offsets) != len(names) or not names:
        raise ValueError(f"a hierarchy that does not close, or unknown channels {sorted(unknown)}")
    return names, parents, offsets, channels


def _motion(words: list[str], width: int) -> tuple[float, np.ndarray]:
    if words[0] != "Frames:" or words[2:4] != ["Frame", "Time:"]:
        raise ValueError("no Frames: and Frame Time: after MOTION")
    num_frames, seconds = int(words[1]), float(words[4])
    values = np.array(words[5:], dtype=np.float64)
    if num_frames < 1 or values.size != num_frames * width or not np.isfinite(values).all() or not 0.0 < seconds < 10.0:
        raise ValueError(f"{values.size} numbers for {num_frames} frames of {width}, {seconds} s each")
    fps = 1.0 / seconds
    nearest = round(fps)
    # Frame times are printed with few digits: .0083333 is 120 fps.
    return (float(nearest) if nearest and abs(fps / nearest - 1.0) < _ROUND_FPS else fps), values.reshape(
        num_frames, width
    )


def read_cmu_bvh(path: Path | str) -> ActorMotion:
    """Read the motion of a CMU BVH file, without frame 0, which is an inserted T-pose.

    Raises:
        InputMissingError: the file does not exist.
        MotionError: the file is damaged or contains only the T-pose.
    """
    bvh = read_bvh(path)
    if len(bvh.values) < 2:
        raise MotionError(f"expected a T-pose and a motion after it, found one frame in {path}; download it again")
    rotations, positions = bvh.pose()
    relative = rotations[1:] @ np.swapaxes(rotations[:1], -1, -2)
    return ActorMotion(bvh.names, relative, METRES_PER_UNIT * positions[1:], bvh.fps)
