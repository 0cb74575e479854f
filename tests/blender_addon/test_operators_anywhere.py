"""Every operator, called by a script in a scene that it was not meant for, does its work or says why it cannot."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

from blender_addon.live.session import LIVE  # noqa: E402
from blender_addon.registration import MODULES  # noqa: E402
from tests.blender_addon.character.rigs import make_character  # noqa: E402
from tests.ports import free_port  # noqa: E402
from tests.window.inside.data_hash import NOT_DATA, block_hash  # noqa: E402

OPERATORS = sorted(cls.bl_idname for module in MODULES for cls in module.CLASSES if issubclass(cls, bpy.types.Operator))
SHOWN_BY_BOX_1 = {
    "smplify.open_track", "smplify.track_armature", "smplify.join_people", "smplify.load_points",
    "smplify.detect_points", "smplify.read_track",
}  # fmt: skip
"""A file that cannot be read stays in box 1, which says why and offers the options that settle it."""


def figure() -> bpy.types.Object:
    return bpy.data.objects["walk"]


def skin() -> bpy.types.Object:
    return next(item for item in bpy.data.objects if item.type == "MESH" and item.parent == figure())


def start_empty() -> None:
    bpy.ops.wm.read_homefile(use_empty=True)


def add_cube_only() -> None:
    start_empty()
    bpy.ops.mesh.primitive_cube_add()


def add_camera_only() -> None:
    start_empty()
    bpy.ops.object.camera_add()


def add_bare_armature() -> None:
    start_empty()
    bpy.ops.object.armature_add()
    bpy.context.scene.smplify_character.armature = bpy.context.object


def link_figure(*, override: bool) -> None:
    path = bpy.data.filepath
    start_empty()
    with bpy.data.libraries.load(path, link=True) as (there, wanted):
        wanted.scenes = there.scenes
    collection = wanted.scenes[0].collection.children[0]
    bpy.context.scene.collection.children.link(collection)
    if override:
        collection = collection.override_hierarchy_create(bpy.context.scene, bpy.context.view_layer)
    armature = next(item for item in collection.all_objects if item.type == "ARMATURE")
    bpy.context.view_layer.objects.active = armature
    armature.select_set(True)
    bpy.context.scene.smplify_character.armature = armature


def show_linked_scene() -> None:
    path = bpy.data.filepath
    start_empty()
    with bpy.data.libraries.load(path, link=True) as (there, wanted):
        wanted.scenes = there.scenes
    bpy.context.window.scene = wanted.scenes[0]


def hide(how: str) -> None:
    armature = figure()
    collection = armature.users_collection[0]
    if how == "object":
        armature.hide_set(True)
    elif how == "viewport":
        armature.hide_viewport = True
    elif how == "collection":
        collection.hide_viewport = True
    else:
        bpy.context.view_layer.layer_collection.children[collection.name].exclude = True


def show_another(what: str) -> None:
    if what == "scene":
        bpy.context.window.scene = bpy.data.scenes.new("other")
    else:
        bpy.context.window.view_layer = bpy.context.scene.view_layers.new("other")


def deselect() -> None:
    bpy.ops.object.select_all(action="DESELECT")
    bpy.context.view_layer.objects.active = None


def set_units() -> None:
    bpy.context.scene.unit_settings.scale_length = 0.01
    bpy.context.scene.name = "Szene 1"


def remove_mesh() -> None:
    bpy.data.objects.remove(skin())


def activate_mesh(mode: str) -> None:
    bpy.context.view_layer.objects.active = skin()
    bpy.ops.object.mode_set(mode=mode)


def rename_bones() -> None:
    for bone in figure().data.bones:
        bone.name = f"x_{bone.name}"


def drop_action() -> None:
    figure().animation_data_clear()


def damage_record() -> None:
    for key in list(figure().keys()):
        if isinstance(figure()[key], (str, bytes)):
            figure()[key] = "{"


def choose_character(*, remove: bool) -> None:
    rig = make_character("hero")
    bpy.context.scene.smplify_character.armature = rig
    if remove:
        bpy.data.objects.remove(rig)
    bpy.context.view_layer.objects.active = figure()


def choose_self() -> None:
    bpy.context.scene.smplify_character.armature = figure()


STATES = {
    "empty": start_empty,
    "a cube": add_cube_only,
    "a camera": add_camera_only,
    "a bare armature": add_bare_armature,
    "figure": lambda: None,
    "figure in Edit Mode": lambda: bpy.ops.object.mode_set(mode="EDIT"),
    "figure in Pose Mode": lambda: bpy.ops.object.mode_set(mode="POSE"),
    "mesh in Edit Mode": lambda: activate_mesh("EDIT"),
    "mesh in Sculpt Mode": lambda: activate_mesh("SCULPT"),
    "mesh in Weight Paint": lambda: activate_mesh("WEIGHT_PAINT"),
    "linked figure": lambda: link_figure(override=False),
    "overridden figure": lambda: link_figure(override=True),
    "linked scene": show_linked_scene,
    "hidden object": lambda: hide("object"),
    "object hidden in viewports": lambda: hide("viewport"),
    "hidden collection": lambda: hide("collection"),
    "excluded collection": lambda: hide("exclude"),
    "second scene": lambda: show_another("scene"),
    "second view layer": lambda: show_another("view layer"),
    "nothing active": deselect,
    "renamed scene in centimetres": set_units,
    "no mesh": remove_mesh,
    "renamed bones": rename_bones,
    "no action": drop_action,
    "damaged record": damage_record,
    "unmapped character": lambda: choose_character(remove=False),
    "removed character": lambda: choose_character(remove=True),
    "the figure as its own character": choose_self,
}


def contents() -> dict[str, object]:
    """Return what the file holds, by data-block: what it takes to compare the whole of one is seconds each time."""
    found: dict[str, object] = {}
    for collection in bpy.data.bl_rna.properties:
        if collection.type == "COLLECTION" and collection.identifier not in NOT_DATA:
            found[collection.identifier] = [block.name_full for block in getattr(bpy.data, collection.identifier)]
    for scene in bpy.data.scenes:
        found[f"scene {scene.name_full}"] = block_hash(scene)
        for layer in scene.view_layers:
            found[f"layer {scene.name_full} {layer.name}"] = [
                (item.name, item.select_get(view_layer=layer), item.hide_get(view_layer=layer), item.mode)
                for item in layer.objects
            ] + [layer.objects.active]
    for item in bpy.data.objects:
        pose = [] if item.pose is None else [tuple(map(tuple, bone.matrix_basis)) for bone in item.pose.bones]
        values = {key: repr(value) for key, value in item.items() if key != "smplify"}
        animation = item.animation_data
        tracks = None if animation is None else (animation.action, [track.name for track in animation.nla_tracks])
        found[f"object {item.name_full}"] = (tuple(map(tuple, item.matrix_world)), pose, values, item.parent, tracks)
    for block in bpy.data.armatures:
        found[f"armature {block.name_full}"] = [(bone.name, tuple(bone.head_local)) for bone in block.bones]
    for block in bpy.data.shape_keys:
        found[f"shape {block.name_full}"] = [
            (key.name, key.value, numbers(key.data, "co", 3)) for key in block.key_blocks
        ]
    for block in bpy.data.meshes:
        found[f"mesh {block.name_full}"] = numbers(block.vertices, "co", 3)
    for block in bpy.data.actions:
        found[f"action {block.name_full}"] = [
            (curve.data_path, curve.array_index, numbers(curve.keyframe_points, "co", 2)) for curve in curves(block)
        ]
    return found


def curves(action: bpy.types.Action) -> list[bpy.types.FCurve]:
    if not hasattr(action, "layers"):
        return list(action.fcurves)
    strips = [strip for layer in action.layers for strip in layer.strips]
    return [curve for strip in strips for bag in strip.channelbags for curve in bag.fcurves]


def numbers(elements: object, name: str, width: int) -> bytes:
    values = np.zeros(len(elements) * width, dtype=np.float32)
    elements.foreach_get(name, values)
    return values.tobytes()


def calls(operator: str, folder: Path) -> Iterator[dict[str, object]]:
    """Yield the arguments to call *operator* with: none, and files that are missing, empty or a folder."""
    name = operator.partition(".")[2]
    properties = getattr(bpy.ops.smplify, name).get_rna_type().properties.keys()
    yield {}
    if "filepath" in properties:
        (folder / "empty").write_bytes(b"")
        for path in (folder / "nowhere" / "x.npz", folder / "empty", folder):
            yield {"filepath": str(path)}
    for text in {"take", "person", "group", "armature"} & set(properties):
        yield {text: "Nobody"}


def call(operator: str, arguments: dict[str, object]) -> str:
    """Call *operator*; return how it ended: FINISHED, CANCELLED, or its error."""
    try:
        (result,) = getattr(bpy.ops.smplify, operator.partition(".")[2])(**arguments)
    except RuntimeError as error:
        return str(error)
    finally:
        LIVE.stop()
    return str(result)


IN_EVERY_BLENDER = {"empty", "a cube", "figure in Edit Mode"}
IN_ONE_BLENDER = {"figure", "linked scene", "nothing active", "hidden collection", "unmapped character"}
ALL = "ALL_OPERATOR_STATES"
"""Set this variable to try the other states too, which takes minutes."""


def states() -> Iterator[object]:
    for state in STATES:
        if state in IN_EVERY_BLENDER:
            yield state
        elif state in IN_ONE_BLENDER:
            yield pytest.param(state, marks=[pytest.mark.slow, pytest.mark.main_blender])
        else:
            marks = [pytest.mark.main_blender, pytest.mark.skipif(ALL not in os.environ, reason=f"needs {ALL}=1")]
            yield pytest.param(state, marks=marks)


@pytest.mark.parametrize("state", list(states()))
def test_every_operator_works_or_says_why_not_and_then_changes_nothing(fitted_walk, tmp_path, capfd, state):
    project, faults, ends = bpy.data.filepath, [], {}

    def begin() -> dict[str, object]:
        bpy.ops.wm.open_mainfile(filepath=project)
        STATES[state]()
        bpy.context.scene.smplify_live.port = free_port()
        bpy.context.view_layer.update()
        return contents()

    before = begin()
    for operator in OPERATORS:
        for arguments in calls(operator, tmp_path):
            capfd.readouterr()
            end = call(operator, arguments)
            printed = "".join(capfd.readouterr())
            after = contents()
            changed = sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
            ends[operator, str(arguments)] = end
            if "Traceback" in end + printed or "SMPLIFY_OT" in printed:
                faults.append((operator, arguments, end + printed))
            if changed and end != "FINISHED" and operator not in SHOWN_BY_BOX_1:
                faults.append((operator, arguments, end, changed))
            if changed:
                before = begin()
    print(*ends.items(), sep="\n")
    assert faults == []
