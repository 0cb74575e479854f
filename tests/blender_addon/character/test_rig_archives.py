"""Characters as .npz files, for programs without Blender."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from blender_addon.character.file import open_character
from blender_addon.character.read_rig import read_rig
from core.amass import write_motion
from core.motion import Motion
from tests.blender_addon.character.rigs import write_character
from training.evaluation.character_files import applied_in_blender, read_characters

pytestmark = pytest.mark.main_blender


def archive(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "blender_addon.character.rig_archives", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("suffix", [".blend", ".glb"])
def test_the_evaluation_reads_characters_as_blender_does(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"hero{suffix}"
    write_character(path)

    rig, bone_map = read_characters([path])["hero"]

    expected = read_rig(open_character(path))
    assert rig.names == expected.names and bone_map.bones["hips"] == ("hips",)
    for name in ("parents", "heads", "tails", "axes"):
        np.testing.assert_allclose(getattr(rig, name), getattr(expected, name), atol=1e-6)
    np.testing.assert_allclose(rig.skin.vertices, expected.skin.vertices, atol=1e-6)


def test_a_file_that_cannot_be_read_is_left_out_and_nothing_is_replaced(tmp_path: Path) -> None:
    good, bad, out = tmp_path / "good.blend", tmp_path / "bad.glb", tmp_path / "out"
    write_character(good)
    bad.write_bytes(b"no glTF")

    first = archive(str(good), str(bad), "-o", str(out))
    assert first.returncode == 1 and "left out: expected a character in bad.glb" in first.stderr
    assert [path.name for path in out.iterdir()] == ["good.npz"]

    again = archive(str(good), "-o", str(out))
    assert again.returncode == 1 and "expected a new file for each character" in again.stderr


def test_keys_time_and_removal_are_measured(tmp_path: Path, make_motion: Callable[..., Motion]) -> None:
    write_character(tmp_path / "hero.blend")
    write_motion(tmp_path / "clip.npz", make_motion(num_frames=24), up_axis="Y")
    found = applied_in_blender([tmp_path / "hero.blend"], [tmp_path / "clip.npz"])["hero"]
    assert found["keys_mm"] < 0.1 and found["is_restored"] == 1.0
    assert found["apply_s"] > 0.0 and found["step_s"] > 0.0 and "fk_mm" not in found
