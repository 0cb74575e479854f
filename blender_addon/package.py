"""The add-on's own name, and what its user has set in its preferences."""

from __future__ import annotations

import bpy

PACKAGE = __package__
"""The add-on's own name, as Blender has it."""


def addon_preferences(context: bpy.types.Context) -> bpy.types.AddonPreferences | None:
    """Return the preferences, or None where the add-on runs without being enabled, as on a command line."""
    addon = context.preferences.addons.get(PACKAGE)
    return None if addon is None else addon.preferences


def body_file(preferences: bpy.types.AddonPreferences | None) -> str:
    """Return the absolute path of the licensed body that the user chose, or "" for none."""
    return bpy.path.abspath(preferences.body_file) if preferences is not None else ""
