"""Spoil documents where a fuzzer of bytes hardly reaches: values of another kind deep in JSON, pickles and archives,
lines and cells of tables that are empty, missing or doubled. What is spoiled is still well-formed."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np

_ITEMS = 1
"""How many of a list's items, from its beginning, are spoiled."""
_LINES, _CELLS = 14, 4
"""How many lines of a table, and cells of each, from the beginning, are spoiled."""
_OTHER_CELLS = ("", "x", "-1", "1e400", "²", '"', "a\x00b")
_OTHER_VALUES: tuple[Any, ...] = (
    None, True, -1, 5, 0.5, float("nan"), float("inf"), 1e300, 10**30, "", "x", "²", [], [[]], [[[]]], [None], [5],
    [[5, 5]], [[1.0, 2.0, 3.0]], ["x", "y", "z"], [{}], {}, {"": None}, {"x": 1}, {"x": [1], "y": {}, "z": None},
)  # fmt: skip
_OTHER_ARRAYS: tuple[np.ndarray, ...] = (
    np.zeros(0), np.zeros((0, 17, 3)), np.zeros((4, 0, 3)), np.array(5.0), np.array("x"), np.array(["x", "y"]),
    np.zeros((2, 3)), np.zeros((1, 1, 1, 1, 1)), np.full((4, 17, 3), np.nan), np.full((4, 17, 3), np.inf),
    np.full((4, 17, 3), 1e300), np.zeros((4, 17, 3), np.complex64), np.zeros((4, 17, 3), bool), np.array([True]),
    np.array(-1), np.array(2**63, np.uint64), np.full(3, 255, np.uint8),
)  # fmt: skip


def spoiled_documents(document: Any, *, arrays: bool = False) -> Iterator[tuple[str, Any]]:
    """Yield what was spoiled, and the document: each value, as often as there are others, replaced or left out.

    Args:
        document: lists, dicts and plain values as in JSON, with *arrays* NumPy arrays too.
        arrays: whether values may become arrays.
    """
    others = (*_OTHER_VALUES, *(_OTHER_ARRAYS if arrays else ()))
    for place in _places(document):
        for other in others:
            yield f"{place} is {other!r:.60}", _replaced(document, place, copy.deepcopy(other))
        yield f"{place} is left out", _without(document, place)
    for other in others:
        yield f"all of it is {other!r:.60}", copy.deepcopy(other)


def _places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the keys and indices that lead to each value within *value*."""
    keys = (
        value.keys() if isinstance(value, dict) else range(min(_ITEMS, len(value))) if isinstance(value, list) else ()
    )
    for key in keys:
        yield (*place, key)
        yield from _places(value[key], (*place, key))


def _changed(document: Any, place: tuple[Any, ...]) -> tuple[Any, Any]:
    """Return a copy of a document down to *place*, and there what holds the value."""
    whole = holder = copy.copy(document)
    for key in place[:-1]:
        holder[key] = copy.copy(holder[key])
        holder = holder[key]
    return whole, holder


def _replaced(document: Any, place: tuple[Any, ...], value: Any) -> Any:
    whole, holder = _changed(document, place)
    holder[place[-1]] = value
    return whole


def _without(document: Any, place: tuple[Any, ...]) -> Any:
    whole, holder = _changed(document, place)
    del holder[place[-1]]
    return whole


def spoiled_tables(text: str, delimiter: str) -> Iterator[tuple[str, str]]:
    """Yield what was spoiled, and the text of a table: a line emptied, left out, doubled or cut, or a cell replaced."""
    lines = text.splitlines()
    for index, line in enumerate(lines[:_LINES]):
        cells = line.split(delimiter)
        others = {
            "empty": [""],
            "blank": ["  "],
            "left out": [],
            "twice": [line, line],
            "cut": [line[: len(line) // 2]],
        }
        for cell in range(min(_CELLS, len(cells))):
            for word in _OTHER_CELLS:
                replaced = [*cells[:cell], word, *cells[cell + 1 :]]
                others[f"with {word!r} in cell {cell}"] = [delimiter.join(replaced)]
        others |= {f"with {more}": [line + more] for more in (delimiter, delimiter * 3, delimiter + "x", '"')}
        for what, new in others.items():
            yield f"line {index} is {what}", "\n".join([*lines[:index], *new, *lines[index + 1 :]])
    for end in range(1, min(len(lines), _LINES)):
        yield f"only {end} lines", "\n".join(lines[:end])
