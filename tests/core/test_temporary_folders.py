"""Hidden folders of killed processes are removed: at once where they are surely nobody's, else after a day."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.io import temporary_folders
from core.io.temporary_folders import TEMPORARY_PREFIX, remove_leftovers, temporary_folder
from tests.conftest import REPOSITORY

HOLD = """
import sys
from pathlib import Path
from core.io.temporary_folders import temporary_folder
with temporary_folder(Path(sys.argv[1])) as folder:
    (folder / "half").write_text("half a file")
    print(folder.name, flush=True)
    sys.stdin.read()
"""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def other(tmp_path):
    """Another process that uses a folder in *tmp_path*, and the name of that folder."""
    command = [sys.executable, "-c", HOLD, tmp_path]
    with subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
        process.kill()


def test_a_folder_is_removed_with_its_files(tmp_path):
    with temporary_folder(tmp_path / "new") as folder:
        (folder / "below").mkdir()
        (folder / "below" / "file").write_text("text")
        assert folder.parent == tmp_path / "new" and folder.name.startswith(TEMPORARY_PREFIX)
    assert names(tmp_path / "new") == []


def test_a_folder_in_use_stays_and_goes_once_its_process_was_killed(tmp_path, other):
    process, name = other
    remove_leftovers(tmp_path)
    assert names(tmp_path) == [name]
    process.kill()
    process.wait()
    remove_leftovers(tmp_path)
    assert names(tmp_path) == []


def test_a_folder_of_another_machine_stays_for_a_day(tmp_path, other, monkeypatch):
    process, name = other
    process.kill()
    process.wait()
    monkeypatch.setattr(temporary_folders, "_machine", lambda: "another")
    remove_leftovers(tmp_path)
    assert names(tmp_path) == [name]
    yesterday = time.time() - 86500
    os.utime(tmp_path / name, (yesterday, yesterday))
    remove_leftovers(tmp_path)
    assert names(tmp_path) == []


def test_nothing_else_is_removed(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("text")
    (tmp_path / f"{TEMPORARY_PREFIX}file").write_text("text")
    (tmp_path / ".hidden").mkdir()
    try:
        (tmp_path / f"{TEMPORARY_PREFIX}link").symlink_to(tmp_path / "mine")
    except OSError:
        pytest.skip("links cannot be made here")
    old = time.time() - 1e6
    for path in tmp_path.iterdir():
        os.utime(path, (old, old))
    before = names(tmp_path)
    remove_leftovers(tmp_path)
    assert names(tmp_path) == before and (tmp_path / "mine" / "file").exists()


def test_a_new_folder_that_another_process_takes_for_a_leftover_is_made_again(tmp_path, monkeypatch):
    lock_new, made = temporary_folders._lock_new, []

    def lock_late(folder):
        made.append(folder)
        if len(made) == 1:
            folder.rmdir()  # as `remove_leftovers` of another process, between the two steps of this one
        return lock_new(folder)

    monkeypatch.setattr(temporary_folders, "_lock_new", lock_late)
    with temporary_folder(tmp_path) as folder:
        assert folder == made[1] != made[0] and folder.is_dir()
    assert names(tmp_path) == []
