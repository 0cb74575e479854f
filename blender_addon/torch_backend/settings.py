"""Where fits run, according to the preferences. Called on the main thread; the results may be used on any thread."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import bpy

from ..package import user_folder
from .builds import Build, shown_size
from .environment import environment_python
from .probe import Device, PythonInfo, python_in, same_file


def blender_has_torch() -> bool:
    """Return whether Blender's own Python has PyTorch, without importing it."""
    return importlib.util.find_spec("torch") is not None


def python_to_check(preferences: bpy.types.AddonPreferences) -> Path | None:
    """Return the Python set in the preferences, or None if there is none."""
    if preferences.fit_place == "CHOSEN":
        return python_in(Path(bpy.path.abspath(preferences.python_file))) if preferences.python_file else None
    if preferences.fit_place == "PRIVATE":
        return environment_python(user_folder())
    return Path(sys.executable) if blender_has_torch() else None


def known_info(preferences: bpy.types.AddonPreferences) -> PythonInfo | None:
    """Return the checked properties of the Python set in the preferences, or None before it was checked."""
    python, info = python_to_check(preferences), PythonInfo.from_json(preferences.findings)
    return info if python is not None and info is not None and same_file(info.path, str(python)) else None


def fit_python(preferences: bpy.types.AddonPreferences | None) -> Path | None:
    """Return the Python for fits on a torch device, or None for Blender's own."""
    if preferences is None or preferences.fit_place == "BLENDER" or known_info(preferences) is None:
        return None
    return python_to_check(preferences)


def fit_where_set(preferences: bpy.types.AddonPreferences | None) -> Callable[..., Any]:
    """Return a function like the core's `fit_track` that fits where the preferences say, on any thread."""
    from .fitting import run_fit

    return partial(run_fit, python=fit_python(preferences))


def fit_devices(preferences: bpy.types.AddonPreferences | None) -> tuple[Device, ...]:
    """Return the GPUs that fits may run on."""
    info = None if preferences is None else known_info(preferences)
    return () if info is None else info.usable_devices


def what_it_takes(build: Build) -> tuple[str, ...]:
    """Return the device and size of an installation of *build*, one line each, in the user's language."""
    translate = bpy.app.translations.pgettext_iface
    sizes = translate("About {download} to download, {disk} on the disk, in a folder of the extension's own.")
    lines = [
        translate("PyTorch for: {device}").format(device=translate(build.title)),
        sizes.format(download=shown_size(build.download_mb), disk=shown_size(build.disk_mb)),
    ]
    if not build.has_gpu:
        lines.append(translate("No NVIDIA GPU was found: this will not be faster than NumPy."))
    return tuple(lines)
