"""The add-on's side of the fitting process, which may crash, hang or send invalid answers."""

from __future__ import annotations

import importlib.util
import json
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .. import core_access
from ..background.codec import decode, encode
from ..background.messages import Message, PipeError, read_messages
from ..background.python import start_python
from ..core_access import CORE_NAME, CoreError, FitCancelled, FitReport, Motion

SCRIPT = Path(__file__).resolve().parent.parent / "serve_fits.py"
IDLE_S = 600.0
"""Idle time in seconds after which the process ends and frees the GPU's memory."""

_HELPERS = ("array_api_compat", "threadpoolctl")
_POLL_S = 0.1
HOW_TO_GO_ON = (
    "Fit again with the device NumPy, or check that Python under Preferences > Add-ons > Learnable SMPLify > GPU "
    "Acceleration"
)


class AccelerationError(CoreError, RuntimeError):
    """A fit in another Python failed for a reason other than its input."""


@dataclass(frozen=True)
class Patience:
    """Timeouts for the process, in seconds.

    Attributes:
        silent_s: longest time without a message; importing PyTorch from a slow disk takes a while.
        cancel_s: longest time to respond to a cancel request before the process is killed.
    """

    silent_s: float = 180.0
    cancel_s: float = 3.0


class FitServer:
    """A running fitting process; handles one fit at a time."""

    def __init__(self, python: Path, patience: Patience | None = None, *, script: Path = SCRIPT) -> None:
        """Start the process.

        Args:
            python: the Python that has PyTorch.
            patience: the timeouts.
            script: the script it runs.

        Raises:
            AccelerationError: the process cannot be started.
        """
        self.python = python
        self.used_at = time.monotonic()
        self._patience = patience or Patience()
        self._number = 0
        settings = json.dumps({"packages": _packages(), "idle_s": IDLE_S})
        try:
            self._process = start_python(python, script, settings, receive=read_messages)
        except OSError as error:
            raise AccelerationError(f"expected to start {python} for the fit: {error}. {HOW_TO_GO_ON}") from error

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def usable(self) -> bool:
        """Whether the process is running and not about to end because it was idle."""
        return self._process.running and time.monotonic() - self.used_at < 0.5 * IDLE_S

    def fit(self, track: Any, body: Any, options: Any, progress: Any) -> Any:
        """Fit in the process; arguments and result are those of `core.fit.fit_track`.

        Raises:
            CoreError: the error that the fit raised in the process.
            AccelerationError: the process crashed, does not answer, or sent an invalid answer.
            FitCancelled: *progress* returned False.
        """
        self._number += 1
        arrays: list[np.ndarray] = []
        content = encode((track, body, options), arrays)
        self._process.send(Message("fit", {"number": self._number, "fit": content}, arrays))
        latest = (0, track.num_frames, "Starting the fitting process")
        answered_at = time.monotonic()
        self._report_progress(progress, *latest)
        try:
            for message in self._process.items(_POLL_S):
                if message is None:
                    if time.monotonic() - answered_at > self._patience.silent_s:
                        raise self._failed(f"sent nothing for {self._patience.silent_s:g} s and was ended")
                else:
                    answered_at = self.used_at = time.monotonic()
                    if message.content.get("number") == self._number:
                        if message.kind == "fitted":
                            return _result(message)
                        if message.kind == "failed":
                            raise _core_error(message.get("error", str), message.get("text", str))
                        if message.kind == "progress":
                            latest = _progress(message)
                self._report_progress(progress, *latest)
        except PipeError as error:
            raise self._failed(f"sent an invalid answer: {error}") from error
        raise self._failed(f"ended before it was done (exit code {self._process.exit_code()})")

    def end(self) -> None:
        """End the process, whatever it is doing; may be called repeatedly."""
        self._process.kill()
        self._process.close()

    def _report_progress(self, progress: Any, done: int, total: int, what: str) -> None:
        """Call *progress*, also without news, so that it can cancel at any time."""
        try:
            proceed = progress is None or progress(done, total, what) is not False
        except BaseException:
            self._cancel()
            raise
        if not proceed:
            self._cancel()
            raise FitCancelled("the fit was cancelled; nothing was changed")

    def _cancel(self) -> None:
        """Request the process to cancel; kill it if it does not within the timeout."""
        self._process.send(Message("cancel", {"number": self._number}))
        until = time.monotonic() + self._patience.cancel_s
        with suppress(PipeError):
            for message in self._process.items(_POLL_S):
                if message is not None and message.kind in ("cancelled", "fitted", "failed"):
                    return
                if time.monotonic() > until:
                    break
        self._process.kill()

    def _failed(self, what: str) -> AccelerationError:
        """End the process, and return the error that says *what* it did."""
        self._process.kill()
        last_lines = self._process.last_lines()
        return AccelerationError(
            f"the fit in {self.python} failed: its process {what}. {HOW_TO_GO_ON}"
            + (". Its last lines:" if last_lines else "")
        ).with_lines(last_lines)


def _progress(message: Message) -> tuple[int, int, str]:
    done, total = message.get("done", int), message.get("total", int)
    if not 0 <= done <= total:
        raise PipeError(f"expected progress from 0 to {total} frames, found {done}")
    return done, total, message.get("what", str)


def _result(message: Message) -> tuple[Motion, FitReport]:
    found = decode(message.content.get("found"), message.arrays)
    if not (isinstance(found, tuple) and [type(item) for item in found] == [Motion, FitReport]):
        raise PipeError(f"expected a motion and a report, found {type(found).__name__}")
    return found


def _packages() -> dict[str, str]:
    """Return the path of each package that the process loads."""
    names = _HELPERS if core_access.VENDORED else (*_HELPERS, CORE_NAME)
    files = {name: spec.origin for name in names if (spec := importlib.util.find_spec(name)) is not None}
    return {name: file for name, file in files.items() if file}


def _core_error(name: str, text: str) -> CoreError:
    """Return the core's error class *name*, if there is one, so that a fit fails with the same error as here."""
    kinds = [CoreError]
    for kind in kinds:
        kinds.extend(kind.__subclasses__())
    of_core = {kind.__name__: kind for kind in kinds if kind.__module__.startswith(f"{CORE_NAME}.")}
    return of_core.get(name, AccelerationError)(text)
