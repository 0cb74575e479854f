"""``Scene.smplify.fit``: the settings of box 3."""

from __future__ import annotations

import bpy

from ..ui.enum_items import HANDS_DESCRIPTION, HANDS_ITEMS, QUALITY_ITEMS
from ..ui.property_options import MAX_FPS, MAX_FRAME
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
        description="Frame rate of the fitted motion; 0 keeps the track's. Where the scene keeps its own rate, the "
        "motion is resampled to that",
        default=0.0, min=0.0, max=MAX_FPS, soft_max=240.0, precision=3,
    )  # fmt: skip
    timing: bpy.props.EnumProperty(
        name="Scene Time",
        description="Whose frame rate and range the scene has after the fit",
        items=(
            (
                "AUTO",
                "Auto",
                "The scene's, if they were set or the file was saved; a scene with animation is only made longer. The "
                "clip's in a new file",
            ),
            ("SCENE", "Keep Scene's", "Keep rate and range of the scene; the motion is resampled to that rate"),
            ("CLIP", "Take Clip's", "Give the scene the rate and the range of the clip"),
        ),
    )
    begin: bpy.props.EnumProperty(
        name="Begin",
        description="Where in the scene the motion begins",
        items=(
            ("RANGE", "First Frame", "At the first frame of the scene; at 1 where the scene takes the clip's time"),
            ("FRAME", "At Frame", "At the frame given below"),
            (
                "RECORDING",
                "As in Recording",
                "As late after the scene's first frame as the file begins in its recording, where it has times: files "
                "of one take stay aligned",
            ),
        ),
        translation_context=CONTEXT,
    )
    begin_frame: bpy.props.IntProperty(
        name="Frame",
        description="Scene frame at which the motion begins",
        default=1,
        min=-MAX_FRAME,
        max=MAX_FRAME,
        translation_context=CONTEXT,
    )
    takes: bpy.props.EnumProperty(
        name="Takes",
        description="What several files of box 1 become",
        items=(
            (
                "ACTIONS",
                "One Figure",
                "Each an action of its own on one figure for each person, in one shape",
            ),
            ("FIGURES", "One Each", "Each a figure of its own"),
        ),
    )
    strips: bpy.props.BoolProperty(
        name="NLA Strips",
        description="Put each action into a track of its own in the NLA editor; those of one figure follow each other",
        default=False,
    )
    device: bpy.props.StringProperty(
        name="Device",
        description=devices.DESCRIPTION,
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
    fingers: bpy.props.BoolProperty(
        name="Fit Fingers", description="Fit the fingers too where the file has points of hands", default=True
    )
    pose_correctives: bpy.props.BoolProperty(
        name="Pose Correctives",
        description="Fit a body whose skin changes with the pose, as SMPL's does; off, the fitted body and its figure "
        "have plain skinning",
        default=True,
    )
    hands: bpy.props.EnumProperty(
        name="Fingers", description=HANDS_DESCRIPTION, items=HANDS_ITEMS, translation_context=CONTEXT
    )


CLASSES = (SMPLIFY_PG_fit,)
