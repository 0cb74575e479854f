"""What a batch shows: plain lines in a file, a bar on a terminal."""

from __future__ import annotations

import io
from dataclasses import replace

from core.batch.console import Display
from core.batch.conversion import Outcome
from core.batch.jobs import Job
from core.batch.runner import outcome_line


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_plain_lines_where_nobody_watches():
    stream = io.StringIO()
    display = Display(2, stream)
    display.update("a.trc", 0.5, "fitting")
    display.finished("a.trc", "a.trc -> a.fbx")
    display.finished("b.trc", "FAILED b.trc: no")
    display.close()
    assert stream.getvalue() == "[1/2] a.trc -> a.fbx\n[2/2] FAILED b.trc: no\n"


def test_nothing_where_nothing_is_asked_for():
    stream = Terminal()
    display = Display(1, stream, quiet=True)
    display._drawn = 0.0
    display.update("a.trc", 0.5, "fitting")
    display.finished("a.trc", "a.trc -> a.fbx")
    display.close()
    assert stream.getvalue() == ""


def test_a_bar_on_a_terminal():
    stream = Terminal()
    display = Display(2, stream)
    display.finished("a.trc", "a.trc -> a.fbx")
    display._drawn = 0.0
    display.update("b.trc", 0.5, "fitting")
    assert stream.getvalue().endswith("[##################------]  75 % 1/2 b.trc: fitting")
    display.close()
    assert stream.getvalue().endswith(" \r") and "\x1b" not in stream.getvalue()


def test_doubts_and_flags_are_counted_on_the_line_of_an_input(tmp_path):
    job = Job(tmp_path / "walk.trc", tmp_path / "walk")
    outcome = Outcome(job, "converted", outputs=(tmp_path / "walk.fbx",), seconds=1.0)
    assert outcome_line(outcome) == "walk.trc -> walk.fbx (1.0 s)"
    outcome = replace(outcome, doubts=("-Z up is assumed",), num_flags=3)
    assert outcome_line(outcome) == "walk.trc -> walk.fbx (1.0 s); 1 doubt, 3 flags: see walk.smplify.json"
