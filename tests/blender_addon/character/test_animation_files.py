"""Animation files as the motion source of a batch: opened at their own rate, put onto a character, refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

from blender_addon.batch.cli import main  # noqa: E402
from blender_addon.batch.inputs import ANIMATION_SUFFIXES  # noqa: E402
from blender_addon.character import opening  # noqa: E402
from blender_addon.character.applying import apply_motion  # noqa: E402
from blender_addon.character.errors import CharacterError  # noqa: E402
from blender_addon.character.read_animation import animated_frames  # noqa: E402
from blender_addon.character.settings import CharacterSettings  # noqa: E402
from blender_addon.figure.scene_time import scene_rate  # noqa: E402
from core.retarget.bone_map import BoneMap  # noqa: E402
from tests.blender_addon.character.rigs import ROLES, evaluated, make_character, write_character  # noqa: E402
from tests.core.retarget.rigs import load_rig  # noqa: E402

BONES = BoneMap({role: tuple(chain) for role, chain in ROLES.items()})
FPS = 48
NAMES = ("hips", "hand.L", "hand.R", "foot.L", "foot.R", "head")
FRAMES = 24


def write_animation(path, figure) -> np.ndarray:
    """Write the test character, moving at 48 fps, to *path*; return the heads (F, N, 3) of `NAMES`."""
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = FPS, 1.0
    scene.frame_start, scene.frame_end = 1, FRAMES
    actor = make_character("actor", roll=3)
    apply_motion(actor, figure, BONES, CharacterSettings(feet=0.0, hands=0.0))
    for item in bpy.data.objects:
        item.select_set(item == actor)
    bpy.context.view_layer.objects.active = actor
    if path.suffix == ".bvh":
        bpy.ops.export_anim.bvh(filepath=str(path), frame_start=1, frame_end=FRAMES)
    elif path.suffix == ".fbx":
        bpy.ops.export_scene.fbx(
            filepath=str(path), use_selection=True, add_leaf_bones=False, bake_anim_simplify_factor=0.0,
            bake_anim_use_nla_strips=False, bake_anim_use_all_actions=False,
        )  # fmt: skip
    elif path.suffix == ".blend":
        bpy.data.libraries.write(str(path), {scene})
    else:
        # Blender 4.2's exporter plays any action with names of the armature's bones.
        bpy.data.actions.remove(figure.animation_data.action)
        kind = "GLTF_SEPARATE" if path.suffix == ".gltf" else "GLB"
        bpy.ops.export_scene.gltf(
            filepath=str(path),
            export_format=kind,
            use_selection=True,
            export_optimize_animation_size=False,
            export_animation_mode="ACTIVE_ACTIONS",
        )
    return joints(actor, range(1, 1 + FRAMES))


def joints(armature, frames) -> np.ndarray:
    heads = evaluated(armature, frames)[0]
    return heads[:, [armature.data.bones.find(name) for name in NAMES]]


@pytest.mark.parametrize("suffix", [".bvh", ".fbx", ".glb", ".gltf", ".blend"])
def test_an_animation_is_opened_at_its_own_frame_rate(figure, suffix, tmp_path):
    path = tmp_path / f"walk{suffix}"
    written = write_animation(path, figure)
    bpy.ops.wm.read_homefile(use_empty=True)
    found = {item.name: item for item in opening.open_animations(path)}
    armature = found.get("actor") or found["walk"]

    assert scene_rate(bpy.context.scene) == pytest.approx(FPS, rel=1e-4)
    frames = animated_frames(armature)
    assert len(frames) == FRAMES
    np.testing.assert_allclose(joints(armature, frames), written, atol=2e-3)


def test_a_glb_with_sparse_keys_is_sampled_at_the_common_rate(addon, tmp_path):
    actor = make_character("actor")
    for frame, angle in ((0, 0.0), (60, 1.0)):
        actor.pose.bones["arm.L"].rotation_quaternion = (np.cos(angle), np.sin(angle), 0.0, 0.0)
        actor.pose.bones["arm.L"].keyframe_insert("rotation_quaternion", frame=frame)
    bpy.context.scene.render.fps = 60
    path = tmp_path / "sparse.glb"
    bpy.ops.export_scene.gltf(filepath=str(path), export_format="GLB", export_force_sampling=False)
    bpy.ops.wm.read_homefile(use_empty=True)
    (armature,) = opening.open_animations(path)
    assert scene_rate(bpy.context.scene) == 30.0 and len(animated_frames(armature)) == 31


@pytest.mark.parametrize("suffix", ANIMATION_SUFFIXES)
def test_a_file_without_a_motion_is_an_error_and_leaves_no_data_blocks(figure, suffix, tmp_path):
    path = tmp_path / f"still{suffix}"
    before = {kind: len(getattr(bpy.data, kind)) for kind in ("objects", "armatures", "actions", "scenes", "meshes")}
    with pytest.raises(CharacterError, match="expected an animated armature in a file at .*, found none"):
        opening.open_animations(path)
    path.write_bytes(b"HIERARCHY nonsense" * 50)
    with pytest.raises(CharacterError, match="expected an animated armature") as caught:
        opening.open_animations(path)
    assert "Error: " not in str(caught.value) and str(caught.value) == " ".join(str(caught.value).split())
    if suffix not in (".bvh", ".gltf"):
        write_character(path)
        with pytest.raises(CharacterError, match="only hero at rest"):
            opening.open_animations(path)
    assert {kind: len(getattr(bpy.data, kind)) for kind in before} == before


def test_every_animation_suffix_can_be_opened():
    assert tuple(opening._ANIMATIONS) == ANIMATION_SUFFIXES


@pytest.mark.main_blender
def test_a_batch_retargets_a_folder_of_animations(figure, tmp_path):
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    written = write_animation(folder / "walk.bvh", figure)
    write_character(folder / "hero.blend")
    bones = tmp_path / "bones.json"
    bones.write_text(BONES.to_json())
    given = ["--character", str(folder / "hero.blend"), "--bones", str(bones), "--feet", "0", "--hands", "0"]
    assert main([str(folder), "-o", str(out), "--formats", "blend", "--start-frame", "11", *given]) == 0

    assert {path.name for path in out.iterdir()} == {"walk.blend", "walk.smplify.json", "summary.jsonl"}
    (person,) = json.loads((out / "walk.smplify.json").read_text())["people"]
    assert (person["frames"], person["skeleton"]) == (FRAMES, "unknown")
    assert person["fps"] == pytest.approx(FPS, rel=1e-4)
    assert person["character"]["slide_mm"] >= 0.0
    bpy.ops.wm.read_homefile(use_empty=True)
    (armature,) = opening.open_animations(out / "walk.blend")
    assert scene_rate(bpy.context.scene) == pytest.approx(FPS, rel=1e-4)
    assert animated_frames(armature) == range(11, 11 + FRAMES)
    again = joints(armature, range(11, 11 + FRAMES))
    limbs = again[:, 1:] - again[:, :1]
    expected = written[:, 1:] - written[:, :1]
    assert np.abs(limbs - expected).max() < 0.02


@pytest.mark.main_blender
def test_an_animal_is_refused(figure, tmp_path):
    rig = load_rig("rig_horse")
    data = bpy.data.armatures.new("horse")
    horse = bpy.data.objects.new("horse", data)
    bpy.context.collection.objects.link(horse)
    bpy.context.view_layer.objects.active = horse
    bpy.ops.object.mode_set(mode="EDIT")
    for name, parent, head, tail in zip(rig.names, rig.parents, rig.heads, rig.tails, strict=True):
        bone = data.edit_bones.new(name)
        bone.head, bone.tail = ((point[0], -point[2], point[1]) for point in (head, tail))
        bone.parent = data.edit_bones[rig.names[parent]] if parent >= 0 else None
    bpy.ops.object.mode_set(mode="OBJECT")
    for frame in (1, 5):
        horse.pose.bones[0].keyframe_insert("location", frame=frame)
    path = tmp_path / "horse.blend"
    bpy.data.libraries.write(str(path), {horse})
    write_character(tmp_path / "hero.blend")
    given = ["--character", str(tmp_path / "hero.blend")]
    assert main([str(path), "-o", str(tmp_path / "out"), *given]) == 1
    assert "expected the skeleton of a person" in (tmp_path / "out" / "summary.jsonl").read_text()
