"""EasyMocap's SMPL parameters: `Rh` and `Th` turn and shift a body whose own root stays at rest. F frames.

The body turns about the origin, not about its pelvis as in SMPL: ``R(Rh) @ model(poses, shapes) + Th``. Keys and widths
are those of EasyMocap's writer (write_smpl); ZJU-MoCap stores its parameters so too. No file of theirs was tried.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..math.rotations import axis_angle_to_matrix
from .people_clip import label_of
from .solved_clip import SolvedClip, read_clip, wrong
from .solved_people import clips_of_rows, joint_rows

TOOL = "EasyMocap"
KEYS = ("Rh", "Th", "poses")
_WIDTHS = {69: "smpl", 72: "smpl", 78: "smplh", 87: "smplx"}
"""Width of `poses`: SMPL's without the root or with it; SMPL-H's and SMPL-X's with 12 components of the hands."""
_NUM_OTHERS = 66


def is_easymocap(person: Any) -> bool:
    """Return whether *person* holds EasyMocap's parameters, of one frame or of all."""
    return isinstance(person, Mapping) and all(key in person for key in KEYS)


def read_easymocap(data: Mapping[Any, Any], path: Path) -> SolvedClip:
    """Return the clip of parameters whose arrays have a row for each frame.

    Raises:
        TrackFileError: they are damaged.
    """
    poses, turns, shifts = (joint_rows(data[key], key, path) for key in ("poses", "Rh", "Th"))
    count, width = poses.shape
    if width not in _WIDTHS or turns.shape != (count, 3) or shifts.shape != (count, 3):
        expected = f"EasyMocap's poses of {', '.join(map(str, _WIDTHS))} numbers, Rh and Th of 3, in each frame"
        raise wrong(expected, (poses.shape, turns.shape, shifts.shape), path)
    body = np.zeros((count, 72))
    if width in (69, 72):
        body[:, 72 - width :] = poses
    else:
        body[:, :_NUM_OTHERS] = poses[:, :_NUM_OTHERS]
    rest = {key: data[key] for key in ("frame", "fps", "gender") if key in data}
    shapes = {"betas": joint_rows(data["shapes"], "shapes", path)} if "shapes" in data else {}
    clip = read_clip({**rest, **shapes, "poses": body, "trans": np.zeros((count, 3))}, TOOL, path, body=_WIDTHS[width])
    if width > 72:
        clip.notes.append("The hands of the file are not stored as rotations of their joints: they are shown relaxed.")
    clip.to_world = axis_angle_to_matrix(turns), shifts
    return clip


def read_easymocap_frames(frames: Iterable[tuple[float, list[Any]]], path: Path) -> dict[str, SolvedClip]:
    """Return the clip of each person of frames: a number, and the people as EasyMocap lists them.

    Raises:
        TrackFileError: a person lacks parameters, or they are damaged.
    """

    def rows() -> Iterator[tuple[str, float, Mapping[str, np.ndarray]]]:
        for number, people in frames:
            for index, person in enumerate(people):
                if not is_easymocap(person):
                    raise wrong(f"{', '.join(KEYS)} of each person", f"others in frame {number:g}", path)
                keys = (*KEYS, *(("shapes",) if "shapes" in person else ()))
                values = {key: joint_rows(person[key], key, path)[0] for key in keys}
                yield label_of(person, ("id", "personID"), index), number, values

    return clips_of_rows(rows(), path, lambda data: read_easymocap(data, path))
