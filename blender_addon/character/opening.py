"""Open files with armatures: characters, and animated armatures with the frame rate of their file.

Uses Blender's own importers; on an error, everything they added is removed.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import addon_utils
import bpy
import numpy as np

from ..core_access import CoreError, joint_positions, map_bones
from ..figure.scene_time import set_scene_rate
from .errors import CharacterError
from .gltf_rate import gltf_rate
from .identity import is_animated
from .read_rig import read_rig

_KINDS = (
    "objects", "meshes", "armatures", "materials", "images", "actions", "collections", "cameras", "lights", "scenes",
)  # fmt: skip
_LEVEL = 0.9
"""Cosine from which the trunk of a BVH file's rest pose counts as level."""


def add_file(path: Path, openers: dict[str, Callable[[Path], None]], what: str) -> list[bpy.types.Object]:
    """Add the objects of a file to the current scene and return its armatures. Must be called in Object Mode.

    Args:
        path: the file.
        openers: the function that opens it, by suffix.
        what: what is expected in the file, for messages.

    Raises:
        CharacterError: the file cannot be read; nothing is left in the session.
    """
    opener = openers.get(path.suffix.lower())
    if opener is None:
        raise CharacterError(f"expected {what} in one of {', '.join(openers)}, found {path.name}")
    if not path.is_file():
        raise CharacterError(f"expected {what} in a file at {path}, found none")
    before = datablocks()
    try:
        opener(path)
    except CharacterError:
        remove_new(before)
        raise
    except Exception as error:  # the importers are others' code and raise anything for a damaged file
        remove_new(before)
        reason = " ".join(str(error).removeprefix("Error: ").split())
        raise CharacterError(f"expected {what} in {path.name}, but Blender could not read it: {reason}") from error
    return [item for item in bpy.data.objects if item not in before["objects"] and item.type == "ARMATURE"]


def open_animations(path: Path) -> list[bpy.types.Object]:
    """Add an animation file to the current scene and return its animated armatures, by name.

    The scene takes the frame rate of the file, so that each of its frames is one of the scene. In a .blend it is that
    of the scene with the armature; in glTF, which has none, that of the keys.

    Args:
        path: .bvh, .fbx, .glb, .gltf, .vrm or .blend.

    Raises:
        CharacterError: the file cannot be read, or has no animated armature; nothing is left in the session.
    """
    before = datablocks()
    found = add_file(path, _ANIMATIONS, "an animated armature")
    animated = sorted((item for item in found if is_animated(item) and item.data.bones), key=lambda item: item.name)
    if not animated:
        still = f"only {', '.join(item.name for item in found)} at rest" if found else "none"
        remove_new(before)
        raise CharacterError(f"expected an animated armature in {path.name}, found {still}; give a file with a motion")
    bpy.context.view_layer.update()
    return animated


def datablocks() -> dict[str, set[bpy.types.ID]]:
    """Return the data-blocks of the session, by kind."""
    return {kind: set(getattr(bpy.data, kind)) for kind in _KINDS}


def remove_new(before: dict[str, set[bpy.types.ID]]) -> None:
    """Remove the data-blocks that are not in *before*, which `datablocks` returned."""
    new = [item for kind in _KINDS for item in getattr(bpy.data, kind) if item not in before[kind]]
    if new:
        bpy.data.batch_remove(new)


def _open_blend(path: Path) -> None:
    """Append all objects; those that are only shapes of bones, or lights and cameras, are not linked to the scene."""
    if bpy.data.filepath and Path(bpy.data.filepath).resolve() == path.resolve():
        raise CharacterError(f"expected another file than the open one, found {path.name}; choose one of its armatures")
    with bpy.data.libraries.load(str(path), link=False) as (source, into):
        into.objects = list(source.objects)
    _link_objects(path, into.objects)


def _open_blend_with_its_rate(path: Path) -> None:
    """Append all objects as `_open_blend` does, and take the rate of the first scene with an animated armature."""
    with bpy.data.libraries.load(str(path), link=False) as (source, into):
        into.objects, into.scenes = list(source.objects), list(source.scenes)
    scenes = [scene for scene in into.scenes if scene is not None]
    animated = [scene for scene in scenes if any(is_animated(item) for item in scene.objects)]
    render = bpy.context.scene.render
    for scene in animated[:1]:
        render.fps, render.fps_base = scene.render.fps, scene.render.fps_base
    _link_objects(path, into.objects)
    for scene in scenes:
        bpy.data.scenes.remove(scene)


def _link_objects(path: Path, objects: list[bpy.types.Object | None]) -> None:
    collection = bpy.data.collections.new(path.stem)
    bpy.context.scene.collection.children.link(collection)
    appended = [item for item in objects if item is not None and item.type not in ("LIGHT", "CAMERA")]
    armatures = [item for item in appended if item.type == "ARMATURE"]
    shapes = {bone.custom_shape for armature in armatures for bone in armature.pose.bones}
    for item in appended:
        if item not in shapes:
            collection.objects.link(item)


def _import_fbx(path: Path) -> None:
    _enable("io_scene_fbx")
    bpy.ops.import_scene.fbx(filepath=str(path))


def _import_gltf(path: Path) -> None:
    _enable("io_scene_gltf2")
    bpy.ops.import_scene.gltf(filepath=str(path))


def _import_gltf_with_its_rate(path: Path) -> None:
    set_scene_rate(bpy.context.scene, round(gltf_rate(path)))
    _import_gltf(path)


def _import_bvh(path: Path) -> None:
    """Import a BVH file with Y up, as most have it, or with Z up if the body stands so at rest."""
    _enable("io_anim_bvh")
    before = datablocks()
    bpy.ops.import_anim.bvh(filepath=str(path), update_scene_fps=True)
    if _lies_on_its_back([item for item in bpy.data.objects if item not in before["objects"]]):
        remove_new(before)
        bpy.ops.import_anim.bvh(filepath=str(path), update_scene_fps=True, axis_forward="Y", axis_up="Z")
    render = bpy.context.scene.render
    set_scene_rate(bpy.context.scene, render.fps / render.fps_base)


def _lies_on_its_back(added: list[bpy.types.Object]) -> bool:
    """Return whether the trunk of the one armature in *added* lies level at rest, along its object's Z axis before."""
    try:
        rig = read_rig(next(item for item in added if item.type == "ARMATURE"))
        joints = joint_positions(rig, map_bones(rig))
        up = sum(joints[f"{side}_upper_arm"] - joints[f"{side}_thigh"] for side in ("left", "right"))
    except (CoreError, StopIteration, KeyError):
        return False
    return abs(up[2]) > _LEVEL * np.linalg.norm(up)


def _enable(addon: str) -> None:
    """Enable one of Blender's own importers for this session, if it is not."""
    if not addon_utils.check(addon)[1]:
        addon_utils.enable(addon, default_set=False)


CHARACTERS: dict[str, Callable[[Path], None]] = {
    ".fbx": _import_fbx,
    ".glb": _import_gltf,
    ".gltf": _import_gltf,
    ".vrm": _import_gltf,
    ".blend": _open_blend,
}
"""How to open a character, by suffix."""
_ANIMATIONS: dict[str, Callable[[Path], None]] = {
    ".bvh": _import_bvh,
    ".fbx": _import_fbx,  # takes the rate of the file by itself
    ".glb": _import_gltf_with_its_rate,
    ".gltf": _import_gltf_with_its_rate,
    ".vrm": _import_gltf_with_its_rate,
    ".blend": _open_blend_with_its_rate,
}
