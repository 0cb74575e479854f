"""What is recorded of a live person. F frames, J joints, N recorded frames."""

from __future__ import annotations

import numpy as np

from ..motion import Motion
from ..skeleton import Skeleton
from .live_fit import LiveFrame

MAX_RECORDED = 200_000
"""Frames of a recording at most: almost two hours at 30 fps, and 130 MB with fingers."""


class LiveRecording:
    """The frames of a recording, with their true times.

    Attributes:
        skeleton: the joints of the poses.
    """

    def __init__(self, skeleton: Skeleton, *, body: str = "free_body") -> None:
        """Begin without frames.

        Args:
            skeleton: the joints of the poses.
            body: name of the body that the betas belong to.
        """
        self.skeleton, self._body = skeleton, body
        self._frames: list[tuple[float, np.ndarray, np.ndarray]] = []
        self._betas = np.zeros(0)
        self._fps = 30.0

    def __len__(self) -> int:
        """Return the number of recorded frames."""
        return len(self._frames)

    @property
    def is_full(self) -> bool:
        """Whether no more frames are recorded."""
        return len(self._frames) >= MAX_RECORDED

    def add(self, frame: LiveFrame) -> None:
        """Record *frame*, which is later than all before; nothing if the recording is full."""
        if not self.is_full:
            self._frames.append((frame.time_s, frame.pose.astype(np.float32), frame.trans.astype(np.float32)))
            self._betas, self._fps = frame.betas, frame.fps

    @property
    def times_s(self) -> np.ndarray:
        """The times (N,) of the frames, seconds from the first."""
        times = np.array([time_s for time_s, _, _ in self._frames])
        from_first: np.ndarray = times - times[:1]
        return from_first

    def as_recorded(self) -> Motion:
        """Return the recorded frames as they are, on the last shape; `times_s` are their times, not the frame rate."""
        poses, trans = (np.array([frame[part] for frame in self._frames], dtype=np.float64) for part in (1, 2))
        return Motion(poses, self._betas, trans, self._fps, body=self._body, skeleton=self.skeleton)

    def motion(self, fps: float | None = None, recorded: Motion | None = None) -> Motion:
        """Return the motion at even times, interpolated between the recorded ones.

        Args:
            fps: its frame rate; None for the sender's.
            recorded: what `as_recorded` returned, if it was called before; None to call it.

        Raises:
            MotionError: there are no frames.
        """
        recorded, times, fps = recorded or self.as_recorded(), self.times_s, fps or self._fps
        even = np.arange(int(times[-1] * fps + 1e-6) + 1) / fps
        found = recorded.sampled(np.interp(even, times, np.arange(len(times))))
        return Motion(found.poses, found.betas, found.trans, fps, body=self._body, skeleton=self.skeleton)
