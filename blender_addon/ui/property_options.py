"""Options that the properties of several boxes share."""

from __future__ import annotations

import bpy

MAX_FPS = 10_000.0
MAX_FRAME = 1_048_574
"""Blender's last frame."""
FILE_OPTIONS: set[str] = {"PATH_SUPPORTS_BLEND_RELATIVE"} if bpy.app.version >= (4, 5, 0) else set()
"""Options of a path property that accepts "//" for the folder of the .blend file; before 4.5 every path accepts it."""
