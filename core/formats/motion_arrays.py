"""Data sets that store a motion as rows of numbers: Motion-X (322), InterHuman (492), FineDance (315, 319, 135).

F frames, J joints.

Widths and order as in the data sets' readme and loader: Motion-X has the root (3), body (63), hands (90), jaw (3),
face (50 and 100), translation (3) and betas (10) of SMPL-X; InterHuman 62 joints, of which SMPL's 22 are the first, Z
up, then rotations; FineDance the translation (3) and the first two rows of each joint's matrix, after four contacts in
rows of 319 (pre_motion.py, render.py). No file of theirs was tried.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import TrackFileError
from ..math.rotations import matrix_to_axis_angle, rot6d_to_matrix
from .point_arrays import as_numbers
from .raw import RawRecording, check_counts
from .solved_files import recordings_of_clip

NUM_MOTION_X, NUM_INTERHUMAN = 322, 492
FINEDANCE_CONTACTS = {315: 0, 319: 4, 135: 0}
"""Numbers before the translation by the width of FineDance's rows: with fingers, with contacts, without fingers."""
_FPS = 30.0
_MAX_OFF_UNIT = 0.3
"""Median deviation of the rows of matrices from unit length up to which numbers are taken for rotations."""
_POSES, _TRANS, _BETAS = slice(0, 156), slice(309, 312), slice(312, 322)
_NUM_JOINTS = 22


def read_motion_x(rows: np.ndarray, path: Path) -> list[RawRecording]:
    """Return the motion of rows (F, 322).

    Raises:
        TrackFileError: they hold no numbers, or none that are finite.
    """
    check_counts(len(rows), _NUM_JOINTS, path)
    rows = as_numbers(rows, path)
    data = {"poses": rows[:, _POSES], "trans": rows[:, _TRANS], "betas": rows[:, _BETAS], "fps": _FPS}
    notes = ("Motion-X has 30 frames a second.",)
    return recordings_of_clip(data, "Motion-X", path, body="smplx", notes=notes)


def read_interhuman(rows: np.ndarray, path: Path) -> list[RawRecording]:
    """Return the joints of rows (F, 492).

    Raises:
        TrackFileError: they hold no numbers.
    """
    check_counts(len(rows), _NUM_JOINTS, path)
    joints = as_numbers(rows[:, : 3 * _NUM_JOINTS], path).reshape(-1, _NUM_JOINTS, 3)
    notes = ("492 numbers a frame: InterHuman, of whose 62 joints SMPL's 22 are read.",)
    return [
        RawRecording(joints, np.ones(joints.shape[:2]), "InterHuman NPY", path, units="m", layout="smpl22", notes=notes)
    ]


def read_finedance(rows: np.ndarray, path: Path) -> list[RawRecording]:
    """Return the motion of rows (F, 315, 319 or 135).

    Raises:
        TrackFileError: they hold no numbers, or no rotations.
    """
    check_counts(len(rows), _NUM_JOINTS, path)
    values = as_numbers(rows, path)[:, FINEDANCE_CONTACTS[rows.shape[1]] :]
    axes = values[:, 3:].reshape(len(values), -1, 2, 3)
    off = np.abs(np.linalg.norm(axes, axis=-1) - 1.0)
    if not np.median(off[np.isfinite(off)] if np.isfinite(off).any() else 1.0) < _MAX_OFF_UNIT:
        raise TrackFileError(
            f"expected a translation and rotations of FineDance in rows of {rows.shape[1]} numbers, found others in "
            f"{path}; undo a normalisation, or save points as an array (frames, points, 3)"
        )
    matrices = np.swapaxes(rot6d_to_matrix(np.swapaxes(axes, -1, -2).reshape(*axes.shape[:2], 6)), -1, -2)
    poses = np.asarray(matrix_to_axis_angle(matrices)).reshape(len(values), -1)
    notes = ("FineDance has 30 frames a second.",)
    data = {"poses": poses, "trans": values[:, :3], "fps": _FPS}
    return recordings_of_clip(data, "FineDance", path, body="smplx", notes=notes)
