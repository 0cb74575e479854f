"""Animated armatures as tracks: those of the open file, and those of files that Blender imports.

Everything here is called on the main thread, since Blender evaluates the armatures.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import bpy

from ..character.errors import CharacterError
from ..character.file import scene_settings_kept
from ..character.opening import datablocks, open_animations, remove_new
from ..character.read_animation import animated_frames, read_animation
from ..character.read_rig import read_rig
from ..core_access import (
    RigError,
    TrackFileError,
    find_person,
    interpret_all,
    motion_recording,
    needed_bones,
    people_among,
)
from .request import TrackRequest

if TYPE_CHECKING:
    from ..core_access import RawRecording, Reading, ReadOptions

_KINDS = {".fbx": "FBX", ".glb": "glTF", ".gltf": "glTF", ".vrm": "VRM", ".blend": "Blender file"}
_MAX_FRAMES = 100_000


def read_armatures(path: str, options: ReadOptions) -> list[Reading]:
    """Read the animated people of a file that Blender imports, or an armature of the open file.

    Nothing of the session is changed.

    Args:
        path: an .fbx, .glb, .gltf, .vrm or .blend file; or `HERE` of `track.request` and an armature.
        options: the reading options.

    Raises:
        CoreError: the file cannot be opened, nothing in it is animated, or no armature is a person's.
    """
    name = TrackRequest(path).armature
    if name:
        armature = bpy.data.objects.get(name)
        if armature is None or armature.type != "ARMATURE":
            raise TrackFileError(
                f"expected an armature of the open file, found none named {name}; choose another one in box 1"
            )
        return interpret_all([_recording(armature, "armature", Path(path))], Path(path), options)
    return interpret_all(_recordings_of_file(Path(path)), Path(path), options)


def _recordings_of_file(path: Path) -> list[RawRecording]:
    with _opened(path) as armatures:
        kind = _KINDS[path.suffix.lower()]
        return people_among({armature.name: partial(_recording, armature, kind, path) for armature in armatures})


@contextmanager
def _opened(path: Path) -> Iterator[list[bpy.types.Object]]:
    """Temporarily add the animated armatures of a file to the scene, at the frame rate of the file."""
    if bpy.context.mode != "OBJECT":
        raise CharacterError(f"expected Object Mode to open {path.name}; leave Edit or Pose Mode and read it again")
    layer = bpy.context.view_layer
    active, selected = layer.objects.active, list(bpy.context.selected_objects)
    before = datablocks()
    with scene_settings_kept(bpy.context.scene):
        try:
            yield open_animations(path)
        finally:
            remove_new(before)
            for item in selected:
                item.select_set(True)
            layer.objects.active = active


def _recording(armature: bpy.types.Object, kind: str, path: Path) -> RawRecording:
    """Return the joints of a person's animated armature.

    Raises:
        TrackFileError: it is not a person's, not animated, or cannot be evaluated.
    """
    try:
        rig, bone_map = find_person([read_rig(armature)], path)
        frames = animated_frames(armature)
        if len(frames) > _MAX_FRAMES:
            raise TrackFileError(
                f"expected at most {_MAX_FRAMES} frames, found {len(frames)} in the action of {armature.name}; "
                "shorten its range"
            )
        names = [rig.names[bone] for bone in needed_bones(rig, bone_map)]
        animation = read_animation(armature, names, frames)
    except (CharacterError, RigError) as error:
        raise TrackFileError(str(error)) from error
    return motion_recording(rig, bone_map, animation, path, kind=kind, first_frame=frames.start)
