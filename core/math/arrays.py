"""The array namespace: the same numeric code for NumPy arrays and torch tensors.

torch is imported only when a torch device is requested.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from types import ModuleType
from typing import Any

import array_api_compat
import numpy as np
from threadpoolctl import threadpool_limits

from ..errors import CoreError

_NUMPY: ModuleType = array_api_compat.array_namespace(np.empty(0))

Array = Any
"""A ``numpy.ndarray`` or a ``torch.Tensor``; every function returns the kind it was given."""

DEVICES = ("numpy", "cpu", "cuda", "mps")


class DeviceError(CoreError, ValueError):
    """The requested device does not exist on this machine."""


def one_blas_thread() -> AbstractContextManager[object]:
    """Return a context in which NumPy's matrix routines use a single thread.

    The fit multiplies and solves many small matrices on its own threads; a second layer of threads below those makes it
    about half as fast.
    """
    limits: AbstractContextManager[object] = threadpool_limits(limits=1, user_api="blas")
    return limits


def namespace(*arrays: Array) -> ModuleType:
    """Return the array namespace (array-api-compat) of *arrays*."""
    for array in arrays:
        if type(array) is not np.ndarray:
            xp: ModuleType = array_api_compat.array_namespace(*arrays)
            return xp
    return _NUMPY  # called at every step of small operations, where a lookup would dominate


def at_least(array: Array, low: float) -> Array:
    """Return *array* with values below *low* set to *low*."""
    return np.maximum(array, low) if type(array) is np.ndarray else namespace(array).clip(array, low, None)


def at_most(array: Array, high: float) -> Array:
    """Return *array* with values above *high* set to *high*."""
    return np.minimum(array, high) if type(array) is np.ndarray else namespace(array).clip(array, None, high)


def contiguous(array: Array) -> Array:
    """Return *array* contiguous in memory, in the order of its axes."""
    return np.ascontiguousarray(array) if isinstance(array, np.ndarray) else array.contiguous()


def ones_where(mask: Array, other: Array) -> Array:
    """Return 1 where *mask* is true and 0 elsewhere, in the type of *other*."""
    return namespace(other).astype(mask, other.dtype)


def to_numpy(array: Array) -> np.ndarray:
    """Return *array* as a NumPy array, copied from its device if necessary."""
    if isinstance(array, np.ndarray):
        return array
    if hasattr(array, "detach"):
        return np.asarray(array.detach().cpu())
    return np.asarray(array)


def check_device(device: str) -> str:
    """Return *device* if it can be used on this machine.

    Args:
        device: ``numpy``, or a torch device: ``cpu``, ``cuda`` (or ``cuda:1``), ``mps``.

    Raises:
        DeviceError: the name is unknown, torch is not installed, or it has no such device.
    """
    kind, colon, number = device.partition(":")
    if kind not in DEVICES or colon and (kind == "numpy" or not number.isdecimal()):
        raise DeviceError(f"expected one of the devices {', '.join(DEVICES)}, or one such as cuda:1; got {device!r}")
    if kind == "numpy":
        return device
    try:
        import torch
    except ImportError as error:
        raise DeviceError(
            f"device {device!r} needs PyTorch, which this Python does not have; use device 'numpy', "
            "or run where torch can be imported"
        ) from error
    if kind == "cuda" and not torch.cuda.is_available():
        raise DeviceError(f"device {device!r}: this PyTorch ({torch.__version__}) finds no CUDA GPU; use 'numpy'")
    if kind == "mps" and not torch.backends.mps.is_available():
        raise DeviceError(f"device {device!r}: this PyTorch ({torch.__version__}) finds no Apple GPU; use 'numpy'")
    count = torch.cuda.device_count() if kind == "cuda" else 1
    if colon and int(number) >= count:
        raise DeviceError(f"expected a device {kind}:0 to {kind}:{count - 1}, which this PyTorch finds; got {device!r}")
    return device


def to_device(array: np.ndarray, device: str) -> Array:
    """Return *array* on *device*: floating types as float32, integers unchanged.

    Args:
        array: any NumPy array.
        device: as for `check_device`; ``numpy`` returns a NumPy array.
    """
    if np.issubdtype(array.dtype, np.floating):
        array = np.ascontiguousarray(array, dtype=np.float32)
    if device == "numpy":
        return array
    import torch

    return torch.as_tensor(np.ascontiguousarray(array), device=device)


def like(values: np.ndarray, other: Array) -> Array:
    """Return NumPy *values* as an array of the library, type and device of *other*."""
    if isinstance(other, np.ndarray):
        return np.asarray(values, dtype=other.dtype)
    xp = namespace(other)
    return xp.asarray(values, dtype=other.dtype, device=other.device)


def kind_of(array: Array) -> dict[str, object]:
    """Return the keyword arguments that create a new array of the type and on the device of *array*."""
    return {"dtype": array.dtype} if isinstance(array, np.ndarray) else {"dtype": array.dtype, "device": array.device}
