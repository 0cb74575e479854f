"""The menu of devices: NumPy, PyTorch on the processor, and the GPUs that the Python of the preferences has reported.

A scene keeps the device by its name for PyTorch. So a choice outlives a session, another order of the menu, and a
computer that lacks that GPU.
"""

from __future__ import annotations

from collections.abc import Sequence

import bpy

from ..package import addon_preferences
from ..torch_backend.probe import Device
from ..torch_backend.settings import fit_devices

DEFAULT = "numpy"
_ALWAYS = (
    ("numpy", "CPU (NumPy)", "The processor, with NumPy: always there"),
    ("cpu", "CPU (PyTorch)", "The processor, with PyTorch, which must be set up"),
)
_ANY_GPU = (
    ("cuda", "NVIDIA GPU", "Needs PyTorch with CUDA; see GPU Acceleration in the preferences"),
    ("mps", "Apple GPU", "Needs PyTorch on a Mac; see GPU Acceleration in the preferences"),
)
_REPORTED = "Found by the Python that the add-on's preferences name"
_NOT_FOUND = "Not found by the Python that the add-on's preferences name"

_numbers: dict[str, int] = {}
"""The number of each device in the menu; it stays while Blender runs, whatever else the menu offers."""
_items: dict[tuple[str, str, str], tuple[str, str, str, str, int]] = {}
"""All items that were ever offered: Blender does not keep the texts of a menu that a function makes."""


def offered(gpus: Sequence[Device], chosen: str) -> list[tuple[str, str, str]]:
    """Return (name for PyTorch, text, description) of what the menu offers.

    Args:
        gpus: those that were reported; none before a Python was checked, then each kind of GPU is offered.
        chosen: the device that is set; it is always offered.
    """
    found = tuple((gpu.id, gpu.name if ":" not in gpu.id else f"{gpu.name} ({gpu.id})", _REPORTED) for gpu in gpus)
    menu = [*_ALWAYS, *(found or _ANY_GPU)]
    if chosen not in {name for name, _, _ in menu}:
        menu += [item for item in _ANY_GPU if item[0] == chosen] or [(chosen, chosen, _NOT_FOUND)]
    return menu


def menu_items(
    settings: bpy.types.PropertyGroup, context: bpy.types.Context | None
) -> list[tuple[str, str, str, str, int]]:
    """Return the menu, as Blender wants it."""
    gpus = fit_devices(addon_preferences(bpy.context))
    return [
        _items.setdefault(item, (*item, "NONE", _number(item[0]))) for item in offered(gpus, settings.device or DEFAULT)
    ]


def chosen_number(settings: bpy.types.PropertyGroup) -> int:
    """Return the menu's number of the device that is set."""
    return _number(settings.device or DEFAULT)


def choose_number(settings: bpy.types.PropertyGroup, number: int) -> None:
    """Set the device that has this number in the menu."""
    settings.device = next(name for name, known in _numbers.items() if known == number)


def _number(device: str) -> int:
    return _numbers.setdefault(device, len(_numbers))
