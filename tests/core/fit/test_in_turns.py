"""Work in turns: one part at a time, its result or error at the end, and none of it left when it is dropped."""

from __future__ import annotations

import gc
import threading

import pytest

from core.fit.in_turns import InTurns

from ...waiting import PATIENCE_S, poll


def test_a_part_is_done_at_a_time():
    done = []

    def work(on_progress):
        for part in range(3):
            done.append(part)
            on_progress(part / 3)
        return "all"

    turns = InTurns(work)
    assert done == []
    for part in range(3):
        assert turns.go_on() is None
        assert done == list(range(part + 1))
        assert not turns.done
    assert turns.go_on() == "all"
    assert turns.done


def test_an_error_is_raised_where_it_is_waited_for():
    def work(on_progress):
        on_progress(0.5)
        raise ValueError("no such shape")

    turns = InTurns(work)
    assert turns.go_on() is None
    with pytest.raises(ValueError, match="no such shape"):
        turns.go_on()
    assert turns.done


@pytest.mark.parametrize("num_parts", [0, 2])
def test_work_that_is_dropped_ends(num_parts):
    ended, before = [], threading.active_count()

    def work(on_progress):
        try:
            for _ in range(100):
                on_progress(0.0)
        finally:
            ended.append(True)

    turns = InTurns(work)
    for _ in range(num_parts):
        turns.go_on()
    assert threading.active_count() == before + 1
    del turns
    gc.collect()
    poll(lambda: threading.active_count() == before, PATIENCE_S, "the work to end")
    assert ended == [True] * (num_parts > 0)
