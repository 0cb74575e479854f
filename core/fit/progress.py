"""How far a fit is, as one measure over all its steps."""

from __future__ import annotations

from .options import Progress, report_progress

_FRAMES_OF_SHAPE = 600.0
"""Finding the shape takes as long as posing so many frames, however long the clip is."""
_SMOOTHING, _SETTLING, _CALMING, _MEASURING = 0.18, 0.5, 1.2, 0.02
"""The other steps, for each frame, in the time that posing it takes (measured on clips of 1000 and 6000 frames)."""


class ProgressReporter:
    """Tells a listener how much of the whole work is done, in frames' worth of it."""

    def __init__(self, progress: Progress, num_frames: int, *, settles: bool, calms_all: bool) -> None:
        """Prepare for a clip of *num_frames*; for *settles* and *calms_all* see `core.fit.quality`."""
        self._progress = progress
        self._num_frames = num_frames
        settling = (_CALMING if calms_all else _SETTLING) if settles else 0.0
        costs = {
            "Smoothing the keypoints": _SMOOTHING * num_frames,
            "Finding the body shape": _FRAMES_OF_SHAPE,
            "Fitting the poses": float(num_frames),
            "Settling the poses": settling * num_frames,
            "Measuring the errors": _MEASURING * num_frames,
        }
        whole = sum(costs.values())
        self._shares = {what: cost / whole for what, cost in costs.items()}
        self._before = 0.0
        self._what = ""

    def begin(self, what: str) -> None:
        """Begin a step, which ends the one before.

        Raises:
            FitCancelled: the listener answered False.
        """
        self._before += self._shares.get(self._what, 0.0)
        self._what = what
        self.advance(0.0)

    def advance(self, part: float) -> None:
        """Tell that a *part* (0 to 1) of the step is done.

        Raises:
            FitCancelled: the listener answered False.
        """
        share = self._before + min(part, 1.0) * self._shares[self._what]
        report_progress(self._progress, int(share * self._num_frames), self._num_frames, self._what)

    def end(self) -> None:
        """Tell that all is done."""
        report_progress(self._progress, self._num_frames, self._num_frames, self._what)
