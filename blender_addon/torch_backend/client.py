"""The add-on's side of the fitting process, which may crash, hang or send invalid answers."""

from __future__ import annotations

import importlib.util
import json
import queue
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .. import core_access
from ..background.codec import decode, encode
from ..background.messages import Message, PipeError, read_message, write_message
from ..background.process import Process, environment_for_another_python
from ..core_access import CORE_NAME, CoreError, FitCancelled
from .errors import AccelerationError

SCRIPT = Path(__file__).resolve().parent.parent / "serve_fits.py"
IDLE_S = 600.0
"""Idle time in seconds after which the process ends and frees the GPU's memory."""

_HELPERS = ("array_api_compat", "threadpoolctl")
_POLL_S = 0.1
HOW_TO_GO_ON = (
    "Fit again with the device NumPy, or check that Python under Preferences > Add-ons > Learnable SMPLify > GPU "
    "Acceleration"
)


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
        self._inbox: queue.SimpleQueue[Message | PipeError | None] = queue.SimpleQueue()
        self._outbox: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        settings = json.dumps({"packages": _packages(), "idle_s": IDLE_S})
        try:
            self._process = Process(
                [str(python), str(script), settings], environment=environment_for_another_python(), text=False
            )
        except OSError as error:
            raise AccelerationError(f"expected to start {python} for the fit: {error}. {HOW_TO_GO_ON}") from error
        self._threads = [
            threading.Thread(target=work, name="SMPLify pipe", daemon=True) for work in (self._read, self._write)
        ]
        for thread in self._threads:
            thread.start()

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
        self._outbox.put(Message("fit", {"number": self._number, "fit": content}, arrays))
        latest = (0, track.num_frames, "Starting the fitting process")
        answered_at = time.monotonic()
        while True:
            self._report_progress(progress, *latest)
            message = self._next(_POLL_S)
            if message is None:
                if time.monotonic() - answered_at > self._patience.silent_s:
                    raise self._timed_out()
                continue
            answered_at = self.used_at = time.monotonic()
            if message.content.get("number") != self._number:
                continue
            if message.kind == "progress":
                latest = (message.content["done"], message.content["total"], message.content["what"])
            elif message.kind == "fitted":
                return self._decoded(message)
            elif message.kind == "failed":
                raise _core_error(message.content["error"], message.content["text"])

    def end(self) -> None:
        """End the process, whatever it is doing, and the pipe threads; may be called repeatedly."""
        self._process.kill()
        self._outbox.put(None)
        for thread in self._threads:
            thread.join()
        self._process.close()

    def _read(self) -> None:
        """Receive messages until the process ends."""
        try:
            while (message := read_message(self._process.stdout)) is not None:
                self._inbox.put(message)
        except PipeError as error:
            self._inbox.put(error)
        self._inbox.put(None)

    def _write(self) -> None:
        """Send queued messages; a process that does not read blocks only this thread."""
        while (message := self._outbox.get()) is not None:
            try:
                write_message(self._process.stdin, message)
            except OSError:  # it ended; the reading thread reports that
                return

    def _next(self, timeout_s: float) -> Message | None:
        """Return the next message, or None on timeout.

        Raises:
            AccelerationError: the process ended, or sent an invalid message.
        """
        try:
            message = self._inbox.get(timeout=timeout_s)
        except queue.Empty:
            return None
        if isinstance(message, Message):
            return message
        raise self._invalid_answer(message) if message is not None else self._exited()

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
        self._outbox.put(Message("cancel", {"number": self._number}))
        until = time.monotonic() + self._patience.cancel_s
        try:
            while time.monotonic() < until:
                message = self._next(_POLL_S)
                if message is not None and message.kind in ("cancelled", "fitted", "failed"):
                    return
        except AccelerationError:  # it ended, as intended
            pass
        self._process.kill()

    def _decoded(self, message: Message) -> Any:
        try:
            return decode(message.content["found"], message.arrays)
        except (PipeError, KeyError) as error:
            raise self._invalid_answer(error) from error

    def _exited(self) -> AccelerationError:
        code, last_lines = self._process.exit_code(), self._process.last_lines()
        return AccelerationError(
            f"the fit in {self.python} failed: its process ended before it was done (exit code {code}). {HOW_TO_GO_ON}"
            + (f". Its last lines:\n{last_lines}" if last_lines else "")
        )

    def _invalid_answer(self, error: Exception) -> AccelerationError:
        self._process.kill()
        last_lines = self._process.last_lines()
        return AccelerationError(
            f"the fit in {self.python} failed: its process sent an invalid answer: {error}. {HOW_TO_GO_ON}"
            + (f". Its last lines:\n{last_lines}" if last_lines else "")
        )

    def _timed_out(self) -> AccelerationError:
        self._process.kill()
        return AccelerationError(
            f"the fit in {self.python} failed: its process sent nothing for {self._patience.silent_s:g} s and was "
            f"ended. {HOW_TO_GO_ON}"
        )


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
