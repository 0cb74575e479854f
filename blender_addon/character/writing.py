"""Write a character with its motion to a file: .blend, .fbx or .glb, as it is, with its own bones and meshes.

Of a character with several takes, the one that it shows is written, or each as its own animation: NLA tracks in a
.blend, takes in FBX, animations in glTF.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import bpy

from ..export.writers import ExportError, asset_collection, new_file, run_exporter
from ..figure.custom_properties import FILE_KEY
from ..figure.isolated_scene import isolated_scene, played_frames
from ..figure.take_tracks import takes_as_tracks
from ..figure.units import in_metres
from .identity import STORED_KEY, keeper_of
from .read_rig import meshes_of

_FBX = {
    "use_selection": True, "object_types": {"ARMATURE", "MESH", "EMPTY"}, "add_leaf_bones": False,
    "mesh_smooth_type": "FACE", "axis_forward": "-Z", "axis_up": "Y", "bake_anim": True,
    "bake_anim_use_all_bones": True, "bake_anim_use_nla_strips": False, "bake_anim_use_all_actions": False,
    "bake_anim_force_startend_keying": True, "bake_anim_step": 1.0, "bake_anim_simplify_factor": 0.0,
    "path_mode": "COPY", "embed_textures": True,
}  # fmt: skip
_GLB = {
    "export_format": "GLB", "use_selection": True, "use_active_scene": True, "export_yup": True, "export_skins": True,
    "export_animations": True, "export_animation_mode": "SCENE", "export_anim_scene_split_object": False,
    "export_force_sampling": True, "export_frame_step": 1, "export_frame_range": True,
    "export_optimize_animation_size": False, "export_anim_slide_to_zero": True, "export_cameras": False,
    "export_lights": False, "export_anim_single_armature": False,
}  # fmt: skip


def export_character(
    armature: bpy.types.Object, path: Path, scene: bpy.types.Scene, takes: Sequence[bpy.types.Action] = ()
) -> Path:
    """Write the character *armature*, its meshes and its motion; the suffix of *path* determines the format.

    Must be called in Object Mode. The scene, its current frame, selection and active object are restored.

    Args:
        armature: the character.
        path: the file; ends in one of `SUFFIXES`.
        scene: the scene whose frame rate the keys use.
        takes: actions of the character that are written as an animation each; none for the motion that it shows.

    Raises:
        ExportError: the suffix is unknown, or Blender failed.
        OutputError: *path* refers to a file that the open project consists of or reads.
        CoreError: the character is not animated.
    """
    write = _WRITERS.get(path.suffix.lower())
    if write is None:
        raise ExportError(f"expected a character's file name ending in {', '.join(_WRITERS)}; got {path.name!r}")
    objects = _belongings(armature)
    with ExitStack() as stack:
        temporary = stack.enter_context(new_file(path))  # which checks the path by what is kept with the character
        stack.enter_context(_without_state(armature))
        frames = stack.enter_context(takes_as_tracks(armature, takes)) if takes else played_frames(armature)
        if path.suffix.lower() == ".glb":  # the other formats know the unit
            objects = stack.enter_context(in_metres(objects, scene))
        isolated = stack.enter_context(isolated_scene(objects, scene, name=armature.name, frames=frames))
        write(temporary, isolated, bool(takes))
    return path


def _write_blend(path: Path, scene: bpy.types.Scene, in_tracks: bool) -> None:
    with asset_collection(list(scene.objects), scene, scene.name):
        bpy.data.libraries.write(str(path), {scene}, fake_user=False, compress=True)


def _write_fbx(path: Path, scene: bpy.types.Scene, in_tracks: bool) -> None:
    run_exporter("fbx", path, **{**_FBX, "bake_anim_use_nla_strips": in_tracks})


def _write_glb(path: Path, scene: bpy.types.Scene, in_tracks: bool) -> None:
    run_exporter("glb", path, **{**_GLB, "export_animation_mode": "ACTIONS" if in_tracks else "SCENE"})


_WRITERS: dict[str, Callable[[Path, bpy.types.Scene, bool], None]] = {
    ".blend": _write_blend,
    ".fbx": _write_fbx,
    ".glb": _write_glb,
}
SUFFIXES = tuple(_WRITERS)
"""The suffixes of the files that a character can be written to."""


def _belongings(armature: bpy.types.Object) -> list[bpy.types.Object]:
    """Return *armature*, its parent objects, and its meshes."""
    above = []
    parent = armature.parent
    while parent is not None:
        above.append(parent)
        parent = parent.parent
    return [armature, *above, *meshes_of(armature)]


@contextmanager
def _without_state(armature: bpy.types.Object) -> Iterator[None]:
    """Remove what this add-on stores with *armature*: it refers to the figure and to a file that are not exported."""
    keeper = keeper_of(armature)
    kept = {
        (owner, key): value.to_dict() if hasattr(value := owner[key], "to_dict") else value
        for owner, key in ((keeper, STORED_KEY), (armature, FILE_KEY))
        if key in owner
    }
    for owner, key in kept:
        del owner[key]
    try:
        yield
    finally:
        for (owner, key), value in kept.items():
            owner[key] = value
