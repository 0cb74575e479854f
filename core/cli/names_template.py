"""Write the name map of a keypoint file, to be edited by hand and given with ``--names``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np

from ..errors import OutputError, TrackError
from ..formats.raw import RawRecording
from ..io.atomic_files import atomic_path
from ..printable import say
from ..reading import ReadOptions, read_people, recognise

TO_STANDARD_OUTPUT = "-"


def write_names_template(path: Path, options: ReadOptions, output: str) -> int:
    """Write what the points of the keypoint file *path* are recognised as, whether or not the file can be read.

    Args:
        path: the file or folder; of several people, the first one's points are written.
        options: the user's settings for reading it.
        output: the JSON file, which must not exist with other content; `TO_STANDARD_OUTPUT` prints it.

    Returns:
        The exit code, 0.

    Raises:
        CoreError: *path* has no points that could be named, or *output* exists with other content.
    """
    people = read_people(path, options)
    recording = people[0]
    if recording.solved is not None:
        raise TrackError(
            f"expected points without known names, found a motion that {recording.solved.tool} solved in {path}; "
            "its joints are known, so read it as it is"
        )
    recognition = recognise(recording, options)
    frame = int(np.argmax((recording.confidence > 0.0).sum(axis=1)))
    text = recognition.names.to_json(_about(recording, frame, len(people)), _places(recording, frame))
    if output == TO_STANDARD_OUTPUT:
        sys.stdout.write(text)
    else:
        _write_new(Path(output), text)
    points = recognition.names.points
    count = sum(point.body_point is not None for point in points)
    layout = f" as {recognition.names.layout}" if recognition.names.layout else ""
    lacking = f"; a fit also needs {'; '.join(recognition.lacking)}" if recognition.lacking else ""
    where = "" if output == TO_STANDARD_OUTPUT else f"{output}: "
    say(f"{where}{count} of {len(points)} points are recognised{layout}{lacking}", file=sys.stderr)
    return 0


def _about(recording: RawRecording, frame: int, num_people: int) -> str:
    person = f", the first of {num_people} people (--person chooses another)" if num_people > 1 else ""
    return (
        f"Points of {recording.source.name}{person}. Each body_point is one of the joints and markers listed at the "
        "end, or null to leave the point out; index counts from 0; place is where the point is in row "
        f"{frame} of the file, counted from 0, in its own unit and axes. Give this file with --names."
    )


def _places(recording: RawRecording, frame: int) -> dict[int, list[float]]:
    """Return the position of each point that is seen in *frame*, by index."""
    places = recording.positions[frame]
    return {index: place.tolist() for index, place in enumerate(places) if np.isfinite(place).all()}


def _write_new(path: Path, text: str) -> None:
    """Write *text* to *path*, which must not exist, or be what a killed run of the same command has written."""
    data = text.encode()
    is_same = path.is_file() and path.stat().st_size == len(data) and path.read_bytes() == data
    if os.path.lexists(path) and not is_same:
        raise OutputError(f"expected the name of a new file for the points' names, found {path}; give another name")
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)
