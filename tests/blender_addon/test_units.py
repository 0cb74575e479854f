"""In a scene whose unit is not a metre a person is as tall as in one in metres: figure, character, files."""

from __future__ import annotations

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

from blender_addon.character.applying import apply_motion  # noqa: E402
from blender_addon.character.file import open_character  # noqa: E402
from blender_addon.character.settings import CharacterSettings  # noqa: E402
from blender_addon.character.writing import export_character  # noqa: E402
from blender_addon.export.presets import PRESETS  # noqa: E402
from blender_addon.export.writers import export_figures  # noqa: E402
from blender_addon.figure.create import FigureOptions, add_figures  # noqa: E402
from blender_addon.figure.keyframe_hash import mark_keys  # noqa: E402
from blender_addon.figure.record import FigureRecord, store  # noqa: E402
from blender_addon.figure.units import metres_per_unit  # noqa: E402
from blender_addon.track import preview  # noqa: E402
from core.amass import read_motion  # noqa: E402
from core.pipeline import FitSource  # noqa: E402
from core.placement import Person  # noqa: E402
from core.retarget.bone_map import BoneMap  # noqa: E402
from tests.blender_addon.blender_oracle import joints, shaped, shown_joints, shown_vertices, skin  # noqa: E402
from tests.blender_addon.character.rigs import ROLES, make_character, place_object  # noqa: E402
from tests.blender_addon.test_export import USD, reimport  # noqa: E402
from tests.blender_addon.walk import part_of_the_walk  # noqa: E402

CENTIMETRE = 0.01
TOLERANCE_M = 1e-3


@pytest.fixture
def centimetres(addon):
    """A scene in centimetres."""
    addon.unit_settings.system, addon.unit_settings.scale_length = "METRIC", CENTIMETRE
    return addon


def test_a_figure_has_the_same_height_in_blenders_fields_and_in_the_panel(centimetres, add_person, body, make_motion):
    motion = make_motion(12)
    figure = add_person(motion, floor=False)
    for frame in (0, 7):
        shown = CENTIMETRE * shown_joints(figure.armature, 1 + frame)
        np.testing.assert_allclose(shown, joints(body, motion, frame), atol=1e-4)
    figure.armature.data.pose_position = "REST"
    bpy.context.view_layer.update()
    rest = shaped(body, figure.motion.betas)
    assert CENTIMETRE * figure.mesh.dimensions.z == pytest.approx(np.ptp(rest[:, 1]), abs=1e-3)


@pytest.mark.parametrize(("system", "metres"), [("METRIC", 0.01), ("IMPERIAL", 0.01), ("NONE", 1.0)])
def test_the_unit_scale_matches_blenders_fields(scene, system, metres):
    scene.unit_settings.system, scene.unit_settings.scale_length = system, 0.01
    assert metres_per_unit(scene) == pytest.approx(metres)


@pytest.mark.parametrize("preset", ["BLENDER", pytest.param("UNREAL", marks=pytest.mark.main_blender)])
@pytest.mark.parametrize("kind", ["fbx", "glb", "bvh", "npz", USD])
def test_files_are_in_metres(centimetres, add_person, body, make_motion, tmp_path, kind, preset):
    figure = add_person(make_motion(8), floor=False)
    motion = figure.motion
    path = export_figures([figure.armature], tmp_path / f"walk.{kind}", target=PRESETS[preset].target)
    if kind == "npz":
        again = read_motion(path, rest_pelvis=lambda betas: (body.joint_regressor @ shaped(body, betas))[0])
        np.testing.assert_allclose(again.trans, motion.trans, atol=1e-5)
        return
    armature, first, _ = reimport(kind, path, motion.fps)
    pelvis = armature.data.bones.get("pelvis") or armature.data.bones["Hips"]
    for frame in range(8):
        shown = shown_joints(armature, first + frame, (pelvis.name,))
        np.testing.assert_allclose(shown, joints(body, motion, frame)[:1], atol=TOLERANCE_M)
    skins = [item for item in bpy.context.scene.objects if item.type == "MESH" and len(item.data.vertices) > 1000]
    assert len(skins) == (kind != "bvh")
    for item in skins:
        shown = shown_vertices(item, int(first) + 5)
        height = np.ptp(skin(body, motion, 5)[:, 2])
        assert np.ptp(shown[:, 2]) == pytest.approx(height, abs=0.01)


def test_a_blend_keeps_the_unit(centimetres, add_person, body, make_motion, tmp_path):
    figure = add_person(make_motion(6), floor=False)
    motion = figure.motion
    export_figures([figure.armature], tmp_path / "walk.blend")
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "walk.blend"))
    armature = next(item for item in bpy.data.objects if item.type == "ARMATURE")
    bpy.context.window.scene = armature.users_scene[0]
    assert metres_per_unit(bpy.context.scene) == pytest.approx(CENTIMETRE)
    shown = CENTIMETRE * shown_joints(armature, 3)
    np.testing.assert_allclose(shown, joints(body, motion, 2), atol=1e-4)


def in_unit(metres: float) -> bpy.types.Scene:
    """Return the scene of a new session, whose unit has the length *metres*."""
    bpy.ops.wm.read_homefile(use_empty=True)
    scene = bpy.context.scene
    scene.unit_settings.system, scene.unit_settings.scale_length = "METRIC", metres
    return scene


def with_steps_as_recorded(scene, body, motion):
    """Return a character in *scene* with *motion*, in steps as long as recorded, and how well it went."""
    (figure,) = add_figures([Person("source", motion, body)], scene, name="source", options=FigureOptions(floor=False))
    store(figure.armature, FigureRecord(figure.motion, 1, FitSource(), None, motion.fps, np.zeros(3)))
    mark_keys(figure.armature)
    hero = make_character()
    place_object(hero, scale=1.0 / metres_per_unit(scene))
    settings = CharacterSettings(steps="same", feet=0.0, hands=0.0)
    return hero, apply_motion(hero, figure.armature, BoneMap(ROLES), settings)


@pytest.mark.parametrize("kind", ["glb", "fbx"])
def test_a_character_moves_the_same_and_is_exported_in_metres(addon, body, make_motion, tmp_path, kind):
    motion, parts = make_motion(6, betas=np.zeros(10)), ("hips", "foot.L", "hand.R")
    hero, facts = with_steps_as_recorded(in_unit(1.0), body, motion)
    expected = shown_joints(hero, 4, parts)

    scene = in_unit(CENTIMETRE)
    hero, found = with_steps_as_recorded(scene, body, motion)
    np.testing.assert_allclose(CENTIMETRE * shown_joints(hero, 4, parts), expected, atol=TOLERANCE_M)
    assert found.slide_mm == pytest.approx(facts.slide_mm, abs=0.1)
    path = export_character(hero, tmp_path / f"hero.{kind}", scene)

    in_unit(CENTIMETRE)
    opened = open_character(path)
    heads = [opened.matrix_world @ opened.data.bones[name].head_local for name in ("hips", "head")]
    assert CENTIMETRE * (heads[1] - heads[0]).length == pytest.approx(0.65, rel=0.05)
    armature, first, _ = reimport(kind, path, 30.0)
    np.testing.assert_allclose(shown_joints(armature, first + 3, parts), expected, atol=2e-3)


def test_the_preview_is_drawn_where_the_figure_will_be(centimetres, tmp_path):
    bpy.ops.smplify.open_track(filepath=part_of_the_walk(tmp_path / "walk.trc", 0, 10))
    window = bpy.context.window_manager.windows[0]
    area = next(area for area in window.screen.areas if area.type == "VIEW_3D")
    with bpy.context.temp_override(window=window, area=area, region=area.regions[-1]):
        lowest, highest = preview.extent(bpy.context)
    assert CENTIMETRE * (highest - lowest)[2] == pytest.approx(1.7, abs=0.2)
