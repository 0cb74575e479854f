"""Read bone maps from JSON files."""

from __future__ import annotations

from pathlib import Path

import bpy

from ..core_access import BoneMap, BoneMapError, InputMissingError
from .read_rig import read_rig

_MAX_BYTES = 1 << 20


def read_bone_map(path: Path, armature: bpy.types.Object | None = None) -> BoneMap:
    """Return the bone map in the file *path*; with *armature*, check that it has these bones.

    Raises:
        InputMissingError: there is no such file.
        BoneMapError: it is not a bone map, or *armature* lacks some of the bones.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise BoneMapError(f"expected a bone map in {path.name}, found a file of more than {_MAX_BYTES} bytes")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputMissingError(f"expected a bone map at {path}, but it cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BoneMapError(f"expected a bone map as JSON in {path.name}, found no text in UTF-8") from error
    bone_map = BoneMap.from_json(text, path.name)
    if armature is not None:
        bone_map.check(read_rig(armature))
    return bone_map
