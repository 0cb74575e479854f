"""Character files: open them, and convert a figure's motion to a file with the character."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import bpy

from ..core_access import CERTAIN, DOUBTFUL, REQUIRED_ROLES, BoneMap, map_bones
from ..figure.custom_properties import FILE_KEY
from .applying import apply_motion
from .errors import CharacterError
from .identity import may_be_character
from .opening import CHARACTERS, add_file, datablocks, remove_new
from .read_rig import read_rig
from .settings import CharacterSettings, Facts
from .writing import export_character

_FEWEST_CERTAIN = 6
"""With fewer certain roles the skeleton is probably not a person's."""


@dataclass(frozen=True)
class CharacterFile:
    """A character to retarget motions to, as given on the command line.

    Attributes:
        path: .fbx, .glb, .gltf, .vrm or .blend.
        armature: name of the armature object; empty if the file has only one, or for the one with most bones.
        bones: its bones; None to detect them.
        settings: how motions are put onto it.
    """

    path: Path
    armature: str = ""
    bones: BoneMap | None = None
    settings: CharacterSettings = field(default_factory=CharacterSettings)


def open_character(path: Path, armature: str = "") -> bpy.types.Object:
    """Add the objects of a character file to the current scene and return its armature. Must be called in Object Mode.

    Args:
        path: .fbx, .glb, .gltf, .vrm or .blend.
        armature: name of the armature object; empty for the only one, or the one with most bones.

    Raises:
        CharacterError: the file cannot be read, or has no such armature; nothing is left in the scene.
    """
    before = datablocks()
    with scene_settings_kept(bpy.context.scene):
        armatures = add_file(path, CHARACTERS, "a character")
    try:
        found = _choose([item for item in armatures if may_be_character(item)], armature, path)
    except CharacterError:
        remove_new(before)
        raise
    found[FILE_KEY] = str(path.resolve())
    bpy.context.view_layer.update()
    return found


def convert_with_character(
    figure: bpy.types.Object,
    character: CharacterFile,
    armature: bpy.types.Object | None,
    targets: Sequence[Path],
    *,
    first_frame: int | None = None,
) -> tuple[Facts, bpy.types.Object]:
    """Retarget the motion of *figure* to a character and write the character to files.

    Args:
        figure: the armature of a figure of this add-on, or any animated armature, in the current scene.
        character: the character and its options.
        armature: the character, if it is open already; its earlier motion is replaced.
        targets: the files to write, .blend, .fbx or .glb.
        first_frame: see `apply_motion`.

    Returns:
        How well it went, and the character's armature, for the next motion.

    Raises:
        CoreError: the character or its bones cannot be used, or the file cannot be written.
    """
    armature = armature or open_character(character.path, character.armature)
    facts = apply_motion(armature, figure, bones_for(armature, character), character.settings, first_frame=first_frame)
    for target in targets:
        export_character(armature, target, bpy.context.scene)
    return facts, armature


def bones_for(armature: bpy.types.Object, character: CharacterFile) -> BoneMap:
    """Return the bones of *armature* by role: those that were given, otherwise the detected ones if they are certain.

    Raises:
        CharacterError: required bones are missing or in doubt; the message has the bone map to correct.
        BoneMapError: it is not the skeleton of a person.
    """
    if character.bones is not None:
        return character.bones
    bone_map = map_bones(read_rig(armature))
    doubts = doubts_of(bone_map)
    if doubts:
        raise CharacterError(
            f"expected the bones of {armature.name} to be found, but {doubts}; correct this bone map and give it "
            "with --bones:"
        ).with_lines(bone_map.to_json())
    return bone_map


def doubts_of(bone_map: BoneMap) -> str:
    """Return why a detected bone map should be checked before use; empty if it need not be."""
    doubtful = [role for role in REQUIRED_ROLES if bone_map.confidence.get(role, 1.0) < DOUBTFUL]
    if bone_map.missing:
        return f"no bone was found for {', '.join(bone_map.missing)}"
    if doubtful:
        return f"the bone is in doubt for {', '.join(doubtful)}"
    return "" if are_a_persons(bone_map) else f"only {_num_certain(bone_map)} are certain"


def are_a_persons(bone_map: BoneMap) -> bool:
    """Return whether enough of the detected bones are certain for the skeleton to be a person's."""
    return _num_certain(bone_map) >= _FEWEST_CERTAIN


def _num_certain(bone_map: BoneMap) -> int:
    return sum(bone_map.confidence.get(role, 1.0) >= CERTAIN for role in bone_map.bones)


@contextmanager
def scene_settings_kept(scene: bpy.types.Scene) -> Iterator[None]:
    """Restore the frame rate, range and current frame of *scene*, which importers set to those of the file."""
    kept = {
        (owner, name): getattr(owner, name)
        for owner, names in (
            (scene.render, ("fps", "fps_base")),
            (scene, ("frame_start", "frame_end")),
            (scene.unit_settings, ("system", "scale_length")),
        )
        for name in names
    }
    frame = scene.frame_current
    try:
        yield
    finally:
        for (owner, name), value in kept.items():
            setattr(owner, name, value)
        if scene.frame_current != frame:
            scene.frame_set(frame)


def _choose(armatures: list[bpy.types.Object], name: str, path: Path) -> bpy.types.Object:
    if name:
        named = [item for item in armatures if item.name == name or item.name.rpartition(".")[0] == name]
        if not named:
            found = ", ".join(item.name for item in armatures) or "none"
            raise CharacterError(f"expected an armature {name!r} in {path.name}, found {found}")
        return named[0]
    if not armatures:
        raise CharacterError(f"expected an armature in {path.name}, found none; choose a file with a rigged character")
    return max(armatures, key=lambda item: len(item.data.bones))
