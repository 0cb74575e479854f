"""Results of ROMP and BEV: for each frame the SMPL parameters of all people, in the axes of the camera. N people.

Keys as in simple_romp's code (`smpl_thetas` (N, 72), `smpl_betas`, `cam_trans`, `track_ids`); no file was tried.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .solved_clip import SolvedClip, read_clip, wrong
from .solved_people import clips_of_rows, joint_rows

TOOL = "ROMP"
_POSES, _PARTS = "smpl_thetas", {"smpl_thetas": "poses", "smpl_betas": "betas", "cam_trans": "trans"}
_IDS = "track_ids"


def is_romp(data: Mapping[Any, Any]) -> bool:
    """Return whether *data* is what ROMP says of one frame."""
    return _POSES in data and any(key in data for key in ("cam_trans", "smpl_betas"))


def read_romp(frames: list[Mapping[Any, Any]], path: Path) -> dict[str, SolvedClip]:
    """Return the clip of each person; people without a number are those in the same place of each list.

    Raises:
        TrackFileError: the parameters of a frame differ in number.
    """

    def rows() -> Iterator[tuple[str, float, Mapping[str, np.ndarray]]]:
        for number, frame in enumerate(frames):
            if not is_romp(frame):
                continue
            parts = {
                ours: joint_rows(frame[theirs], theirs, path) for theirs, ours in _PARTS.items() if theirs in frame
            }
            count = len(parts["poses"])
            ids = joint_rows(frame[_IDS], _IDS, path).reshape(-1) if _IDS in frame else np.arange(count)
            if len(ids) != count or any(len(part) != count for part in parts.values()):
                raise wrong(f"parameters of {count} people", f"others in frame {number}", path)
            for index in range(count):
                yield f"{ids[index]:g}", float(number), {key: part[index] for key, part in parts.items()}

    return clips_of_rows(rows(), path, lambda data: read_clip(data, TOOL, path))
