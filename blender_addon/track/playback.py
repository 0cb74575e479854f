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


class PointPlayback:
    """Points prepared for display at any time.

    Attributes:
        fps: frames per second; 0 if it is unknown.
    """

    def __init__(self, positions: np.ndarray, seen: np.ndarray, fps: float) -> None:
        """Prepare points.

        Args:
            positions: (F, K, 3) metres, the core's axes.
            seen: (F, K) bool, whether a point is measured.
            fps: frames per second.
        """
        self.fps = fps
        self._positions = to_axes(positions).astype(np.float32)
        self._seen = seen
        self._source = last_seen(seen)

    @property
    def num_frames(self) -> int:
        """The number of frames."""
        return len(self._positions)

    def frame_at(self, time_s: float) -> int:
        """Return the frame nearest to *time_s* after the first frame, clamped to the clip."""
        return min(max(round(time_s * self.fps), 0), self.num_frames - 1)

    @property
    def num_points(self) -> int:
        """The number of points."""
        return int(self._positions.shape[1])

    @property
    def is_seen(self) -> bool:
        """Whether any point is ever observed."""
        return bool(self._seen.any())

    def pose_at(self, time_s: float) -> Pose:
        """Return the points at *time_s* after the first frame."""
        return self.pose_in(self.frame_at(time_s))

    def pose_in(self, frame: int) -> Pose:
        """Return the points in *frame*, clamped to the clip."""
        frame = min(max(frame, 0), self.num_frames - 1)
        source = self._source[frame]
        known = source != NEVER
        return Pose(self._positions[source, np.arange(len(source))], self._seen[frame], known)

    def extent(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the lower and upper corner (3,) of the bounding box of all points of the clip."""
        flat = self._positions[self._seen]
        return flat.min(axis=0), flat.max(axis=0)


class Playback(PointPlayback):
    """A track prepared for display at any time.

    Attributes:
        bones: (B, 2) indices of the points that each line joins.
        sides: (K,) the `Side` of each point.
    """

    def __init__(self, track: KeypointTrack) -> None:
        from ..core_access import bones_between

        super().__init__(track.positions, track.confidence > 0.0, track.fps)
        # Only points that occur in this track: if the mid-hip of a layout is never observed, other points are joined.
        ever = self._seen.any(axis=0)
        index = {spot: point for spot, point in track.layout.solver_index.items() if ever[point]}
        self.bones = np.array(bones_between(index), dtype=np.int32).reshape(-1, 2)
        self.sides = np.array([_side(point.solver or point.name) for point in track.layout.points])


def _side(name: str) -> Side:
    name = name.lower()
    if name.startswith("left"):
        return Side.LEFT
    return Side.RIGHT if name.startswith("right") else Side.MIDDLE
