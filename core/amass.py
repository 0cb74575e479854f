"""Read and write motions in the AMASS layout, an .npz file. F frames.

Convention: a `Motion` is Y up. AMASS files are Z up; our files state it under ``up_axis``. Rotating a body in SMPL
format about the world origin changes its global_orient, which acts about the rest pelvis j of the shaped body, so the
translation changes too: with ``v = R (v0 - j) + j + t``, the rotation C gives ``R' = C R`` and ``t' = C (j + t) - j``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from .body.data import NUM_BETAS
from .errors import AmbiguousTrackError, MotionError
from .fingers import FLAT_HANDS, hands_of, with_hands
from .io.npz import npz_headers, read_npz
from .io.own_files import write_own_npz
from .math.rotations import axis_angle_to_matrix, matrix_to_axis_angle
from .motion import Motion
from .smpl_skeleton import JOINT_NAMES, NUM_BODY_ROTATIONS, NUM_JOINTS

UP_AXES = ("Y", "Z")
Y_TO_Z_UP = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
"""The rotation from a Y-up to a Z-up world: front (+Z) becomes -Y."""

_AMASS_WIDTH = 156
_BODY_WIDTH = 3 * NUM_BODY_ROTATIONS
_HANDS_WIDTH = _AMASS_WIDTH - _BODY_WIDTH
_BODY_BY_WIDTH = {_BODY_WIDTH: "smpl", 3 * NUM_JOINTS: "smpl", _AMASS_WIDTH: "smplh", 165: "smplx"}
_RATE_KEYS = ("mocap_framerate", "mocap_frame_rate", "fps")
_REQUIRED = ("poses", "trans", "betas")
_OWN_KEYS = (*_REQUIRED, "gender", "mocap_framerate", "up_axis", "body")
_START_KEY = "start_s"
_STAGE_TWO_KEYS = ("root_orient", "pose_body", "pose_hand", "pose_jaw", "pose_eye", "mocap_frame_rate",
                   "surface_model_type")  # fmt: skip
LAYOUTS: dict[str, tuple[tuple[str, int], ...]] = {
    "smplh": (("root_orient", 3), ("pose_body", 63), ("pose_hand", 90)),
    "smplx": (("root_orient", 3), ("pose_body", 63), ("pose_jaw", 3), ("pose_eye", 6), ("pose_hand", 90)),
}
"""The parts of a pose in each layout, in order, with their widths: those of AMASS' files of SMPL-H and of SMPL-X."""
_CLEAR_UP = 0.7
_CLEAR_MARGIN = 0.3
_CLIMB_M = 1.0


def turned(motion: Motion, turn: np.ndarray, rest_pelvis: np.ndarray) -> Motion:
    """Return *motion* rotated as a whole about the world origin.

    Args:
        motion: any motion.
        turn: (3, 3) rotation matrix.
        rest_pelvis: (3,) rest pelvis joint of the body with the motion's betas, metres.
    """
    roots = turn @ axis_angle_to_matrix(motion.poses[:, :3].astype(np.float64))
    poses = motion.poses.astype(np.float64)
    poses[:, :3] = matrix_to_axis_angle(roots)
    trans = (rest_pelvis + motion.trans) @ turn.T - rest_pelvis
    return replace(motion, poses=poses, trans=trans)


def write_motion(
    path: Path | str,
    motion: Motion,
    *,
    up_axis: str = "Z",
    rest_pelvis: np.ndarray | None = None,
    extra: Mapping[str, np.ndarray] | None = None,
    layout: str = "smplh",
    start_s: float = 0.0,
) -> None:
    """Write *motion* in the AMASS layout; the file appears whole or not at all, and `core.io.own_files` recognises it.

    Keys: ``poses`` (F, 156 or 165) with root and body first and fingers last, ``trans`` (F, 3), ``betas``, ``gender``,
    ``mocap_framerate``, and our own ``up_axis`` and ``body`` (the body that the betas belong to). Beside them those of
    AMASS' later files (stage II), which loaders of SMPL-X motions ask for: ``root_orient`` (F, 3), ``pose_body``
    (F, 63), ``pose_hand`` (F, 90), ``mocap_frame_rate``, ``surface_model_type``; with SMPL-X ``pose_jaw`` (F, 3) and
    ``pose_eye`` (F, 6).

    Args:
        path: the .npz file.
        motion: the motion; its joints are found by SMPL-H's names. Fingers that it does not have are written as zeros,
            as are jaw and eyes; rotations of SMPL's hand joints are not written.
        up_axis: "Z" as in AMASS, or "Y" as in a `Motion`.
        rest_pelvis: (3,) rest pelvis joint of the body with the motion's betas, metres; required for "Z".
        extra: additional arrays, such as ``keypoint_error_mm`` (F,).
        layout: "smplh" or "smplx", see `LAYOUTS`.
        start_s: time of the first frame in the recording, seconds; written as ``start_s`` unless it is 0.

    Raises:
        ValueError: *up_axis* or *layout* is invalid, *rest_pelvis* is missing, or *extra* has a key of the layout or
            objects.
        SkeletonError: the motion's skeleton has not all of SMPL's body joints.
    """
    extra = {name: np.asarray(value) for name, value in (extra or {}).items()}
    _check_extra(extra)
    _check_up_axis(up_axis)
    if layout not in LAYOUTS:
        raise ValueError(f"expected layout {' or '.join(LAYOUTS)}, got {layout!r}")
    if up_axis == "Z":
        if rest_pelvis is None:
            raise ValueError("expected rest_pelvis (3,) to write a motion Z up, got None")
        motion = turned(motion, Y_TO_Z_UP, np.asarray(rest_pelvis, dtype=np.float64))
    arrays = {
        **_pose_arrays(motion, layout),
        "trans": motion.trans.astype(np.float64),
        "betas": motion.betas.astype(np.float64),
        "gender": np.array(motion.gender),
        "mocap_framerate": np.array(float(motion.fps)),
        "up_axis": np.array(up_axis),
        "body": np.array(motion.body),
        "mocap_frame_rate": np.array(float(motion.fps)),
        "surface_model_type": np.array(layout),
        **({_START_KEY: np.array(float(start_s))} if start_s else {}),
    }
    write_own_npz(path, {**arrays, **extra})


def _check_extra(extra: Mapping[str, np.ndarray]) -> None:
    """Raise for additional arrays that have a key of the layout, or objects."""
    reserved = [
        name
        for name, value in extra.items()
        if name in (*_OWN_KEYS, *_STAGE_TWO_KEYS, _START_KEY) or value.dtype.hasobject
    ]
    if reserved:
        raise ValueError(f"expected extra arrays of plain values with unused names, got {', '.join(reserved)}")


def _pose_arrays(motion: Motion, layout: str) -> dict[str, np.ndarray]:
    """Return ``poses``, and the parts of which it consists by their keys in *layout*."""
    widths = dict(LAYOUTS[layout])
    poses = np.zeros((motion.num_frames, sum(widths.values())))
    joints = [motion.skeleton.index(name) for name in JOINT_NAMES[:NUM_BODY_ROTATIONS]]
    poses[:, :_BODY_WIDTH] = motion.poses.reshape(len(poses), -1, 3)[:, joints].reshape(len(poses), -1)
    hands = hands_of(motion)
    if hands is not None:
        poses[:, -_HANDS_WIDTH:] = hands.reshape(len(poses), -1)
    parts = np.split(poses, np.cumsum(list(widths.values()))[:-1], axis=1)
    return {"poses": poses, **dict(zip(widths, parts, strict=True))}


def is_amass(path: Path | str) -> bool:
    """Return whether `read_motion` is for the .npz file at *path*: it has poses, or no motion of another kind.

    Raises:
        InputMissingError: there is no such file.
        MotionError: the archive is damaged.
    """
    headers = npz_headers(path, error=MotionError)
    return "poses" in headers or not ({"root_orient", "global_orient"} & headers.keys())


def read_motion(
    path: Path | str,
    *,
    up_axis: str | None = None,
    rest_pelvis: np.ndarray | Callable[[np.ndarray], np.ndarray] | None = None,
    fps: float | None = None,
    fingers: bool = False,
) -> Motion:
    """Return the motion in an AMASS-like .npz file.

    The first 66 values of a pose are used (all 72 of poses of that width) and the first 10 betas; missing betas are
    zero. A file without our ``body`` key is taken for SMPL, SMPL-H or SMPL-X by the width of its poses.

    Args:
        path: the file. ``poses`` may be (F, 66), (F, 72), (F, 156) or (F, 165).
        up_axis: "Y" or "Z"; by default the one that the file states, or the direction of the pelvis, if it is clear.
        rest_pelvis: (3,) rest pelvis joint of the body with the file's betas, metres, or a function that returns it for
            betas (10,); required if the file is Z up.
        fps: frames per second; by default the file's.
        fingers: whether the motion has SMPL-H's joints if its file shows the fingers, which are not zero throughout
            then; otherwise it has SMPL's.

    Raises:
        InputMissingError: there is no such file.
        MotionError: the file is damaged or not such a motion, or *rest_pelvis* is required.
        AmbiguousTrackError: the up axis could not be detected.
    """
    if up_axis is not None:
        _check_up_axis(up_axis)
    headers = npz_headers(path, error=MotionError)
    missing = [key for key in _REQUIRED if key not in headers]
    if fps is None and not any(key in headers for key in _RATE_KEYS):
        missing.append(f"{_RATE_KEYS[0]} (or the option --fps)")
    if missing:
        raise MotionError(
            f"expected a motion in AMASS layout, found no {', '.join(missing)} in {path}; it holds "
            f"{', '.join(sorted(headers)[:12]) or 'nothing'}; export the motion again with the missing keys"
        )
    arrays = read_npz(path, (*_OWN_KEYS, *_RATE_KEYS), error=MotionError)
    motion = _to_motion(arrays, fps, path, fingers)
    up_axis = up_axis or _stated_up_axis(arrays, path) or _detected_up_axis(motion, path)
    if up_axis == "Y":
        return motion
    if rest_pelvis is None:
        raise MotionError(f"expected the body's rest pelvis to rotate the Z-up motion in {path} to Y up, got none")
    pelvis = rest_pelvis(motion.betas) if callable(rest_pelvis) else rest_pelvis
    return turned(motion, Y_TO_Z_UP.T, np.asarray(pelvis, dtype=np.float64))


def _check_up_axis(up_axis: str) -> None:
    if up_axis not in UP_AXES:
        raise ValueError(f"expected up axis {' or '.join(UP_AXES)}, got {up_axis!r}")


def _to_motion(arrays: Mapping[str, np.ndarray], fps: float | None, path: Path | str, fingers: bool) -> Motion:
    """Return the motion of a file's arrays, in the file's own axes."""
    for key in (*_REQUIRED, *_RATE_KEYS):
        if key in arrays and arrays[key].dtype.kind not in "iuf":
            raise MotionError(f"expected numbers, found {arrays[key].dtype} in {key} in {path}; export it again")
    stored = arrays["poses"]
    if stored.ndim != 2 or stored.shape[1] not in _BODY_BY_WIDTH or not len(stored):
        widths = ", ".join(map(str, _BODY_BY_WIDTH))
        raise MotionError(f"expected poses (frames, one of {widths}), found {stored.shape} in {path}; export it again")
    width = 3 * NUM_JOINTS if stored.shape[1] == 3 * NUM_JOINTS else _BODY_WIDTH
    poses = np.zeros((len(stored), 3 * NUM_JOINTS))
    poses[:, :width] = stored[:, :width]
    gender = _text(arrays, "gender").lower()
    try:
        motion = Motion(
            poses=poses,
            betas=_to_betas(arrays["betas"], path),
            trans=arrays["trans"].astype(np.float64),
            fps=_to_fps(arrays, path) if fps is None else fps,
            gender=gender if gender in ("female", "male") else "neutral",
            body=_text(arrays, "body") or _BODY_BY_WIDTH[stored.shape[1]],
        )
        if not fingers or stored.shape[1] < _AMASS_WIDTH or not stored[:, -_HANDS_WIDTH:].any():
            return motion
        return with_hands(motion, stored[:, -_HANDS_WIDTH:].astype(np.float64).reshape(-1, *FLAT_HANDS.shape))
    except MotionError as error:
        raise MotionError(f"{error}; in {path}: export it again") from error


def _to_fps(arrays: Mapping[str, np.ndarray], path: Path | str) -> float:
    rate = next(arrays[key] for key in _RATE_KEYS if key in arrays)
    if rate.size != 1:
        raise MotionError(f"expected one frame rate, found {rate.shape} in {path}; give --fps")
    return float(rate.reshape(-1)[0])


def _to_betas(stored: np.ndarray, path: Path | str) -> np.ndarray:
    """Return the betas (10,) of a file that has one row of them, or the same row for each frame."""
    rows = stored.reshape(-1, stored.shape[-1]) if stored.ndim else stored.reshape(1, 1)
    if len(rows) and not np.array_equal(rows, np.broadcast_to(rows[0], rows.shape)):
        raise MotionError(
            f"expected one shape for the clip, found betas {stored.shape} that change in {path}; split it"
        )
    betas = np.zeros(NUM_BETAS)
    kept = rows[0, :NUM_BETAS] if len(rows) else betas
    betas[: len(kept)] = kept
    return betas


def _text(arrays: Mapping[str, np.ndarray], key: str) -> str:
    """Return a string of the file, or "" if there is none."""
    if key not in arrays or arrays[key].size != 1 or arrays[key].dtype.kind not in "SU":
        return ""
    value = arrays[key].reshape(-1)[0]
    return value.decode("latin1") if isinstance(value, bytes) else str(value)


def _stated_up_axis(arrays: Mapping[str, np.ndarray], path: Path | str) -> str | None:
    if "up_axis" not in arrays:
        return None
    stored = _text(arrays, "up_axis").upper()
    if stored not in UP_AXES:
        raise MotionError(f"expected up_axis Y or Z, found {stored!r} in {path}; give --up")
    return stored


def _detected_up_axis(motion: Motion, path: Path | str) -> str:
    """Return the axis along which the pelvis is upright for most of the clip; raise if this is not clear."""
    pelvis_up = axis_angle_to_matrix(motion.poses[:, :3])[..., 1]
    mean = pelvis_up.mean(axis=0)
    best, other = (1, 2) if mean[1] > mean[2] else (2, 1)
    if mean[best] < _CLEAR_UP or mean[best] - abs(mean[other]) < _CLEAR_MARGIN:
        raise AmbiguousTrackError(
            f"expected a person upright along +Y or +Z for most of the clip, found the pelvis pointing along "
            f"{np.round(mean, 2).tolist()} on average in {path}; say which axis is up with --up Y or --up Z",
            options=("up",),
        )
    travel = np.ptp(motion.trans, axis=0)
    if travel[best] > _CLIMB_M and travel[best] > 2.0 * travel[other]:
        raise AmbiguousTrackError(
            f"expected a person to move over the ground, found {travel[best]:.1f} m along {'XYZ'[best]}, the "
            f"pelvis' up axis, and {travel[other]:.1f} m along {'XYZ'[other]} in {path}; state the up axis with --up",
            options=("up",),
        )
    return "XYZ"[best]
