"""MVNX files of Xsens MVN: the origins of 23 segments, which are their proximal joints. Metres, Z up."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..errors import TrackFileError
from .raw import RawRecording, check_counts
from .textfile import MAX_TEXT_BYTES, decode_text, read_bytes
from .timeline import build_timeline

KIND = "Xsens MVNX"
_SUBJECT = re.compile(r"<subject\b[^>]{0,2000}>")
_ATTRIBUTE = re.compile(r'([A-Za-z]{1,40})="([^"]{0,200})"')
_SEGMENT = re.compile(r"<segment\b([^>]{0,500})>")
_FRAME = re.compile(r"<frame\b([^>]{0,500})>")


def is_mvnx(head: str) -> bool:
    """Return whether text begins like an MVNX file."""
    return "<mvnx" in head[:2000]


def read_mvnx(path: Path) -> list[RawRecording]:
    """Read the origins of the segments, one recording per subject.

    The file is searched for the few elements that matter, not parsed as XML, which could name other files.

    Raises:
        TrackFileError: the file has no positions, or is cut off.
    """
    text = decode_text(read_bytes(path, MAX_TEXT_BYTES), path)
    starts = [match.start() for match in _SUBJECT.finditer(text)] or [0]
    ends = [*starts[1:], len(text)]
    recordings = [_read_subject(text[start:end], path) for start, end in zip(starts, ends, strict=True)]
    if len(recordings) == 1:
        return recordings
    return [replace(recording, person=str(number)) for number, recording in enumerate(recordings, 1)]


def _numbers(text: str) -> np.ndarray:
    try:
        return np.array(text.split(), dtype=np.float64)
    except ValueError:
        return np.empty(0)


def _read_subject(text: str, path: Path) -> RawRecording:
    opening = _SUBJECT.match(text)
    subject = dict(_ATTRIBUTE.findall(opening.group(0))) if opening else {}
    names = [dict(_ATTRIBUTE.findall(match.group(1))).get("label", "") for match in _SEGMENT.finditer(text)]
    check_counts(1, max(len(names), 1), path)
    rows: list[np.ndarray] = []
    numbers: list[str] = []
    for match in _FRAME.finditer(text):
        attributes = dict(_ATTRIBUTE.findall(match.group(1)))
        if attributes.get("type", "normal") != "normal":
            continue
        begin = text.find("<position>", match.end())
        end = text.find("</position>", begin)
        closed = text.find("</frame>", match.end())
        values = _numbers(text[begin + len("<position>") : end]) if 0 <= begin < end < closed else np.empty(0)
        if len(values) != 3 * len(names) or not names:
            raise TrackFileError(
                f"expected the positions of {len(names)} segments in every frame, found {len(values)} numbers in frame "
                f"{attributes.get('index', len(rows))} of {path}; export MVNX with segment positions again"
            )
        rows.append(values)
        numbers.append(attributes.get("index", ""))
    if not rows:
        raise TrackFileError(f"expected frames with segment positions, found none in {path}; export MVNX with them")
    check_counts(len(rows), len(names), path)
    frames = np.array(numbers, dtype=np.float64) if all(number.isdecimal() for number in numbers) else None
    timeline = build_timeline(len(rows), path, num_points=len(names), frames=frames)
    positions = timeline.place(np.stack(rows).reshape(len(rows), -1, 3))
    return RawRecording(
        positions,
        np.ones(positions.shape[:2]),
        KIND,
        path,
        names=tuple(names),
        fps=_rate(subject.get("frameRate", "")),
        units="m",
        first_frame=timeline.first_frame,
        start_s=timeline.start_s,
        notes=("The origins of Xsens' segments are read as the joints above them.", *timeline.notes),
    )


def _rate(text: str) -> float | None:
    try:
        rate = float(text)
    except ValueError:
        return None
    return rate if np.isfinite(rate) and rate > 0.0 else None
