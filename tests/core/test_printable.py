"""What a file or its name holds reaches no terminal as a control character."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable

import numpy as np
import pytest

from core.batch.console import Display
from core.cli.exit_codes import exit_code_of
from core.cli.main import main
from core.errors import CoreError, InputMissingError
from core.formats import read_recordings
from core.printable import printable, printable_lines

from .formats.track_writers import clip, trc_text

HOSTILE = "\x1b]0;title\x07\x9b2J\u202e\udc80"


@pytest.mark.parametrize("text", ["Hips", "Müller_P1", "名前", "a b", "a\xa0b"])
def test_texts_stay_what_they_are(text):
    assert printable(text) == text


def test_control_characters_are_escaped():
    assert printable(HOSTILE + "\n") == r"\x1b]0;title\x07\x9b2J\u202e\udc80\n"
    assert printable_lines("a\nb\x1b") == "a\nb\\x1b"


@pytest.mark.parametrize("error", [CoreError, InputMissingError])
def test_errors_hold_none(error):
    assert "\x1b" not in str(error(f"expected a file, found none at {HOSTILE}"))


def test_names_of_points_and_people_hold_none(tmp_path):
    path = tmp_path / "a.trc"
    path.write_text(trc_text(clip(3, 2), ["An\x1b[2Jn:a\x1b[31m", "An\x1b[2Jn:b"]), encoding="utf-8")
    (recording,) = read_recordings(path)
    assert (recording.person, recording.names) == (r"An\x1b[2Jn", (r"a\x1b[31m", "b"))


def test_a_batch_shows_none():
    stream = io.StringIO()
    display = Display(1, stream)
    display.finished("a", f"failed {HOSTILE}")
    assert "\x1b" not in stream.getvalue() and "title" in stream.getvalue()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere file names hold no such characters")
@pytest.mark.parametrize("content", ["track", "garbage"])
def test_the_command_line_prints_none(tmp_path, capsys, content, monkeypatch):
    path = tmp_path / os.fsdecode(b"a\x1b[2J\x80.npz")
    if content == "track":
        np.savez(path, positions=clip(3, 17), layout="h36m17")
    else:
        path.write_bytes(b"garbage")
    assert main(["info", str(path)]) == 1
    assert main(["fit", str(path), "-o", str(tmp_path / "out.npz")]) == 1
    out, err = capsys.readouterr()
    assert r"a\x1b[2J\udc80.npz" in err and "\x1b" not in out + err


def test_a_message_is_one_line_whatever_a_file_is_called(tmp_path, capsys):
    """Only lines that an error was given as such follow on lines of their own."""
    assert main(["info", str(tmp_path / "a\nb.trc")]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert r"a\nb.trc" in line
    error = CoreError("expected bones, found none in a\nb; correct these:").with_lines("{\n}\x1b")
    assert str(error) == "expected bones, found none in a\\nb; correct these:\n{\n}\\x1b"
    assert exit_code_of("smplify", fail_with(error)) == 1
    assert capsys.readouterr().err == f"smplify: {error}\n"


def fail_with(error: Exception) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


def test_a_word_longer_than_any_path_is_shortened():
    path = "/a" * 2047
    assert printable(f"found nothing at {path}; check it") == f"found nothing at {path}; check it"
    text = str(CoreError(f"found nothing at {'a' * 100_000}; check the path"))
    assert text == f"found nothing at {'a' * 200}...{'a' * 199}; check the path"


@pytest.mark.parametrize("command", ["fit {} -o out.npz", "fit {} {} -o out", "info {}", "convert {} -o {}.npz"])
def test_a_command_prints_no_path_of_a_hundred_thousand_characters(capsys, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    assert main(command.format("a" * 100_000, "b" * 100_000).split()) == 1
    assert 0 < len(capsys.readouterr().err) < 1000
