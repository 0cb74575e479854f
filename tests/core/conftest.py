"""Writers of the pickles that old body model files are: chumpy arrays, SciPy matrices, Python 2 texts."""

from __future__ import annotations

import io
import pickle
import struct
import sys
import types
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import numpy as np
import pytest


def _chumpy_classes() -> tuple[types.ModuleType, ...]:
    package, ch, reordering = (types.ModuleType(name) for name in ("chumpy", "chumpy.ch", "chumpy.reordering"))

    class Ch:
        def __init__(self, **state):
            self.__dict__.update(state, _dirty_vars={"x"}, _itr=None)

    class Select(Ch):
        pass

    for module, cls in ((ch, Ch), (reordering, Select)):
        cls.__module__, cls.__qualname__ = module.__name__, cls.__name__
        setattr(module, cls.__name__, cls)
    return package, ch, reordering


@pytest.fixture
def chumpy() -> Iterator[SimpleNamespace]:
    """Classes that pickle as chumpy's do; they are gone when the test ends."""
    modules = _chumpy_classes()
    sys.modules.update({module.__name__: module for module in modules})
    yield SimpleNamespace(Ch=modules[1].Ch, Select=modules[2].Select)
    for module in modules:
        del sys.modules[module.__name__]


class _Python2Pickler:
    """Writes what Python 2's pickle wrote: byte strings for texts and for the data of arrays."""

    def __init__(self, protocol: int) -> None:
        self.out = io.BytesIO()
        self.text = protocol == 0

    def string(self, data: bytes) -> None:
        if self.text:
            quoted = repr(data)[1:].encode("ascii")
            self.out.write(pickle.STRING + quoted + b"\n")
        else:
            self.out.write(pickle.BINSTRING + struct.pack("<i", len(data)) + data)

    def integer(self, value: int) -> None:
        self.out.write(pickle.INT + f"{int(value)}\n".encode() if abs(value) < 1 << 31 else f"L{value}L\n".encode())

    def name(self, module: str, name: str) -> None:
        self.out.write(pickle.GLOBAL + f"{module}\n{name}\n".encode())

    def tuple(self, *items: object) -> None:
        self.out.write(pickle.MARK)
        for item in items:
            self.save(item)
        self.out.write(pickle.TUPLE)

    def array(self, array: np.ndarray) -> None:
        self.name("numpy.core.multiarray", "_reconstruct")
        self.out.write(pickle.MARK)
        self.name("numpy", "ndarray")
        self.tuple(0)
        self.string(b"b")
        self.out.write(pickle.TUPLE + pickle.REDUCE + pickle.MARK)
        self.integer(1)
        self.tuple(*array.shape)
        self.name("numpy", "dtype")
        self.tuple(array.dtype.str[1:].encode(), 0, 1)
        self.out.write(pickle.REDUCE)
        self.tuple(3, b"<", None, None, None, -1, -1, 0)
        self.out.write(pickle.BUILD)
        self.integer(0)
        self.string(array.tobytes())
        self.out.write(pickle.TUPLE + pickle.BUILD)

    def instance(self, module: str, name: str, state: dict) -> None:
        self.name("copy_reg", "_reconstructor")
        self.out.write(pickle.MARK)
        self.name(module, name)
        self.name("__builtin__", "object")
        self.out.write(pickle.NONE + pickle.TUPLE + pickle.REDUCE)
        self.save(state)
        self.out.write(pickle.BUILD)

    def save(self, value: object) -> None:
        if isinstance(value, dict):
            self.out.write(pickle.MARK + pickle.DICT)
            for key, item in value.items():
                self.save(key)
                self.save(item)
                self.out.write(pickle.SETITEM)
        elif isinstance(value, (bytes, str)):
            self.string(value if isinstance(value, bytes) else value.encode("latin1"))
        elif isinstance(value, np.ndarray):
            self.array(value)
        elif isinstance(value, tuple):
            self.tuple(*value)
        elif value is None:
            self.out.write(pickle.NONE)
        elif hasattr(value, "tocsc"):
            state = {"_shape": value.shape, "data": value.data, "indices": value.indices, "indptr": value.indptr}
            self.instance("scipy.sparse.csc", "csc_matrix", {**state, "maxprint": 50})
        elif type(value).__module__.startswith("chumpy"):
            state = {key: item for key, item in vars(value).items() if key != "_dirty_vars"}
            self.instance(type(value).__module__, type(value).__name__, state)
        else:
            self.integer(value)


@pytest.fixture
def python2_pickle() -> Callable[..., bytes]:
    """Return a function (value, protocol) that pickles as Python 2 did, in protocol 0 (text) or 2."""

    def dumps(value: object, protocol: int) -> bytes:
        pickler = _Python2Pickler(protocol)
        if protocol >= 2:
            pickler.out.write(pickle.PROTO + bytes([protocol]))
        pickler.save(value)
        pickler.out.write(pickle.STOP)
        return pickler.out.getvalue()

    return dumps
