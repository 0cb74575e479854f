"""What the clean-up finds ahead on a thread is used, once, and never gets in the way."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

from blender_addon.result.cleanup_cache import THREAD_NAME, Prepared
from core.errors import CoreError


def source(num_frames: int = 10) -> SimpleNamespace:
    return SimpleNamespace(motion=SimpleNamespace(num_frames=num_frames))


def never():
    raise AssertionError("was found before")


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == THREAD_NAME]


def test_what_was_found_ahead_is_waited_for_and_not_found_again():
    prepared, ours, may_end = Prepared(), source(), threading.Event()
    prepared.find_ahead(("one", b"shape"), lambda: may_end.wait(20.0) and ours)
    assert prepared.knows("one") and threads() == [THREAD_NAME]
    prepared.find_ahead(("two", b""), never)
    assert not prepared.knows("two"), "one at a time: the other is asked for again"
    threading.Timer(0.05, may_end.set).start()
    assert prepared.source(("one", b"shape"), never) is ours
    assert prepared.source(("one", b"shape"), never) is ours and threads() == []


def test_what_is_not_known_is_found_at_once_while_something_else_is_looked_for():
    prepared, ours, may_end = Prepared(), source(), threading.Event()
    prepared.find_ahead(("one", b"shape"), lambda: may_end.wait(20.0) and source())
    assert prepared.source(("one", b"another shape"), lambda: ours) is ours
    may_end.set()
    prepared.clear()
    assert threads() == [] and not prepared.knows("one")


def test_what_cannot_be_found_ahead_is_not_tried_again_but_raised_when_it_is_needed():
    prepared = Prepared()

    def gone():
        raise CoreError("the body file is gone")

    prepared.find_ahead(("one", b""), gone)
    prepared.wait()
    assert prepared.knows("one")
    with pytest.raises(CoreError, match="is gone"):
        prepared.source(("one", b""), gone)
    ours = source()
    assert prepared.source(("one", b""), lambda: ours) is ours


def test_the_last_ones_are_kept():
    prepared = Prepared()
    for name in ("a", "b", "c"):
        prepared.remember((name, b""), source(12_000))
    assert [prepared.knows(name) for name in ("a", "b", "c")] == [False, True, True]
    prepared.remember(("long", b""), source(90_000))
    assert [prepared.knows(name) for name in ("b", "c", "long")] == [False, False, True]
