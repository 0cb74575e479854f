"""Fixtures of the tests of fits in another Python; none of them needs Blender."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.reading import read_tracks
from core.track import KeypointTrack


@pytest.fixture(scope="session")
def walk(write_track, tmp_path_factory) -> KeypointTrack:
    """A short track."""
    return read_tracks(write_track(tmp_path_factory.mktemp("track") / "walk.npz", 24))[0]


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
