"""What is read is never written onto, whatever path leads to it; names of new files avoid what is there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import core
from core.errors import OutputError
from core.io.protected_files import ProtectedFiles
from tests.disguises import DISGUISES, disguise


@pytest.mark.parametrize("kind", DISGUISES)
def test_a_file_is_known_by_any_path(tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "walk.npz").write_text("keypoints")
    (tmp_path / "other.npz").write_text("keypoints")
    protected = ProtectedFiles({tmp_path / "walk.npz": "the input"})
    path = disguise(tmp_path / "walk.npz", kind)
    with pytest.raises(OutputError, match=r"expected the motion to be another file than the input, got .*npz"):
        protected.check(path, "the motion")
    protected.check(disguise(tmp_path / "other.npz", kind))


@pytest.mark.parametrize("kind", DISGUISES)
def test_it_may_have_been_named_by_any_path_too(tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "walk.npz").write_text("keypoints")
    protected = ProtectedFiles({disguise(tmp_path / "walk.npz", kind): "the input"})
    with pytest.raises(OutputError, match="the output to be another file than the input"):
        protected.check(tmp_path / "walk.npz")


def test_a_file_that_is_gone_is_known_by_its_place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.symlink(tmp_path, tmp_path / "link", target_is_directory=True)
    protected = ProtectedFiles({tmp_path / "gone.blend": "the open project"})
    for path in (Path("gone.blend"), tmp_path / "link" / ".." / tmp_path.name / "gone.blend"):
        with pytest.raises(OutputError, match="the open project"):
            protected.check(path)
    protected.check(tmp_path / "link" / "new.blend")


@pytest.mark.skipif(os.name != "posix", reason="two slashes begin a network path there")
def test_two_slashes_at_the_beginning_are_one(tmp_path):
    protected = ProtectedFiles({tmp_path / "gone.blend": "the open project"})
    with pytest.raises(OutputError, match="the open project"):
        protected.check(Path(f"/{tmp_path}/gone.blend"))


def test_a_clip_of_one_file_a_frame_is_protected_file_by_file(tmp_path):
    clip = tmp_path / "clip"
    clip.mkdir()
    (clip / "0001.json").write_text("[]")
    os.link(clip / "0001.json", tmp_path / "report.json")
    protected = ProtectedFiles({clip: "the input"})
    for path in (clip / "0001.json", tmp_path / "report.json"):
        with pytest.raises(OutputError, match="another file than a file of the input"):
            protected.check(path)
    protected.check(clip / "walk.npz")


def test_the_cores_own_data_are_protected():
    for path in Path(core.__file__).parent.rglob("*.npz"):
        with pytest.raises(OutputError, match="a file of this program"):
            ProtectedFiles({}).check(path)
        ProtectedFiles({}, own_data=False).check(path)


def test_a_new_name_avoids_what_is_there(tmp_path):
    protected = ProtectedFiles({tmp_path / "gone.blend": "the open project"})
    (tmp_path / "walk.blend").touch()
    (tmp_path / "Walk_1.BLEND").touch()
    os.symlink(tmp_path / "nowhere", tmp_path / "walk_2.blend")
    assert protected.free_path(tmp_path / "walk.blend") == tmp_path / "walk_3.blend"
    assert protected.free_path(tmp_path / "gone.blend") == tmp_path / "gone_1.blend"
    assert protected.free_path(tmp_path / "run.blend") == tmp_path / "run.blend"
    assert protected.free_path(tmp_path / "no" / "such" / "run.blend") == tmp_path / "no" / "such" / "run.blend"


def test_a_new_name_is_free_for_all_files_that_are_written(tmp_path):
    (tmp_path / "walk_two.npz").touch()

    def files_of(path):
        return [path.with_stem(f"{path.stem}_{name}") for name in ("one", "two")]

    assert ProtectedFiles({}).free_path(tmp_path / "walk.npz", files_of) == tmp_path / "walk_1.npz"
