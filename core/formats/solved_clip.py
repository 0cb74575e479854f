"""SMPL parameters of one clip under the keys of many tools. F frames, J joints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..body.data import NUM_BETAS
from ..errors import TrackFileError
from ..fingers import FLAT_HANDS
from ..math.rotations import matrix_to_axis_angle
from ..smpl_skeleton import NUM_BODY_ROTATIONS, NUM_JOINTS
from .people_clip import number_array
from .raw import check_counts
from .timeline import stated_start

POSE_KEYS = ("poses", "fullpose", "smpl_poses", "pose_world", "pose", "pred_rotmat", "pred_pose", "smpl_pose",
             "pred_thetas", "bodyPose")  # fmt: skip
ROOT_KEYS = ("root_orient", "global_orient", "poses_root")
BODY_KEYS = ("pose_body", "body_pose", "poses_body")
TRANS_KEYS = ("trans_world", "trans", "transl", "smpl_trans", "pred_trans", "global_t", "bodyTranslation")
SHAPE_KEYS = ("betas", "pred_shape", "pred_betas", "shape", "shapeParameters")
RATE_KEYS = ("mocap_framerate", "mocap_frame_rate", "fps", "frame_rate", "framerate", "frameRate")
FRAME_KEYS = ("frame_ids", "frame", "frames")
START_KEY = "start_s"
HAND_KEYS = (("pose_hand",), ("left_hand_pose", "right_hand_pose"), ("pose_lhand", "pose_rhand"),
             ("leftHandPose", "rightHandPose"))  # fmt: skip
"""Keys of both hands, or of the left and the right one."""
OTHER_KEYS = ("gender", "body", "surface_model_type", "up_axis", "smpl_scaling", "orig_cam", "pred_cam", "jaw_pose",
              "pose_jaw", "cam_t")  # fmt: skip
KEYS = (*POSE_KEYS, *ROOT_KEYS, *BODY_KEYS, *TRANS_KEYS, *SHAPE_KEYS, *RATE_KEYS, *FRAME_KEYS, *sum(HAND_KEYS, ()),
        *OTHER_KEYS, START_KEY)  # fmt: skip
"""The keys that are read of a file of one clip."""
_BODY_WIDTH, _POSE_WIDTH = 3 * NUM_BODY_ROTATIONS, 3 * NUM_JOINTS
_BODY_BY_WIDTH = {66: "smpl", 69: "smpl", 72: "smpl", 156: "smplh", 165: "smplx"}
_MATRICES_WIDTH = 9 * NUM_JOINTS
_MAX_ANGLE = 1e3
_ORTHOGONAL = 0.05
_SAME_SHAPE = 1e-3
_NO_PLACE = "the file has no place in the room, so the figure stays where it is"


@dataclass
class SolvedClip:
    """One person's parameters, as they are in a file.

    Attributes:
        poses: (F, 72) axis-angle.
        trans: (F, 3) metres.
        betas: (10,) shape.
        tool: what solved it.
        frames: (F,) frame numbers, or None.
        up: the up axis if it is known.
        fps: frame rate if the file has it.
        body: the body that the betas belong to.
        gender: "neutral", "female" or "male".
        to_world: camera to world of each frame.
        notes: what was found.
        doubts: what is uncertain.
        hands: (F, 2, 15, 3) axis-angle of the fingers, left hand first; None if the file does not show them.
        start_s: time of the first frame in the recording, seconds; 0 if the file does not state it.
    """

    poses: np.ndarray
    trans: np.ndarray
    betas: np.ndarray
    tool: str
    frames: np.ndarray | None = None
    up: str | None = None
    fps: float | None = None
    body: str = "smpl"
    gender: str = "neutral"
    to_world: tuple[np.ndarray, np.ndarray] | None = None
    notes: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    hands: np.ndarray | None = None
    start_s: float = 0.0


def is_solved(keys: Iterable[str]) -> bool:
    """Return whether a file with these *keys* holds the parameters of one clip."""
    names = set(keys)
    has_poses = bool(names & set(POSE_KEYS)) or (bool(names & set(ROOT_KEYS)) and bool(names & set(BODY_KEYS)))
    return has_poses and bool(names & {*TRANS_KEYS, *SHAPE_KEYS})


def _first(data: Mapping[Any, Any], keys: Sequence[str]) -> Any:
    return next((data[key] for key in keys if data.get(key) is not None), None)


def read_clip(data: Mapping[Any, Any], tool: str, path: Path, *, body: str = "", up: str | None = None) -> SolvedClip:
    """Return the clip of the parameters *data* of one person.

    Raises:
        TrackFileError: they are damaged.
    """
    poses, width, fingers = _poses(data, path)
    notes, doubts = [], []
    fingers = fingers if fingers is not None else _fingers(data, len(poses), path)
    if fingers.shape[1] != FLAT_HANDS.size and fingers.any():
        notes.append("The hands of the file are not stored as rotations of their joints: they are shown relaxed.")
    trans = _first(data, TRANS_KEYS)
    if trans is None:
        trans = np.zeros((len(poses), 3))
        doubts.append(_NO_PLACE)
    trans = number_array(trans, "trans", path)
    if trans.size != 3 * len(poses):
        raise wrong(f"a translation of 3 numbers for each of {len(poses)} frames", trans.shape, path)
    betas, changes = _betas(data, path)
    if changes:
        notes.append("The shape changes from frame to frame in the file: its median is taken.")
    text = {key: _text(data.get(key)) for key in ("gender", "body", "surface_model_type", "up_axis")}
    if not body:
        has_face = any(key in data for key in ("jaw_pose", "pose_jaw"))
        guess = "smplx" if has_face else _BODY_BY_WIDTH.get(width, "smplh")
        body = text["body"] or text["surface_model_type"] or guess
    stated = text["up_axis"].upper()
    return SolvedClip(
        poses,
        trans.reshape(-1, 3),
        betas,
        tool,
        frames=_frames(data, len(poses), path),
        up=up or (f"+{stated}" if stated in ("Y", "Z") else None),
        fps=_rate(data, path),
        body=body[:60],
        gender={"f": "female", "m": "male"}.get(text["gender"].lower()[:1], "neutral"),
        notes=notes,
        doubts=doubts,
        hands=_hands(fingers),
        start_s=stated_start(data.get(START_KEY)),
    )


def _fingers(data: Mapping[Any, Any], num_frames: int, path: Path) -> np.ndarray:
    """Return the values of the hand keys in each frame (F, N), N = 90 for rotations, N = 0 for nothing."""
    keys = next((keys for keys in HAND_KEYS if all(data.get(key) is not None for key in keys)), ())
    if not keys:
        return np.zeros((num_frames, 0))
    stored = [data[key] for key in keys]
    parts = [_axis_angles(number_array(part, "the hands", path), path) for part in stored]
    if any(len(part) != num_frames for part in parts):
        raise wrong(f"hands in each of {num_frames} frames", [len(part) for part in parts], path)
    return np.concatenate(parts, axis=1)


def _hands(fingers: np.ndarray) -> np.ndarray | None:
    """Return the fingers (F, 2, 15, 3) of both hands, of rotations (F, 90); None if they are flat throughout."""
    fingers = np.where(np.abs(fingers) < _MAX_ANGLE, fingers, 0.0)
    shows = fingers.shape[1] == FLAT_HANDS.size and fingers.any()
    return fingers.reshape(-1, *FLAT_HANDS.shape) if shows else None


def _poses(data: Mapping[Any, Any], path: Path) -> tuple[np.ndarray, int, np.ndarray | None]:
    """Return the poses (F, 72), the width that they have in the file, and the fingers (F, 90) among them."""
    whole = _first(data, POSE_KEYS)
    if whole is not None:
        stored = _axis_angles(number_array(whole, "poses", path), path)
    else:
        parts = [_axis_angles(number_array(_first(data, keys), keys[0], path), path) for keys in (ROOT_KEYS, BODY_KEYS)]
        if len(parts[0]) != len(parts[1]) or parts[0].shape[1] != 3:
            raise wrong("a root and a pose in each frame", (parts[0].shape, parts[1].shape), path)
        stored = np.concatenate(parts, axis=1)
    width = stored.shape[1]
    if width not in (*_BODY_BY_WIDTH, _BODY_WIDTH) or not len(stored):
        raise wrong(f"poses of {', '.join(map(str, _BODY_BY_WIDTH))} numbers a frame", stored.shape, path)
    check_counts(len(stored), NUM_JOINTS, path)
    kept = _POSE_WIDTH if width == _POSE_WIDTH else _BODY_WIDTH
    poses = np.zeros((len(stored), _POSE_WIDTH))
    poses[:, :kept] = stored[:, :kept]
    poses = np.where((np.abs(poses) < _MAX_ANGLE).all(axis=1, keepdims=True), poses, np.nan)
    return poses, width, stored[:, -FLAT_HANDS.size :] if width > _POSE_WIDTH else None


def _axis_angles(array: np.ndarray, path: Path) -> np.ndarray:
    """Return axis angles (F, 3 J) of (F, 3 J), (F, J, 3) or matrices: (F, J, 3, 3), (F, 3, 3), (F, J, 9), (F, 216)."""
    if array.ndim in (2, 3) and (array.shape[-1] == 9 or array.shape[1:] == (_MATRICES_WIDTH,)):
        array = array.reshape(len(array), -1, 3, 3)
    if array.ndim == 3 and array.shape[1:] == (3, 3):
        array = array[:, None]
    if array.ndim == 4 and array.shape[2:] == (3, 3):
        finite = np.isfinite(array).all(axis=(1, 2, 3))
        matrices = array[finite]
        with np.errstate(over="ignore", invalid="ignore"):
            off = np.abs(matrices @ np.swapaxes(matrices, -1, -2) - np.eye(3)).max(initial=0.0)
        if not off < _ORTHOGONAL:
            raise wrong("rotation matrices", f"matrices that are none (off by {off:.2g})", path)
        angles = np.full(array.shape[:3], np.nan)
        angles[finite] = matrix_to_axis_angle(matrices)
        array = angles
    if array.ndim < 2:
        raise wrong("an axis of frames", array.shape, path)
    return array.reshape(len(array), int(np.prod(array.shape[1:])))


def _betas(data: Mapping[Any, Any], path: Path) -> tuple[np.ndarray, bool]:
    """Return the shape (10,), the median of those of the frames, and whether it changes in the file."""
    betas, stored = np.zeros(NUM_BETAS), _first(data, SHAPE_KEYS)
    if stored is None:
        return betas, False
    rows = number_array(stored, "betas", path)
    if not rows.size:
        return betas, False
    rows = rows.reshape(-1, rows.shape[-1]) if rows.ndim else rows.reshape(1, 1)
    rows = rows[np.isfinite(rows).all(axis=1), :NUM_BETAS]
    if not rows.size:
        return betas, False
    betas[: rows.shape[1]] = np.median(rows, axis=0)
    return betas, bool(np.ptp(rows, axis=0).max() > _SAME_SHAPE)


def _frames(data: Mapping[Any, Any], num_frames: int, path: Path) -> np.ndarray | None:
    stored = _first(data, FRAME_KEYS)
    if not isinstance(stored, (np.ndarray, list, tuple)) or len(np.shape(stored)) != 1 or len(stored) != num_frames:
        return None
    return number_array(stored, "frames", path)


def _rate(data: Mapping[Any, Any], path: Path) -> float | None:
    stored = _first(data, RATE_KEYS)
    if stored is None:
        return None
    rate = number_array(stored, "the frame rate", path).reshape(-1)
    if len(rate) != 1 or not 0.0 < rate[0] <= 1e4:
        raise wrong("one frame rate above 0", rate[:4].tolist(), path)
    return float(rate[0])


def _text(value: Any) -> str:
    """Return a text of the file, in an array or alone; "" if there is none."""
    if isinstance(value, np.ndarray):
        value = value.reshape(-1)[0] if value.size == 1 else ""
    return value.decode("latin1") if isinstance(value, bytes) else str(value) if isinstance(value, str) else ""


def wrong(expected: str, found: object, path: Path) -> TrackFileError:
    """Return the error for a solved motion that holds what was *found* instead of what was *expected*."""
    return TrackFileError(f"expected {expected} in a solved motion, found {found} in {path}; save it as its tool does")
