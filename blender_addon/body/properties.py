"""``Scene.smplify.body``: the settings of box 2."""

from __future__ import annotations

import bpy

from ..package import addon_preferences
from ..ui.property_options import FILE_OPTIONS


def _body_file_changed(settings: SMPLIFY_PG_body, context: bpy.types.Context) -> None:
    """Remember the body's file for other scenes."""
    preferences = addon_preferences(context)
    if preferences is not None and settings.file:
        preferences.body_file = bpy.path.abspath(settings.file)


class SMPLIFY_PG_body(bpy.types.PropertyGroup):  # noqa: N801 - Blender's naming convention
    """Box 2: which body, which shape."""

    kind: bpy.props.EnumProperty(
        name="Body",
        description="The body that is fitted",
        items=(
            ("FREE", "Free Body", "The body that the extension brings: free for any use, in SMPL's format"),
            ("SMPL", "Licensed SMPL", "A file of SMPL, SMPL-H or SMPL-X that you have a licence for"),
        ),
    )
    file: bpy.props.StringProperty(
        name="Body File",
        description="The .pkl or .npz file of SMPL. It is read where it lies and never copied into the .blend file; "
        "empty takes the one that the preferences remember",
        subtype="FILE_PATH",
        options=FILE_OPTIONS,
        update=_body_file_changed,
    )
    gender: bpy.props.EnumProperty(
        name="Gender",
        description="Which of the files that lie side by side, as SMPL's project names them",
        items=(
            ("FILE", "As File", "The file that is chosen, whatever its gender"),
            ("NEUTRAL", "Neutral", "The neutral body beside the file"),
            ("FEMALE", "Female", "The female body beside the file"),
            ("MALE", "Male", "The male body beside the file"),
        ),
    )
    betas: bpy.props.EnumProperty(
        name="Shape",
        description="Where the shape of the body (its betas) comes from",
        items=(
            ("TRACK", "From the Track", "Estimated from the lengths of the bones"),
            ("FILE", "From a File", "Held as a .npy file says: the same person in many clips"),
            ("FIGURE", "From the Active Figure", "Held as the active figure's shape keys are set"),
        ),
    )
    betas_file: bpy.props.StringProperty(
        name="Betas File",
        description="A .npy file of 10 numbers",
        subtype="FILE_PATH",
        options=FILE_OPTIONS,
    )


CLASSES = (SMPLIFY_PG_body,)
