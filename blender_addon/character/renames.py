"""Find bones again that were renamed, by their place among all bones of the armature."""

from __future__ import annotations

from collections.abc import Sequence

import bpy


def bone_names(armature: bpy.types.Object) -> list[str]:
    """Return the names of all bones of *armature* in order, to be given to `renamed_since` later."""
    return list(armature.data.bones.keys())


def renamed_since(armature: bpy.types.Object, before: Sequence[str]) -> dict[str, str]:
    """Return the present name of each bone that had another one in the list *before*, of all bones in order.

    A bone that has a name of that list is that bone; of the others the place in the order tells which is which.
    """
    now = bone_names(armature)
    known, present = set(before), set(now)
    pairs = zip(before, now, strict=False)
    return {old: new for old, new in pairs if old != new and old not in present and new not in known}
