"""Cache of the clean-up's motion analyses, kept for the session; can be filled in advance on a thread.

The analysis is the slow half of the clean-up and takes seconds for a long clip. A fit provides it. For a figure in an
opened file it runs on a thread while the Result box is shown, so that the first change of a slider need not wait.
Needs no Blender.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..background.task import Task

if TYPE_CHECKING:
    from ..core_access import CleanupSource

CLASSES = ()

_MAX_FRAMES = 30_000
"""Analyses of this many frames in total are kept, about 5 kB per frame; a longer clip is kept alone."""

Key = tuple[str, bytes]
"""The hash of a figure's record, and the bytes of its betas."""


class CleanupCache:
    """The analyses of the motions that were adjusted last."""

    def __init__(self) -> None:
        self._sources: OrderedDict[Key, CleanupSource] = OrderedDict()
        self._attempted: set[str] = set()
        self._pending: tuple[Key, Task] | None = None

    def source(self, key: Key, analyse: Callable[[], CleanupSource]) -> CleanupSource:
        """Return the analysis for *key*: from the cache, from the thread at work on it, or by calling *analyse*.

        Raises:
            CoreError: raised by *analyse*.
        """
        if self._pending is not None and self._pending[0] == key:
            self.wait()
        self._collect()
        if key not in self._sources:
            self.store(key, analyse())
        self._sources.move_to_end(key)
        return self._sources[key]

    def store(self, key: Key, source: CleanupSource) -> None:
        """Store *source*; drop the oldest entries while the total length exceeds `_MAX_FRAMES`."""
        self._sources[key] = source
        while len(self._sources) > 1 and sum(item.motion.num_frames for item in self._sources.values()) > _MAX_FRAMES:
            self._sources.popitem(last=False)

    def is_known(self, record_hash: str) -> bool:
        """Return whether the figure's motion, in any shape, was or is being analysed, even if that failed."""
        return record_hash in self._attempted or any(key[0] == record_hash for key in self._sources)

    def analyse_ahead(self, key: Key, analyse: Callable[[], CleanupSource]) -> None:
        """Call *analyse* on a thread, unless one is running; `source` raises its error when asked for *key*."""
        self._collect()
        if self._pending is None:
            task = Task(lambda progress: analyse())
            self._pending = key, task
            self._attempted.add(key[0])
            task.start()

    def wait(self) -> None:
        """Wait for the thread, if there is one."""
        if self._pending is not None:
            self._pending[1].wait()

    def clear(self) -> None:
        """Clear the cache; the result of the thread is dropped."""
        self._pending = None
        self._sources.clear()
        self._attempted.clear()

    def _collect(self) -> None:
        """Store the result of the thread once it has ended; after an error, `source` analyses again and raises it."""
        if self._pending is None or not self._pending[1].ended:
            return
        (key, task), self._pending = self._pending, None
        if task.error is None:
            self.store(key, task.result)


CLEANUP_CACHE = CleanupCache()
"""The cache of this Blender session."""


def unregister() -> None:
    """Clear the cache."""
    CLEANUP_CACHE.clear()
