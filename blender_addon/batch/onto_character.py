"""The batch with a character: retarget the motions of figures or animated armatures to it and write it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Any

import bpy

from ..character.errors import CharacterError
from ..character.figure_motion import bones_of
from ..character.file import (
    CharacterFile,
    are_a_persons,
    bones_for,
    convert_with_character,
    doubts_of,
    open_character,
)
from ..character.identity import is_figure
from ..character.opening import open_animations
from ..character.read_animation import animated_frames
from ..character.read_rig import read_rig
from ..character.settings import CharacterSettings, Facts
from ..core_access import AS_RECORDED, ConvertOptions, Progress, distinct_labels, labelled, read_bone_map
from ..figure.scene_time import scene_rate


def convert_animation(request: Mapping[str, Any], options: ConvertOptions, progress: Progress) -> dict[str, object]:
    """Retarget the motions of an animation file to the character; like `convert.convert`, for a file that needs no fit.

    Each animated armature is a person. The frames are those of the file, at its own rate.

    Raises:
        CoreError: the file, an armature or the character cannot be used, or a file cannot be written.
    """
    path = Path(request["source"])
    progress(0.0, "opening the animation")
    bpy.ops.wm.read_homefile(use_empty=True)
    armatures = open_animations(path)
    labels = distinct_labels([armature.name for armature in armatures])
    people = [_describe(armature, label, path) for armature, label in zip(armatures, labels, strict=True)]
    progress(0.3, "putting the motion onto the character")
    target = Path(request["folder"]) / request["stem"]
    first = None if options.first_frame == AS_RECORDED else int(options.first_frame)
    outputs, facts = write_character(armatures, labels, target, options, first_frame=first)
    for person, found in zip(people, facts, strict=True):
        person["character"] = asdict(found)
    return {"outputs": outputs, "people": people, "blender": bpy.app.version_string}


@cache
def check_character(path: str, armature: str, bones: str) -> None:
    """Check a character before a motion is fitted for it; one that is found to be good is not opened again.

    The current session is replaced by one with the character.

    Args:
        path: the character's file.
        armature: name of its armature, empty for the only one or that with most bones.
        bones: the file of its bone map, empty to detect the bones.

    Raises:
        CoreError: the file or its bones cannot be used.
    """
    bpy.ops.wm.read_homefile(use_empty=True)
    character = _character_file(path, armature, bones)
    found = open_character(character.path, character.armature)
    bones_for(found, character).check(read_rig(found))


def _character_file(path: str, armature: str, bones: str) -> CharacterFile:
    return CharacterFile(Path(path), armature, read_bone_map(Path(bones)) if bones else None)


def write_character(
    sources: Sequence[bpy.types.Object],
    labels: Sequence[str],
    target: Path,
    options: ConvertOptions,
    *,
    first_frame: int | None = None,
) -> tuple[list[str], list[Facts]]:
    """Retarget each motion to the character of *options* and write it.

    Args:
        sources: the figures or animated armatures.
        labels: a label for each, for the file names.
        target: the path of the outputs, without suffix.
        options: the options of the batch.
        first_frame: the frame at which the motions begin; None for that of the source.

    Returns:
        The file names, and how well each motion went.

    Raises:
        CoreError: the character or a motion cannot be used, or a file cannot be written.
    """
    character = _character_file(options.character, options.armature, options.bones)
    character = replace(character, settings=CharacterSettings(**options.retarget))
    names, found, armature = [], [], None
    for source, label in zip(sources, labels, strict=True):
        paths = [labelled(target.with_name(f"{target.name}.{kind}"), label) for kind in options.formats]
        facts, armature = convert_with_character(source, character, armature, paths, first_frame=first_frame)
        names += [path.name for path in paths]
        found.append(facts)
    return names, found


def _describe(armature: bpy.types.Object, label: str, path: Path) -> dict[str, Any]:
    """Return the entry of an animated armature in the report.

    Raises:
        CoreError: it is not animated, or not a person's.
    """
    doubts = []
    kind = "SMPL figure"
    if not is_figure(armature):
        bone_map = bones_of(armature)
        if not are_a_persons(bone_map):
            raise CharacterError(
                f"expected the skeleton of a person in {path.name}, but few bones of {armature.name} are found with "
                "certainty; choose an armature in Blender and correct its bones there"
            )
        unsure = doubts_of(bone_map)
        doubts += [f"in {armature.name}, {unsure}"] if unsure else []
        kind = bone_map.kind or "unknown"
    frames = animated_frames(armature)
    action = armature.animation_data.action
    others = len(bpy.data.actions) - 1
    notes = [f"the motion is {action.name}; the file has {others} more"] if action is not None and others > 0 else []
    return {
        "name": armature.name,
        "label": label,
        "skeleton": kind,
        "notes": notes,
        "doubts": doubts,
        "frames": len(frames),
        "fps": scene_rate(bpy.context.scene),
    }
