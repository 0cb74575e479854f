"""The points of a track at a given time. F frames, K points. Needs no Blender."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from ..figure.axes import to_axes

if TYPE_CHECKING:
    from ..core_access import KeypointTrack

NEVER = -1


class Side(IntEnum):
    """The side of the body that a point is on."""

    MIDDLE = 0
    LEFT = 1
    RIGHT = 2


@dataclass(frozen=True, eq=False)
class Pose:
    """The points at one time.

    Attributes:
        positions: (K, 3) metres, Blender's axes; a missing point has its last observed position, NaN if it is never
            observed.
        seen: (K,) bool, measured at that time.
        known: (K,) bool, measured at any time.
    """

    positions: np.ndarray
    seen: np.ndarray
    known: np.ndarray


def last_seen(seen: np.ndarray) -> np.ndarray:
    """Return for each frame and point (F, K) the frame of the last observation, before it the first; -1 for never."""
    frames = np.arange(len(seen), dtype=np.int32)[:, None]
    latest = np.maximum.accumulate(np.where(seen, frames, np.int32(NEVER)), axis=0)
    first = np.where(seen.any(axis=0), np.argmax(seen, axis=0), NEVER).astype(np.int32)
    return np.where(latest == NEVER, first, latest)


class Playback:
    """A track prepared for display at any time.

    Attributes:
        bones: (B, 2) indices of the points that each line joins.
        sides: (K,) the `Side` of each point.
    """

    def __init__(self, track: KeypointTrack) -> None:
        from ..core_access import bones_between

        self._fps = track.fps
        self._positions = to_axes(track.positions).astype(np.float32)
        self._seen = track.confidence > 0.0
        self._source = last_seen(self._seen)
        # Only points that occur in this track: if the mid-hip of a layout is never observed, other points are joined.
        ever = self._seen.any(axis=0)
        index = {spot: point for spot, point in track.layout.solver_index.items() if ever[point]}
        self.bones = np.array(bones_between(index), dtype=np.int32).reshape(-1, 2)
        self.sides = np.array([_side(point.solver or point.name) for point in track.layout.points])

    @property
    def num_frames(self) -> int:
        """The number of frames."""
        return len(self._positions)

    def frame_at(self, time_s: float) -> int:
        """Return the frame nearest to *time_s* after the first frame, clamped to the clip."""
        return min(max(round(time_s * self._fps), 0), self.num_frames - 1)

    def pose_at(self, time_s: float) -> Pose:
        """Return the points at *time_s* after the first frame."""
        frame = self.frame_at(time_s)
        source = self._source[frame]
        known = source != NEVER
        return Pose(self._positions[source, np.arange(len(source))], self._seen[frame], known)

    def extent(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the lower and upper corner (3,) of the bounding box of all points of the clip."""
        flat = self._positions[self._seen]
        return flat.min(axis=0), flat.max(axis=0)


def _side(name: str) -> Side:
    name = name.lower()
    if name.startswith("left"):
        return Side.LEFT
    return Side.RIGHT if name.startswith("right") else Side.MIDDLE
