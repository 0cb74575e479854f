"""The session's tracks: states, threads, what is dropped."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from blender_addon.track.request import TrackRequest
from blender_addon.track.session import TrackSession, TrackState
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.main_blender

WALK = TrackRequest(str(REPOSITORY / "samples" / "walk.trc"))
WRONG = TrackRequest(str(REPOSITORY / "samples" / "walk_wrong_units.trc"))


def test_every_state_of_a_file():
    session = TrackSession()
    assert session.state(TrackRequest()) is TrackState.NO_FILE
    assert session.state(WALK) is TrackState.UNREAD
    assert session.read(WALK) is TrackState.READ
    assert session.readings[0].track.num_frames == 432
    assert session.read(WRONG) is TrackState.BAD_FILE
    assert session.readings == [] and "--units" in session.error and session.options == ("units",)
    assert session.state(WALK) is TrackState.UNREAD
    settled = TrackRequest(WRONG.path, {"units": "mm"})
    assert session.state(settled) is TrackState.UNREAD
    assert session.read(settled) is TrackState.READ
    assert session.options == ()
    assert session.read(WRONG) is TrackState.BAD_FILE
    session.clear()
    assert session.state(settled) is TrackState.UNREAD and session.readings == [] and session.options == ()


def test_a_thread_reads_and_the_main_thread_takes_the_result():
    session = TrackSession()
    assert session.start(WALK)
    assert session.state(WALK) is TrackState.READING
    session.wait()
    assert session.state(WALK) is TrackState.READ and not session.poll()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("SMPLify")]


def test_one_thread_reads_at_a_time_and_dropped_reads_are_discarded(monkeypatch):
    from blender_addon import core_access

    may_end = threading.Event()
    read_people = core_access.read_people

    def slow(path: Path, person):
        may_end.wait(20.0)
        return read_people(path, person)

    monkeypatch.setattr(core_access, "read_people", slow)
    session = TrackSession()
    assert session.start(WALK)
    assert not session.start(WRONG), "a second thread must not be started"
    session.clear()
    assert session.state(WALK) is TrackState.UNREAD
    may_end.set()
    session.wait()
    assert session.state(WALK) is TrackState.UNREAD and session.readings == []
    assert session.start(WRONG)
    session.wait()
    assert session.state(WRONG) is TrackState.BAD_FILE


def test_an_unexpected_exception_ends_the_read_and_is_raised(monkeypatch):
    from blender_addon import core_access

    def broken(path: Path, options):
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(core_access, "read_people", broken)
    session = TrackSession()
    session.start(WALK)
    with pytest.raises(ZeroDivisionError):
        session.wait()
    assert session.state(WALK) is TrackState.BAD_FILE and session.error == "ZeroDivisionError: oh"


def test_invalid_options_are_an_error_of_the_file():
    session = TrackSession()
    assert session.read(TrackRequest(WALK.path, {"fps": -1.0})) is TrackState.BAD_FILE
    assert "--fps" in session.error and session.options == ("fps",)


def test_a_missing_file_is_not_settled_by_an_option(tmp_path: Path):
    session = TrackSession()
    assert session.read(TrackRequest(str(tmp_path / "gone.trc"))) is TrackState.BAD_FILE
    assert session.error and session.options == ()
