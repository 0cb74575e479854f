"""The batch on a torch device: in the Python that runs it, or in another one; what is missing is reported at once."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("bpy", reason="needs Blender's Python module")

from blender_addon.batch.cli import main  # noqa: E402

has_torch = importlib.util.find_spec("torch") is not None

pytestmark = pytest.mark.main_blender


def convert(source: Path, out: Path, *arguments: str) -> int:
    return main([str(source), "-o", str(out), "--formats", "npz", *arguments])


@pytest.mark.bpy_module
@pytest.mark.skipif(not has_torch, reason="needs PyTorch")
def test_an_external_python_gives_the_same_motion(write_track, tmp_path):
    source = write_track(tmp_path / "walk.npz", 24)
    assert convert(source, tmp_path / "here", "--device", "cpu") == 0
    other = ("--device", "cpu", "--torch-python", sys.executable)
    assert convert(source, tmp_path / "there", *other) == 0
    here, there = (np.load(tmp_path / name / "walk.npz") for name in ("here", "there"))
    np.testing.assert_array_equal(there["poses"], here["poses"])
    np.testing.assert_array_equal(there["trans"], here["trans"])
    report = json.loads((tmp_path / "there" / "walk.smplify.json").read_text(encoding="utf-8"))
    assert report["status"] == "converted"


@pytest.mark.skipif(has_torch, reason="needs a Python without PyTorch")
def test_a_device_without_torch_is_refused_with_instructions(write_track, tmp_path, capfd):
    source = write_track(tmp_path / "walk.npz")
    assert convert(source, tmp_path / "out", "--device", "cuda") == 2
    said = capfd.readouterr().err
    assert "needs PyTorch" in said and "--torch-python FILE" in said and "GPU Acceleration" in said
    assert not (tmp_path / "out").exists()


def test_an_unsuitable_python_is_refused_before_any_work(write_track, tmp_path, capfd):
    source = write_track(tmp_path / "walk.npz")
    missing = tmp_path / "no_python"
    assert convert(source, tmp_path / "out", "--device", "cuda", "--torch-python", str(missing)) == 2
    assert f"found no file at {missing}" in capfd.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(not has_torch, reason="needs PyTorch")
def test_a_gpu_unknown_to_the_external_python_is_refused(write_track, tmp_path, capfd):
    device = "cuda" if sys.platform == "darwin" else "mps"
    source = write_track(tmp_path / "walk.npz")
    arguments = ("--device", device, "--torch-python", sys.executable)
    assert convert(source, tmp_path / "out", *arguments) == 2
    assert f"got '{device}'" in capfd.readouterr().err


def test_a_numpy_fit_starts_no_external_python(write_track, tmp_path):
    source = write_track(tmp_path / "walk.npz")
    assert convert(source, tmp_path / "out", "--torch-python", str(tmp_path / "no_python")) == 0
