"""A bounded queue between the thread that receives and the one that fits: when it is full, the oldest message goes.

Only messages that were read wait in it, so what is no message takes nobody's place.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

from .messages import LiveMessage

CAPACITY = 32
"""Messages that wait at most; the newest is fitted first, so a longer queue would only take memory."""


@dataclass(frozen=True)
class Mail:
    """A message that is to be fitted.

    Attributes:
        message: what it says.
        arrived_s: when it arrived, by `time.monotonic`.
    """

    message: LiveMessage
    arrived_s: float


class Mailbox:
    """Passes mail from one thread to another.

    Attributes:
        num_dropped: how much mail was dropped because nobody took it in time.
    """

    def __init__(self) -> None:
        """Begin empty."""
        self._waiting: deque[Mail] = deque(maxlen=CAPACITY)
        self._changed = threading.Condition()
        self.num_dropped = 0

    def put(self, mail: Mail) -> None:
        """Add *mail*; drop the oldest if there is no room."""
        with self._changed:
            self.num_dropped += len(self._waiting) == CAPACITY
            self._waiting.append(mail)
            self._changed.notify()

    def take(self, timeout_s: float) -> list[Mail]:
        """Wait for mail and return all of it, the newest first; none if none came in time."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting, timeout_s)
            taken = list(reversed(self._waiting))
            self._waiting.clear()
        return taken
