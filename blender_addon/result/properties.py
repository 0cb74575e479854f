"""``Object.smplify``: what the Result box is set to for a figure, kept with its armature."""

from __future__ import annotations

import bpy

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


class SMPLIFY_PG_flag(bpy.types.PropertyGroup):  # noqa: N801 - the form that Blender asks for
    """One stretch of frames to look at, for the list of the Result box."""

    kind: bpy.props.StringProperty(name="Kind", description="Held, missing, implausible, swapped or strained")
    first: bpy.props.IntProperty(name="First Frame", description="Where the stretch begins in the scene")
    last: bpy.props.IntProperty(name="Last Frame", description="Where the stretch ends in the scene")


class SMPLIFY_PG_figure(bpy.types.PropertyGroup):  # noqa: N801 - the form that Blender asks for
    """Live settings of a figure. A change rewrites its keys at once, from the fitted motion, without fitting again."""

    smoothing: bpy.props.FloatProperty(
        name="Smoothing",
        description="How far to calm the motion: 0 leaves it as the fit gave it, 0.5 calms it as far as its noise "
        "calls for, 1 as if it were noisy",
        min=0.0, max=1.0, default=0.0, subtype="FACTOR", options=set(), update=_settings_changed,
    )  # fmt: skip
    foot_lock: bpy.props.FloatProperty(
        name="Foot Lock",
        description="How firmly a foot stays where it stands: 0 lets it slide as the fit gave it, 1 holds it still",
        min=0.0, max=1.0, default=0.0, subtype="FACTOR", options=set(), update=_settings_changed,
    )  # fmt: skip
    ground: bpy.props.EnumProperty(
        name="Ground",
        description="Which height the figure stands at",
        items=(
            ("keep", "As Imported", "Leave the height that the figure was put into the scene with"),
            ("contacts", "Feet on Floor", "Move the whole clip so that the floor under its feet is level, at height 0"),
        ),
        options=set(), update=_settings_changed,
    )  # fmt: skip
    height_m: bpy.props.FloatProperty(
        name="Height",
        description="Lift the whole clip by this much, after the ground was found",
        default=0.0, soft_min=-1.0, soft_max=1.0, step=1, precision=3, unit="LENGTH", options=set(),
        update=_settings_changed,
    )  # fmt: skip
    root: bpy.props.EnumProperty(
        name="Root Motion",
        description="What the figure does with its way through the room",
        items=(
            ("world", "World", "Walk through the room as recorded"),
            ("in_place", "In Place", "Hold the pelvis over one spot; heights stay"),
            ("treadmill", "Treadmill", "Take away the way only, so that the body still sways"),
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
        name="Trouble", description="Why the last change of a live setting was not carried out", options={"HIDDEN"}
    )
    quiet: bpy.props.BoolProperty(options={"HIDDEN", "SKIP_SAVE"}, description="Changes are not carried out")
    color_by_error: bpy.props.BoolProperty(
        name="Colour by Error",
        description="Colour the body by how far it is from the measured points nearby, frame by frame",
        options=set(), update=_colors_changed,
    )  # fmt: skip
    color_limit_mm: bpy.props.FloatProperty(
        name="Red at (mm)",
        description="The error in millimetres that is shown in full red",
        min=1.0, soft_max=200.0, default=30.0, precision=0, step=100, options=set(), update=_colors_changed,
    )  # fmt: skip
    flags: bpy.props.CollectionProperty(type=SMPLIFY_PG_flag, description="The doubtful stretches of the fit")
    flags_mark: bpy.props.StringProperty(options={"HIDDEN"}, description="Which record the list was made of")
    flag_index: bpy.props.IntProperty(
        name="Stretch",
        description="The chosen stretch; choosing one jumps to its first frame and takes it for the range to fit again",
        default=-1, options=set(), update=_flag_chosen, translation_context=CONTEXT,
    )  # fmt: skip
    range_first: bpy.props.IntProperty(
        name="First", description="First frame of the range to fit again", default=0, options=set()
    )
    range_last: bpy.props.IntProperty(
        name="Last", description="Last frame of the range to fit again", default=0, options=set()
    )


CLASSES = (SMPLIFY_PG_flag, SMPLIFY_PG_figure)


def register() -> None:
    """Give every object the settings; only armatures of figures use them."""
    bpy.types.Object.smplify = bpy.props.PointerProperty(type=SMPLIFY_PG_figure)


def unregister() -> None:
    """Take the settings away again."""
    del bpy.types.Object.smplify
