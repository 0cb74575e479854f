"""Data sets that store a motion as rows of numbers: Motion-X (322) and InterHuman (492). F frames.

Widths and order as in the data sets' readme and loader: Motion-X has the root (3), body (63), hands (90), jaw (3),
face (50 and 100), translation (3) and betas (10) of SMPL-X; InterHuman 62 joints, of which SMPL's 22 are the first, Z
up, then rotations. No file of theirs was tried.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .point_arrays import as_numbers
from .raw import RawRecording, check_counts
from .solved_files import recordings_of_clip

NUM_MOTION_X, NUM_INTERHUMAN = 322, 492
_FPS = 30.0
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
