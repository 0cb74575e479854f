"""Wait for what is on its way, and fail with words when it does not come."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE_S = 180.0
POLL_S = 0.05


class NotShown(AssertionError):  # noqa: N818 - reads as what it says
    """What a test waits or looks for does not come."""


def poll(condition: Callable[[], object], seconds: float, what: str) -> object:
    """Ask again and again until *condition* gives something true, and return it.

    Raises:
        NotShown: it did not within *seconds*.
    """
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise NotShown(f"waited {seconds:.0f} s for {what}")
        time.sleep(POLL_S)
