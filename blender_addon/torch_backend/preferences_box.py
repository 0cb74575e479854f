"""The box "GPU Acceleration" of the preferences, and the state of a device in box 3."""

from __future__ import annotations

from enum import Enum

import bpy
from bpy.app.translations import pgettext_iface as iface_

from ..background.task import Task, TaskState
from ..package import PACKAGE, user_folder
from ..ui.box_errors import Box, draw_error
from ..ui.text import draw_text
from .builds import NoBuildError, build_for_this_computer
from .environment import environment_python, has_environment
from .probe import PythonInfo
from .settings import blender_has_torch, known_info, python_to_check, what_it_takes
from .setup_session import SETUP

_NO_TORCH = "Blender's own Python has no PyTorch: fits run on the processor, with NumPy."
_ANOTHER_PLACE = "For fits on a GPU choose another place above. Nothing is installed into Blender's Python."
_CHOOSE = "Choose the Python of an environment that has PyTorch and NumPy."
_GONE = "The Python of this environment is gone: install it again."
_OFFLINE = "Blender may not go online: allow it under System > Network."
_NO_GPU = "It finds no GPU: this will not be faster than NumPy."


class PageState(Enum):
    """The states of the box."""

    WORKING = "a task is running"
    NO_TORCH = "Blender's own Python has no PyTorch"
    NOTHING_CHOSEN = "no Python is chosen"
    NOT_INSTALLED = "there is no private environment"
    GONE = "the private environment's Python is gone"
    UNCHECKED = "a Python that was not checked"
    CHECKED = "a Python that was checked"


def page_state(preferences: bpy.types.AddonPreferences) -> PageState:
    """Return the state of the Python set in the preferences."""
    if SETUP.task is not None:
        return PageState.WORKING
    place, folder = preferences.fit_place, user_folder()
    if place == "BLENDER" and not blender_has_torch():
        return PageState.NO_TORCH
    if place == "CHOSEN" and python_to_check(preferences) is None:
        return PageState.NOTHING_CHOSEN
    if place == "PRIVATE" and environment_python(folder) is None:
        return PageState.GONE if has_environment(folder) else PageState.NOT_INSTALLED
    return PageState.UNCHECKED if known_info(preferences) is None else PageState.CHECKED


def draw_acceleration(
    layout: bpy.types.UILayout, context: bpy.types.Context, preferences: bpy.types.AddonPreferences
) -> None:
    """Draw the box for its state."""
    layout.label(text="GPU Acceleration", icon="SYSTEM")
    layout.row().prop(preferences, "fit_place", expand=True)
    if SETUP.task is not None:
        _draw_work(layout, SETUP.task)
        return
    state, info = page_state(preferences), known_info(preferences)
    if preferences.fit_place == "CHOSEN":
        layout.prop(preferences, "python_file")
    if state is PageState.NO_TORCH:
        draw_text(layout, context, iface_(_NO_TORCH), icon="INFO")
        draw_text(layout, context, iface_(_ANOTHER_PLACE), icon="BLANK1")
    elif state is PageState.NOTHING_CHOSEN:
        draw_text(layout, context, iface_(_CHOOSE), icon="INFO")
    elif state in (PageState.NOT_INSTALLED, PageState.GONE):
        if state is PageState.GONE:
            draw_text(layout, context, iface_(_GONE), icon="ERROR")
        _draw_offer(layout, context, preferences)
    elif info is None:
        _draw_unchecked(layout)
    else:
        _draw_found(layout, context, info)
    if preferences.fit_place == "PRIVATE" and state is not PageState.NOT_INSTALLED:
        layout.operator("smplify.remove_torch", icon="TRASH")
    _draw_failure(layout, context)


def _draw_work(layout: bpy.types.UILayout, task: Task) -> None:
    row = layout.row(align=True)
    what = iface_("Cancelling") if task.state is TaskState.CANCELLING else iface_(task.status.what)
    row.progress(factor=task.status.share, text=f"{what}...")
    row.operator("smplify.cancel_torch", text="", icon="CANCEL")


def _draw_failure(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw the error of the last task, if it failed."""
    column = layout.column()
    column.alert = bool(SETUP.error)
    lines = [line for line in SETUP.error.splitlines() if line.strip()]
    for number, line in enumerate(lines):
        draw_text(column, context, line, icon="BLANK1" if number else "ERROR")
    draw_error(layout, context, Box.ACCELERATION)


def draw_device(
    layout: bpy.types.UILayout, context: bpy.types.Context, preferences: bpy.types.AddonPreferences | None, device: str
) -> None:
    """Draw the device of a fit on a torch device, or what is missing for it."""
    info = None if preferences is None else known_info(preferences)
    usable = () if info is None else info.usable_devices
    # "cuda" means the first CUDA device; "cuda:1" means exactly that one.
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


def _draw_offer(
    layout: bpy.types.UILayout, context: bpy.types.Context, preferences: bpy.types.AddonPreferences
) -> None:
    """Draw the size of an installation, and the button."""
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


def _draw_unchecked(layout: bpy.types.UILayout) -> None:
    row = layout.row()
    if not SETUP.error:
        row.label(text="Not checked yet.", icon="QUESTION")
    row.operator("smplify.check_python", icon="FILE_REFRESH")


def _draw_found(layout: bpy.types.UILayout, context: bpy.types.Context, info: PythonInfo) -> None:
    """Draw the checked properties of the Python, and the button to check again."""
    row = layout.row()
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
