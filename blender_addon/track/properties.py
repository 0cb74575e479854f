"""``Scene.smplify.track``: the settings of box 1."""

from __future__ import annotations

import bpy

from ..ui.property_options import FILE_OPTIONS, MAX_FPS
from ..ui.redraw import redraw_viewports
from ..ui.translations import CONTEXT
from . import choices
from .reader import read_soon
from .request import AUTO


def layout_choice(**more: object) -> object:
    """Return the menu of keypoint layouts; *more* as for `bpy.props.EnumProperty`."""
    return bpy.props.EnumProperty(
        name="Layout",
        description="Which points these are, in which order",
        items=choices.LAYOUTS,
        translation_context=CONTEXT,
        **more,
    )


def units_choice(**more: object) -> object:
    """Return the menu of units of length."""
    return bpy.props.EnumProperty(
        name="Units",
        description="Unit of length of the file's numbers",
        items=choices.UNITS,
        translation_context=CONTEXT,
        **more,
    )


def up_choice(**more: object) -> object:
    """Return the menu of up axes."""
    return bpy.props.EnumProperty(
        name="Up Axis",
        description="The axis of the file that points up",
        items=choices.UP_AXES,
        translation_context=CONTEXT,
        **more,
    )


def frame_rate_choice(**more: object) -> object:
    """Return the menu of frame rates."""
    return bpy.props.EnumProperty(
        name="Frame Rate",
        description="Frame rate of the file in fps",
        items=choices.FRAME_RATES,
        translation_context=CONTEXT,
        **more,
    )


def fps_number(**more: object) -> object:
    """Return the frame rate for those that the menu does not have."""
    return bpy.props.FloatProperty(
        name="Frames per Second",
        description="Frame rate of the file in fps, where Frame Rate is Custom",
        default=30.0, min=0.01, max=MAX_FPS, soft_min=1.0, soft_max=300.0, precision=3,
        **more,
    )  # fmt: skip


def handedness_choice(**more: object) -> object:
    """Return the menu of handedness."""
    return bpy.props.EnumProperty(
        name="Handedness",
        description="Whether the file's axes are right-handed, as Blender's are",
        items=choices.HANDEDNESS,
        translation_context=CONTEXT,
        **more,
    )


def swap_sides_choice(**more: object) -> object:
    """Return the switch for files that mix up left and right."""
    return bpy.props.BoolProperty(
        name="Swap Left and Right", description="The file calls left points right, and right points left", **more
    )


def _read_again(settings: bpy.types.PropertyGroup, context: bpy.types.Context) -> None:
    read_soon()


def _fps_changed(settings: SMPLIFY_PG_track, context: bpy.types.Context) -> None:
    settings.frame_rate = choices.CUSTOM


def _preview_changed(settings: SMPLIFY_PG_track, context: bpy.types.Context) -> None:
    redraw_viewports()


class SMPLIFY_PG_track(bpy.types.PropertyGroup):  # noqa: N801 - Blender's naming convention
    """Box 1: which keypoints, and what the user says about the file."""

    filepath: bpy.props.StringProperty(
        name="Keypoints",
        description="File of 3D keypoints, or folder of one JSON file a frame",
        subtype="FILE_PATH",
        options=FILE_OPTIONS,
        update=_read_again,
    )
    layout: layout_choice(default=AUTO, update=_read_again)
    units: units_choice(default=AUTO, update=_read_again)
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
        description="Draw the points and bones over the 3D viewport, at the time of the timeline. "
        "A hollow mark is where a missing point was seen last",
        default=True,
        update=_preview_changed,
    )


CLASSES = (SMPLIFY_PG_track,)
