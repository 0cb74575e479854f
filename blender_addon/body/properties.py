"""``Scene.smplify.body``: the settings of box 2."""

from __future__ import annotations

import bpy

from ..package import addon_preferences
from ..ui.property_options import FILE_OPTIONS


def _body_file_changed(settings: SMPLIFY_PG_body, context: bpy.types.Context) -> None:
    """Store the body file in the preferences, for other scenes."""
    preferences = addon_preferences(context)
    if preferences is not None and settings.file:
        preferences.body_file = bpy.path.abspath(settings.file)


class SMPLIFY_PG_body(bpy.types.PropertyGroup):  # noqa: N801 - Blender's naming convention
    """The settings of box 2: the body model and its shape."""

    kind: bpy.props.EnumProperty(
        name="Body",
        description="The body model to fit",
        items=(
            ("FREE", "Free Body", "The body of the extension: free for any use, in SMPL's format"),
            ("SMPL", "Licensed SMPL", "A file of SMPL, SMPL-H or SMPL-X that you have a licence for"),
        ),
    )
    file: bpy.props.StringProperty(
        name="Body File",
        description="The .pkl or .npz file of SMPL. It is read in place and never copied into the .blend file; "
        "empty uses the one set in the preferences",
        subtype="FILE_PATH",
        options=FILE_OPTIONS,
        update=_body_file_changed,
    )
    gender: bpy.props.EnumProperty(
        name="Gender",
        description="Which of the files in the same folder to use, by SMPL's file names",
        items=(
            ("FILE", "As File", "The chosen file, of any gender"),
            ("NEUTRAL", "Neutral", "The neutral body beside the file"),
            ("FEMALE", "Female", "The female body beside the file"),
            ("MALE", "Male", "The male body beside the file"),
        ),
    )
    betas: bpy.props.EnumProperty(
        name="Shape",
        description="Where the shape of the body (its betas) comes from",
        items=(
            ("TRACK", "From the Track", "Estimated from the bone lengths"),
            ("FILE", "From a File", "Fixed to the betas of a .npy file: the same person in many clips"),
            ("FIGURE", "From a Figure", "Fixed to the shape keys of the active figure"),
        ),
    )
    betas_file: bpy.props.StringProperty(
        name="Betas File",
        description="A .npy file of 10 numbers",
        subtype="FILE_PATH",
        options=FILE_OPTIONS,
    )


CLASSES = (SMPLIFY_PG_body,)
