"""Fixtures: a figure that walks, and the test character."""

from __future__ import annotations

from pathlib import Path

import pytest

NUM_FRAMES = 24


@pytest.fixture(scope="session")
def figure_file(body, make_motion, tmp_path_factory) -> Path:
    """A file with `figure`."""
    from tests.blender_addon.character.figures import write_figures

    path = tmp_path_factory.mktemp("figure") / "figure.blend"
    return write_figures(path, body, {"walk": make_motion(num_frames=NUM_FRAMES)})


@pytest.fixture
def figure(figure_file, addon):
    """A figure with a record, as if imported from a motion file."""
    from tests.blender_addon.character.figures import read_figures

    return read_figures(figure_file, addon, NUM_FRAMES)[0]


@pytest.fixture
def hero(addon):
    """The test character."""
    from tests.blender_addon.character.rigs import make_character

    return make_character(roll=1)
