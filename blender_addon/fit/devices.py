"""The device menu: NumPy, PyTorch on the CPU, and the GPUs reported by the Python set in the preferences.

An edition of the extension that fits with NumPy alone offers that, and what the scene has stored besides, so that it
can be seen and changed.

A scene stores the PyTorch name of the device, so a choice survives a new session, a reordered menu, and a computer
without that GPU.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import bpy

from ..package import addon_preferences
from ..torch_access import HAS_TORCH_BACKEND, fit_devices

if TYPE_CHECKING:
    from ..torch_backend.probe import Device

DEFAULT = "numpy"
_NUMPY = ("numpy", "CPU (NumPy)", "The CPU, with NumPy: always available")
_ALWAYS = (
    _NUMPY,
    ("cpu", "CPU (PyTorch)", "The CPU, with PyTorch, which must be set up"),
)
_ANY_GPU = (
    ("cuda", "NVIDIA GPU", "Needs PyTorch with CUDA; see GPU Acceleration in the preferences"),
    ("mps", "Apple GPU", "Needs PyTorch on a Mac; see GPU Acceleration in the preferences"),
)
_REPORTED = "Found by the Python that the add-on's preferences name"
_NOT_FOUND = "Not found by the Python that the add-on's preferences name"
_IN_ANOTHER_EDITION = "Needs the extension's zip whose name ends in -gpu"
DESCRIPTION = "Device of the fit: numpy" + (
    ", or a PyTorch device such as cpu, cuda, cuda:1, mps" if HAS_TORCH_BACKEND else ""
)

_numbers: dict[str, int] = {}
"""The enum number of each device; constant while Blender runs, even if the menu changes."""
_items: dict[tuple[str, str, str], tuple[str, str, str, str, int]] = {}
"""All items ever offered: Blender does not keep references to the strings of a dynamic menu."""


def offered(gpus: Sequence[Device], chosen: str) -> list[tuple[str, str, str]]:
    """Return (PyTorch name, text, description) of each menu item.

    Args:
        gpus: the reported GPUs; if empty, because no Python was checked yet, each kind of GPU is offered.
        chosen: the current device; it is always offered.
    """
    if not HAS_TORCH_BACKEND:
        return [_NUMPY] if chosen == DEFAULT else [_NUMPY, (chosen, chosen, _IN_ANOTHER_EDITION)]
    found = tuple((gpu.id, gpu.name if ":" not in gpu.id else f"{gpu.name} ({gpu.id})", _REPORTED) for gpu in gpus)
    menu = [*_ALWAYS, *(found or _ANY_GPU)]
    if chosen not in {name for name, _, _ in menu}:
        menu += [item for item in _ANY_GPU if item[0] == chosen] or [(chosen, chosen, _NOT_FOUND)]
    return menu


def menu_items(
    settings: bpy.types.PropertyGroup, context: bpy.types.Context | None
) -> list[tuple[str, str, str, str, int]]:
    """Return the menu items in Blender's format."""
    gpus = fit_devices(addon_preferences(bpy.context))
    return [
        _items.setdefault(item, (*item, "NONE", _number(item[0]))) for item in offered(gpus, settings.device or DEFAULT)
    ]


def chosen_number(settings: bpy.types.PropertyGroup) -> int:
    """Return the enum number of the current device."""
    return _number(settings.device or DEFAULT)


def choose_number(settings: bpy.types.PropertyGroup, number: int) -> None:
    """Set the device with this enum number."""
    settings.device = next(name for name, known in _numbers.items() if known == number)


def _number(device: str) -> int:
    return _numbers.setdefault(device, len(_numbers))
