"""The content of a keypoint file before interpretation. F frames, K points."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import TrackFileError
from ..printable import printable
from ..solved import SolvedPoses
from ..track import mark_missing

MAX_FILE_BYTES = 1 << 30
"""Largest file that is read (1 GiB)."""
MAX_FRAMES = 2_000_000
"""Most frames of a recording: more than four hours at 120 fps."""
MAX_POINTS = 4096
"""Most points of a recording; a face mesh with body and hands has 543."""
MAX_CELLS = 64_000_000
"""Most coordinates (frames x points x 3) of a file: half a gigabyte as float64."""
MAX_PEOPLE = 64
"""Most people in a file."""
MAX_TEXT_LENGTH = 200
"""Names are cut to so many characters: messages list them."""


@dataclass(frozen=True, eq=False)
class RawRecording:
    """The points of one person in the file's own units, axes, names and order.

    Convention: rows are evenly spaced frames; frames that the file skips are rows of missing points. A missing point
    is NaN and has confidence 0; the one implies the other.

    Attributes:
        positions: (F, K, 3) float64, file units and axes, NaN where missing.
        confidence: (F, K) float64 in [0, 1]; 0 where missing, 1 if the file states none.
        kind: format of the file, for the user ("TRC", "C3D", "FreeMoCap CSV").
        source: the file or folder it was read from.
        names: K point names as in the file, without the subject's prefix; None if the file has none.
        fps: frame rate from the file's header or times; None if it states none.
        units: "m", "cm", "mm", ... if the file states them, else None.
        up_axis: "+Y", "+Z", "-Y", ... if the file states it, else None.
        layout: name of the layout if the file states it, else None.
        person: label of the person; "" if the file has one person without a name.
        first_frame: number of the first row in the file's own numbering.
        start_s: time of the first row in the recording that the file is a part of, seconds; 0 if the file states none.
        notes: what was found and decided while reading, one sentence each, for the user.
        doubts: which of that is uncertain, one sentence each.
        image_space: why the data are not metric 3D (normalised image coordinates); None if they are.
        solved: the motion that the file holds instead of points; the points are its joints then.
    """

    positions: np.ndarray
    confidence: np.ndarray
    kind: str
    source: Path
    names: tuple[str, ...] | None = None
    fps: float | None = None
    units: str | None = None
    up_axis: str | None = None
    layout: str | None = None
    person: str = ""
    first_frame: int = 0
    start_s: float = 0.0
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    image_space: str | None = None
    solved: SolvedPoses | None = None

    def __post_init__(self) -> None:
        """Check the shapes; set missing points to NaN with confidence 0; cut and escape texts."""
        positions = np.array(self.positions, dtype=np.float64)
        confidence = np.array(self.confidence, dtype=np.float64)
        if positions.ndim != 3 or positions.shape[2] != 3 or 0 in positions.shape:
            raise TrackFileError(
                f"expected at least one frame and one point of x, y, z, found an array {positions.shape} in "
                f"{self.source}; check that the export was finished and holds 3D points"
            )
        if confidence.shape != positions.shape[:2]:
            raise TrackFileError(
                f"expected one confidence per point, {positions.shape[:2]}, found {confidence.shape} in {self.source}; "
                "export positions and confidence of the same frames and points"
            )
        if self.names is not None and len(self.names) != positions.shape[1]:
            raise TrackFileError(
                f"expected {positions.shape[1]} point names, found {len(self.names)} in {self.source}; "
                "export names and positions of the same points"
            )
        positions, confidence = mark_missing(positions, confidence)
        if self.names is not None:
            object.__setattr__(self, "names", tuple(map(_text, self.names)))
        for name in ("person", "units", "layout"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, _text(getattr(self, name)))
        object.__setattr__(self, "notes", tuple(map(printable, self.notes)))
        object.__setattr__(self, "positions", positions)
        object.__setattr__(self, "confidence", confidence)

    @property
    def num_frames(self) -> int:
        """Number of frames."""
        return len(self.positions)

    @property
    def num_points(self) -> int:
        """Number of points."""
        return int(self.positions.shape[1])


def _text(text: str) -> str:
    """Return the beginning of a text from a file, safe to print."""
    return printable(text[:MAX_TEXT_LENGTH])


def check_counts(num_frames: int, num_points: int, path: Path) -> None:
    """Reject counts beyond the limits, before anything of that size is allocated.

    Raises:
        TrackFileError: there are too many or too few frames or points.
    """
    if num_frames < 1 or num_points < 1:
        raise TrackFileError(
            f"expected frames and points, found {num_frames} frames of {num_points} points in {path}; "
            "check that the export was finished"
        )
    if num_frames > MAX_FRAMES or num_points > MAX_POINTS or num_frames * num_points * 3 > MAX_CELLS:
        raise TrackFileError(
            f"expected at most {MAX_FRAMES} frames, {MAX_POINTS} points and {MAX_CELLS} coordinates, found "
            f"{num_frames} frames of {num_points} points in {path}; if the file is intact, split it into shorter clips"
        )
