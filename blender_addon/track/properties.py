"""``Scene.smplify.track``: the settings of box 1."""

from __future__ import annotations

import bpy

from ..ui.property_options import FILE_OPTIONS, MAX_FPS
from ..ui.redraw import redraw_viewports
from ..ui.translations import CONTEXT
from . import choices
from .reader import read_soon
from .request import AUTO


def layout_choice(**options: object) -> object:
    """Return the menu of keypoint layouts; *options* as for `bpy.props.EnumProperty`."""
    return bpy.props.EnumProperty(
        name="Layout",
        description="The names and the order of the points",
        items=choices.LAYOUTS,
        translation_context=CONTEXT,
        **options,
    )


def units_choice(**options: object) -> object:
    """Return the menu of units of length."""
    return bpy.props.EnumProperty(
        name="Units",
        description="Unit of length in the file",
        items=choices.UNITS,
        translation_context=CONTEXT,
        **options,
    )


def stature_number(**options: object) -> object:
    """Return the number property for the height of a person in a file of a wrong or unknown scale."""
    return bpy.props.FloatProperty(
        name="Person's Height",
        description="The person's height in metres, to which the points are scaled where the scale of the file is "
        "wrong or unknown; 0 takes the scale as it is",
        default=0.0, min=0.0, soft_max=2.5, precision=2, step=1,
        **options,
    )  # fmt: skip


def up_choice(**options: object) -> object:
    """Return the menu of up axes."""
    return bpy.props.EnumProperty(
        name="Up Axis",
        description="The axis of the file that points up",
        items=choices.UP_AXES,
        translation_context=CONTEXT,
        **options,
    )


def frame_rate_choice(**options: object) -> object:
    """Return the menu of frame rates."""
    return bpy.props.EnumProperty(
        name="Frame Rate",
        description="Frame rate of the file, in frames per second",
        items=choices.FRAME_RATES,
        translation_context=CONTEXT,
        **options,
    )


def fps_number(**options: object) -> object:
    """Return the number property for frame rates that are not in the menu."""
    return bpy.props.FloatProperty(
        name="Frames per Second",
        description="Frame rate of the file, if Frame Rate is Custom",
        default=30.0, min=0.01, max=MAX_FPS, soft_min=1.0, soft_max=300.0, precision=3,
        **options,
    )  # fmt: skip


def handedness_choice(**options: object) -> object:
    """Return the menu of handedness."""
    return bpy.props.EnumProperty(
        name="Handedness",
        description="Whether the file's axes are right-handed, as Blender's are",
        items=choices.HANDEDNESS,
        translation_context=CONTEXT,
        **options,
    )


def swap_sides_choice(**options: object) -> object:
    """Return the switch for files that confuse left and right."""
    return bpy.props.BoolProperty(
        name="Swap Left and Right", description="The file calls left points right, and right points left", **options
    )


def _read_again(settings: bpy.types.PropertyGroup, context: bpy.types.Context) -> None:
    read_soon()


def _fps_changed(settings: SMPLIFY_PG_track, context: bpy.types.Context) -> None:
    settings.frame_rate = choices.CUSTOM


def _preview_changed(settings: SMPLIFY_PG_track, context: bpy.types.Context) -> None:
    redraw_viewports()


class SMPLIFY_PG_track(bpy.types.PropertyGroup):  # noqa: N801 - Blender's naming convention
    """The settings of box 1: the keypoint file and its reading options."""

    filepath: bpy.props.StringProperty(
        name="Keypoints",
        description="File of 3D keypoints, or folder with one JSON file per frame",
        subtype="FILE_PATH",
        options=FILE_OPTIONS,
        update=_read_again,
    )
    layout: layout_choice(default=AUTO, update=_read_again)
    units: units_choice(default=AUTO, update=_read_again)
    stature: stature_number(update=_read_again)
    up: up_choice(default=AUTO, update=_read_again)
    frame_rate: frame_rate_choice(default=AUTO, update=_read_again)
    fps: fps_number(update=_fps_changed)
    handedness: handedness_choice(default=AUTO, update=_read_again)
    swap_sides: swap_sides_choice(update=_read_again)
    person: bpy.props.StringProperty(
        name="Person",
        description="Name, or number from 1, of the one person to fit; empty for everyone",
        update=_preview_changed,
    )
    show_preview: bpy.props.BoolProperty(
        name="Preview",
        description="Draw the points and bones over the 3D viewport at the current frame. A ring marks where a missing "
        "point was last observed",
        default=True,
        update=_preview_changed,
    )


CLASSES = (SMPLIFY_PG_track,)
