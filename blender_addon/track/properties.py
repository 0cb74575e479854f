"""``Scene.smplify.track``: the settings of box 1."""

from __future__ import annotations

from functools import partial

import bpy

from ..ui.property_options import FILE_OPTIONS, MAX_FPS
from ..ui.redraw import redraw_viewports
from ..ui.translations import CONTEXT
from . import choices
from .reader import read_soon
from .request import AUTO

# The reading options, which box 1 and its operator have with other defaults, options and updates.
layout_choice = partial(
    bpy.props.EnumProperty, name="Layout", description="The names and the order of the points", items=choices.LAYOUTS,
    translation_context=CONTEXT,
)  # fmt: skip
units_choice = partial(
    bpy.props.EnumProperty, name="Units", description="Unit of length in the file", items=choices.UNITS,
    translation_context=CONTEXT,
)  # fmt: skip
stature_number = partial(
    bpy.props.FloatProperty, name="Person's Height",
    description="The person's height in metres, to which the points are scaled where the scale of the file is "
    "wrong or unknown; 0 takes the scale as it is",
    default=0.0, min=0.0, soft_max=2.5, precision=2, step=1,
)  # fmt: skip
statures_text = partial(
    bpy.props.StringProperty, name="Heights of People",
    description="For a file of several people whose scale is wrong or unknown: the height of each in metres, in "
    "the order of the file, as 1.80, 1.65; used in place of Person's Height",
)  # fmt: skip
up_choice = partial(
    bpy.props.EnumProperty, name="Up Axis", description="The axis of the file that points up", items=choices.UP_AXES,
    translation_context=CONTEXT,
)  # fmt: skip
frame_rate_choice = partial(
    bpy.props.EnumProperty, name="Frame Rate", description="Frame rate of the file, in frames per second",
    items=choices.FRAME_RATES, translation_context=CONTEXT,
)  # fmt: skip
fps_number = partial(
    bpy.props.FloatProperty, name="Frames per Second", description="Frame rate of the file, if Frame Rate is Custom",
    default=30.0, min=0.01, max=MAX_FPS, soft_min=1.0, soft_max=300.0, precision=3,
)  # fmt: skip
handedness_choice = partial(
    bpy.props.EnumProperty, name="Handedness",
    description="Whether the file's axes are right-handed, as Blender's are", items=choices.HANDEDNESS,
    translation_context=CONTEXT,
)  # fmt: skip
swap_sides_choice = partial(
    bpy.props.BoolProperty, name="Swap Left and Right",
    description="The file calls left points right, and right points left",
)  # fmt: skip
static_file = partial(
    bpy.props.StringProperty, name="Static Trial",
    description="Standing trial of the same person with the same markers, and those on the inside of knees and "
    "ankles that the file lacks",
    subtype="FILE_PATH",
)  # fmt: skip


def _read_again(settings: bpy.types.PropertyGroup, context: bpy.types.Context) -> None:
    read_soon()


def _fps_changed(settings: SMPLIFY_PG_track, context: bpy.types.Context) -> None:
    settings.frame_rate = choices.CUSTOM


def _preview_changed(settings: SMPLIFY_PG_track, context: bpy.types.Context) -> None:
    redraw_viewports()


def _points_shown(settings: SMPLIFY_PG_track, context: bpy.types.Context) -> None:
    from .point_rows import fill

    fill(settings)
    redraw_viewports()


def _point_chosen(row: SMPLIFY_PG_point, context: bpy.types.Context) -> None:
    from .point_rows import point_chosen

    point_chosen(row)


def _body_points(row: SMPLIFY_PG_point, context: bpy.types.Context, text: str) -> list[str]:
    from ..core_access import BODY_POINTS

    return list(BODY_POINTS)


class SMPLIFY_PG_point(bpy.types.PropertyGroup):  # noqa: N801 - Blender's naming convention
    """The body point of a point of the file; its name is that in the file."""

    index: bpy.props.IntProperty(options={"HIDDEN"}, description="Its index in the file, from 0")
    body_point: bpy.props.StringProperty(
        name="Body Point",
        description="The point of the body that it is: a joint, or a marker on the skin; empty to leave it out",
        search=_body_points,
        search_options={"SUGGESTION"},
        options=set(),
        update=_point_chosen,
    )
    is_given: bpy.props.BoolProperty(options={"HIDDEN"}, description="Whether the user has chosen its body point")


def _file_changed(settings: SMPLIFY_PG_track, context: bpy.types.Context) -> None:
    settings.takes.clear()
    read_soon()


class SMPLIFY_PG_take(bpy.types.PropertyGroup):  # noqa: N801 - Blender's naming convention
    """A further take: a file beside that of box 1, which is fitted with it."""

    path: bpy.props.StringProperty(
        name="Take", description="File of another take", subtype="FILE_PATH", options=FILE_OPTIONS
    )


class SMPLIFY_PG_track(bpy.types.PropertyGroup):  # noqa: N801 - Blender's naming convention
    """The settings of box 1: the keypoint file and its reading options."""

    filepath: bpy.props.StringProperty(
        name="Keypoints",
        description="File of 3D keypoints, or folder with one JSON file per frame",
        subtype="FILE_PATH",
        options=FILE_OPTIONS,
        update=_file_changed,
    )
    takes: bpy.props.CollectionProperty(
        type=SMPLIFY_PG_take, description="Further files that are fitted with the same options", options={"HIDDEN"}
    )
    layout: layout_choice(default=AUTO, update=_read_again)
    units: units_choice(default=AUTO, update=_read_again)
    stature: stature_number(update=_read_again)
    statures: statures_text(update=_read_again)
    static: static_file(options=FILE_OPTIONS, update=_read_again)
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
    join: bpy.props.StringProperty(
        name="Join",
        description="People who are one and the same, by name or number, as 3+7; several groups are divided by ;",
        update=_read_again,
    )
    show_preview: bpy.props.BoolProperty(
        name="Preview",
        description="Draw the points and bones over the 3D viewport at the current frame. A ring marks where a missing "
        "point was last observed",
        default=True,
        update=_preview_changed,
    )
    point_names: bpy.props.StringProperty(
        description="The user's choices for the points, as JSON", options={"HIDDEN"}, update=_read_again
    )  # fmt: skip
    points: bpy.props.CollectionProperty(
        type=SMPLIFY_PG_point, description="The points of the file and their body points", options={"HIDDEN"}
    )
    point_index: bpy.props.IntProperty(
        description="The point that is marked in the viewport", options={"HIDDEN"},
        update=_preview_changed,
    )  # fmt: skip
    show_points: bpy.props.BoolProperty(
        name="Point Names",
        description="List the body point of each point of the file for editing, and number the points in the viewport",
        options=set(),
        update=_points_shown,
    )
    quiet: bpy.props.BoolProperty(options={"HIDDEN"}, description="Whether changes of the list are those of the add-on")


CLASSES = (SMPLIFY_PG_point, SMPLIFY_PG_take, SMPLIFY_PG_track)
