"""Skeleton files of NTU RGB+D: 25 joints of Kinect v2 of up to two people a frame, metres, camera axes with Y up.

A file is a number of frames; each frame a number of bodies; each body a line that begins with its number, a number of
joints, and a line per joint that begins with x, y, z and ends with its tracking state (0 not seen, 1 inferred, 2 seen).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import TrackFileError
from .people_clip import PeopleClip
from .raw import MAX_FRAMES, MAX_PEOPLE, RawRecording
from .textfile import MAX_TEXT_BYTES, decode_text, read_bytes, split_lines

KIND = "NTU skeleton"
_NUM_JOINTS, _MIN_CELLS = 25, 4
_FPS = 30.0
_TRUST = {0: 0.0, 1: 0.3}
"""Confidence by tracking state; 1 for joints that were seen."""


def is_ntu_skeleton(head: str) -> bool:
    """Return whether text begins with a number of frames, a number of bodies and a line about a body."""
    lines = [line.split() for line in head.lstrip().splitlines()[:4]]
    if len(lines) < 4 or not lines[0]:
        return False
    counts = [line[0].isdecimal() and len(line) == 1 for line in lines[:2] if line]
    return all(counts) and len(counts) == 2 and (len(lines[2]) == 10 or lines[1] == ["0"])


def read_ntu_skeleton(path: Path) -> list[RawRecording]:
    """Read the people of an NTU file as one recording each.

    Raises:
        TrackFileError: the file is cut off or damaged.
    """
    lines = [line for line in split_lines(decode_text(read_bytes(path, MAX_TEXT_BYTES), path), path) if line.strip()]
    clip = PeopleClip(path, KIND)
    place = 0

    def count(limit: int) -> int:
        nonlocal place
        text = lines[place].strip() if place < len(lines) else "the end"
        if not text.isdecimal() or len(text) > 7 or int(text) > limit:
            raise TrackFileError(
                f"expected a number up to {limit}, found {text[:40]!r} in {path}; the file was cut off or changed, "
                "copy it again"
            )
        place += 1
        return int(text)

    num_frames = count(MAX_FRAMES)
    for row in range(num_frames):
        for _ in range(count(MAX_PEOPLE)):
            person = lines[place].split()[0] if place < len(lines) else ""
            place += 1
            joints = [line.split() for line in lines[place + 1 : place + 1 + count(_NUM_JOINTS)]]
            place += len(joints)
            clip.add(person, row, _joints(joints, path))
    notes = ("NTU RGB+D has 30 frames a second.",)
    return clip.recordings(num_frames, fps=_FPS, layout="kinect25", units="m", notes=notes)


def _joints(lines: list[list[str]], path: Path) -> np.ndarray:
    """Return the joints (25, 4) with their confidence."""
    try:
        if len(lines) != _NUM_JOINTS or any(len(cells) < _MIN_CELLS for cells in lines):
            raise ValueError(f"{len(lines)} joints")
        points = np.array([[float(cell) for cell in cells[:3]] for cells in lines])
        trust = [_TRUST.get(int(float(cells[-1])), 1.0) for cells in lines]
    except (ValueError, OverflowError) as error:
        raise TrackFileError(
            f"expected {_NUM_JOINTS} lines of x, y, z and more numbers, found {str(error)[:60]} in {path}; the file "
            "was cut off or changed, copy it again"
        ) from error
    return np.column_stack([points, trust])
