"""Find an object again: undo and redo make it another Python object, which keeps its session number."""

from __future__ import annotations

import bpy


def find_object(uid: int, name: str) -> bpy.types.Object | None:
    """Return the object with the session number *uid*, which probably is called *name*; None if it was removed."""
    item = bpy.data.objects.get(name)
    if item is None or item.session_uid != uid:
        item = next((other for other in bpy.data.objects if other.session_uid == uid), None)
    return item
