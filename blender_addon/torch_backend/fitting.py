"""`run_fit`: fit in this Python or in another one."""

from __future__ import annotations

import importlib.util
import threading
from pathlib import Path
from typing import Any

from ..core_access import DeviceError, FitCancelled, fit_track
from .client import FitServer

HOW_TO_GET_TORCH = (
    "in Blender, set up PyTorch under Preferences > Add-ons > Learnable SMPLify > GPU Acceleration; on a command line, "
    "name a Python that has it with --torch-python FILE; or use the device numpy"
)
_WAIT_S = 0.1


def run_fit(track: Any, body: Any, options: Any, progress: Any = None, *, python: Path | None = None) -> Any:
    """Fit a track and return motion and report, like `core.fit.fit_track`; may be called on any thread.

    Args:
        track: the keypoints.
        body: the body model.
        options: the fit options.
        progress: called with (completed frames, all frames, name of the step) on the calling thread; returns False to
            cancel.
        python: the Python that has PyTorch, for a torch device; None for the current one.

    Raises:
        CoreError: as for `fit_track`; a `DeviceError` says how to get PyTorch if it is missing.
        AccelerationError: the other Python's process failed.
        FitCancelled: *progress* returned False.
    """
    if options.device == "numpy":
        return fit_track(track, body, options, progress)
    if python is None:
        if importlib.util.find_spec("torch") is None:
            raise DeviceError(
                f"device {options.device!r} needs PyTorch, which this Python does not have: {HOW_TO_GET_TORCH}"
            )
        return fit_track(track, body, options, progress)
    return _keeper.fit(python, track, body, options, progress)


def end_servers() -> None:
    """End the fitting process, if one is running."""
    _keeper.end()


class _Keeper:
    """Keeps the fitting process between fits: importing PyTorch and starting a GPU takes longer than many fits."""

    def __init__(self) -> None:
        self._server: FitServer | None = None
        self._busy = threading.Lock()

    def fit(self, python: Path, track: Any, body: Any, options: Any, progress: Any) -> Any:
        while not self._busy.acquire(timeout=_WAIT_S):
            if progress is not None and progress(0, track.num_frames, "Waiting for another fit") is False:
                raise FitCancelled("the fit was cancelled; nothing was changed")
        try:
            if self._server is None or self._server.python != python or not self._server.usable:
                self.end()
                self._server = FitServer(python)
            return self._server.fit(track, body, options, progress)
        finally:
            if self._server is not None and not self._server.usable:
                self.end()
            self._busy.release()

    def end(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.end()


_keeper = _Keeper()
