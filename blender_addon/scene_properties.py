"""``Scene.smplify``: the settings of boxes 1 to 3, stored with the scene."""

from __future__ import annotations

import bpy

from .body.properties import SMPLIFY_PG_body
from .fit.properties import SMPLIFY_PG_fit
from .track.properties import SMPLIFY_PG_track


class SMPLIFY_PG_scene(bpy.types.PropertyGroup):  # noqa: N801 - Blender's naming convention
    """The settings of the next fit."""

    track: bpy.props.PointerProperty(type=SMPLIFY_PG_track)
    body: bpy.props.PointerProperty(type=SMPLIFY_PG_body)
    fit: bpy.props.PointerProperty(type=SMPLIFY_PG_fit)


CLASSES = (SMPLIFY_PG_scene,)


def register() -> None:
    """Add the settings to every scene."""
    bpy.types.Scene.smplify = bpy.props.PointerProperty(type=SMPLIFY_PG_scene)


def unregister() -> None:
    """Remove the settings."""
    del bpy.types.Scene.smplify
