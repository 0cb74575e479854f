"""Read motions from the datasets' files, metres, Y up. F frames.

3DPW and RICH are pickles; they are read as data (`core.io.pickle.load`) without executing them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from core.amass import Y_TO_Z_UP, read_motion, turned
from core.body.data import NUM_BETAS
from core.errors import MotionError
from core.io.npz import npz_headers
from core.io.pickle.load import load_pickle
from core.io.pickle.standins import as_array
from core.math.rotations import axis_angle_to_matrix
from core.motion import Motion
from core.smpl_skeleton import NUM_BODY_ROTATIONS, NUM_JOINTS

from .sources import SourceFile

RestPelvis = Callable[[np.ndarray], np.ndarray]
"""Maps betas (10,) to the rest pelvis (3,), metres, of the body that motions are applied to."""

_BODY_WIDTH = 3 * NUM_BODY_ROTATIONS
_PICKLED_FPS = 30.0
"""3DPW and RICH have one pose per video frame."""


def read_source(source: SourceFile, dataset: str, up_axis: str, rest_pelvis: RestPelvis) -> list[Motion]:
    """Read the motions of one file: one per person and gap-free range of frames.

    Args:
        source: the file.
        dataset: a name in `training.config.DATASETS`.
        up_axis: "Y" or "Z"; if empty, as the file states, else the dataset's convention.
        rest_pelvis: gives the body's rest pelvis.

    Raises:
        CoreError: the file is damaged or contains no motion.
    """
    if dataset in ("amass", "folder"):
        return [_read_amass(source.path, dataset, up_axis, rest_pelvis)]
    motions = _read_3dpw(source.path) if dataset == "3dpw" else _read_rich(source)
    return [_upright(motion, up_axis, rest_pelvis) for motion in motions]


def _read_amass(path: Path, dataset: str, up_axis: str, rest_pelvis: RestPelvis) -> Motion:
    if not up_axis and dataset == "amass" and "up_axis" not in npz_headers(path, error=MotionError):
        up_axis = "Z"
    return read_motion(path, up_axis=up_axis or None, rest_pelvis=rest_pelvis)


def _upright(motion: Motion, up_axis: str, rest_pelvis: RestPelvis) -> Motion:
    """Return *motion* with Y up; if *up_axis* is empty, it is detected from the pelvis orientation."""
    if not up_axis:
        mean = axis_angle_to_matrix(motion.poses[:, :3])[..., 1].mean(axis=0)
        up_axis = "Z" if mean[2] > mean[1] else "Y"
    return motion if up_axis == "Y" else turned(motion, Y_TO_Z_UP.T, rest_pelvis(motion.betas))


def _numbers(holder: Any, key: str, width: int, path: Path) -> np.ndarray:
    """Return ``holder[key]`` as (rows, *width*) float64."""
    if not isinstance(holder, dict) or key not in holder:
        raise MotionError(f"expected {key!r} in {path}, found none; download the dataset again")
    try:
        found = as_array(holder[key])
        values = np.asarray(holder[key] if found is None else found, dtype=np.float64)
        return values.reshape(-1, values.shape[-1])[:, :width].reshape(-1, width)
    except (ValueError, TypeError, IndexError) as error:
        raise MotionError(
            f"expected numbers (rows, {width} or more) under {key!r} in {path}; {error}; download it again"
        ) from error


def _read_3dpw(path: Path) -> list[Motion]:
    contents = load_pickle(path, error=MotionError)
    people = contents.get("poses", ()) if isinstance(contents, dict) else ()
    if not len(people):
        raise MotionError(f"expected the poses of one person or more in {path}, found none; download 3DPW again")
    motions = []
    for person in range(len(people)):
        values = {
            key: contents[key][person] for key in ("poses", "trans", "betas") if person < len(contents.get(key, ()))
        }
        poses = _numbers(values, "poses", 3 * NUM_JOINTS, path)
        motions.append(
            _motion(poses, _numbers(values, "trans", 3, path), _numbers(values, "betas", NUM_BETAS, path), "smpl")
        )
    return motions


def _read_rich(source: SourceFile) -> list[Motion]:
    """Read one person's ranges of consecutive frames; each frame is a file of SMPL-X parameters."""
    person = Path(source.name).name
    rows: dict[int, tuple[np.ndarray, ...]] = {}
    for path in sorted(source.path.glob(f"*/{person}.pkl")):
        if not path.parent.name.isdigit():
            continue
        contents = load_pickle(path, error=MotionError)
        keys = (("global_orient", 3), ("body_pose", _BODY_WIDTH - 3), ("transl", 3), ("betas", NUM_BETAS))
        rows[int(path.parent.name)] = tuple(_numbers(contents, key, width, path)[0] for key, width in keys)
    ranges: list[list[int]] = []
    for frame in sorted(rows):
        if ranges and frame == ranges[-1][-1] + 1:
            ranges[-1].append(frame)
        else:
            ranges.append([frame])
    motions = []
    for frames in ranges:
        orient, body, trans, betas = (np.stack(part) for part in zip(*(rows[f] for f in frames), strict=True))
        motions.append(_motion(np.concatenate([orient, body], axis=1), trans, betas, "smplx"))
    return motions


def _motion(poses: np.ndarray, trans: np.ndarray, betas: np.ndarray, body: str) -> Motion:
    padded = np.zeros((len(poses), 3 * NUM_JOINTS))
    padded[:, :_BODY_WIDTH] = poses[:, :_BODY_WIDTH]
    return Motion(padded, betas.mean(axis=0), trans, _PICKLED_FPS, body=body)


def trimmed(motion: Motion, share: float) -> Motion | None:
    """Return *motion* without a *share* of its frames at each end, or None if fewer than two are left."""
    first, last = int(share * motion.num_frames), motion.num_frames - int(share * motion.num_frames)
    if last - first < 2:
        return None
    return replace(motion, poses=motion.poses[first:last], trans=motion.trans[first:last])
