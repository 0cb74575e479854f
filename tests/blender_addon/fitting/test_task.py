"""Work on a thread: how far, how long, how it ended."""

from __future__ import annotations

import threading

import pytest

from blender_addon.background import task as task_module
from blender_addon.background.fit_session import FitSession, FitState
from blender_addon.background.task import Task, TaskState, end_tasks, time_left
from core.errors import FitCancelled

pytestmark = pytest.mark.main_blender


def in_steps(progress, steps: int = 10) -> str:
    for step in range(steps + 1):
        if not progress(step / steps, "Working"):
            raise FitCancelled("stopped")
    return "result"


def test_a_task_runs_on_the_calling_thread_or_its_own():
    here, there = Task(in_steps), Task(in_steps)
    here.run()
    there.start()
    assert there.wait(20.0)
    for task in (here, there):
        assert (task.state, task.result, task.error) == (TaskState.DONE, "result", None)
        assert (task.status.share, task.status.what) == (1.0, "Working")
    assert not [thread for thread in threading.enumerate() if thread.name == task_module.THREAD_NAME]


def test_cancelling_ends_the_work_at_its_next_progress_report():
    reached, go_on = threading.Event(), threading.Event()

    def work(progress):
        reached.set()
        go_on.wait(20.0)
        return in_steps(progress)

    task = Task(work)
    task.start()
    assert reached.wait(20.0) and task.state is TaskState.RUNNING
    task.cancel()
    assert task.state is TaskState.CANCELLING
    go_on.set()
    assert task.wait(20.0) and task.state is TaskState.CANCELLED and task.result is None


def test_a_task_cancelled_after_its_end_counts_as_cancelled():
    task = Task(in_steps)
    task.run()
    task.cancel()
    assert task.state is TaskState.CANCELLED


def test_the_progress_callback_can_cancel_the_task():
    reported = []

    def listen(share: float, what: str) -> bool:
        reported.append(share)
        return share < 0.5

    task = Task(in_steps, listen)
    task.run()
    assert task.state is TaskState.CANCELLED and reported == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]


def test_all_tasks_are_cancelled_and_waited_for_at_once():
    tasks = [Task(lambda progress: in_steps(lambda *_: progress(0.5, "Working"), 10**9)) for _ in range(3)]
    for task in tasks:
        task.start()
    end_tasks()
    assert [task.state for task in tasks] == [TaskState.CANCELLED] * 3
    assert not [thread for thread in threading.enumerate() if thread.name == task_module.THREAD_NAME]


def test_an_exception_of_the_work_is_stored():
    def work(progress):
        raise ZeroDivisionError("oh")

    task = Task(work)
    task.start()
    task.wait(20.0)
    assert task.state is TaskState.FAILED and isinstance(task.error, ZeroDivisionError)


def test_the_time_left_is_extrapolated_from_the_first_progress(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(task_module.time, "monotonic", lambda: now[0])
    left = []

    def work(progress):
        for share, at in (
            (0.0, 100.0),
            (0.0, 130.0),
            (0.1, 131.0),
            (0.11, 132.0),
            (0.2, 141.0),
            (0.6, 181.0),
            (1.0, 221.0),
        ):
            now[0] = at
            progress(share, "Working")
            left.append(task.status.seconds_left)

    task = Task(work)
    task.run()
    assert task.error is None
    assert left[:4] == [None] * 4, "nothing is known while no share, or hardly any, is done"
    assert left[4:] == pytest.approx([80.0, 40.0, 0.0])


def test_the_time_left_is_formatted():
    assert [time_left(seconds) for seconds in (0.2, 59.4, 60.0, 130.0, 3900.0)] == [
        "1 s", "59 s", "1 min 0 s", "2 min 10 s", "1 h 5 min",
    ]  # fmt: skip


def test_the_states_of_a_session():
    session, go_on = FitSession(), threading.Event()
    assert session.state is FitState.IDLE and not session.busy
    task = Task(lambda progress: go_on.wait(20.0) and in_steps(progress))
    session.begin(task)
    task.start()
    assert session.state is FitState.RUNNING and session.busy
    session.cancel()
    assert session.state is FitState.CANCELLING
    go_on.set()
    task.wait(20.0)
    session.end(FitState.CANCELLED, "Cancelled")
    assert (session.state, session.message, session.busy) == (FitState.CANCELLED, "Cancelled", False)
    done = Task(in_steps)
    session.begin(done)
    done.run()
    session.waiting = True
    assert session.state is FitState.WAITING and session.message == ""
    session.end(FitState.DONE, "Added")
    assert session.state is FitState.DONE


def test_an_abandoned_fit_stops_and_leaves_no_thread():
    session = FitSession()

    def endless(progress):
        while progress(0.5, "Working"):
            pass
        raise FitCancelled("stopped")

    session.begin(Task(endless))
    session.task.start()
    session.abandon()
    end_tasks()
    assert session.state is FitState.IDLE and not session.busy
    assert not [thread for thread in threading.enumerate() if thread.name == task_module.THREAD_NAME]
    session.abandon()
