"""What the clean-up finds in motions before it can follow a slider, kept for the session; found ahead on a thread.

The slow half of the clean-up takes seconds in a long clip. A fit brings it along; for a figure of a file that was
opened it is found while the user looks at the Result box, so that a slider's first step does not wait for it. Needs no
Blender.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..core_access import CleanupSource

CLASSES = ()

THREAD_NAME = "SMPLify clean-up"
_KEPT_FRAMES = 30_000
"""What was found in so many frames is kept, about 5 kB each; of a longer clip for that one alone."""

Key = tuple[str, bytes]
"""The mark of a figure's record, and the shape that it has."""


class Prepared:
    """What was found in the motions that were adjusted last."""

    def __init__(self) -> None:
        self._known: OrderedDict[Key, CleanupSource] = OrderedDict()
        self._tried: set[str] = set()
        self._thread: threading.Thread | None = None
        self._ahead: Key | None = None
        self._found: CleanupSource | None = None

    def source(self, key: Key, find: Callable[[], CleanupSource]) -> CleanupSource:
        """Return what is known of *key*; else wait for the thread that looks for it, or *find* it now.

        Raises:
            CoreError: *find* cannot.
        """
        if self._ahead == key:
            self.wait()
        self._take()
        if key not in self._known:
            self.remember(key, find())
        self._known.move_to_end(key)
        return self._known[key]

    def remember(self, key: Key, source: CleanupSource) -> None:
        """Keep *source*, and of the others the last ones that together are not too long."""
        self._known[key] = source
        while len(self._known) > 1 and sum(item.motion.num_frames for item in self._known.values()) > _KEPT_FRAMES:
            self._known.popitem(last=False)

    def knows(self, mark: str) -> bool:
        """Return whether a figure's motion was looked at in any shape, or is now, whatever came of it."""
        return mark in self._tried or any(key[0] == mark for key in self._known)

    def find_ahead(self, key: Key, find: Callable[[], CleanupSource]) -> None:
        """Call *find* on a thread, unless one is at work; what it raises is raised when `source` is asked for it."""
        self._take()
        if self._thread is None:
            self._ahead = key
            self._tried.add(key[0])
            self._thread = threading.Thread(target=self._look, args=(find,), name=THREAD_NAME, daemon=True)
            self._thread.start()

    def wait(self) -> None:
        """Wait for the thread, if there is one."""
        if self._thread is not None:
            self._thread.join()

    def clear(self) -> None:
        """Forget everything and leave no thread behind."""
        self.wait()
        self._take()
        self._known.clear()
        self._tried.clear()

    def _look(self, find: Callable[[], CleanupSource]) -> None:
        from ..core_access import CoreError

        with suppress(CoreError):
            self._found = find()

    def _take(self) -> None:
        """Keep what the thread has found, once it has ended."""
        if self._thread is None or self._thread.is_alive():
            return
        if self._ahead is not None and self._found is not None:
            self.remember(self._ahead, self._found)
        self._thread = self._ahead = self._found = None


PREPARED = Prepared()
"""The session's."""


def unregister() -> None:
    """Leave neither thread nor memory behind."""
    PREPARED.clear()
