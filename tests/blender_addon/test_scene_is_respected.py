"""What stood in the scene before stays as it was; rate and range follow the rules."""

from __future__ import annotations

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

from blender_addon.figure.create import FigureOptions, add_figures  # noqa: E402
from blender_addon.figure.scene_time import SceneTime, scene_rate  # noqa: E402
from core.placement import Person  # noqa: E402
from tests.blender_addon.blender_oracle import joints, shown_joints  # noqa: E402


@pytest.mark.parametrize("fps", [24.0, 29.97, 59.94, 90.69, 120.0, 0.5, 1000.0])
def test_the_first_clip_sets_frame_rate_and_range(scene, add_person, make_motion, fps):
    add_person(make_motion(31, fps=fps))
    assert scene_rate(scene) == pytest.approx(fps, rel=1e-6)
    assert (scene.frame_start, scene.frame_end) == (1, 31)


def test_the_rate_of_a_rounded_frame_time_is_an_integer(scene, add_person, make_motion):
    add_person(make_motion(4, fps=30.00012))
    assert (scene.render.fps, scene.render.fps_base) == (30, 1.0)


def animated_cube(scene):
    cube = bpy.data.objects.new("cube", bpy.data.meshes.new("cube"))
    scene.collection.objects.link(cube)
    cube.location.x = 0.0
    cube.keyframe_insert("location", frame=10)
    cube.location.x = 4.0
    cube.keyframe_insert("location", frame=400)
    scene.render.fps = 25
    scene.frame_start, scene.frame_end = 10, 400
    scene.frame_set(205)
    return cube


def test_animated_scene_keeps_its_rate_range_frame_and_actions(scene, add_person, body, make_motion):
    cube = animated_cube(scene)
    place, action = cube.location.copy(), cube.animation_data.action
    motion = make_motion(60, fps=50.0)
    figure = add_person(motion, floor=False)
    assert scene_rate(scene) == 25.0
    assert (scene.frame_start, scene.frame_end, scene.frame_current) == (10, 400, 205)
    assert cube.animation_data.action == action and cube.location == place
    assert figure.first_frame == 10
    assert figure.motion.num_frames == 30, "59 steps at 50 a second are 29.5 at 25"
    for frame in range(0, 30, 7):
        np.testing.assert_allclose(
            shown_joints(figure.armature, 10 + frame), joints(body, motion, 2 * frame), atol=1e-4
        )


def test_range_of_an_animated_scene_is_only_widened(scene, add_person, make_motion):
    animated_cube(scene)
    add_person(make_motion(1000, fps=25.0))
    assert (scene.frame_start, scene.frame_end) == (10, 1009)


def set_up(scene) -> None:
    """Set rate and range, as for a shot; nothing is animated."""
    scene.render.fps = 24
    scene.frame_start, scene.frame_end = 1001, 1100


@pytest.mark.parametrize("change", ["range", "rate", "saved"])
def test_a_scene_that_was_set_up_keeps_its_rate_and_range(scene, add_person, make_motion, tmp_path, change):
    if change == "range":
        set_up(scene)
    elif change == "rate":
        scene.render.fps = 25
    else:
        bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
        scene = bpy.context.scene
    before = SceneTime.of(scene)
    figure = add_person(make_motion(600, fps=50.0))
    assert SceneTime.of(scene) == before
    assert (figure.first_frame, figure.motion.fps) == (before.first, before.rate)


@pytest.mark.parametrize(
    ("timing", "animated", "expected"),
    [
        ("SCENE", False, SceneTime(24.0, 1001, 1100)),
        ("SCENE", True, SceneTime(25.0, 10, 400)),
        ("CLIP", False, SceneTime(50.0, 1, 600)),
        ("CLIP", True, SceneTime(50.0, 1, 600)),
    ],
)
def test_the_timing_option_decides_on_rate_and_range(scene, body, make_motion, timing, animated, expected):
    animated_cube(scene) if animated else set_up(scene)
    person = Person("walk", make_motion(600, fps=50.0), body)
    (figure,) = add_figures([person], scene, name="walk", options=FigureOptions(timing=timing))
    assert SceneTime.of(scene) == expected and figure.motion.fps == expected.rate
    assert figure.first_frame == expected.first


@pytest.mark.parametrize("frame", [0, 1050])
def test_the_motion_begins_at_the_chosen_frame(scene, body, make_motion, frame):
    set_up(scene)
    person = Person("walk", make_motion(60, fps=24.0), body)
    (figure,) = add_figures([person], scene, name="walk", options=FigureOptions(first_frame=frame))
    assert tuple(figure.armature.animation_data.action.frame_range) == (frame, frame + 59)
    assert (scene.frame_start, scene.frame_end) == (1001, 1100)


def test_changes_of_the_scene_are_reported(scene, add_person, make_motion):
    before = SceneTime.of(scene)
    figure = add_person(make_motion(31, fps=60.0))
    assert before.changes(scene, figure.own_fps, figure.last_frame) == [
        "The scene now has 60 fps instead of 24.",
        "Its range is now 1–31 instead of 1–250.",
    ]


def test_kept_settings_of_the_scene_are_reported(scene, add_person, make_motion):
    set_up(scene)
    before = SceneTime.of(scene)
    figure = add_person(make_motion(600, fps=60.0))
    assert before.changes(scene, figure.own_fps, figure.last_frame) == [
        "The scene keeps its 24 fps; the motion had 60.",
        "Its range 1001–1100 was kept; the motion goes on to 1240.",
    ]
    again = add_person(make_motion(31, fps=24.0))
    assert SceneTime.of(scene).changes(scene, again.own_fps, again.last_frame) == []


def test_new_collection_goes_into_the_active_one(scene, add_person, make_motion):
    shot = bpy.data.collections.new("shot")
    scene.collection.children.link(shot)
    shown = bpy.context.view_layer.layer_collection.children["shot"]
    bpy.context.view_layer.active_layer_collection = shown
    add_person(make_motion(3))
    assert [item.name for item in shot.children] == ["walk"]
    shown.exclude = True
    add_person(make_motion(3), "run")
    assert [item.name for item in scene.collection.children] == ["shot", "run"]


def test_a_second_clip_gets_its_own_names_and_collection(scene, add_person, make_motion):
    first = add_person(make_motion(5), "walk")
    second = add_person(make_motion(9), "walk")
    assert first.armature.name == "walk" and second.armature.name == "walk.001"
    assert first.armature.users_collection != second.armature.users_collection
    assert first.armature.animation_data.action != second.armature.animation_data.action
    assert first.mesh.modifiers[0].object == first.armature and second.mesh.modifiers[0].object == second.armature
    assert first.mesh.data.materials[0] == second.mesh.data.materials[0]
    assert (scene.frame_start, scene.frame_end) == (1, 9)


def test_several_people_get_an_armature_each(scene, body, make_motion):
    people = [Person(f"duo_P{number}", make_motion(6, seed=number), body) for number in (1, 2, 3)]
    figures = add_figures(people, scene, name="duo")
    assert {figure.armature.name for figure in figures} == {"duo_P1", "duo_P2", "duo_P3"}
    assert {item.name for item in bpy.data.collections["duo"].objects if item.type == "ARMATURE"} == {
        "duo_P1", "duo_P2", "duo_P3",
    }  # fmt: skip
    for figure in figures:
        np.testing.assert_allclose(shown_joints(figure.armature, 4), joints(body, figure.motion, 3), atol=1e-4)


def test_selection_active_object_and_edit_mode_are_kept(scene, add_person, make_motion):
    bpy.ops.mesh.primitive_plane_add()
    plane = bpy.context.object
    other = bpy.data.objects.new("other", None)
    scene.collection.objects.link(other)
    other.select_set(True)
    bpy.context.view_layer.objects.active = plane
    bpy.ops.object.mode_set(mode="EDIT")
    add_person(make_motion(3))
    assert bpy.context.view_layer.objects.active == plane
    assert plane.mode == "EDIT"
    assert {item.name for item in bpy.context.view_layer.objects if item.select_get()} == {plane.name, "other"}


def test_an_empty_scene_has_no_active_object_afterwards(scene, add_person, make_motion):
    add_person(make_motion(3))
    assert bpy.context.view_layer.objects.active is None
    assert not [item for item in scene.objects if item.select_get()]


def test_video_strip_counts_as_animation(scene, add_person, make_motion):
    editor = scene.sequence_editor_create()
    strips = editor.strips if bpy.app.version >= (4, 4, 0) else editor.sequences
    length = {"length": 40} if bpy.app.version >= (5, 0, 0) else {"frame_end": 41}
    strips.new_effect(name="colour", type="COLOR", channel=1, frame_start=1, **length)
    scene.render.fps = 25
    add_person(make_motion(60, fps=50.0))
    assert scene_rate(scene) == 25.0
