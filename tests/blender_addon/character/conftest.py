"""Fixtures: a figure that walks, and the test character."""

from __future__ import annotations

import pytest


@pytest.fixture
def figure(addon, make_motion, add_person):
    """A figure with a record, as if imported from a motion file."""
    from blender_addon.figure.keyframe_hash import mark_keys
    from blender_addon.figure.record import FigureRecord, FitSource, store

    added = add_person(make_motion(num_frames=24))
    record = FigureRecord(added.motion, added.first_frame, FitSource(), None, added.motion.fps, added.motion.trans[0])
    store(added.armature, record)
    mark_keys(added.armature)
    return added.armature


@pytest.fixture
def hero(addon):
    """The test character."""
    from tests.blender_addon.character.rigs import make_character

    return make_character(roll=1)
