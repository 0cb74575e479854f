"""Choose the Python for a batch on a torch device, before any work is done. Needs no Blender."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from ..core_access import DeviceError
from .fitting import HOW_TO_GET_TORCH
from .probe import ProbeError, probe, python_in


def torch_python_for(device: str, given: Path | None) -> str:
    """Return the path of the Python for fits on *device*, or "" for the current one.

    Args:
        device: numpy, or a torch device.
        given: the Python given by the user; None for the one set in the preferences, if there is one.

    Raises:
        DeviceError: PyTorch is missing, or does not find the device.
    """
    if device == "numpy":
        return ""
    python = python_in(given) if given is not None else _preferred_python()
    if python is None:
        if importlib.util.find_spec("torch") is None:
            raise DeviceError(
                f"device {device!r} needs PyTorch, which this Python ({sys.executable}) does not have: "
                f"{HOW_TO_GET_TORCH}"
            )
        return ""
    try:
        info = probe(python)
    except ProbeError as error:
        raise DeviceError(str(error)) from error
    kinds = {found.id.partition(":")[0] for found in info.usable_devices} | {"cpu"}
    if device.partition(":")[0] not in kinds:
        raise DeviceError(
            f"expected one of the devices {', '.join(sorted(kinds))} that PyTorch {info.torch} in {python} finds; got "
            f"{device!r}"
        )
    return str(python.absolute())


def _preferred_python() -> Path | None:
    """Return the Python set in the preferences, if this process is a Blender that has one set."""
    bpy = sys.modules.get("bpy")
    if bpy is None:
        return None
    from ..package import addon_preferences
    from .settings import fit_python

    return fit_python(addon_preferences(bpy.context))
