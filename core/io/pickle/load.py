"""Read a pickle as data, without importing, calling or instantiating anything that the file names.

Python's own unpickler calls whatever a file requests, and its C version allocates the sizes that a file claims. Here,
`opcodes` replaces every step of it that acts on objects, a name that is not on the allow-list of `plain_types` is an
error, and every object is charged to a memory budget. Strings of Python 2 pickles are decoded as latin-1.
"""

from __future__ import annotations

import io
import os
import pickle
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

import numpy as np

from ...errors import CoreError, TrackFileError, UnsafePickleError
from ..regular_files import check_is_file
from .opcodes import PickleStream, PlainUnpickler, is_torch_magic, load_legacy_torch
from .plain_types import Budget, Standin
from .tensors import FindStorage

MAX_BYTES = 1 << 30
"""Default limit for the size of a pickle."""

_FREE_BYTES, _BYTES_PER_BYTE = 48 << 20, 16
"""Memory that a pickle's objects may take: this many bytes, and this many times the size of the file."""
_MAX_DEPTH = 64
_DAMAGE = (
    ValueError, TypeError, IndexError, KeyError, OverflowError, EOFError, RecursionError, struct.error,
    pickle.UnpicklingError,
)  # fmt: skip
"""Exceptions that damaged or hostile bytes raise in `opcodes` and `plain_types`."""


def load_pickle(
    source: Path | str | IO[bytes],
    *,
    error: type[CoreError] = TrackFileError,
    max_bytes: int = MAX_BYTES,
    where: str = "",
    find_storage: FindStorage | None = None,
) -> Any:
    """Return the content of a pickle as plain data: containers, numbers, strings, arrays and `plain_types.Standin`.

    Files of joblib (not compressed), and of PyTorch before 1.6, are such pickles too; tensors become arrays.

    Args:
        source: path of a file, or an open binary stream.
        error: the class to raise for a file that is damaged, too large or not a pickle.
        max_bytes: the largest file to read.
        where: name of the source in messages; by default its path or its own name.
        find_storage: returns the numbers of tensors that are outside the pickle; None to reject such a pickle.

    Raises:
        UnsafePickleError: the pickle requests something that is not plain data; nothing was executed.
        InputMissingError: there is no such file.
        CoreError: of the class *error*.
    """
    if not isinstance(source, (str, Path)):
        data = source.read(max_bytes + 1)
        name = where or str(getattr(source, "name", "the stream"))
        return _load(io.BytesIO(data), len(data), name, error, max_bytes, find_storage)
    path = Path(source)
    check_is_file(path, "a pickle file")
    with path.open("rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        return _load(stream, size, where or str(path), error, max_bytes, find_storage)


def _load(
    stream: IO[bytes],
    size: int,
    where: str,
    error: type[CoreError],
    max_bytes: int,
    find_storage: FindStorage | None,
) -> Any:
    if size > max_bytes:
        raise error(f"expected a pickle of up to {max_bytes} bytes, got {size} or more in {where}; it was not read")
    budget = Budget(_FREE_BYTES + _BYTES_PER_BYTE * size)
    data = PickleStream(stream, size, budget)
    try:
        result = PlainUnpickler(data, where, budget, find_storage).load()
        if is_torch_magic(result):
            result = load_legacy_torch(data, where, budget)
        _check_depth(result)
    except UnsafePickleError:
        raise
    except MemoryError as fault:
        raise error(f"expected a pickle of a sensible size, got {where}: {fault}; it was not read") from fault
    except _DAMAGE as fault:
        raise error(
            f"expected an intact pickle of plain data, got invalid bytes near byte {size - data.left} of "
            f"{size} in {where} ({str(fault)[:160]}); fetch or export the file again, as a binary file"
        ) from fault
    return result


def _check_depth(result: object) -> None:
    """Reject structures that are nested too deeply for recursion, or that contain themselves."""
    heights: dict[int, int] = {}
    """Levels below each object that was looked at, so that one that is held many times is looked at once."""

    def height(value: object, depth: int) -> int:
        if depth > _MAX_DEPTH:
            raise ValueError(f"its objects are nested deeper than {_MAX_DEPTH} levels")
        if id(value) not in heights:
            below = (height(child, depth + 1) for child in _children(value) if isinstance(child, _CONTAINERS))
            heights[id(value)] = 1 + max(below, default=-1)
        if depth + heights[id(value)] > _MAX_DEPTH:
            raise ValueError(f"its objects are nested deeper than {_MAX_DEPTH} levels")
        return heights[id(value)]

    height(result, 0)


_CONTAINERS = (dict, list, tuple, Standin, np.ndarray)


def _children(value: object) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    if isinstance(value, (list, tuple)):
        return value
    if isinstance(value, Standin):
        return (value.state,)
    return value.flat if isinstance(value, np.ndarray) and value.dtype.hasobject else ()
