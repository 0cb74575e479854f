"""Atomic writing: files appear whole or not at all."""

import os

import pytest

from core.errors import InputMissingError, OutputError
from core.io import atomic_files
from core.io.atomic_files import atomic_path, replace_file


def test_written_file_replaces_the_old_one(tmp_path):
    target = tmp_path / "new" / "clip.npz"
    for text in ("first", "second"):
        with atomic_path(target) as temporary:
            assert temporary.suffix == ".npz"
            temporary.write_text(text)
        assert target.read_text() == text
    assert [p.name for p in target.parent.iterdir()] == ["clip.npz"]


def test_failure_keeps_the_old_file_and_leaves_no_temporary_file(tmp_path):
    target = tmp_path / "clip.npz"
    target.write_text("old")
    with pytest.raises(ZeroDivisionError), atomic_path(target) as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["clip.npz"]


def test_writing_nothing_is_an_error(tmp_path):
    with pytest.raises(InputMissingError, match=r"clip\.npz"), atomic_path(tmp_path / "clip.npz"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_open_file_is_retried_and_then_reported(tmp_path, monkeypatch):
    """As on Windows, where a virus scanner blocks the file for a moment, and another program for good."""
    source, target = tmp_path / "new", tmp_path / "clip.fbx"
    target.write_text("old")
    tries, held = [], 2

    def replace(one, other):
        tries.append(other)
        if len(tries) <= held:
            raise PermissionError(13, "The process cannot access the file")
        os.rename(one, other)

    monkeypatch.setattr(atomic_files, "os", type("nt", (), {"name": "nt", "replace": staticmethod(replace)}))
    monkeypatch.setattr(atomic_files, "_WAITS_S", (0.0, 0.0, 0.0))
    source.write_text("new")
    replace_file(source, target)
    assert target.read_text() == "new" and len(tries) == 3
    tries, held = [], 100
    source.write_text("newer")
    with pytest.raises(OutputError, match=r"clip\.fbx.*cannot access the file; close it"):
        replace_file(source, target)
    assert target.read_text() == "new" and len(tries) == 4


def test_unwritable_path_is_reported(tmp_path):
    (tmp_path / "clip.npz").mkdir()
    with (
        pytest.raises(OutputError, match=r"expected a file at .*clip\.npz, found a folder"),
        atomic_path(tmp_path / "clip.npz") as path,
    ):
        path.write_text("text")
    assert [item.name for item in tmp_path.iterdir()] == ["clip.npz"]
