"""The add-on's package name and access to its preferences."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import bpy

PACKAGE = __package__
"""The add-on's package name, as used by Blender."""

HAS_LIVE = importlib.util.find_spec(f"{__package__}.live") is not None
"""Whether this edition listens to live senders; that for Blender's platform is built without the folder ``live``."""


_LEGACY_FOLDER = "learnable_smplify"


def user_folder() -> Path:
    """Return the add-on's user folder, which is kept between versions; it need not exist."""
    if PACKAGE.startswith("bl_ext."):
        return Path(bpy.utils.extension_path_user(PACKAGE))
    return Path(bpy.utils.user_resource("DATAFILES", path=_LEGACY_FOLDER))


def addon_preferences(context: bpy.types.Context) -> bpy.types.AddonPreferences | None:
    """Return the preferences, or None if the add-on is not enabled, as on the command line."""
    addon = context.preferences.addons.get(PACKAGE)
    return None if addon is None else addon.preferences


def body_file(preferences: bpy.types.AddonPreferences | None) -> str:
    """Return the absolute path of the licensed body set in the preferences, or "" for none."""
    return bpy.path.abspath(preferences.body_file) if preferences is not None else ""
