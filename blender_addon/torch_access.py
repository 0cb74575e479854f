"""Where fits run: in this Python with NumPy, or where the folder ``torch_backend`` says, if the edition has it.

Only the edition for a GPU is built with that folder; the others fit with NumPy alone. No other module outside the
folder imports it, but for `registration` and `preferences`, which add its operators and settings where there is one.
Importing this module needs no Blender and does not import the core.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import bpy

    from .torch_backend.probe import Device

HAS_TORCH_BACKEND = importlib.util.find_spec(f"{__package__}.torch_backend") is not None
"""Whether this edition can fit with PyTorch."""

_NUMPY = "numpy"
_NO_TORCH = (
    "expected the device {numpy}, the only one of this edition of the extension, got {device!r}; choose CPU (NumPy) in "
    "the options of box 3 (on a command line, --device {numpy}), or install the gpu edition instead of this one: the "
    "zip of a release whose name ends in -gpu, or the one that python build_addon.py --edition gpu builds"
)
_NUMPY_ALONE = (
    "This edition of the extension fits with NumPy alone. For a GPU, install the zip whose name ends in -gpu instead."
)


def fit_where_set(preferences: bpy.types.AddonPreferences | None) -> Callable[..., Any]:
    """Return a function like the core's `fit_track` that fits where the preferences say, on any thread."""
    if not HAS_TORCH_BACKEND:
        return fit_with_numpy
    from .torch_backend.settings import fit_where_set

    return fit_where_set(preferences)


def fit_in(python: str) -> Callable[..., Any]:
    """Return a function like the core's `fit_track` that fits on a torch device in *python*; "" for the current one."""
    if not HAS_TORCH_BACKEND:
        return fit_with_numpy
    from .torch_backend.fitting import run_fit

    return partial(run_fit, python=Path(python) if python else None)


def fit_with_numpy(track: Any, body: Any, options: Any, progress: Any = None) -> Any:
    """Fit a track like the core's `fit_track`, with NumPy.

    Raises:
        CoreError: as for `fit_track`; a `DeviceError` if *options* ask for another device.
    """
    from .core_access import fit_track

    _check_numpy(options.device)
    return fit_track(track, body, options, progress)


def torch_python_for(device: str, given: Path | None) -> str:
    """Return the path of the Python for fits of a batch on *device*, or "" for the current one.

    Args:
        device: numpy, or a torch device.
        given: the Python given by the user; None for the one set in the preferences, if there is one.

    Raises:
        DeviceError: PyTorch is missing, does not find the device, or is not used by this edition.
    """
    if not HAS_TORCH_BACKEND:
        _check_numpy(device)
        return ""
    from .torch_backend.choice import torch_python_for

    return torch_python_for(device, given)


def fit_devices(preferences: bpy.types.AddonPreferences | None) -> tuple[Device, ...]:
    """Return the GPUs that fits may run on."""
    if not HAS_TORCH_BACKEND:
        return ()
    from .torch_backend.settings import fit_devices

    return fit_devices(preferences)


def draw_device(
    layout: bpy.types.UILayout, context: bpy.types.Context, preferences: bpy.types.AddonPreferences | None, device: str
) -> None:
    """Draw the torch device of a fit, or what is missing for it."""
    if HAS_TORCH_BACKEND:
        from .torch_backend.preferences_box import draw_device

        draw_device(layout, context, preferences, device)
    else:
        from bpy.app.translations import pgettext_iface as iface_

        from .ui.text import draw_text

        draw_text(layout, context, iface_(_NUMPY_ALONE), icon="ERROR")


def _check_numpy(device: str) -> None:
    from .core_access import DeviceError

    if device != _NUMPY:
        raise DeviceError(_NO_TORCH.format(numpy=_NUMPY, device=device))
