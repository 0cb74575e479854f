"""SIGINT (Ctrl-C) and SIGTERM (a scheduler's) as a request to stop between two steps, with everything saved."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopRequest:
    """Whether a signal has asked the run to stop.

    Attributes:
        is_made: whether one has.
    """

    def __init__(self) -> None:
        """Start without a request, and with signals that interrupt at once."""
        self.is_made = False
        self._waits = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Receive the signals in the block; outside of `held_back`, they raise KeyboardInterrupt.

        A signal that the parent process set to be ignored stays ignored. In a thread, which receives none, nothing
        happens.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.getsignal(number) for number in SIGNALS}
        received = {number: handler for number, handler in before.items() if handler is not signal.SIG_IGN}
        for number in received:
            signal.signal(number, self._receive)
        try:
            yield
        finally:
            for number, handler in received.items():
                signal.signal(number, handler)

    @contextmanager
    def held_back(self) -> Iterator[None]:
        """Only note signals in the block."""
        self._waits = True
        try:
            yield
        finally:
            self._waits = False

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self.is_made = True
        if not self._waits:
            raise KeyboardInterrupt


def ignore_signals(worker: int) -> None:
    """Leave the signals to the process that loads data with this one, which then ends it.

    Args:
        worker: the loader's number of this process.
    """
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
