"""Fixtures: a short recording, the person's shape, and an output folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from .commands import SCENE, save


@pytest.fixture
def recording(tmp_path) -> Path:
    """A short BODY25 recording in a folder of its own."""
    (tmp_path / "in").mkdir()
    return save(tmp_path / "in" / "walk.npz")


@pytest.fixture
def betas(tmp_path) -> Path:
    """The person's true shape."""
    path = tmp_path / "in" / "betas.npy"
    path.parent.mkdir(exist_ok=True)
    np.save(path, SCENE.known_betas())
    return path


@pytest.fixture
def out(tmp_path) -> Path:
    return tmp_path / "out"
