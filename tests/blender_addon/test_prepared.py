"""What the clean-up finds ahead on a thread is used, once, and never gets in the way."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

from blender_addon.background.task import THREAD_NAME, end_tasks
from blender_addon.result.cleanup_cache import CleanupCache
from core.errors import CoreError

pytestmark = pytest.mark.main_blender


def source(num_frames: int = 10) -> SimpleNamespace:
    return SimpleNamespace(motion=SimpleNamespace(num_frames=num_frames))


def never():
    raise AssertionError("was found before")


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == THREAD_NAME]


def test_a_running_analysis_is_awaited_and_not_repeated():
    cache, ours, may_end = CleanupCache(), source(), threading.Event()
    cache.analyse_ahead(("one", b"shape"), lambda: may_end.wait(20.0) and ours)
    assert cache.is_known("one") and threads() == [THREAD_NAME]
    cache.analyse_ahead(("two", b""), never)
    assert not cache.is_known("two"), "one at a time: the other is asked for again"
    threading.Timer(0.05, may_end.set).start()
    assert cache.source(("one", b"shape"), never) is ours
    assert cache.source(("one", b"shape"), never) is ours and threads() == []


def test_an_unknown_source_is_analysed_at_once_while_another_is_running():
    cache, ours, may_end = CleanupCache(), source(), threading.Event()
    cache.analyse_ahead(("one", b"shape"), lambda: may_end.wait(20.0) and source())
    assert cache.source(("one", b"another shape"), lambda: ours) is ours
    cache.clear()
    may_end.set()
    end_tasks()
    assert threads() == [] and not cache.is_known("one")


def test_a_failed_analysis_is_not_repeated_and_raises_when_needed():
    cache = CleanupCache()

    def gone():
        raise CoreError("the body file is gone")

    cache.analyse_ahead(("one", b""), gone)
    cache.wait()
    assert cache.is_known("one")
    with pytest.raises(CoreError, match="is gone"):
        cache.source(("one", b""), gone)
    ours = source()
    assert cache.source(("one", b""), lambda: ours) is ours


def test_the_cache_keeps_the_latest_entries():
    cache = CleanupCache()
    for name in ("a", "b", "c"):
        cache.store((name, b""), source(12_000))
    assert [cache.is_known(name) for name in ("a", "b", "c")] == [False, True, True]
    cache.store(("long", b""), source(90_000))
    assert [cache.is_known(name) for name in ("b", "c", "long")] == [False, False, True]
