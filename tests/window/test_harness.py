"""What the tests of this folder see with: texts in the window, and hashes of the data."""

from __future__ import annotations

import pytest

from tests.waiting import NotShown


def test_a_text_is_found_where_blender_draws_it(blender) -> None:
    left, top, right, bottom = blender.sidebar.box()

    x, y = blender.sidebar.find("1. Track")

    assert left < x < right
    assert top < y < bottom
    assert blender.window.find("1. Track") == (x, y)


def test_another_text_is_not(blender) -> None:
    blender.sidebar.find("1. Track")

    for text in ("1. Trac", "2. Track", "1. Body", "Nothing of the kind"):
        assert blender.sidebar.locate(text)[0] is None, text


def test_a_button_comes_before_a_title_that_ends_like_it(blender) -> None:
    title, button = blender.sidebar.find("3. Fit"), blender.sidebar.find("Fit")

    assert button[1] > title[1] + 20


def test_what_does_not_come_fails_with_words(blender) -> None:
    with pytest.raises(NotShown, match=r"expected 'Nothing of the kind' in VIEW_3D UI; the likest .* 0\.\d\d"):
        blender.sidebar.find("Nothing of the kind")


def test_a_click_reaches_a_button(blender) -> None:
    blender.window.click("Layout")
    blender.window.click("Modeling")

    blender.wait_until("bpy.context.window_manager.windows[0].workspace.name == 'Modeling'")


CHANGES = {
    "meshes/Cube": "bpy.data.meshes['Cube'].vertices[3].co.x += 1e-3",
    "objects/Camera": "bpy.data.objects['Camera'].location.z += 1e-3",
    "objects/Cube": "bpy.data.objects['Cube']['note'] = 'mine'",
    "selection": "bpy.data.objects['Cube'].select_set(False)",
    "scenes/Scene": "bpy.data.scenes['Scene'].smplify.track.filepath = 'x'",
    "materials/Material": "bpy.data.materials['Material'].node_tree.nodes[0].location.x += 1",
    "objects/Light": "bpy.data.objects['Light'].keyframe_insert('location')",
    "objects/another": "bpy.data.objects.new('another', None)",
}


def test_the_hashes_see_each_change_and_only_changes(blender) -> None:
    before = blender.evaluate("data_hash.hashes()")
    assert blender.evaluate("data_hash.hashes()") == before

    for name, change in CHANGES.items():
        blender.run(change)
        after = blender.evaluate("data_hash.hashes()")
        assert after[name] != before.get(name), name
        before = after
