"""Read keypoint files as tracks. Properties come from the user, the file or the data; unclear ones are errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..errors import AmbiguousTrackError, TrackError, UnseenPersonError
from ..formats.dispatch import read_recordings
from ..formats.raw import RawRecording
from ..track import KeypointTrack
from .choose_layout import recognise
from .findings import Finding, Reading
from .identities import describe_identities, join, suggested_joins
from .interpret import interpret
from .name_map import NamedPoint, NameMap, read_name_map
from .named_points import Recognition
from .options import ReadOptions, add_reading_arguments, join_signed_axis, reading_options
from .rough import rough_placement
from .static_trial import add_static


def _select_person(recordings: list[RawRecording], person: str | None, path: Path) -> list[RawRecording]:
    """Return the recordings of *person*, given as a label or a number from 1; all recordings if *person* is None."""
    if person is None:
        return recordings
    label = person.strip().lower()
    found = [recording for recording in recordings if recording.person.lower() == label]
    if not found and label.isdecimal() and 1 <= int(label) <= len(recordings):
        found = [recordings[int(label) - 1]]
    if found:
        return found
    labels = ", ".join(f"{number} ({recording.person or 'unnamed'})" for number, recording in enumerate(recordings, 1))
    raise TrackError(
        f"expected a person {person!r} in {path}, found {labels}; choose one of these with --person",
        options=("person",),
    )


def read_people(path: Path, options: ReadOptions | None = None) -> list[RawRecording]:
    """Read a keypoint file or folder without interpreting it; return one recording per person that *options* choose.

    Raises:
        InputMissingError: the file or folder does not exist.
        TrackFileError: the file is damaged, too large, or of an unknown format.
        TrackError: it has no such people.
    """
    return choose_people(read_recordings(Path(path)), Path(path), options or ReadOptions())


def choose_people(recordings: Sequence[RawRecording], path: Path, options: ReadOptions) -> list[RawRecording]:
    """Return the people that *options* choose among the *recordings* of *path*, joined, with doubts about who is who.

    Raises:
        TrackError: there are no such people, or their static trial has no markers for them.
    """
    people = describe_identities(join(list(recordings), options.join, where_present=options.join_where_present))
    chosen = _select_person(people, options.person, path)
    return chosen if options.static is None else _with_static(chosen, Path(options.static))


def read_all(path: Path, options: ReadOptions | None = None) -> list[Reading]:
    """Read a keypoint file or folder and interpret it; return one reading per person.

    In a file of several people, those who are hardly visible and subjects that are no person (a box with markers) are
    left out, with a note in the other tracks. If this leaves nobody, or the requested person is left out, the error is
    raised.

    Raises:
        InputMissingError: the file or folder does not exist.
        TrackFileError: the file is damaged, too large, or of an unknown format.
        TrackError: the data cannot be human motion; `AmbiguousTrackError` if an option would resolve it.
    """
    return interpret_all(read_recordings(Path(path)), Path(path), options)


def interpret_all(recordings: Sequence[RawRecording], path: Path, options: ReadOptions | None = None) -> list[Reading]:
    """Interpret the recordings of the people in *path*, as `read_all` does, wherever they were read.

    Raises:
        TrackError: as `read_all` does.
    """
    options = options or ReadOptions()
    return interpret_people(choose_people(recordings, path, options), options)


def interpret_people(people: list[RawRecording], options: ReadOptions) -> list[Reading]:
    """Interpret people whom `read_people` or `choose_people` returned; raises the errors of `read_all`."""
    return [interpret(people[0], options)] if len(people) == 1 else _interpret_people(people, options)


def _with_static(recordings: list[RawRecording], path: Path) -> list[RawRecording]:
    """Return the recordings with markers of their static trials in the file *path*: those of the same label."""
    trials = read_recordings(path)
    by_label = {trial.person: trial for trial in trials}
    return [add_static(recording, by_label.get(recording.person, trials[0])) for recording in recordings]


def _interpret_people(recordings: list[RawRecording], options: ReadOptions) -> list[Reading]:
    """Return a reading for each person who can be interpreted, if need be with the axes and units of another one."""
    readings: dict[int, Reading] = {}
    ambiguous: dict[int, AmbiguousTrackError] = {}
    left_out: dict[int, TrackError] = {}
    refused: dict[int, TrackError] = {}
    if options.names is not None:
        options.names.check(recordings)
    own = _own_options(options, recordings)
    for number, recording in enumerate(recordings):
        try:
            readings[number] = interpret(recording, own[number])
        except UnseenPersonError as error:
            left_out[number] = error
        except AmbiguousTrackError as error:
            (left_out if "layout" in error.options else ambiguous)[number] = error
        except TrackError as error:
            refused[number] = error
    if not readings:
        raise _all_refused({**left_out, **ambiguous, **refused}, recordings)
    for number, refusal in refused.items():
        raise _with_person(refusal, recordings[number]) from refusal
    known = next(iter(readings.values()))
    for number, ambiguity in ambiguous.items():
        completed = _interpret_like(known, recordings[number], own[number])
        if options.handedness is None and completed.finding("handedness").doubts:
            raise _with_person(ambiguity, recordings[number]) from ambiguity
        readings[number] = completed
    notes = tuple(f"Left out {_label(recordings[number])}: {error}." for number, error in left_out.items())
    doubts = _doubts_about_heights(options, len(readings))
    return [_with_doubts(_with_people_left_out(readings[number], notes), doubts) for number in sorted(readings)]


def _interpret_like(known: Reading, recording: RawRecording, options: ReadOptions) -> Reading:
    """Interpret an ambiguous *recording* with units, up axis and handedness of another person in the same file."""
    completed = replace(
        options,
        units=options.units or known.finding("units").value,
        up=options.up or known.finding("up axis").value,
        handedness=options.handedness or known.finding("handedness").value,
    )
    try:
        reading = interpret(recording, completed)
    except TrackError as error:
        raise _with_person(error, recording) from error
    given = {"units": options.units, "up axis": options.up, "handedness": options.handedness}
    other = f"person {known.track.person}" if known.track.person else "another person"
    reason = f"taken from {other} in the same file"
    adopted = {
        finding: replace(finding, reason=reason) if given.get(finding.subject, "") is None else finding
        for finding in reading.findings
    }
    sentences = {finding.sentence: changed.sentence for finding, changed in adopted.items()}
    track = replace(reading.track, notes=tuple(sentences.get(note, note) for note in reading.track.notes))
    return replace(reading, track=track, findings=tuple(adopted.values()))


def _own_options(options: ReadOptions, recordings: Sequence[RawRecording]) -> list[ReadOptions]:
    """Return the options for each of several people, who need not have all points that the user names."""
    labels, own = [recording.person for recording in recordings], []
    for number, recording in enumerate(recordings):
        names = None if options.names is None else options.names.within(recording)
        own.append(replace(options.of_person(number, labels, recording.source), names=names))
    return own


def _doubts_about_heights(options: ReadOptions, num_people: int) -> tuple[str, ...]:
    """Return a doubt if several people are scaled to one height."""
    if num_people < 2 or options.height_m is None:
        return ()
    return (
        f"each of the {num_people} people is scaled to {options.height_m:.2f} m by a factor of its own, so their sizes "
        "and distances are not in proportion to each other; give --stature with a height for each, in order "
        "(1.80,1.65)",
    )


def _with_doubts(reading: Reading, doubts: tuple[str, ...]) -> Reading:
    notes = tuple(f"Doubt: {doubt}." for doubt in doubts)
    track = replace(reading.track, notes=(*reading.track.notes, *notes), doubts=(*reading.track.doubts, *doubts))
    return replace(reading, track=track, doubts=(*reading.doubts, *doubts))


def _label(recording: RawRecording) -> str:
    return recording.person or "unnamed"


def _with_person(error: TrackError, recording: RawRecording) -> TrackError:
    """Return *error* with the person's label in its message, for a file of several people."""
    message = f"{error} (person {_label(recording)}; --person reads one person alone)"
    return type(error)(message, options=error.options)


def _all_refused(errors: dict[int, TrackError], recordings: list[RawRecording]) -> TrackError:
    """Return the error for a file none of whose people can be read: the reason of each, or the one that all share."""
    ordered = [errors[number] for number in range(len(recordings))]
    first = ordered[0]
    if len({str(error) for error in ordered}) == 1:
        return first
    reasons = "; ".join(f"{_label(recording)}: {error}" for recording, error in zip(recordings, ordered, strict=True))
    kinds = {type(error) for error in ordered}
    kind = kinds.pop() if len(kinds) == 1 else AmbiguousTrackError if AmbiguousTrackError in kinds else TrackError
    return kind(
        f"expected a person who can be read, found none among {len(ordered)} in {recordings[0].source}. {reasons}. "
        "--person reads one person alone",
        options=tuple(dict.fromkeys(option for error in ordered for option in error.options)),
    )


def _with_people_left_out(reading: Reading, notes: tuple[str, ...]) -> Reading:
    track = replace(reading.track, notes=(*reading.track.notes, *notes), doubts=(*reading.track.doubts, *notes))
    return replace(reading, track=track, remarks=(*reading.remarks, *notes), people_left_out=notes)


def read_tracks(path: Path, options: ReadOptions | None = None) -> list[KeypointTrack]:
    """Read a keypoint file or folder as tracks in metres, right-handed, Y up, one per person.

    The notes of a track say what was detected. Raises the same errors as `read_all`.
    """
    return [reading.track for reading in read_all(path, options)]


__all__ = [
    "Finding",
    "NameMap",
    "NamedPoint",
    "ReadOptions",
    "Reading",
    "Recognition",
    "add_reading_arguments",
    "choose_people",
    "interpret",
    "interpret_all",
    "interpret_people",
    "join_signed_axis",
    "read_all",
    "read_name_map",
    "read_people",
    "read_tracks",
    "reading_options",
    "recognise",
    "rough_placement",
    "suggested_joins",
]
