"""The bone list of the Character box: a bone map as rows that the user can edit."""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from contextlib import suppress

import bpy

from ..core_access import CERTAIN, REQUIRED_ROLES, ROLES, BoneMap
from ..ui.quiet import quiet
from ..ui.redraw import redraw_sidebars
from .errors import CharacterError
from .renames import bone_names, renamed_since

_CHAINS = ("spine", "neck")
"""Roles whose bones form a chain up to a fixed end; the chain of other roles is the bone and its twist bones."""
_SIGNS = ":_-|. "
"""The signs that end a prefix of bone names."""


def fill(properties: bpy.types.PropertyGroup, bone_map: BoneMap) -> None:
    """Show *bone_map* in the rows of *properties*."""
    with quiet(properties):
        properties.bones.clear()
        properties.kind = bone_map.kind
        properties.names_before = json.dumps(bone_names(properties.armature))
        for role in ROLES:
            row = properties.bones.add()
            row.name = role
            chain = bone_map.bones.get(role, ())
            row.bone = chain[0] if chain else ""
            row.others = json.dumps(chain[1:])
            row.confidence = bone_map.confidence.get(role, 1.0) if chain else 0.0


def bone_map_of(properties: bpy.types.PropertyGroup) -> BoneMap:
    """Return the bone map that the rows of *properties* show.

    Raises:
        BoneMapError: a bone plays two roles.
    """
    rows = [row for row in properties.bones if row.bone]
    return BoneMap(
        {row.name: (row.bone, *_others(row)) for row in rows},
        {row.name: row.confidence for row in rows},
        properties.kind,
    )


def present_bone_map(properties: bpy.types.PropertyGroup) -> BoneMap:
    """Return the bone map that the rows of *properties* show, once they have followed bones that were renamed.

    Raises:
        BoneMapError: a bone plays two roles.
        CharacterError: the armature no longer has a bone of the list.
    """
    follow_renames(properties)
    gone = gone_bones(properties)
    if gone:
        raise CharacterError(
            f"expected the bones of the list in {properties.armature.name}, but it no longer has "
            f"{', '.join(map(repr, gone))}; press Detect, or choose other bones"
        )
    return bone_map_of(properties)


def follow_renames(properties: bpy.types.PropertyGroup) -> None:
    """Let the rows of *properties* follow bones that were renamed since."""
    renamed = _renamed(properties)
    with quiet(properties):
        for row in properties.bones:
            others = _others(row)
            if renamed.keys() & {row.bone, *others}:
                row.bone = renamed.get(row.bone, row.bone)
                row.others = json.dumps([renamed.get(name, name) for name in others])
        properties.names_before = json.dumps(bone_names(properties.armature))


def follow_renames_soon(properties: bpy.types.PropertyGroup) -> None:
    """Let the rows follow bones that were renamed, in a moment: while a box is drawn, nothing can be changed."""
    scene = properties.id_data
    if bpy.app.background or scene.library is not None or not _renamed(properties):
        return
    uid = scene.session_uid

    def follow() -> None:
        for scene in bpy.data.scenes:
            if scene.session_uid == uid and scene.smplify_character.armature is not None:
                with suppress(CharacterError):  # the rows are damaged, as their buttons say
                    follow_renames(scene.smplify_character)
        redraw_sidebars()

    bpy.app.timers.register(follow, first_interval=0.0)


def gone_bones(properties: bpy.types.PropertyGroup) -> list[str]:
    """Return the bones of the list that the armature no longer has, under any name."""
    bones, names = properties.armature.data.bones, []
    for row in properties.bones:
        with suppress(CharacterError):  # the further bones are damaged, as the buttons say
            names += [name for name in (row.bone, *_others(row)) if name and name not in bones]
    renamed = _renamed(properties) if names else {}
    return [name for name in dict.fromkeys(names) if name not in renamed]


def _renamed(properties: bpy.types.PropertyGroup) -> dict[str, str]:
    """Return the present name of each bone that was renamed since the list was filled."""
    try:
        before = json.loads(properties.names_before or "[]")
    except (ValueError, RecursionError):
        before = None
    return renamed_since(properties.armature, [str(name) for name in before] if isinstance(before, list) else [])


def bone_chosen(row: bpy.types.PropertyGroup) -> None:
    """Apply a bone chosen by the user: its confidence is 1, and its chain is computed again."""
    properties = row.id_data.smplify_character
    if properties.quiet or properties.armature is None:
        return
    bones = properties.armature.data.bones
    with suppress(CharacterError):  # another row is damaged, as the buttons say
        follow_renames(properties)
    with quiet(properties):
        _choose(row, bones)
        side, _, limb = row.name.partition("_")
        if properties.mirror and side in ("left", "right"):
            other = properties.bones.get(f"{'right' if side == 'left' else 'left'}_{limb}")
            name = bpy.utils.flip_name(row.bone)
            if other is not None and name != row.bone and name in bones:
                other.bone = name
                _choose(other, bones)


def shown_name(row: bpy.types.PropertyGroup) -> str:
    """Return the name of the bone of *row* without the prefix that all bones in the list have."""
    name: str = row.bone
    return name.removeprefix(_prefix(row.id_data.smplify_character))


def show_name(row: bpy.types.PropertyGroup, shown: str) -> None:
    """Choose the bone of *row* by its name as it is shown, or by its whole name."""
    properties = row.id_data.smplify_character
    bones = properties.armature.data.bones if properties.armature is not None else ()
    whole = _prefix(properties) + shown
    row.bone = whole if shown and whole in bones else shown


def shown_names(properties: bpy.types.PropertyGroup) -> list[str]:
    """Return the names of all bones of the character, as `shown_name` shows them."""
    if properties.armature is None:
        return []
    prefix, bones = _prefix(properties), properties.armature.data.bones.keys()
    return [name.removeprefix(prefix) for name in bones]


def _prefix(properties: bpy.types.PropertyGroup) -> str:
    """Return the common prefix of all bone names in the list, up to a separator ("mixamorig:"), or ""."""
    names = [row.bone for row in properties.bones if row.bone]
    common = os.path.commonprefix(names) if len(names) > 1 else ""
    return common[: max((common.rfind(sign) for sign in _SIGNS), default=-1) + 1]


def mark_of(row: bpy.types.PropertyGroup, gone: Collection[str] = ()) -> str:
    """Return whether the bone of *row* is "certain", to "check", "missing", or "absent" if it is not required.

    Args:
        row: the row.
        gone: what `gone_bones` returned; these are missing.
    """
    if row.bone in gone:
        return "missing"
    if not row.bone:
        return "missing" if row.name in REQUIRED_ROLES else "absent"
    return "certain" if row.confidence >= CERTAIN else "check"


def _choose(row: bpy.types.PropertyGroup, bones: bpy.types.ArmatureBones) -> None:
    row.confidence = 1.0 if row.bone else 0.0
    before = _others(row)
    row.others = json.dumps(_path(bones, row.bone, before[-1]) if row.name in _CHAINS and before and row.bone else [])


def _path(bones: bpy.types.ArmatureBones, first: str, last: str) -> list[str]:
    """Return the bones below *first* down to *last*; none if *last* is not a descendant of *first*."""
    above = [bone.name for bone in bones[last].parent_recursive] if last in bones else []
    return [last, *above[: above.index(first)]][::-1] if first in above else []


def _others(row: bpy.types.PropertyGroup) -> list[str]:
    """Return the further bones of the role of *row*.

    Raises:
        CharacterError: the file has other text there.
    """
    try:
        names = json.loads(row.others or "[]")
    except (ValueError, RecursionError):
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise CharacterError(f"expected the bones of {row.name} in the bone list, found other data; detect them again")
    return names
