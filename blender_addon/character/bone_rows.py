"""The bone list of the Character box: a bone map as rows that the user can edit."""

from __future__ import annotations

import json
import os

import bpy

from ..core_access import CERTAIN, REQUIRED_ROLES, ROLES, BoneMap
from ..ui.quiet import quiet
from .errors import CharacterError

_CHAINS = ("spine", "neck")
"""Roles whose bones form a chain up to a fixed end; the chain of other roles is the bone and its twist bones."""
_SIGNS = ":_-|. "
"""The signs that end a prefix of bone names."""


def fill(properties: bpy.types.PropertyGroup, bone_map: BoneMap) -> None:
    """Show *bone_map* in the rows of *properties*."""
    with quiet(properties):
        properties.bones.clear()
        properties.kind = bone_map.kind
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


def bone_chosen(row: bpy.types.PropertyGroup) -> None:
    """Apply a bone chosen by the user: its confidence is 1, and its chain is computed again."""
    properties = row.id_data.smplify_character
    if properties.quiet or properties.armature is None:
        return
    bones = properties.armature.data.bones
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


def mark_of(row: bpy.types.PropertyGroup) -> str:
    """Return whether the bone of *row* is "certain", to "check", "missing", or "absent" if it is not required."""
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
