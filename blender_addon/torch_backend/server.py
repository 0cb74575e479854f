"""The fitting process, in the other Python: reads requests from standard input, writes answers to standard output."""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from ..background.codec import decode, encode
from ..background.messages import Channel, Message, PipeError
from ..core_access import CoreError, FitCancelled, fit_track

ALIVE_EVERY_S = 1.0
_REPORT_INTERVAL_S = 0.1


def serve(idle_s: float) -> int:
    """Answer requests until standard input ends or none arrives for *idle_s* seconds; return the exit code.

    An exception in a fit that is not a `CoreError` ends the process; the client then reports its last lines of output.
    """
    channel = Channel()
    inbox = _Inbox(channel)
    channel.send(Message("ready"))
    while (request := inbox.next_request(idle_s)) is not None:
        with _signs_of_life(channel):
            answer = _fit(request, inbox, channel)
        channel.send(answer)
    return inbox.exit_code


class _Inbox:
    """Reads messages on a thread, so that cancel requests are received during a fit."""

    def __init__(self, channel: Channel) -> None:
        self.exit_code = 0
        self._channel = channel
        self._requests: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._cancelled: set[int] = set()
        self._ended = False
        threading.Thread(target=self._read, daemon=True).start()

    def next_request(self, idle_s: float) -> Message | None:
        """Return the next request, or None at the end of the input or after *idle_s* seconds."""
        try:
            return self._requests.get(timeout=idle_s)
        except queue.Empty:
            return None

    def is_cancelled(self, number: int) -> bool:
        """Return whether request *number* was cancelled or the input has ended."""
        return self._ended or number in self._cancelled

    def _read(self) -> None:
        try:
            while (message := self._channel.receive()) is not None:
                number = message.get("number", int)
                if message.kind == "cancel":
                    self._cancelled.add(number)
                else:
                    self._requests.put(message)
        except PipeError as error:
            print(f"the fitting process received an invalid message: {error}", file=sys.stderr)
            self.exit_code = 2
        self._ended = True
        self._requests.put(None)


@contextmanager
def _signs_of_life(channel: Channel) -> Iterator[None]:
    """Regularly send the client a sign of life, however long a step of the fit takes."""
    over = threading.Event()

    def send_alive() -> None:
        while not over.wait(ALIVE_EVERY_S):
            channel.send(Message("alive"))

    thread = threading.Thread(target=send_alive, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _fit(request: Message, inbox: _Inbox, channel: Channel) -> Message:
    """Return the answer to a request for a fit."""
    number = request.get("number", int)
    try:
        track, body, options = decode(request.content.get("fit"), request.arrays)
        found = fit_track(track, body, options, _reporter(number, inbox, channel))
    except FitCancelled:
        return Message("cancelled", {"number": number})
    except CoreError as error:
        return Message("failed", {"number": number, "error": type(error).__name__, "text": str(error)})
    arrays: list[np.ndarray] = []
    content = encode(found, arrays)
    return Message("fitted", {"number": number, "found": content}, arrays)


def _reporter(number: int, inbox: _Inbox, channel: Channel) -> Callable[[int, int, str], bool]:
    """Return a progress callback that sends the first and last message of each step, else at most ten per second."""
    last = (0.0, "")

    def report(done: int, total: int, what: str) -> bool:
        nonlocal last
        now = time.monotonic()
        if now - last[0] >= _REPORT_INTERVAL_S or what != last[1] or done >= total:
            last = (now, what)
            channel.send(Message("progress", {"number": number, "done": done, "total": total, "what": what}))
        return not inbox.is_cancelled(number)

    return report
