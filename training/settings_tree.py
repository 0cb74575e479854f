"""Convert nested dicts, as read from YAML, to a tree of dataclasses; faults are reported by dotted name."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_origin, get_type_hints


def build(kind: type, tree: object, path: str, faults: list[str]) -> Any:
    """Build a dataclass *kind* from a dict; append a message for each fault to *faults*."""
    if not isinstance(tree, Mapping):
        faults.append(f"{path or 'the file'}: expected settings by name, got {tree!r}")
        return kind()
    hints = get_type_hints(kind)
    known = [item.name for item in fields(kind)]
    faults.extend(f"{path}{name}: unknown; expected one of {', '.join(known)}" for name in tree if name not in known)
    values = {}
    for name in known:
        if name not in tree:
            continue
        hint, value = hints[name], tree[name]
        if isinstance(hint, type) and is_dataclass(hint):
            values[name] = build(hint, value, f"{path}{name}.", faults)
            continue
        converted = _convert(hint, value)
        if converted is _WRONG:
            faults.append(f"{path}{name}: expected {_type_name(hint)}, got {value!r}")
        else:
            values[name] = converted
    return kind(**values)


_WRONG = object()


def _convert(hint: Any, value: object) -> Any:
    """Convert *value* to the type *hint*, or return `_WRONG`."""
    if get_origin(hint) is tuple:
        if not isinstance(value, (list, tuple)):
            return _WRONG
        items = tuple(_convert(get_args(hint)[0], item) for item in value)
        return _WRONG if any(item is _WRONG for item in items) else items
    if hint is str:
        # YAML 1.1 reads subjects such as 05 as octal numbers, so they must be quoted: a number is no valid string.
        return "" if value is None else value if isinstance(value, str) else _WRONG
    if hint is bool or isinstance(value, bool):
        return value if hint is bool and isinstance(value, bool) else _WRONG
    if hint is int:
        return value if isinstance(value, int) else _WRONG
    return _to_float(value)


def _to_float(value: object) -> Any:
    """Convert to a float; YAML 1.1 reads 1e-4 as a string."""
    if isinstance(value, (int, float, str)):
        try:
            return float(value)
        except ValueError:
            return _WRONG
    return _WRONG


def _type_name(hint: Any) -> str:
    if isinstance(hint, types.GenericAlias):
        return f"a list of {get_args(hint)[0].__name__}"
    return {str: "a text (quote it)", int: "a whole number", float: "a number", bool: "true or false"}[hint]
