"""A clip of 3D keypoints of one person. F frames, K keypoints."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .errors import TrackError
from .layouts import Layout

MAX_FPS = 10_000.0
_MAX_COORDINATE = 1e12
"""No place has a coordinate beyond that in any unit; it is what damage leaves."""


def mark_missing(positions: np.ndarray, confidence: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return copies in which a missing point is NaN and has confidence 0, both, and confidence lies in [0, 1].

    Args:
        positions: (F, K, 3); a point with a value that is not finite, or beyond any place, is missing.
        confidence: (F, K); a point without a confidence above 0 is missing.
    """
    missing = ~(np.abs(positions) < _MAX_COORDINATE).all(-1) | ~(confidence > 0.0)
    return np.where(missing[..., None], np.nan, positions), np.where(missing, 0.0, np.clip(confidence, 0.0, 1.0))


@dataclass(frozen=True, eq=False)
class KeypointTrack:
    """Positions of one person's keypoints over evenly spaced frames.

    Convention: metres, right-handed, Y up. A missing point is NaN and has confidence 0, both or neither.

    Attributes:
        positions: (F, K, 3) float64.
        confidence: (F, K) float64 in [0, 1].
        fps: frames a second.
        layout: what the K points are.
        person: a label for the person ("P1", "Subject", "0"), empty when the file has only one without a name.
        source: the file or folder that it was read from.
        root_relative: the body's place in the room is not in the data (the root sits at the origin in every frame).
        notes: what was detected and decided while reading, one sentence each, for the user to see.
        doubts: what of that is not certain, one sentence each.
        left_out: (F, K) bool, points that are missing since they were where no body has them. A mask of another shape
            says nothing of these frames, so that none is left out: `replace` may take a part of the positions alone.
    """

    positions: np.ndarray
    confidence: np.ndarray
    fps: float
    layout: Layout
    person: str = ""
    source: Path | None = None
    root_relative: bool = False
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    left_out: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), dtype=bool))

    def __post_init__(self) -> None:
        """Check shapes and values; set NaN where confidence is 0 and 0 where a position is not finite."""
        where = f" in {self.source}" if self.source else ""
        try:
            positions = np.array(self.positions, dtype=np.float64)
            confidence = np.array(self.confidence, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise TrackError(f"expected positions and confidence as arrays of numbers, got {error}{where}") from error
        num_points = len(self.layout.points)
        if positions.ndim != 3 or positions.shape[1:] != (num_points, 3) or len(positions) == 0:
            raise TrackError(
                f"expected positions (frames, {num_points}, 3) for layout {self.layout.name}, "
                f"got {positions.shape}{where}"
            )
        if confidence.shape != positions.shape[:2]:
            raise TrackError(f"expected confidence {positions.shape[:2]}, got {confidence.shape}{where}")
        if not (np.isfinite(self.fps) and 0.0 < self.fps <= MAX_FPS):
            raise TrackError(
                f"expected a frame rate above 0 and up to {MAX_FPS:g}, got {self.fps}{where}; give --fps",
                options=("fps",),
            )
        told = np.array(self.left_out, dtype=bool)
        left_out = told if told.shape == confidence.shape else np.zeros(confidence.shape, dtype=bool)
        positions, confidence = mark_missing(positions, np.where(left_out, 0.0, confidence))
        object.__setattr__(self, "left_out", left_out)
        object.__setattr__(self, "positions", positions)
        object.__setattr__(self, "confidence", confidence)

    @property
    def num_frames(self) -> int:
        """How many frames."""
        return len(self.positions)

    @property
    def duration_s(self) -> float:
        """Time from the first frame to the last, in seconds."""
        return (self.num_frames - 1) / self.fps
