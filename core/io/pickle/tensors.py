"""PyTorch's tensors and joblib's arrays in pickles, as NumPy arrays: PyTorch and joblib are neither needed nor run.

A tensor in a pickle is a view of a storage, flat numbers that are elsewhere: in another member of the archive, or
behind the pickle. Its pickle names the storage by a persistent id, and says where the view begins and how it steps.
joblib puts an array's raw bytes into the pickle itself, behind the description of the array. N numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

_MAX_DIMENSIONS = 16
STORAGE_DTYPES: Mapping[str, str] = MappingProxyType(
    {
        "DoubleStorage": "<f8", "FloatStorage": "<f4", "HalfStorage": "<f2", "BFloat16Storage": "<u2",
        "LongStorage": "<i8", "IntStorage": "<i4", "ShortStorage": "<i2", "CharStorage": "<i1", "ByteStorage": "<u1",
        "BoolStorage": "|b1",
    }
)  # fmt: skip
"""The stored numbers of each class of storage; a bfloat16 is the upper half of the bits of a float32."""
_BFLOAT16 = "BFloat16Storage"


@dataclass(frozen=True, eq=False)
class Storage:
    """The numbers that tensors are views of.

    Attributes:
        values: (N,) the numbers; of a file that has them behind the pickle, they are filled in later.
        kind: the storage's class in PyTorch.
    """

    values: np.ndarray
    kind: str


FindStorage = Callable[[str, str, int], Storage]
"""Returns the storage of a key, a class of `STORAGE_DTYPES` and a number of numbers; raises ValueError if it cannot."""


def storage_of(pid: object, kind_of: Callable[[object], str], find: FindStorage) -> Storage:
    """Return the storage that a persistent id names: ("storage", class, key, device, number of numbers).

    Args:
        pid: the persistent id.
        kind_of: returns the name of a class of `STORAGE_DTYPES` from what the pickle names.
        find: returns the storage.

    Raises:
        ValueError: it is no such id.
    """
    if not isinstance(pid, tuple) or len(pid) < 5 or pid[0] != "storage":
        raise ValueError("expected the persistent id of a storage of numbers")
    kind, key, count = kind_of(pid[1]), pid[2], pid[4]
    if not isinstance(key, str) or type(count) is not int or not 0 <= count < 1 << 48:
        raise ValueError("expected a storage's name and its number of numbers")
    return find(key, kind, count)


def numbers_of(kind: str, data: bytes | bytearray) -> np.ndarray:
    """Return the numbers (N,) that the bytes of a storage of class *kind* are."""
    stored = np.frombuffer(data, STORAGE_DTYPES[kind]) if data else np.empty(0, STORAGE_DTYPES[kind])
    return (stored.astype(np.uint32) << 16).view(np.float32) if kind == _BFLOAT16 else stored


def tensor_of(args: tuple[Any, ...], charge: Callable[[int], None]) -> np.ndarray:
    """Return the tensor of ``torch._utils._rebuild_tensor_v2``: (storage, offset, shape, strides, ...).

    The strides may repeat numbers, so that a tensor is larger than its storage; *charge* is called with the bytes that
    a copy of it takes.

    Raises:
        ValueError: it reaches beyond its storage.
    """
    storage, offset, shape, strides = args[:4]
    if not isinstance(storage, Storage) or not all(map(_are_sizes, ((offset,), shape, strides))):
        raise ValueError("expected a tensor's storage, offset, shape and strides")
    if len(shape) != len(strides):
        raise ValueError(f"expected as many strides as axes, got {len(strides)} and {len(shape)}")
    values = storage.values
    count = math.prod(shape)
    last = offset + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
    if count == 0:
        return np.empty(shape, values.dtype)
    if last >= len(values):
        raise ValueError(f"a tensor reaches number {last} of a storage of {len(values)}")
    if count > len(values):
        charge(8 * count)
    steps = [stride * values.itemsize for stride in strides]
    return np.lib.stride_tricks.as_strided(values[offset:], shape, steps, writeable=False)


def _are_sizes(values: object) -> bool:
    """Return whether *values* are sizes along axes."""
    return (
        isinstance(values, tuple)
        and len(values) <= _MAX_DIMENSIONS
        and all(type(value) is int and 0 <= value < 1 << 40 for value in values)
    )


def joblib_array(state: object, dtype_of: Callable[[object], np.dtype], read: Callable[[int], bytes]) -> np.ndarray:
    """Return the array that joblib's description *state* announces, whose bytes *read* returns next.

    Raises:
        ValueError: it is no array of plain numbers or texts.
        EOFError: the pickle has not as many bytes.
    """
    if not isinstance(state, dict) or not _are_sizes(state.get("shape")) or state.get("order") not in ("C", "F"):
        raise ValueError("expected joblib's description of an array")
    dtype, shape = dtype_of(state.get("dtype")), state["shape"]
    if state.get("numpy_array_alignment_bytes") is not None:
        read(read(1)[0])  # padding
    count = math.prod(shape)
    data = read(count * dtype.itemsize)
    flat = np.frombuffer(data, dtype, count=count) if count else np.empty(0, dtype)
    return flat.reshape(shape, order=state["order"])
