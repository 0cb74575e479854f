"""From a keypoint file to tracks: what the file says, what the data show, what the user gives; doubt is an error."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..errors import AmbiguousTrackError, TrackError
from ..formats.dispatch import read_recordings
from ..formats.raw import RawRecording
from ..track import KeypointTrack
from .findings import Finding, Reading
from .interpret import interpret
from .options import ReadOptions, add_reading_arguments, reading_options


def _chosen(recordings: list[RawRecording], person: str | None, path: Path) -> list[RawRecording]:
    """Return the recordings of the person asked for, by label or by number from 1; all when none is asked for."""
    if person is None:
        return recordings
    wanted = person.strip().lower()
    found = [recording for recording in recordings if recording.person.lower() == wanted]
    if not found and wanted.isdecimal() and 1 <= int(wanted) <= len(recordings):
        found = [recordings[int(wanted) - 1]]
    if found:
        return found
    labels = ", ".join(
        f"{number} ({recording.person or 'without a name'})" for number, recording in enumerate(recordings, 1)
    )
    raise TrackError(f"expected a person {person!r} in {path}, found {labels}; give one of these to --person")


def read_all(path: Path, options: ReadOptions | None = None) -> list[Reading]:
    """Read a keypoint file or folder and interpret it, one reading a person.

    Of several people those that cannot be told for people (a tracked box has markers too) are left out, with a note in
    the other tracks; when it is all of them, or the one asked for, the error is raised.

    Raises:
        InputMissingError: there is no such file or folder.
        TrackFileError: it is of no kind that can be read, damaged, or too large.
        TrackError: the data cannot be human motion; `AmbiguousTrackError` when an option would settle a doubt.
    """
    options = options or ReadOptions()
    recordings = _chosen(read_recordings(Path(path)), options.person, Path(path))
    readings: list[Reading] = []
    refused: list[tuple[str, AmbiguousTrackError]] = []
    for recording in recordings:
        try:
            readings.append(interpret(recording, options))
        except AmbiguousTrackError as error:
            if len(recordings) == 1 or "--layout" not in str(error):
                raise
            refused.append((recording.person or "without a name", error))
    if refused and not readings:
        raise refused[0][1]
    notes = tuple(f"Left out {name}: {error}." for name, error in refused)
    return [_with_notes(reading, notes) for reading in readings] if notes else readings


def _with_notes(reading: Reading, notes: tuple[str, ...]) -> Reading:
    track = replace(reading.track, notes=(*reading.track.notes, *notes))
    return replace(reading, track=track, remarks=(*reading.remarks, *notes))


def read_tracks(path: Path, options: ReadOptions | None = None) -> list[KeypointTrack]:
    """Read a keypoint file or folder as tracks in metres, right-handed, Y up, one a person.

    What was found out about each is in its notes. Raises as `read_all` does.
    """
    return [reading.track for reading in read_all(path, options)]


__all__ = [
    "Finding",
    "ReadOptions",
    "Reading",
    "add_reading_arguments",
    "interpret",
    "read_all",
    "read_tracks",
    "reading_options",
]
