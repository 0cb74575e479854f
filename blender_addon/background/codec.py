"""Encode a fit's arguments and results, the core's dataclasses, as plain values and arrays.

Both processes run the same core, so new fields of a dataclass are transferred without changes here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..core_access import CORE_NAME, CoreError, core_module
from .messages import PipeError

_CLASS_NAME = re.compile(r"([a-z_]+(?:\.[a-z_]+)*)\.([A-Z]\w*)")
_PLAIN = (bool, int, float, str, type(None))


def encode(value: object, arrays: list[np.ndarray]) -> Any:
    """Return *value* as plain values for JSON; its arrays are appended to *arrays* and referenced by index.

    Raises:
        TypeError: *value* contains something that is not plain, an array or a dataclass of the core.
    """
    if isinstance(value, np.ndarray):
        arrays.append(value)
        return {"array": len(arrays) - 1}
    if isinstance(value, np.generic):
        return encode(value.item(), arrays)
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, (list, tuple)):
        kind = "list" if isinstance(value, list) else "tuple"
        return {kind: [encode(item, arrays) for item in value]}
    if isinstance(value, dict):
        return {"dict": [[encode(key, arrays), encode(item, arrays)] for key, item in value.items()]}
    if isinstance(value, Path):
        return {"path": str(value)}
    module = type(value).__module__
    if is_dataclass(value) and not isinstance(value, type) and module.startswith(f"{CORE_NAME}."):
        held = {field.name: encode(getattr(value, field.name), arrays) for field in fields(value) if field.init}
        return {"core": f"{module.removeprefix(f'{CORE_NAME}.')}.{type(value).__name__}", "fields": held}
    raise TypeError(f"expected something that can be sent to another process, got {type(value)}")


def decode(plain: Any, arrays: Sequence[np.ndarray]) -> Any:
    """Return the value that `encode` converted to *plain*.

    Raises:
        PipeError: *plain* is malformed, or names something that is not a dataclass of the core.
        CoreError: a dataclass refuses what it is made of.
    """
    if isinstance(plain, _PLAIN):
        return plain
    if not isinstance(plain, dict):
        raise PipeError(f"expected an encoded value, found {type(plain).__name__}")
    try:
        return _decode_tagged(plain, arrays)
    except (PipeError, CoreError):
        raise
    except Exception as error:  # any kind: dataclasses are made of whatever was sent
        raise PipeError(f"expected an encoded value, found something else: {error}") from error


def _decode_tagged(plain: dict[str, Any], arrays: Sequence[np.ndarray]) -> Any:
    if "array" in plain:
        return arrays[plain["array"]]
    if "list" in plain:
        return [decode(item, arrays) for item in plain["list"]]
    if "tuple" in plain:
        return tuple(decode(item, arrays) for item in plain["tuple"])
    if "dict" in plain:
        return {decode(key, arrays): decode(item, arrays) for key, item in plain["dict"]}
    if "path" in plain:
        return Path(plain["path"])
    return _core_class(plain["core"])(**{name: decode(item, arrays) for name, item in plain["fields"].items()})


def _core_class(name: str) -> type:
    match = _CLASS_NAME.fullmatch(name)
    found = getattr(core_module(match[1]), match[2]) if match else None
    if not (isinstance(found, type) and is_dataclass(found)):
        raise PipeError(f"expected the name of a dataclass of the core, found {name[:80]!r}")
    return found
