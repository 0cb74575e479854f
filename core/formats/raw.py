"""What a file says, before anything is interpreted. F frames, K points."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import TrackFileError
from ..track import mark_missing

MAX_FILE_BYTES = 1 << 30
"""Largest file that is read (1 GiB)."""
MAX_FRAMES = 2_000_000
"""Most frames in a recording: more than four hours at 120 a second."""
MAX_POINTS = 4096
"""Most points in a recording; a face mesh with body and hands has 543."""
MAX_CELLS = 64_000_000
"""Most coordinates (frames x points x 3) of one file: half a gigabyte as float64."""
MAX_PEOPLE = 64
"""Most people of one file."""


@dataclass(frozen=True, eq=False)
class RawRecording:
    """The points of one person as the file holds them: its units, its axes, its names, its order.

    Convention: rows are evenly spaced frames; frames that the file skips are rows of missing points. A missing point
    is NaN and has confidence 0, both or neither.

    Attributes:
        positions: (F, K, 3) float64, file units and axes, NaN where missing.
        confidence: (F, K) float64 in [0, 1]; 0 where missing, 1 where the file says nothing.
        kind: what sort of file it is, for the user ("TRC", "C3D", "FreeMoCap CSV").
        source: the file or folder that it was read from.
        names: K point names as in the file, the subject's prefix taken off; None when the file has none.
        fps: frames a second as the file says, from its header or its times; None when it does not say.
        units: "m", "cm", "mm", ... when the file says, else None.
        up_axis: "+Y", "+Z", "-Y", ... when the file says, else None.
        layout: name of the layout when the file states it, else None.
        person: label of the person, "" when the file has only one without a name.
        first_frame: number of the first row in the file's own counting.
        notes: what was met and decided while reading, one sentence each, for the user.
        image_space: why the data are no metric 3D (normalised image coordinates), None when they are.
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
    notes: tuple[str, ...] = ()
    image_space: str | None = None

    def __post_init__(self) -> None:
        """Check shapes and limits; make missing points NaN with confidence 0, both or neither."""
        positions = np.array(self.positions, dtype=np.float64)
        confidence = np.array(self.confidence, dtype=np.float64)
        if positions.ndim != 3 or positions.shape[2] != 3 or 0 in positions.shape:
            raise TrackFileError(
                f"expected at least one frame and one point of x, y, z, found an array {positions.shape} in "
                f"{self.source}; check that the export was finished and holds 3D points"
            )
        if confidence.shape != positions.shape[:2]:
            raise TrackFileError(
                f"expected one confidence a point, {positions.shape[:2]}, found {confidence.shape} in {self.source}; "
                "export positions and confidence of the same frames and points"
            )
        if self.names is not None and len(self.names) != positions.shape[1]:
            raise TrackFileError(
                f"expected {positions.shape[1]} point names, found {len(self.names)} in {self.source}; "
                "export names and positions of the same points"
            )
        positions, confidence = mark_missing(positions, confidence)
        object.__setattr__(self, "positions", positions)
        object.__setattr__(self, "confidence", confidence)

    @property
    def num_frames(self) -> int:
        """How many frames."""
        return len(self.positions)

    @property
    def num_points(self) -> int:
        """How many points."""
        return int(self.positions.shape[1])


def check_counts(num_frames: int, num_points: int, path: Path) -> None:
    """Refuse counts beyond the limits, before anything of that size is allocated.

    Raises:
        TrackFileError: too many or too few frames or points.
    """
    if num_frames < 1 or num_points < 1:
        raise TrackFileError(
            f"expected frames and points, found {num_frames} frames of {num_points} points in {path}; "
            "check that the export was finished"
        )
    if num_frames > MAX_FRAMES or num_points > MAX_POINTS or num_frames * num_points * 3 > MAX_CELLS:
        raise TrackFileError(
            f"expected at most {MAX_FRAMES} frames, {MAX_POINTS} points and {MAX_CELLS} coordinates, found "
            f"{num_frames} frames of {num_points} points in {path}; if the file is sound, split it into shorter clips"
        )
