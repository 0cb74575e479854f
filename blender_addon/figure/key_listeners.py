"""Functions that are called after the add-on has written a figure's keys. Needs neither Blender's data nor the core."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import bpy

KEY_LISTENERS: list[Callable[[bpy.types.Object], None]] = []
"""Each is called with the figure's armature."""


def notify(armature: bpy.types.Object) -> None:
    """Call the listeners: the keys of the figure *armature* have been written."""
    for listener in KEY_LISTENERS:
        listener(armature)
