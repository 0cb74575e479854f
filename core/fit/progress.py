"""Progress of a fit, as one measure over all its steps."""

from __future__ import annotations

from .options import Progress, report_progress

_FRAMES_OF_SHAPE = 600.0
"""Cost of finding the shape, as the number of frames whose poses take as long, for a clip of any length."""
_SMOOTHING, _REFINING, _REFINING_ALL, _MEASURING = 0.18, 0.5, 1.2, 0.02
"""Cost of the other steps per frame, relative to fitting its pose (measured on clips of 1000 and 6000 frames)."""


class ProgressReporter:
    """Reports to a callback how much of the whole fit is done, in frames."""

    def __init__(self, progress: Progress, num_frames: int, *, refines: bool, refines_all: bool) -> None:
        """Prepare for a clip of *num_frames*; for *refines* and *refines_all* see `core.fit.quality`."""
        self._progress = progress
        self._num_frames = num_frames
        refining = (_REFINING_ALL if refines_all else _REFINING) if refines else 0.0
        costs = {
            "Smoothing the keypoints": _SMOOTHING * num_frames,
            "Finding the body shape": _FRAMES_OF_SHAPE,
            "Fitting the poses": float(num_frames),
            "Refining the poses over time": refining * num_frames,
            "Measuring the errors": _MEASURING * num_frames,
        }
        total = sum(costs.values())
        self._shares = {what: cost / total for what, cost in costs.items()}
        self._before = 0.0
        self._what = ""

    def begin(self, what: str) -> None:
        """Begin the step *what*, which ends the previous one.

        Raises:
            FitCancelled: the callback returned False.
        """
        self._before += self._shares.get(self._what, 0.0)
        self._what = what
        self.advance(0.0)

    def advance(self, part: float) -> None:
        """Report the completed fraction *part* (0 to 1) of the current step.

        Raises:
            FitCancelled: the callback returned False.
        """
        completed = self._before + min(part, 1.0) * self._shares[self._what]
        report_progress(self._progress, int(completed * self._num_frames), self._num_frames, self._what)

    def end(self) -> None:
        """Report that the fit is complete."""
        report_progress(self._progress, self._num_frames, self._num_frames, self._what)
