"""The 3D keypoints of one person over time. F frames, K keypoints."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .errors import TrackError
from .layouts import Layout

MAX_FPS = 10_000.0
_MAX_COORDINATE = 1e12
"""A larger coordinate, in any unit, comes from a damaged file."""


def mark_missing(positions: np.ndarray, confidence: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return copies in which missing points are NaN with confidence 0, and confidences are clipped to [0, 1].

    Args:
        positions: (F, K, 3); a point with a coordinate that is not finite, or is implausibly large, is missing.
        confidence: (F, K); a point whose confidence is not above 0 is missing.
    """
    missing = ~(np.abs(positions) < _MAX_COORDINATE).all(-1) | ~(confidence > 0.0)
    return np.where(missing[..., None], np.nan, positions), np.where(missing, 0.0, np.clip(confidence, 0.0, 1.0))


@dataclass(frozen=True, eq=False)
class KeypointTrack:
    """Positions of one person's keypoints in evenly spaced frames.

    Convention: metres, right-handed, Y up. A missing point is NaN and has confidence 0; no other point has either.

    Attributes:
        positions: (F, K, 3) float64.
        confidence: (F, K) float64 in [0, 1].
        fps: frames per second.
        layout: names and meaning of the K points.
        person: label of the person ("P1", "Subject", "0"); empty when the file has one person without a name.
        source: the file or folder that the track was read from.
        root_relative: whether global translation is unknown: the root is at the origin in every frame.
        notes: what was detected and decided while reading, one sentence each, shown to the user.
        doubts: which of that is uncertain, and who and what was left out, one sentence each.
        start_s: time of the first frame in the recording that the file is a part of, seconds; 0 if it states none.
        left_out: (F, K) bool, points removed because their positions are implausible for a body. A mask of another
            shape is replaced by an empty one, so that `dataclasses.replace` can change the positions alone.
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
    start_s: float = 0.0
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
        mask = np.array(self.left_out, dtype=bool)
        left_out = mask if mask.shape == confidence.shape else np.zeros(confidence.shape, dtype=bool)
        positions, confidence = mark_missing(positions, np.where(left_out, 0.0, confidence))
        object.__setattr__(self, "left_out", left_out)
        object.__setattr__(self, "positions", positions)
        object.__setattr__(self, "confidence", confidence)

    @property
    def num_frames(self) -> int:
        """Number of frames."""
        return len(self.positions)

    @property
    def duration_s(self) -> float:
        """Time from the first to the last frame, seconds."""
        return (self.num_frames - 1) / self.fps
