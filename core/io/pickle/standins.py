"""Convert stand-ins for chumpy's arrays and SciPy's sparse matrices to dense NumPy arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .plain_types import Standin, brief, checked_shape

MAX_DENSE_BYTES = 1 << 30
_MAX_CHAIN = 16


def _integers(value: object, name: str) -> np.ndarray:
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "iu" or value.ndim != 1:
        raise ValueError(f"expected {name} to be a list of integers")
    return value.astype(np.int64)


def _sparse_coordinates(state: Mapping[str, Any], form: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the row and column of each stored value."""
    if form == "coo":
        row, col = state["coords"] if "coords" in state else (state["row"], state["col"])
        return _integers(row, "row"), _integers(col, "col")
    indices, starts = _integers(state["indices"], "indices"), _integers(state["indptr"], "indptr")
    counts = np.diff(starts)
    if len(starts) == 0 or starts[0] != 0 or (counts < 0).any() or counts.sum() != len(indices):
        raise ValueError("expected indptr to rise from 0 to the number of indices")
    major = np.repeat(np.arange(len(counts)), counts)
    return (indices, major) if form == "csc" else (major, indices)


def sparse_to_dense(value: Standin) -> np.ndarray:
    """Return the dense matrix (rows, columns) float64 of a pickled SciPy csc, csr or coo matrix.

    Raises:
        ValueError: its parts are inconsistent, or it would take more than `MAX_DENSE_BYTES`.
    """
    state = value.state
    if not isinstance(state, dict):
        raise ValueError(f"expected the parts of a {value.name}, got {type(state).__name__}")
    form = value.name[:3]
    needed = {"data"} | ({"indices", "indptr"} if form != "coo" else set())
    shape = state.get("_shape", state.get("shape"))
    if not needed <= set(state) or not (isinstance(shape, tuple) and len(shape) == 2):
        raise ValueError(f"expected a {value.name} with a shape and {', '.join(sorted(needed))}")
    if not all(isinstance(size, (int, np.integer)) and size >= 0 for size in shape):
        raise ValueError(f"expected a matrix shape, got {brief(shape)}")
    rows, columns = int(shape[0]), int(shape[1])
    if 8 * rows * columns > MAX_DENSE_BYTES:
        raise ValueError(f"a matrix {rows} x {columns} is larger than any of a body")
    values = state["data"]
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "biuf" or values.ndim != 1:
        raise ValueError("expected the stored values to be numbers")
    row, col = _sparse_coordinates(state, form)
    if not len(row) == len(col) == len(values):
        raise ValueError(f"expected {len(values)} indices, got {len(row)} and {len(col)}")
    if len(row) and (min(row.min(), col.min()) < 0 or row.max() >= rows or col.max() >= columns):
        raise ValueError(f"an index lies outside a matrix {rows} x {columns}")
    dense = np.zeros((rows, columns))
    np.add.at(dense, (row, col), values)
    return dense


def _chumpy_to_array(value: Standin) -> np.ndarray:
    """Return the values of a chumpy array: its ``x``, or a selection from another array's values."""
    selections = []
    current: Any = value
    while isinstance(current, Standin) and current.name == "Select" and isinstance(current.state, dict):
        selections.append(current.state)
        current = current.state.get("a")
        if len(selections) > _MAX_CHAIN:
            raise ValueError("expected an array, got a long chain of selections")
    if isinstance(current, Standin) and current.name == "Ch" and isinstance(current.state, dict):
        current = current.state.get("x")
    if not isinstance(current, np.ndarray):
        kind = f"{current.module}.{current.name}" if isinstance(current, Standin) else type(current).__name__
        raise ValueError(f"expected a plain chumpy array, got {kind}; save the file again with NumPy arrays")
    array: np.ndarray = current
    for state in reversed(selections):
        flat = array.reshape(-1)
        index = _integers(state.get("idxs"), "idxs")
        if len(index) and (index.min() < -len(flat) or index.max() >= len(flat)):
            raise ValueError("a chumpy selection points outside its array")
        array = flat[index]
        shape = state.get("preferred_shape")
        array = array if shape is None else array.reshape(checked_shape(shape, len(array)))
    return array


def as_array(value: object) -> np.ndarray | None:
    """Return the array that a loaded *value* is or stands for (chumpy, SciPy sparse), or None if it is not an array.

    Raises:
        ValueError: it is a stand-in whose parts are inconsistent.
    """
    if isinstance(value, np.ndarray):
        return value
    if not isinstance(value, Standin):
        return None
    return _chumpy_to_array(value) if value.module.split(".")[0] == "chumpy" else sparse_to_dense(value)
