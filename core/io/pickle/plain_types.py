"""Build what a pickle may request as plain data: NumPy arrays, containers, and stand-ins that only keep their state.

Nothing is looked up by name in a module, no attribute is set from a file, and no class of a file is instantiated: each
name on the allow-list below maps to a function of this module that checks its arguments.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from .tensors import STORAGE_DTYPES, tensor_of

_MAX_DIMENSIONS = 32
_MAX_KEY_PARTS = 16
"""A tuple is hashed again at every lookup."""
_MAX_KEY_NUMBER = 1 << 60
"""Larger integers can have the same hash, and dicts of them take a time that grows with the square of their size."""
_DTYPE_CODE = re.compile(r"[<>|=]?(?:b1|[iu][1248]|f(?:2|4|8|12|16)|c(?:8|16)|[SU][1-9]\d{0,8}|O8?)")
_SPARSE_NAME = re.compile(r"(csc|csr|coo)_(matrix|array)")
_TEXTS = (str, bytes)


class Budget:
    """The number of bytes that a file may still cause to be allocated."""

    def __init__(self, num_bytes: int) -> None:
        """Start with a budget of *num_bytes*."""
        self.left = num_bytes

    def charge(self, num_bytes: int) -> None:
        """Subtract *num_bytes*.

        Raises:
            MemoryError: the budget is exceeded.
        """
        self.left -= num_bytes
        if self.left < 0:
            raise MemoryError("its objects take more memory than is allowed for a file")


class Standin:
    """An object of a class that is not loaded: the name of the class, and the state given by the file."""

    __slots__ = ("module", "name", "state")

    def __init__(self, module: str, name: str) -> None:
        """Stand in for the class *name* of *module*."""
        self.module = module
        self.name = name
        self.state: Any = None


class DType:
    """A NumPy data type while its pickle is being read."""

    __slots__ = ("dtype",)

    def __init__(self, code: object) -> None:
        """Parse a code such as ``f8`` or ``S10``; reject structured and time types."""
        if not isinstance(code, str) or not _DTYPE_CODE.fullmatch(code):
            raise ValueError(f"expected a plain NumPy data type such as 'f8', got {brief(code)}")
        self.dtype: np.dtype = np.dtype(code)

    def set_state(self, state: object) -> None:
        """Apply the byte order; reject subarrays and fields."""
        if not isinstance(state, tuple) or len(state) < 5 or any(part is not None for part in state[2:5]):
            raise ValueError("expected a plain NumPy data type, got one with fields or a subarray")
        if state[1] not in ("<", ">", "|", "="):
            raise ValueError(f"expected a byte order, got {brief(state[1])}")
        if state[1] in ("<", ">"):
            self.dtype = self.dtype.newbyteorder(state[1])


class GlobalName:
    """A name on the allow-list, as a pickle refers to it. It is not callable; `call` creates its object."""

    __slots__ = ("kind", "module", "name")

    def __init__(self, module: str, name: str, kind: str) -> None:
        """Store the *kind* of object that *module*.*name* creates."""
        self.module = module
        self.name = name
        self.kind = kind


def _kinds() -> dict[tuple[str, str], str]:
    kinds = {
        ("numpy", "ndarray"): "array_type",
        ("numpy.matrixlib.defmatrix", "matrix"): "array_type",
        ("numpy", "dtype"): "dtype",
        ("_codecs", "encode"): "encode",
        ("collections", "OrderedDict"): "ordered_dict",
        ("collections", "defaultdict"): "default_dict",
        ("copy_reg", "_reconstructor"): "reconstructor",
        ("copyreg", "_reconstructor"): "reconstructor",
        ("joblib.numpy_pickle", "NumpyArrayWrapper"): "standin",
        ("torch._utils", "_rebuild_tensor_v2"): "tensor",
        ("torch._utils", "_rebuild_parameter"): "first",
        ("torch.storage", "_load_from_bytes"): "torch_bytes",
        ("torch", "Size"): "size",
    }
    kinds.update({("torch", name): "storage_type" for name in STORAGE_DTYPES})
    for core in ("numpy.core", "numpy._core"):
        kinds[f"{core}.multiarray", "_reconstruct"] = "array"
        kinds[f"{core}.multiarray", "scalar"] = "scalar"
        kinds[f"{core}.numeric", "_frombuffer"] = "array_from_buffer"
    for builtins in ("builtins", "__builtin__"):
        kinds.update({(builtins, name): name for name in ("set", "frozenset", "bytearray", "bytes", "complex")})
        kinds.update({(builtins, name): "plain_type" for name in ("object", "dict", "list", "int", "float", "str")})
    return kinds


_KINDS: Mapping[tuple[str, str], str] = MappingProxyType(_kinds())


def find_global(module: str, name: str) -> GlobalName | None:
    """Return the harmless replacement of *module*.*name*, or None if it is not on the allow-list."""
    kind = _KINDS.get((module, name))
    if kind is None and module.split(".")[0] == "chumpy" and name.isidentifier():
        kind = "standin"
    if kind is None and (module + ".").startswith("scipy.sparse.") and _SPARSE_NAME.fullmatch(name):
        kind = "standin"
    return None if kind is None else GlobalName(module, name, kind)


def brief(value: object) -> str:
    """Return a short description of *value*, which may be huge or contain itself."""
    if isinstance(value, (int, float)) or (isinstance(value, str) and len(value) <= 80):
        return repr(value)[:80]
    if isinstance(value, tuple) and len(value) <= 8 and all(type(part) is int for part in value):
        return repr(value)[:80]
    return f"a {type(value).__name__}"


def check_key(key: object) -> object:
    """Return *key* if it is a text, a number, or a short, flat tuple of texts and at most one number.

    Texts are hashed with a secret. What is hashed without one must differ in its hash wherever it differs, or a file
    could make a dict as slow as a list: large integers, complex and extended numbers, and pairs of numbers do not.
    """
    parts = key if isinstance(key, tuple) else (key,)
    others = [part for part in parts if not isinstance(part, _TEXTS)]
    if len(parts) > _MAX_KEY_PARTS or not all(map(_is_key_number, others)) or len(others) > 1:
        raise ValueError(f"expected a number or a string as a key, got {type(key).__name__}")
    return key


def _is_key_number(value: object) -> bool:
    if isinstance(value, (int, np.integer)):
        return abs(int(value)) < _MAX_KEY_NUMBER
    return value is None or isinstance(value, (float, np.bool_, np.float16, np.float32))


def _raw_bytes(raw: object) -> bytes:
    """Return the bytes of a buffer, which Python 2 wrote as a string."""
    if isinstance(raw, str):
        return raw.encode("latin1")
    if isinstance(raw, (bytes, bytearray)):
        return bytes(raw)
    raise ValueError(f"expected the bytes of an array, got {type(raw).__name__}")


def checked_shape(shape: object, num_items: int) -> tuple[int, ...]:
    """Return *shape* if it is a valid array shape with *num_items* items."""
    if isinstance(shape, int):
        shape = (shape,)
    if not isinstance(shape, tuple) or len(shape) > _MAX_DIMENSIONS:
        raise ValueError(f"expected an array shape, got {type(shape).__name__}")
    if not all(type(size) is int and 0 <= size < 1 << 48 for size in shape) or math.prod(shape) != num_items:
        raise ValueError(f"expected an array shape of {num_items} items, got {brief(shape)}")
    return shape


def plain_dtype(value: object, *, objects: bool = False) -> np.dtype:
    """Return the data type that a pickle built; raise ValueError for another object."""
    if not isinstance(value, DType) or (value.dtype.hasobject and not objects):
        raise ValueError("expected a plain NumPy data type")
    return value.dtype


def fill_array(array: np.ndarray, state: object, budget: Budget) -> None:
    """Fill the empty *array* with its pickled state: (version, shape, dtype, is_fortran, data)."""
    if not isinstance(state, tuple) or len(state) != 5 or not isinstance(state[3], (bool, int)):
        raise ValueError("expected the state of a NumPy array")
    dtype = plain_dtype(state[2], objects=True)
    if dtype.hasobject:
        if not isinstance(state[4], list):
            raise ValueError("expected a list of the items of an object array")
        items: list[object] | bytes = state[4]
        num_items = len(items)
        budget.charge(8 * num_items)
    else:
        items = _raw_bytes(state[4])
        budget.charge(len(items))
        num_items, rest = divmod(len(items), dtype.itemsize)
        if rest:
            raise ValueError(f"expected a whole number of {dtype} items, got {len(items)} bytes")
    array.__setstate__((1, checked_shape(state[1], num_items), dtype, bool(state[3]), items))


def _array_shell(args: tuple[Any, ...]) -> np.ndarray:
    if len(args) != 3 or not isinstance(args[0], GlobalName) or args[0].kind != "array_type":
        raise ValueError("expected numpy.ndarray as the type of an array")
    return np.empty((0,), dtype=np.int8)


def _array_from_buffer(args: tuple[Any, ...], budget: Budget) -> np.ndarray:
    raw, dtype, shape, order = args
    array = np.empty((0,), dtype=np.int8)
    fill_array(array, (1, shape, dtype, order == "F", raw), budget)
    return array


def _scalar(args: tuple[Any, ...], budget: Budget) -> Any:
    dtype, raw = plain_dtype(args[0]), _raw_bytes(args[1])
    budget.charge(len(raw))
    if len(args) != 2 or len(raw) != dtype.itemsize:
        raise ValueError(f"expected {dtype.itemsize} bytes of one {dtype}, got {len(raw)}")
    return np.frombuffer(raw, dtype=dtype)[0]


def _encode(args: tuple[Any, ...], budget: Budget) -> bytes:
    text, encoding = args
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise ValueError("expected a text to be encoded as latin1")
    budget.charge(len(text))
    return text.encode("latin1")


def _mapping(pairs: object, budget: Budget) -> dict[Any, Any]:
    if isinstance(pairs, dict):
        pairs = list(pairs.items())
    if not isinstance(pairs, (list, tuple)) or not all(isinstance(p, (list, tuple)) and len(p) == 2 for p in pairs):
        raise ValueError("expected pairs of a key and a value")
    budget.charge(128 * len(pairs))
    return {check_key(key): value for key, value in pairs}


def _ordered_dict(args: tuple[Any, ...], budget: Budget) -> dict[Any, Any]:
    if not args:
        return {}
    (pairs,) = args
    return _mapping(pairs, budget)


def _default_dict(args: tuple[Any, ...], budget: Budget) -> dict[Any, Any]:
    return _ordered_dict(args[1:], budget)


def _items(args: tuple[Any, ...], budget: Budget) -> list[Any]:
    if not args:
        return []
    (items,) = args
    if not isinstance(items, (list, tuple, set, frozenset)):
        raise ValueError(f"expected a list of items, got {type(items).__name__}")
    budget.charge(256 + 80 * len(items))
    return [check_key(item) for item in items]


def _bytes(args: tuple[Any, ...], budget: Budget) -> bytes:
    if not args:
        return b""
    raw = args[0]
    if isinstance(raw, str) and args[1:] not in ((), ("latin-1",), ("latin1",)):
        raise ValueError("expected a text to be encoded as latin1")
    budget.charge(len(raw) if isinstance(raw, (str, bytes, bytearray)) else 0)
    return _raw_bytes(raw)


def _complex(args: tuple[Any, ...]) -> complex:
    real, imaginary = args
    if not (isinstance(real, (int, float)) and isinstance(imaginary, (int, float))):
        raise ValueError("expected two numbers")
    return complex(real, imaginary)


def _size(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the shape of a tensor as a tuple."""
    (sizes,) = args
    if not isinstance(sizes, (list, tuple)) or len(sizes) > _MAX_DIMENSIONS:
        raise ValueError("expected the sizes of a tensor")
    return tuple(sizes)


def make_standin(wanted: object, args: object) -> Standin:
    """Return the stand-in for an object of the class *wanted*, created without arguments."""
    if not isinstance(wanted, GlobalName) or wanted.kind != "standin" or not isinstance(args, tuple) or args:
        raise ValueError("expected a class of chumpy, SciPy sparse or joblib without arguments")
    return Standin(wanted.module, wanted.name)


def _reconstructor(args: tuple[Any, ...]) -> Standin:
    wanted, base, state = args
    if not isinstance(base, GlobalName) or base.name != "object" or state is not None:
        raise ValueError("expected a class that derives from object")
    return make_standin(wanted, ())


_MAKERS: Mapping[str, Callable[[tuple[Any, ...], Budget], Any]] = MappingProxyType(
    {
        "array": lambda args, budget: _array_shell(args),
        "array_from_buffer": _array_from_buffer,
        "scalar": _scalar,
        "dtype": lambda args, budget: DType(args[0]),
        "encode": _encode,
        "ordered_dict": _ordered_dict,
        "default_dict": _default_dict,
        "reconstructor": lambda args, budget: _reconstructor(args),
        "set": lambda args, budget: set(_items(args, budget)),
        "frozenset": lambda args, budget: frozenset(_items(args, budget)),
        "bytes": _bytes,
        "bytearray": lambda args, budget: bytearray(_bytes(args, budget)),
        "complex": lambda args, budget: _complex(args),
        "tensor": lambda args, budget: tensor_of(args, budget.charge),
        "first": lambda args, budget: args[0],
        "size": lambda args, budget: _size(args),
    }
)


def call(wanted: object, args: object, budget: Budget) -> Any:
    """Return the plain object for a call of *wanted* with *args*, created by a function of this module.

    Raises:
        ValueError: *wanted* is not callable data, or *args* do not fit.
    """
    maker = _MAKERS.get(wanted.kind) if isinstance(wanted, GlobalName) else None
    if maker is None or not isinstance(args, tuple):
        name = f"{wanted.module}.{wanted.name}" if isinstance(wanted, GlobalName) else type(wanted).__name__
        raise ValueError(f"a call of {name} does not create plain data")
    return maker(args, budget)
