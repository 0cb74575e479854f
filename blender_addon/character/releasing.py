"""Tell others that a character is about to be changed, so that what poses it without keys lets go of it."""

from __future__ import annotations

from collections.abc import Callable

import bpy

RELEASERS: list[Callable[[bpy.types.Object], None]] = []
"""Called with the armature of a character before its pose is read or its motion changes."""


def release(armature: bpy.types.Object) -> None:
    """Let all others let go of the character *armature*."""
    for releaser in RELEASERS:
        releaser(armature)
