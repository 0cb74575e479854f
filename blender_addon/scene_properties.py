"""``Scene.smplify``: what the boxes 1 to 3 are set to, kept with the scene."""

from __future__ import annotations

import bpy


class SMPLIFY_PG_scene(bpy.types.PropertyGroup):  # noqa: N801 - the form that Blender asks for
    """What the next fit reads, fits and how."""

    filepath: bpy.props.StringProperty(
        name="Keypoints",
        description="File or folder of 3D keypoints",
        subtype="FILE_PATH",
    )


CLASSES = (SMPLIFY_PG_scene,)


def register() -> None:
    """Give every scene its settings."""
    bpy.types.Scene.smplify = bpy.props.PointerProperty(type=SMPLIFY_PG_scene)


def unregister() -> None:
    """Take the settings away again."""
    del bpy.types.Scene.smplify
