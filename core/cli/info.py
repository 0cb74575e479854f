"""Print what a keypoint file contains and how it is interpreted, as text or as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TextIO

import numpy as np

from ..errors import CoreError
from ..printable import say
from ..reading import Reading, ReadOptions, read_all


def missing_shares(reading: Reading) -> dict[str, float]:
    """Return, by layout point, the fraction (0 to 1) of frames in which it is missing; absent points are left out."""
    missing = np.mean(reading.track.confidence == 0.0, axis=0)
    return {
        name: float(share)
        for name, share in zip(reading.track.layout.names, missing, strict=True)
        if name not in reading.absent
    }


def describe(reading: Reading) -> dict[str, object]:
    """Return all that `run_info` prints about one person, as plain values for JSON."""
    track = reading.track
    return {
        "kind": reading.kind,
        "person": track.person,
        "layout": track.layout.name,
        "layout_title": track.layout.title,
        "matched_points": list(reading.matched),
        "absent_points": list(reading.absent),
        "ignored_points": list(reading.ignored),
        "frames": track.num_frames,
        "duration_s": track.duration_s,
        "fps": track.fps,
        "start_s": track.start_s,
        "root_relative": track.root_relative,
        "stature_m": reading.stature_m,
        "missing_share": missing_shares(reading),
        "findings": [
            {
                "subject": finding.subject,
                "value": finding.value,
                "reason": finding.reason,
                "doubts": list(finding.doubts),
            }
            for finding in reading.findings
        ],
        "checks": list(reading.checks),
        "doubts": list(reading.doubts),
        "notes": list(track.notes),
    }


def _lines(reading: Reading) -> Iterable[str]:
    track = reading.track
    yield f"  kind         {reading.kind}"
    yield (
        f"  frames       {track.num_frames} at {track.fps:g} fps, {track.duration_s:.2f} s"
        + (f", from {track.start_s:.2f} s of the recording" if track.start_s else "")
        + (", without global translation" if track.root_relative else "")
    )
    yield f"  stature      {reading.stature_m:.2f} m, from the bone lengths"
    for finding in reading.findings:
        value = f"{track.layout.title}, {finding.value}" if finding.subject == "layout" else finding.value
        yield f"  {finding.subject:<12} {value}: {finding.reason}"
    for title, names in (("matched", reading.matched), ("absent", reading.absent), ("ignored", reading.ignored)):
        yield f"  {title:<12} {len(names)}" + (f": {', '.join(names)}" if names else "")
    gaps = {name: share for name, share in missing_shares(reading).items() if share > 0.0}
    shown = ", ".join(f"{name} {share:.1%}" for name, share in gaps.items()) or "no point in any frame"
    yield f"  missing      {shown}"
    for remark in reading.remarks:
        yield f"  read         {remark}"
    for check in reading.checks:
        yield f"  checked      {check}"
    for doubt in reading.doubts:
        yield f"  doubt        {doubt}"
    for sentence in reading.left_out:
        yield f"  left out     {sentence}"


def run_info(
    paths: Sequence[Path],
    options: ReadOptions | None = None,
    stream: TextIO | None = None,
    *,
    as_json: bool = False,
    errors: TextIO | None = None,
) -> int:
    """Print how each keypoint file is interpreted.

    Args:
        paths: files or folders.
        options: the user's settings for reading them.
        stream: where to print; standard output when None.
        as_json: print a JSON list with one object per file instead of text.
        errors: where to print why a file cannot be interpreted; standard error when None.

    Returns:
        The exit code: 0, or 1 when a file cannot be interpreted.
    """
    stream, errors = stream or sys.stdout, errors or sys.stderr
    status = 0
    described: list[dict[str, object]] = []
    for path in paths:
        try:
            readings = read_all(Path(path), options)
        except CoreError as error:
            status = 1
            say(f"{path}: {error}", file=errors)
            described.append({"file": str(path), "error": str(error)})
            continue
        described.append({"file": str(path), "people": [describe(reading) for reading in readings]})
        if as_json:
            continue
        count = "1 person" if len(readings) == 1 else f"{len(readings)} people"
        say(f"{path}: {count}", file=stream)
        for number, reading in enumerate(readings, 1):
            if len(readings) > 1:
                print(f"person {number}", file=stream)
            for line in _lines(reading):
                say(line, file=stream)
    if as_json:
        json.dump(described, stream, indent=2)
        print(file=stream)
    return status
