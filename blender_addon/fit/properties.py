"""``Scene.smplify.fit``: the settings of box 3."""

from __future__ import annotations

import bpy

from ..ui.enum_items import QUALITY_ITEMS
from ..ui.property_options import MAX_FPS
from ..ui.translations import CONTEXT
from . import devices


class SMPLIFY_PG_fit(bpy.types.PropertyGroup):  # noqa: N801 - Blender's naming convention
    """The settings of box 3: how to fit."""

    mode: bpy.props.EnumProperty(
        name="Mode",
        description="Whether the fit of a frame may use later frames",
        items=(
            ("CLIP", "Whole Clip", "All frames at once: no drift, gaps are filled from both sides"),
            ("FRAMES", "Frame by Frame", "Each frame only from earlier ones, as with live input; slower"),
        ),
        translation_context=CONTEXT,
    )
    quality: bpy.props.EnumProperty(
        name="Quality",
        description="How much work is done per frame",
        items=QUALITY_ITEMS,
        default="BALANCED",
        translation_context=CONTEXT,
    )
    smoothing: bpy.props.FloatProperty(
        name="Smoothing",
        description="How much of the points' measured noise is removed before the fit: 1 all of it, 0 none",
        default=1.0, min=0.0, max=1.0, subtype="FACTOR",
    )  # fmt: skip
    motion_fps: bpy.props.FloatProperty(
        name="Motion Rate",
        description="Frame rate of the fitted motion; 0 keeps the track's. A scene that already has animation keeps "
        "its rate, and the motion is resampled to it",
        default=0.0, min=0.0, max=MAX_FPS, soft_max=240.0, precision=3,
    )  # fmt: skip
    device: bpy.props.StringProperty(
        name="Device",
        description="Device of the fit: numpy, or a PyTorch device such as cpu, cuda, cuda:1, mps",
        default=devices.DEFAULT,
    )
    device_menu: bpy.props.EnumProperty(
        name="Device",
        description="Device that computes the fit",
        items=devices.menu_items, get=devices.chosen_number, set=devices.choose_number,
    )  # fmt: skip
    workers: bpy.props.IntProperty(
        name="Threads",
        description="Threads for the fit with NumPy; 0 uses all cores but one, which is left to Blender's window",
        default=0, min=0, max=256,
    )  # fmt: skip
    floor: bpy.props.BoolProperty(
        name="Stand on Floor",
        description="Move each clip up or down, as a whole, so that its lowest point stands on the floor",
        default=True,
    )


CLASSES = (SMPLIFY_PG_fit,)
