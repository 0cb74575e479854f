"""Box 2 with a licensed file: remembered, by gender, explained, never copied."""

from __future__ import annotations

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

import blender_addon  # noqa: E402
from blender_addon.body.panel import SMPLIFY_PT_body  # noqa: E402
from core.body.topology import VERTEX_IDS_BY_COUNT  # noqa: E402
from tests.blender_addon.drawing import draw  # noqa: E402


@pytest.fixture
def addon(scene, write_track, tmp_path):
    blender_addon.register()
    bpy.ops.smplify.open_track(filepath=str(write_track(tmp_path / "walk.npz")))
    yield bpy.context.scene.smplify.body
    blender_addon.unregister()


@pytest.fixture
def preferences(addon):
    """The add-on's preferences, as if it had been enabled."""
    entry = bpy.context.preferences.addons.new()
    entry.module = "blender_addon"
    yield entry.preferences
    bpy.context.preferences.addons.remove(entry)


@pytest.fixture
def files(body, tmp_path):
    """A folder of SMPL files as its project names them; the bodies are the free one."""
    folder = tmp_path / "bodies"
    folder.mkdir()
    assert len(body.v_template) in VERTEX_IDS_BY_COUNT
    from core.smpl_skeleton import JOINT_PARENTS

    for gender, scale in (("NEUTRAL", 1.0), ("FEMALE", 0.95)):
        np.savez(
            folder / f"SMPL_{gender}.npz", v_template=scale * body.v_template, f=body.faces, shapedirs=body.shapedirs,
            posedirs=body.posedirs, J_regressor=body.joint_regressor, weights=body.weights,
            kintree_table=np.stack([np.array(JOINT_PARENTS), np.arange(24)]),
        )  # fmt: skip
    return folder


def test_without_a_file_the_box_says_where_to_get_one(addon):
    addon.kind = "SMPL"
    drawn = draw(SMPLIFY_PT_body)
    assert "licence of your own" in drawn.text and "never copied" in drawn.text and "wm.url_open" in drawn.operators
    with pytest.raises(RuntimeError, match="licensed SMPL file"):
        bpy.ops.smplify.fit()
    addon.file = "/nowhere/SMPL_MALE.pkl"
    assert "There is no file" in draw(SMPLIFY_PT_body).text


@pytest.mark.main_blender
def test_a_file_is_used_and_its_genders_offered(addon, files):
    addon.kind, addon.file = "SMPL", str(files / "SMPL_NEUTRAL.npz")
    assert "gender" in draw(SMPLIFY_PT_body).props
    assert bpy.ops.smplify.fit() == {"FINISHED"}
    addon.gender = "FEMALE"
    assert bpy.ops.smplify.fit() == {"FINISHED"}
    from blender_addon.figure.record import load

    sources = [load(bpy.data.objects[name]).source.body for name in ("walk", "walk.001")]
    assert sources == [str(files / "SMPL_NEUTRAL.npz"), str(files / "SMPL_FEMALE.npz")]
    addon.gender = "MALE"
    with pytest.raises(RuntimeError, match=r"male body beside .* found female, neutral"):
        bpy.ops.smplify.fit()


@pytest.mark.main_blender
def test_a_file_without_a_gender_in_its_name_offers_none(addon, files):
    (files / "SMPL_NEUTRAL.npz").rename(files / "mine.npz")
    addon.kind, addon.file = "SMPL", str(files / "mine.npz")
    assert "gender" not in draw(SMPLIFY_PT_body).props and "never copied" in draw(SMPLIFY_PT_body).text


def test_the_preferences_remember_the_file(addon, preferences, files):
    addon.kind, addon.file = "SMPL", str(files / "SMPL_NEUTRAL.npz")
    assert preferences.body_file == str(files / "SMPL_NEUTRAL.npz")
    bpy.context.window.scene = bpy.data.scenes.new("Other")
    other = bpy.context.scene.smplify.body
    other.kind = "SMPL"
    assert "Remembered: SMPL_NEUTRAL.npz" in draw(SMPLIFY_PT_body).text
    from blender_addon.fit.settings import body_path

    assert body_path(bpy.context) == str(files / "SMPL_NEUTRAL.npz")
    other.kind = "FREE"
    assert body_path(bpy.context) == ""
