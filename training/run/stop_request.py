"""Treat SIGINT (Ctrl-C) and SIGTERM (from a scheduler) as a request to save and stop between two steps."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopRequest:
    """A request to stop, made by a signal.

    Attributes:
        received: whether a signal has arrived.
    """

    def __init__(self) -> None:
        """Start without a request, and with signals interrupting at once."""
        self.received = False
        self._defers = False

    @contextmanager
    def handling_signals(self) -> Iterator[None]:
        """Handle the signals in the block; outside of `deferred`, they raise KeyboardInterrupt.

        Signals that the parent process set to be ignored stay ignored. Outside the main thread, which alone can handle
        signals, this does nothing.
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
    def deferred(self) -> Iterator[None]:
        """Record signals in the block without interrupting it."""
        self._defers = True
        try:
            yield
        finally:
            self._defers = False

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self.received = True
        if not self._defers:
            raise KeyboardInterrupt


def ignore_signals(worker: int) -> None:
    """Ignore the signals in a data-loading process; the training process handles them and ends its workers.

    Args:
        worker: number of the data-loading process.
    """
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
