"""``Scene.smplify``: what the boxes 1 to 3 are set to, kept with the scene."""

from __future__ import annotations

import bpy

from .fit import devices
from .package import addon_preferences
from .track import choices
from .track.reader import read_soon
from .track.request import AUTO
from .ui.enum_items import QUALITY_ITEMS
from .ui.redraw import redraw_viewports
from .ui.translations import CONTEXT

MAX_FPS = 10_000.0
FILE_OPTIONS: set[str] = {"PATH_SUPPORTS_BLEND_RELATIVE"} if bpy.app.version >= (4, 5, 0) else set()
"""Of a path that may begin with "//", the folder of the .blend file; before 4.5 that needed no word."""


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


class SMPLIFY_PG_track(bpy.types.PropertyGroup):  # noqa: N801 - the form that Blender asks for
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


def _body_file_changed(settings: SMPLIFY_PG_body, context: bpy.types.Context) -> None:
    """Remember the body's file for other scenes."""
    preferences = addon_preferences(context)
    if preferences is not None and settings.file:
        preferences.body_file = bpy.path.abspath(settings.file)


class SMPLIFY_PG_body(bpy.types.PropertyGroup):  # noqa: N801 - the form that Blender asks for
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


class SMPLIFY_PG_fit(bpy.types.PropertyGroup):  # noqa: N801 - the form that Blender asks for
    """Box 3: how to fit."""

    mode: bpy.props.EnumProperty(
        name="Mode",
        description="Whether a frame may look at those after it",
        items=(
            ("CLIP", "Whole Clip", "All frames at once: nothing drifts, gaps are bridged from both sides"),
            ("FRAMES", "Frame by Frame", "Each frame from those before it only, as if it came in live; slower"),
        ),
        translation_context=CONTEXT,
    )
    quality: bpy.props.EnumProperty(
        name="Quality",
        description="How much work goes into each frame",
        items=QUALITY_ITEMS,
        default="BALANCED",
        translation_context=CONTEXT,
    )
    smoothing: bpy.props.FloatProperty(
        name="Smoothing",
        description="How much of the points' measured noise is taken out before the fit: 1 as much as there is, 0 none",
        default=1.0, min=0.0, max=1.0, subtype="FACTOR",
    )  # fmt: skip
    motion_fps: bpy.props.FloatProperty(
        name="Motion Rate",
        description="Frame rate of the fitted motion in fps; 0 keeps the track's. A scene that is animated already "
        "keeps its own rate, and the motion is resampled to it",
        default=0.0, min=0.0, max=MAX_FPS, soft_max=240.0, precision=3,
    )  # fmt: skip
    device: bpy.props.StringProperty(
        name="Device",
        description="What computes the fit: numpy, or PyTorch's name of a device, such as cpu, cuda, cuda:1, mps",
        default=devices.DEFAULT,
    )
    device_menu: bpy.props.EnumProperty(
        name="Device",
        description="What computes the fit",
        items=devices.menu_items, get=devices.chosen_number, set=devices.choose_number,
    )  # fmt: skip
    workers: bpy.props.IntProperty(
        name="Threads",
        description="Threads for the fit on NumPy; 0 is one a core, but for a core that is left to Blender's window",
        default=0, min=0, max=256,
    )  # fmt: skip
    floor: bpy.props.BoolProperty(
        name="Stand on Floor",
        description="Move each clip up or down, as a whole, so that its lowest point stands on the floor",
        default=True,
    )


class SMPLIFY_PG_scene(bpy.types.PropertyGroup):  # noqa: N801 - the form that Blender asks for
    """What the next fit reads, fits and how."""

    track: bpy.props.PointerProperty(type=SMPLIFY_PG_track)
    body: bpy.props.PointerProperty(type=SMPLIFY_PG_body)
    fit: bpy.props.PointerProperty(type=SMPLIFY_PG_fit)


CLASSES = (SMPLIFY_PG_track, SMPLIFY_PG_body, SMPLIFY_PG_fit, SMPLIFY_PG_scene)


def register() -> None:
    """Give every scene its settings."""
    bpy.types.Scene.smplify = bpy.props.PointerProperty(type=SMPLIFY_PG_scene)


def unregister() -> None:
    """Take the settings away again."""
    del bpy.types.Scene.smplify
