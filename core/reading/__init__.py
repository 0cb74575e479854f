"""From a keypoint file to tracks: what the file says, what the data show, what the user gives; doubt is an error."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..errors import AmbiguousTrackError, TrackError, UnseenPersonError
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
    raise TrackError(
        f"expected a person {person!r} in {path}, found {labels}; give one of these to --person", options=("person",)
    )


def read_all(path: Path, options: ReadOptions | None = None) -> list[Reading]:
    """Read a keypoint file or folder and interpret it, one reading a person.

    Of several people those who are hardly seen, and what is no person (a tracked box has markers too), are left out,
    with a note in the other tracks; when it is all of them, or the one asked for, the error is raised.

    Raises:
        InputMissingError: there is no such file or folder.
        TrackFileError: it is of no kind that can be read, damaged, or too large.
        TrackError: the data cannot be human motion; `AmbiguousTrackError` when an option would settle a doubt.
    """
    options = options or ReadOptions()
    recordings = _chosen(read_recordings(Path(path)), options.person, Path(path))
    return [interpret(recordings[0], options)] if len(recordings) == 1 else _interpret_people(recordings, options)


def _interpret_people(recordings: list[RawRecording], options: ReadOptions) -> list[Reading]:
    """Return a reading for each person of a file who can be told for one; doubts of one are settled by another."""
    readings: dict[int, Reading] = {}
    doubtful: dict[int, AmbiguousTrackError] = {}
    refused: dict[int, TrackError] = {}
    for number, recording in enumerate(recordings):
        try:
            readings[number] = interpret(recording, options)
        except UnseenPersonError as error:
            refused[number] = error
        except AmbiguousTrackError as error:
            (refused if "layout" in error.options else doubtful)[number] = error
        except TrackError as error:
            raise _of_person(error, recording) from error
    known = next(iter(readings.values()), None)
    for number, doubt in doubtful.items():
        if known is None:
            raise _of_person(doubt, recordings[number]) from doubt
        settled = _settled_by(known, recordings[number], options)
        if options.handedness is None and settled.finding("handedness").doubts:
            raise _of_person(doubt, recordings[number]) from doubt
        readings[number] = settled
    if not readings:
        raise next(iter(refused.values()))
    notes = tuple(f"Left out {_label(recordings[number])}: {error}." for number, error in refused.items())
    return [_with_people_left_out(readings[number], notes) for number in sorted(readings)]


def _settled_by(known: Reading, recording: RawRecording, options: ReadOptions) -> Reading:
    """Interpret the *recording* of a person who leaves doubts with what was found for another one in the same file."""
    settled = replace(
        options,
        units=options.units or known.finding("units").value,
        up=options.up or known.finding("up axis").value,
        handedness=options.handedness or known.finding("handedness").value,
    )
    try:
        reading = interpret(recording, settled)
    except TrackError as error:
        raise _of_person(error, recording) from error
    given = {"units": options.units, "up axis": options.up, "handedness": options.handedness}
    reason = f"as for {known.track.person or 'another person'} in the same file"
    told = {
        finding: replace(finding, reason=reason) if given.get(finding.subject, "") is None else finding
        for finding in reading.findings
    }
    sentences = {finding.sentence: other.sentence for finding, other in told.items()}
    track = replace(reading.track, notes=tuple(sentences.get(note, note) for note in reading.track.notes))
    return replace(reading, track=track, findings=tuple(told.values()))


def _label(recording: RawRecording) -> str:
    return recording.person or "without a name"


def _of_person(error: TrackError, recording: RawRecording) -> TrackError:
    """Return *error*, told of one of several people."""
    message = f"{error} (this is person {_label(recording)}; --person reads one of several alone)"
    return type(error)(message, options=error.options)


def _with_people_left_out(reading: Reading, notes: tuple[str, ...]) -> Reading:
    track = replace(reading.track, notes=(*reading.track.notes, *notes))
    return replace(reading, track=track, remarks=(*reading.remarks, *notes), people_left_out=notes)


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
