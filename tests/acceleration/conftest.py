"""Fixtures of the tests of fits in another Python; none of them needs Blender."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from blender_addon.torch_backend.environment import base_python
from core.body.data import BodyData
from core.body.free_body import load_free_body
from core.reading import read_tracks
from core.track import KeypointTrack
from tests.acceleration.stand_ins import write_stand_ins
from tests.conftest import REPOSITORY


@pytest.fixture(scope="session")
def body() -> BodyData:
    """The free body."""
    return load_free_body()


@pytest.fixture(scope="session")
def walk() -> KeypointTrack:
    """A short track."""
    track = read_tracks(REPOSITORY / "samples" / "walk.trc")[0]
    return replace(track, positions=track.positions[:24], confidence=track.confidence[:24])


@pytest.fixture(scope="session")
def long_walk(walk) -> KeypointTrack:
    """A track whose fit takes long enough to be disturbed."""
    return replace(walk, positions=np.tile(walk.positions, (6, 1, 1)), confidence=np.tile(walk.confidence, (6, 1)))


@pytest.fixture(scope="session")
def bare_python(tmp_path_factory) -> Path:
    """A Python in an environment without any package."""
    folder = tmp_path_factory.mktemp("bare")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    return folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


@pytest.fixture(scope="session")
def numpy_python(tmp_path_factory) -> Path:
    """A Python with this one's NumPy and nothing else."""
    folder = tmp_path_factory.mktemp("with_numpy")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    site = next(folder.glob("lib*/**/site-packages"))
    packages = Path(np.__file__).resolve().parent.parent
    for name in ("numpy", "numpy.libs"):
        if (packages / name).is_dir():
            (site / name).symlink_to(packages / name)
    return folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


@pytest.fixture(scope="session")
def torch_python() -> Path:
    """A Python that has PyTorch."""
    pytest.importorskip("torch", reason="needs PyTorch")
    return Path(sys.executable)


@pytest.fixture(scope="session")
def made_environment(tmp_path_factory) -> Path:
    """An environment made the usual way, which takes a while, to be copied."""
    folder = tmp_path_factory.mktemp("made") / "environment"
    subprocess.run([base_python(), "-m", "venv", folder], check=True)
    return folder


@pytest.fixture
def wheels(tmp_path, monkeypatch) -> Path:
    """A folder that is all that pip knows, by pip's own settings."""
    folder = tmp_path / "wheels"
    write_stand_ins(folder)
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder
