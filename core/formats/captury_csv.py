"""CSV exports of Captury Live: positions and angles of joints by turns, with the cameras below the frames.

Above the rows stand when it was recorded, the number of frames, a name over each three columns ("LKneePositions",
"LKneeAngles"), the axes and the units. Y is up, the frame rate is not in the file. Compared with the header and the
rows of files that Captury Live wrote.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..errors import TrackFileError
from .raw import RawRecording, check_counts
from .textfile import TextTable, sniff_delimiter, split_cells
from .timeline import build_timeline

KIND = "Captury CSV"
_POSITION = re.compile(r"(.{1,60}?)Positions?")
_NAMES, _AXES, _UNITS = 2, 3, 4
"""Lines of the header, from 0."""
_BONES = {"Hip": "UpLeg", "Knee": "Leg", "Ankle": "Foot", "Toe": "ToeBase", "Clavicle": "Shoulder", "Shoulder": "Arm",
          "Elbow": "ForeArm", "Wrist": "Hand"}  # fmt: skip
_SIDES = {"L": "Left", "R": "Right"}
_MIDLINE = ("Neck", "Head")


def is_captury_csv(lines: Sequence[str]) -> bool:
    """Return whether the first lines are those of a Captury export."""
    head = [line.strip('" ').lower() for line in lines[: _AXES + 1]]
    return len(head) > _AXES and head[0].startswith("recorded at") and head[_AXES].startswith("frame")


def read_captury_csv(lines: list[str], path: Path) -> list[RawRecording]:
    """Read the positions of the joints as one recording.

    Raises:
        TrackFileError: the header or the rows are damaged.
    """
    delimiter = sniff_delimiter(lines[_AXES])
    names, axes, units = ([cell.strip() for cell in split_cells(line, delimiter, path)]
                          for line in (lines + [""])[_NAMES : _UNITS + 1])  # fmt: skip
    joints = {
        _bone(name): column
        for column, name in enumerate(names)
        if _POSITION.fullmatch(name) and [axis.lower() for axis in axes[column : column + 3]] == ["x", "y", "z"]
    }
    if not joints:
        raise TrackFileError(
            f"expected columns such as LKneePositions over X, Y and Z as Captury writes them, found none in {path}; "
            "export the take as CSV with positions"
        )
    check_counts(1, len(joints), path)
    end = next((index for index in range(_UNITS, len(lines)) if not lines[index].strip(f"{delimiter} ")), len(lines))
    table = TextTable(lines[:end], _UNITS + 1, delimiter, path)
    if end == len(lines):
        table.check_end(max(joints.values()) + 3)
    values = table.numbers([0, *(first + axis for first in joints.values() for axis in range(3))])
    if not len(values):
        raise TrackFileError(f"expected rows of frames below the header, found none in {path}; export it again")
    timeline = build_timeline(len(values), path, num_points=len(joints), frames=values[:, 0])
    positions = timeline.place(values[:, 1:].reshape(len(values), -1, 3))
    stated = {units[column].lower() for column in joints.values() if column < len(units)} - {""}
    return [
        RawRecording(
            positions,
            np.ones(positions.shape[:2]),
            KIND,
            path,
            names=tuple(joints),
            units=stated.pop() if len(stated) == 1 else None,
            up_axis="+Y",
            first_frame=timeline.first_frame,
            notes=timeline.notes,
        )
    ]


def _bone(name: str) -> str:
    """Return the usual name of the bone that begins at a joint ("LKneePositions"); of others, the name as it is.

    The joints of the spine are more, and in other places, than the bones that are called so elsewhere.
    """
    match = _POSITION.fullmatch(name)
    joint = match.group(1) if match else name
    if joint[:1] in _SIDES and joint[1:] in _BONES:
        return f"{_SIDES[joint[0]]}{_BONES[joint[1:]]}"
    return joint if joint in _MIDLINE else name
