"""F-curves are read as Blender plays them, at once where every frame has its key."""

from __future__ import annotations

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

from blender_addon.figure.fcurves import Channels  # noqa: E402

FRAMES = range(1, 41)


@pytest.fixture
def keyed(scene):
    """An object whose place is keyed, and the values."""
    item = bpy.data.objects.new("walk", None)
    scene.collection.objects.link(item)
    values = np.random.default_rng(0).normal(0.0, 1.0, (40, 3)).astype(np.float32)
    Channels(item).write("location", np.arange(1.0, 41.0), values, group="place")
    return item, values


def played(item):
    """The places that Blender shows."""
    places = []
    for frame in FRAMES:
        bpy.context.scene.frame_set(frame)
        places.append(tuple(item.evaluated_get(bpy.context.evaluated_depsgraph_get()).location))
    return np.array(places)


def test_keys_at_every_frame_equal_the_playback(keyed):
    item, values = keyed
    np.testing.assert_array_equal(Channels(item).sample("location", FRAMES, (0.0,) * 3), values)
    np.testing.assert_array_equal(played(item), values)


@pytest.mark.parametrize("edit", ["moved", "removed", "modified"])
def test_edited_curves_are_sampled_as_played(keyed, edit):
    item, values = keyed
    curve = Channels(item).find("location", 1)
    if edit == "moved":
        curve.keyframe_points[20].co.x += 0.4
        curve.update()
    elif edit == "removed":
        curve.keyframe_points.remove(curve.keyframe_points[20])
    else:
        curve.modifiers.new("NOISE").strength = 3.0
    found = Channels(item).sample("location", FRAMES, (0.0,) * 3)
    np.testing.assert_allclose(found, played(item), atol=1e-6)
    assert np.abs(found - values).max() > 1e-3


def test_a_property_without_a_curve_has_its_default_value(keyed):
    item, _ = keyed
    found = Channels(item).sample("scale", FRAMES, (1.0, 2.0, 3.0))
    np.testing.assert_array_equal(found, np.tile([1.0, 2.0, 3.0], (40, 1)))
