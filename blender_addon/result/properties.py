"""``Object.smplify``: the settings of the Result box for a figure, stored with its armature."""

from __future__ import annotations

import bpy

from ..ui.property_options import FILE_OPTIONS
from ..ui.translations import CONTEXT
from .error_colors import follow_colors


def _settings_changed(properties: SMPLIFY_PG_figure, context: bpy.types.Context) -> None:
    from .live_settings import follow_settings

    follow_settings(properties.id_data)


def _flag_chosen(properties: SMPLIFY_PG_figure, context: bpy.types.Context) -> None:
    if 0 <= properties.flag_index < len(properties.flags):
        flag = properties.flags[properties.flag_index]
        properties.range_first, properties.range_last = flag.first, flag.last
        context.scene.frame_set(flag.first)


def _colors_changed(properties: SMPLIFY_PG_figure, context: bpy.types.Context) -> None:
    follow_colors(properties.id_data)


def _has_correctives(properties: SMPLIFY_PG_figure) -> bool:
    from ..figure.correctives import has_correctives

    return has_correctives(properties.id_data)


def _show_correctives(properties: SMPLIFY_PG_figure, shown: bool) -> None:
    from .skin import show_correctives

    show_correctives(properties.id_data, shown)


class SMPLIFY_PG_flag(bpy.types.PropertyGroup):  # noqa: N801 - Blender's naming convention
    """One doubtful stretch of frames, for the list of the Result box."""

    kind: bpy.props.StringProperty(name="Kind", description="Held, missing, implausible, swapped or strained")
    first: bpy.props.IntProperty(name="First Frame", description="Where the stretch begins in the scene")
    last: bpy.props.IntProperty(name="Last Frame", description="Where the stretch ends in the scene")


class SMPLIFY_PG_figure(bpy.types.PropertyGroup):  # noqa: N801 - Blender's naming convention
    """Live settings of a figure. A change immediately rewrites its keys from the fitted motion, without a new fit."""

    smoothing: bpy.props.FloatProperty(
        name="Smoothing",
        description="How much to smooth the motion: 0 keeps the fit, 0.5 smooths according to the measured noise, 1 as "
        "if the motion were noisy",
        min=0.0, max=1.0, default=0.0, subtype="FACTOR", options=set(), update=_settings_changed,
    )  # fmt: skip
    foot_lock: bpy.props.FloatProperty(
        name="Foot Lock",
        description="How firmly a standing foot stays in place: 0 keeps the sliding of the fit, 1 holds it still",
        min=0.0, max=1.0, default=0.0, subtype="FACTOR", options=set(), update=_settings_changed,
    )  # fmt: skip
    ground: bpy.props.EnumProperty(
        name="Ground",
        description="The height at which the figure stands",
        items=(
            ("keep", "As Imported", "Keep the height at which the figure was added to the scene"),
            ("contacts", "Feet on Floor", "Move the whole clip so that the floor under its feet is level, at height 0"),
        ),
        options=set(), update=_settings_changed,
    )  # fmt: skip
    height_m: bpy.props.FloatProperty(
        name="Height (m)",
        description="Lift the whole clip by this much, in metres, relative to the ground",
        default=0.0, soft_min=-1.0, soft_max=1.0, step=1, precision=3, options=set(),
        update=_settings_changed,
    )  # fmt: skip
    root: bpy.props.EnumProperty(
        name="Root Motion",
        description="How the path of the figure through the room is kept or removed",
        items=(
            ("world", "World", "Keep the recorded path through the room"),
            ("in_place", "In Place", "Hold the pelvis over one spot; heights are kept"),
            ("treadmill", "Treadmill", "Remove only the path, so that the body still sways"),
            ("on_ground", "On Ground", "Put the lower foot of each frame on the floor, for tracks without a height"),
        ),
        options=set(), update=_settings_changed,
    )  # fmt: skip
    edited: bpy.props.BoolProperty(
        name="Keys Were Edited",
        description="A live setting was changed, but the keys were edited since they were written: choose what to keep",
        options={"HIDDEN"},
    )
    trouble: bpy.props.StringProperty(
        name="Trouble", description="Why the last change of a live setting was not applied", options={"HIDDEN"}
    )
    quiet: bpy.props.BoolProperty(options={"HIDDEN", "SKIP_SAVE"}, description="Changes are not applied")
    color_by_error: bpy.props.BoolProperty(
        name="Colour by Error",
        description="Colour the body by its distance from the nearby measured points, frame by frame",
        options=set(), update=_colors_changed,
    )  # fmt: skip
    color_limit_mm: bpy.props.FloatProperty(
        name="Red at (mm)",
        description="The error in millimetres that is shown in full red",
        min=1.0, soft_max=200.0, default=30.0, precision=0, step=100, options=set(), update=_colors_changed,
    )  # fmt: skip
    correctives: bpy.props.BoolProperty(
        name="Pose Correctives",
        description="Correct the skin of bent joints as the fit's body does, by shape keys that follow the bones. "
        "Files for other programs have them if box 6 says so",
        options=set(), get=_has_correctives, set=_show_correctives,
    )  # fmt: skip
    flags: bpy.props.CollectionProperty(type=SMPLIFY_PG_flag, description="The doubtful stretches of the fit")
    flags_mark: bpy.props.StringProperty(options={"HIDDEN"}, description="The record that the list was made from")
    flag_index: bpy.props.IntProperty(
        name="Stretch",
        description="The selected stretch; selecting one jumps to its first frame and sets the range to fit again",
        default=-1, options=set(), update=_flag_chosen, translation_context=CONTEXT,
    )  # fmt: skip
    range_first: bpy.props.IntProperty(
        name="First", description="First frame of the range to fit again", default=0, options=set()
    )
    range_last: bpy.props.IntProperty(
        name="Last", description="Last frame of the range to fit again", default=0, options=set()
    )
    moved_file: bpy.props.StringProperty(
        name="Moved To",
        description="Where the keypoint file of the figure is now; Fit Range Again reads it there and remembers it",
        subtype="FILE_PATH", options=FILE_OPTIONS,
    )  # fmt: skip


CLASSES = (SMPLIFY_PG_flag, SMPLIFY_PG_figure)


def register() -> None:
    """Add the settings to every object; only armatures of figures use them."""
    bpy.types.Object.smplify = bpy.props.PointerProperty(type=SMPLIFY_PG_figure)


def unregister() -> None:
    """Remove the settings."""
    del bpy.types.Object.smplify
