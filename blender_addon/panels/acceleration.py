"""The preferences' box "GPU Acceleration" in each of its states, and what box 3 says of a device."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy
from bpy.app.translations import pgettext_iface as iface_

from ..acceleration.background import BACKGROUND
from ..acceleration.builds import NoBuildError, build_for_this_computer
from ..acceleration.environment import environment_python, has_environment
from ..acceleration.settings import PACKAGE, blender_has_torch, known_info, python_to_check, user_folder, what_it_takes
from .text import draw_text

if TYPE_CHECKING:
    from ..preferences import SMPLIFY_AP_preferences

_NO_TORCH = "Blender's own Python has no PyTorch: fits run on the processor, with NumPy."
_ANOTHER_PLACE = "For fits on a GPU choose another place above. Nothing is installed into Blender's Python."
_CHOOSE = "Choose the Python of an environment that has PyTorch and NumPy."
_GONE = "The Python that the environment was made with is gone: install anew."
_OFFLINE = "Blender may not go online: allow it under System > Network."
_NO_GPU = "It finds no GPU: this will not be faster than NumPy."


def draw_acceleration(
    layout: bpy.types.UILayout, context: bpy.types.Context, preferences: SMPLIFY_AP_preferences
) -> None:
    """Draw the box."""
    layout.label(text="GPU Acceleration", icon="SYSTEM")
    layout.row().prop(preferences, "fit_place", expand=True)
    task = BACKGROUND.task
    if task is not None:
        row = layout.row(align=True)
        row.progress(factor=task.share, text=f"{iface_(task.what)}...")
        row.operator("smplify.cancel_torch", text="", icon="CANCEL")
        return
    if preferences.fit_place == "CHOSEN":
        _draw_chosen(layout, context, preferences)
    elif preferences.fit_place == "PRIVATE":
        _draw_private(layout, context, preferences)
    else:
        _draw_blender(layout, context, preferences)
    if BACKGROUND.error:
        column = layout.column()
        column.alert = True
        lines = [line for line in BACKGROUND.error.splitlines() if line.strip()]
        for number, line in enumerate(lines):
            draw_text(column, context, line, icon="BLANK1" if number else "ERROR")


def draw_device(
    layout: bpy.types.UILayout, context: bpy.types.Context, preferences: SMPLIFY_AP_preferences | None, device: str
) -> None:
    """Draw where a fit on a torch device would run, or what is missing for it."""
    info = None if preferences is None else known_info(preferences)
    usable = () if info is None else info.usable_devices
    # "cuda" is the first of its kind; "cuda:1" is that one.
    found = next((item for item in usable if device in (item.id, item.id.partition(":")[0])), None)
    if found is not None:
        draw_text(layout, context, found.name, icon="CHECKMARK")
        return
    if info is not None and device != "cpu":
        text = iface_("PyTorch finds no such GPU")
    elif info is not None or blender_has_torch():
        return
    else:
        text = iface_("PyTorch is not set up yet, or was not checked; see the preferences")
    draw_text(layout, context, text, icon="ERROR")
    if preferences is not None:
        layout.operator("preferences.addon_show", text="GPU Acceleration", icon="PREFERENCES").module = PACKAGE


def _draw_blender(layout: bpy.types.UILayout, context: bpy.types.Context, preferences: SMPLIFY_AP_preferences) -> None:
    if blender_has_torch():
        _draw_found(layout, context, preferences)
        return
    draw_text(layout, context, iface_(_NO_TORCH), icon="INFO")
    draw_text(layout, context, iface_(_ANOTHER_PLACE), icon="BLANK1")


def _draw_chosen(layout: bpy.types.UILayout, context: bpy.types.Context, preferences: SMPLIFY_AP_preferences) -> None:
    layout.prop(preferences, "python_file")
    if python_to_check(preferences) is None:
        draw_text(layout, context, iface_(_CHOOSE), icon="INFO")
    else:
        _draw_found(layout, context, preferences)


def _draw_private(layout: bpy.types.UILayout, context: bpy.types.Context, preferences: SMPLIFY_AP_preferences) -> None:
    folder = user_folder()
    if environment_python(folder) is not None:
        _draw_found(layout, context, preferences)
        layout.operator("smplify.remove_torch", icon="TRASH")
        return
    if has_environment(folder):
        draw_text(layout, context, iface_(_GONE), icon="ERROR")
    _draw_offer(layout, context, preferences)
    if has_environment(folder):
        layout.operator("smplify.remove_torch", icon="TRASH")


def _draw_offer(layout: bpy.types.UILayout, context: bpy.types.Context, preferences: SMPLIFY_AP_preferences) -> None:
    """Draw what an installation would take, and the button."""
    try:
        lines = what_it_takes(build_for_this_computer())
    except NoBuildError as error:
        draw_text(layout, context, str(error), icon="ERROR")
        return
    for line in lines:
        draw_text(layout, context, line)
    if not bpy.app.online_access:
        draw_text(layout, context, iface_(_OFFLINE), icon="INTERNET_OFFLINE")
    row = layout.row()
    row.enabled = bpy.app.online_access
    row.operator("smplify.install_torch", icon="IMPORT")
    layout.prop(preferences, "show_install_options")
    if preferences.show_install_options:
        column = layout.column()
        column.use_property_split = True
        column.prop(preferences, "base_python_file")
        column.prop(preferences, "index_url")


def _draw_found(layout: bpy.types.UILayout, context: bpy.types.Context, preferences: SMPLIFY_AP_preferences) -> None:
    """Draw what is known of the Python, and the button that finds it out."""
    info = known_info(preferences)
    row = layout.row()
    if info is None:
        if not BACKGROUND.error:
            row.label(text="Not checked yet.", icon="QUESTION")
        row.operator("smplify.check_python", icon="FILE_REFRESH")
        return
    row.label(
        text=f"Python {info.version}, PyTorch {info.torch}, NumPy {info.numpy}", icon="CHECKMARK", translate=False
    )
    row.operator("smplify.check_python", text="", icon="FILE_REFRESH")
    for device in info.devices:
        fault = f": {device.fault}" if device.fault else ""
        icon = "ERROR" if fault else "CHECKMARK"
        draw_text(layout, context, f"{device.name} ({device.id}){fault}", icon=icon)
    if not info.devices:
        draw_text(layout, context, iface_(_NO_GPU), icon="INFO")
