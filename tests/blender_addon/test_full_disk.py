"""A disk without space, or a folder that cannot be written to, ends in one line with the path, and nothing is left."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

from blender_addon.batch.cli import main as blender_main  # noqa: E402
from core.cli.main import main as core_main  # noqa: E402
from tests.blender_addon.character.rigs import make_character  # noqa: E402
from tests.blender_addon.test_export import USD  # noqa: E402

KINDS = ["blend", "fbx", "glb", "bvh", "npz", "mot", "trc", USD]
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc cannot be written to, even by root")


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """A folder on a file system of its own, which is full but for a few kilobytes."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=12k", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a file system cannot be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)  # an exporter that failed may keep its file open


def refused(write, path: Path) -> str:
    """Return the error of *write*, which must be one line with *path*."""
    with pytest.raises(RuntimeError) as raised:
        write(filepath=str(path))
    (line,) = str(raised.value).strip().splitlines()
    assert line.startswith("Error: ") and str(path) in line, line
    return line


@pytest.fixture
def writers(addon, add_person, make_motion):
    """The operators that write files; a figure is active, and a character that moves is chosen."""
    figure = add_person(make_motion(4))
    hero = make_character("hero")
    hero.animation_data_create().action = bpy.data.actions.new("own")
    for frame in (1, 4):
        hero.pose.bones["hips"].keyframe_insert("location", frame=frame)
    addon.smplify_character.armature = hero
    bpy.context.view_layer.objects.active = figure.armature
    operators = bpy.ops.smplify
    return {"figure": operators.export, "character": operators.export_character, "bones": operators.save_bones}


def fill(folder: Path) -> None:
    """Leave no byte on the disk of *folder*."""
    with (folder / "filler").open("wb", buffering=0) as stream, suppress(OSError):
        while stream.write(b"0" * 512):
            pass


@pytest.mark.parametrize("kind", KINDS)
def test_an_export_to_a_full_disk_ends_in_an_error(writers, small_disk, capfd, kind):
    path = small_disk / f"walk.{kind}"
    path.write_text("what stood there")
    fill(small_disk)
    refused(writers["figure"], path)
    assert path.read_text() == "what stood there" and set(os.listdir(small_disk)) == {path.name, "filler"}
    assert "Traceback" not in "".join(capfd.readouterr())


@pytest.mark.parametrize("kind", ["blend", "fbx", "glb"])
def test_a_character_export_to_a_full_disk_ends_in_an_error(writers, small_disk, capfd, kind):
    fill(small_disk)
    refused(writers["character"], small_disk / f"hero.{kind}")
    assert os.listdir(small_disk) == ["filler"]
    assert "Traceback" not in "".join(capfd.readouterr())


def test_saving_bones_to_a_full_disk_ends_in_an_error(writers, small_disk):
    fill(small_disk)
    refused(writers["bones"], small_disk / "bones.json")
    assert os.listdir(small_disk) == ["filler"]


@pytest.mark.main_blender
@pytest.mark.parametrize("command", [pytest.param(core_main, marks=pytest.mark.bpy_module), blender_main])
def test_a_batch_to_a_full_disk_ends_in_an_error(write_track, small_disk, tmp_path, capsys, command):
    source = write_track(tmp_path / "walk.npz", 30)
    quick = ["--quality", "fast", *([] if command is blender_main else ["--jobs", "1"])]
    name = "fit" if command is core_main else ""
    formats = ["--formats", "bvh"] if command is blender_main else []
    assert command([*filter(None, [name]), str(source), str(tmp_path), "-o", str(small_disk), *quick, *formats]) == 1
    said = "".join(capsys.readouterr())
    suffix = "bvh" if command is blender_main else "npz"
    assert f"expected to write {small_disk / 'walk'}.{suffix}, but this failed: No space left on device" in said


@linux
@pytest.mark.parametrize("writer", ["figure", "character", "bones"])
def test_a_read_only_folder_ends_in_an_error(writers, writer):
    refused(writers[writer], Path("/proc") / ("a.json" if writer == "bones" else "a.glb"))
