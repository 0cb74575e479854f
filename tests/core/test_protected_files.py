"""Input files are never overwritten, whatever path leads to them; names of new files avoid existing ones."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import core
from core.errors import OutputError
from core.io.protected_files import ProtectedFiles
from tests.disguises import DISGUISES, disguise


@pytest.mark.parametrize("kind", DISGUISES)
def test_protected_file_is_recognised_by_any_path(tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "walk.npz").write_text("keypoints")
    (tmp_path / "other.npz").write_text("keypoints")
    protected = ProtectedFiles({tmp_path / "walk.npz": "the input"})
    path = disguise(tmp_path / "walk.npz", kind)
    with pytest.raises(OutputError, match=r"expected the motion to be another file than the input, got .*npz"):
        protected.check(path, "the motion")
    protected.check(disguise(tmp_path / "other.npz", kind))


@pytest.mark.parametrize("kind", DISGUISES)
def test_protected_file_may_be_given_by_any_path(tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "walk.npz").write_text("keypoints")
    protected = ProtectedFiles({disguise(tmp_path / "walk.npz", kind): "the input"})
    with pytest.raises(OutputError, match="the output to be another file than the input"):
        protected.check(tmp_path / "walk.npz")


def test_deleted_file_is_recognised_by_its_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.symlink(tmp_path, tmp_path / "link", target_is_directory=True)
    protected = ProtectedFiles({tmp_path / "gone.blend": "the open project"})
    for path in (Path("gone.blend"), tmp_path / "link" / ".." / tmp_path.name / "gone.blend"):
        with pytest.raises(OutputError, match="the open project"):
            protected.check(path)
    protected.check(tmp_path / "link" / "new.blend")


@pytest.mark.skipif(os.name != "posix", reason="two slashes begin a network path there")
def test_two_leading_slashes_are_one(tmp_path):
    protected = ProtectedFiles({tmp_path / "gone.blend": "the open project"})
    with pytest.raises(OutputError, match="the open project"):
        protected.check(Path(f"/{tmp_path}/gone.blend"))


def test_folder_of_frames_is_protected_file_by_file(tmp_path):
    clip = tmp_path / "clip"
    clip.mkdir()
    (clip / "0001.json").write_text("[]")
    os.link(clip / "0001.json", tmp_path / "report.json")
    protected = ProtectedFiles({clip: "the input"})
    for path in (clip / "0001.json", tmp_path / "report.json"):
        with pytest.raises(OutputError, match="another file than a file of the input"):
            protected.check(path)
    protected.check(clip / "walk.npz")


def test_own_data_is_protected():
    for path in Path(core.__file__).parent.rglob("*.npz"):
        with pytest.raises(OutputError, match="a file of this program"):
            ProtectedFiles({}).check(path)
        ProtectedFiles({}, own_data=False).check(path)


def test_free_name_avoids_existing_files(tmp_path):
    protected = ProtectedFiles({tmp_path / "gone.blend": "the open project"})
    (tmp_path / "walk.blend").touch()
    (tmp_path / "Walk_1.BLEND").touch()
    os.symlink(tmp_path / "nowhere", tmp_path / "walk_2.blend")
    assert protected.free_path(tmp_path / "walk.blend") == tmp_path / "walk_3.blend"
    assert protected.free_path(tmp_path / "gone.blend") == tmp_path / "gone_1.blend"
    assert protected.free_path(tmp_path / "run.blend") == tmp_path / "run.blend"
    assert protected.free_path(tmp_path / "no" / "such" / "run.blend") == tmp_path / "no" / "such" / "run.blend"


def test_free_name_is_free_for_all_written_files(tmp_path):
    (tmp_path / "walk_two.npz").touch()

    def files_of(path):
        return [path.with_stem(f"{path.stem}_{name}") for name in ("one", "two")]

    assert ProtectedFiles({}).free_path(tmp_path / "walk.npz", files_of) == tmp_path / "walk_1.npz"
