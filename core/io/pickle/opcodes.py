"""Python's own interpreter of pickles, with every step replaced that imports, calls, sets or hashes what a file names.

`pickle._Unpickler`, the pure Python version that comes with every Python, keeps the stack, the memo and the number and
text formats. An opcode is known here only if it is listed: one that a later Python adds is refused.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Mapping
from typing import IO, Any, NoReturn

import numpy as np

from ...errors import UnsafePickleError
from .plain_types import (
    Budget,
    DType,
    GlobalName,
    Standin,
    call,
    check_key,
    fill_array,
    find_global,
    make_standin,
    plain_dtype,
)
from .tensors import STORAGE_DTYPES, FindStorage, Storage, joblib_array, numbers_of, storage_of

_Step = Callable[["PlainUnpickler"], None]
_SHARED_BYTES, _OBJECT_BYTES, _SET_BYTES, _MEMO_BYTES, _SLOT_BYTES = 16, 80, 240, 96, 16
"""Memory of an opcode that pushes what exists already, a small object or an empty set, of an entry of the memo, and of
a place in a list; measured on CPython 3.11 with tracemalloc, growth of the containers included."""
_TABLE_BYTES, _PAIR_BYTES, _MEMBER_BYTES = 112, 72, 112
"""The same of a dict's first entry, of each entry, and of each member of a set."""
TORCH_MAGIC = 0x1950A86A20F9469CFC6C
_TORCH_VERSION = 1001
_WIDEST_CHARACTER = 4
"""Bytes that a text takes in memory for each in the file, at most: one wide character widens them all."""


class PickleStream:
    """The bytes of a pickle, which are never asked for more than there are.

    Attributes:
        left: number of bytes not yet read.
    """

    def __init__(self, stream: IO[bytes], size: int, budget: Budget) -> None:
        """Read *size* bytes of *stream*."""
        self._stream = stream
        self._budget = budget
        self.left = size

    def read(self, count: int) -> bytes:
        """Return the next *count* bytes."""
        if count < 0 or count > self.left:
            raise EOFError(f"{count} more bytes are expected, {self.left} are left")
        self.left -= count
        if count > 1:
            self._budget.charge(_WIDEST_CHARACTER * count)
        data = self._stream.read(count)
        if len(data) != count:
            raise EOFError("the file ends early")
        return data

    def readline(self) -> bytes:
        """Return the bytes up to the next line feed, with it.

        A protocol 0 file that went through a text-mode transfer also has a carriage return, which is removed: strings
        are escaped, so they never end in one.
        """
        data = self._stream.readline(self.left)
        self.left -= len(data)
        if not data.endswith(b"\n"):
            raise EOFError("the file ends in the middle of a line")
        self._budget.charge(_WIDEST_CHARACTER * len(data))
        return data[:-2] + b"\n" if data.endswith(b"\r\n") else data


class PlainUnpickler(pickle._Unpickler):
    """An unpickler that makes plain data only, within a memory budget.

    Attributes:
        stack: the objects under construction above the last mark.
        append: puts an object on that stack; another function after each mark.
        read: returns the next bytes, as many as it is asked for.
    """

    stack: list[Any]
    append: Callable[[object], None]
    read: Callable[[int], bytes]

    def __init__(
        self, stream: PickleStream, where: str, budget: Budget, find_storage: FindStorage | None = None
    ) -> None:
        """Interpret *stream*; *where* names the file in messages, *find_storage* has the numbers of its tensors."""
        super().__init__(stream, encoding="latin1")
        self.where = where
        self.budget = budget
        self.find_storage = find_storage
        self.empty_arrays: dict[int, np.ndarray] = {}

    def find_class(self, module: object, name: object) -> GlobalName:
        """Return the harmless replacement of a name, or reject the file.

        Raises:
            UnsafePickleError: the name is not on the allow-list.
        """
        found = find_global(module, name) if isinstance(module, str) and isinstance(name, str) else None
        if found is None:
            self._reject(f"{f'{module}.{name}'[:120]!r}")
        return found

    def persistent_load(self, pid: object) -> Storage:
        """Return the storage of tensors that *pid* names; reject the file if it has no storages."""
        if self.find_storage is None:
            self._reject("an object outside the file (a persistent id)")
        return storage_of(pid, _storage_kind, self.find_storage)

    def get_extension(self, code: int) -> NoReturn:
        """Reject the file."""
        self._reject("a class by its extension code")

    def pop_mark(self) -> list[Any]:
        """Return what is on the stack above the last mark, and remove both."""
        items: list[Any] = super().pop_mark()  # type: ignore[misc]
        self.budget.charge(_SLOT_BYTES * len(items))
        return items

    def _reject(self, what: str) -> NoReturn:
        raise UnsafePickleError(
            f"expected a pickle of plain data, but it requests {what} in {self.where}: rejected, nothing was "
            "executed; if you trust the file, load it where it was created and save its arrays as .npz"
        )

    def _top(self, kind: type) -> Any:
        """Return the top of the stack, which must be of type *kind*."""
        if type(self.stack[-1]) is not kind:
            raise ValueError(f"expected a {kind.__name__} to add to, got {type(self.stack[-1]).__name__}")
        return self.stack[-1]

    def _instantiate(self, klass: object, args: list[Any]) -> None:
        """Push a stand-in for an instance of a class, which must be on the allow-list; for INST and OBJ."""
        self.append(make_standin(klass, tuple(args)))

    def _add_pairs(self, pairs: list[Any]) -> None:
        """Add alternating keys and values to the dict on top of the stack."""
        target = self._top(dict)
        self.budget.charge(_PAIR_BYTES * (len(pairs) // 2) + (0 if target else _TABLE_BYTES))
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            target[check_key(key)] = value


def _storage_kind(wanted: object) -> str:
    if not isinstance(wanted, GlobalName) or wanted.kind != "storage_type":
        raise ValueError("expected a class of storage with plain numbers")
    return wanted.name


def is_torch_magic(value: object) -> bool:
    """Return whether *value* is the first object of a file of PyTorch before 1.6."""
    return type(value) is int and value == TORCH_MAGIC


def load_legacy_torch(stream: PickleStream, where: str, budget: Budget) -> Any:
    """Return what ``torch.save`` wrote in its form before PyTorch 1.6, tensors as arrays, from behind `TORCH_MAGIC`.

    There follow four pickles: a version, the machine, the object, and the keys of its storages; then for each storage
    its number of numbers (8 bytes) and these.

    Raises:
        ValueError: it is not of that form.
        UnsafePickleError: it requests something that is not plain data.
    """
    storages: dict[str, Storage] = {}

    def find(key: str, kind: str, count: int) -> Storage:
        if key not in storages:
            if count * np.dtype(STORAGE_DTYPES[kind]).itemsize > stream.left:
                raise EOFError(f"a storage of {count} numbers in the {stream.left} bytes that are left")
            values = numbers_of(kind, b"")
            budget.charge(count * values.itemsize)
            storages[key] = Storage(np.zeros(count, values.dtype), kind)
        if storages[key].kind != kind or len(storages[key].values) != count:
            raise ValueError(f"the storage {key[:20]!r} is described in two ways")
        return storages[key]

    version, _ = (PlainUnpickler(stream, where, budget).load() for _ in range(2))
    content = PlainUnpickler(stream, where, budget, find).load()
    keys = PlainUnpickler(stream, where, budget).load()
    if version != _TORCH_VERSION or not isinstance(keys, list) or sorted(map(str, keys)) != sorted(storages):
        raise ValueError("expected PyTorch's version and the keys of all storages")
    for storage in (storages[key] for key in keys):
        if int.from_bytes(stream.read(8), "little") != len(storage.values):
            raise ValueError("a storage has another length than described")
        num_bytes = len(storage.values) * np.dtype(STORAGE_DTYPES[storage.kind]).itemsize
        storage.values[:] = numbers_of(storage.kind, stream.read(num_bytes))
    return content


def _storage_from_bytes(u: PlainUnpickler, args: object) -> Storage:
    """Return the storage that is stored, as ``torch.save`` wrote it, in a pickle of a tensor."""
    if not isinstance(args, tuple) or len(args) != 1 or not isinstance(args[0], bytes):
        raise ValueError("expected the bytes of a storage")
    stream = PickleStream(io.BytesIO(args[0]), len(args[0]), u.budget)
    magic = PlainUnpickler(stream, u.where, u.budget).load()
    stored = load_legacy_torch(stream, u.where, u.budget) if is_torch_magic(magic) else None
    if not isinstance(stored, Storage):
        raise ValueError("expected a storage as PyTorch saves it")
    return stored


def _frame(u: PlainUnpickler) -> None:
    """Read on: a frame is only a hint to read that many bytes at once."""
    u.read(8)


def _new(u: PlainUnpickler) -> None:
    args = u.stack.pop()
    u.append(make_standin(u.stack.pop(), args))


def _new_with_keywords(u: PlainUnpickler) -> None:
    if u.stack.pop() != {}:
        raise ValueError("expected a class without arguments")
    _new(u)


def _reduce(u: PlainUnpickler) -> None:
    """Replace a name and arguments by what `call` makes of them."""
    args = u.stack.pop()
    wanted = u.stack.pop()
    if isinstance(wanted, GlobalName) and wanted.kind == "torch_bytes":
        u.append(_storage_from_bytes(u, args))
        return
    made = call(wanted, args, u.budget)
    if isinstance(wanted, GlobalName) and wanted.kind == "array":
        u.empty_arrays[id(made)] = made
    u.append(made)


def _build(u: PlainUnpickler) -> None:
    """Set the state of the object below the top; only stand-ins, arrays and data types have one."""
    state = u.stack.pop()
    target = u.stack[-1]
    if isinstance(target, Standin) and target.module.startswith("joblib."):
        u.stack[-1] = joblib_array(state, plain_dtype, u.read)
    elif isinstance(target, Standin):
        target.state = state
    elif isinstance(target, DType):
        target.set_state(state)
    elif isinstance(target, np.ndarray) and u.empty_arrays.pop(id(target), None) is not None:
        fill_array(target, state, u.budget)
    else:
        raise ValueError(f"a {type(target).__name__} takes no state")


def _append(u: PlainUnpickler) -> None:
    item = u.stack.pop()
    u._top(list).append(item)


def _extend(u: PlainUnpickler) -> None:
    items = u.pop_mark()
    u._top(list).extend(items)


def _dict(u: PlainUnpickler) -> None:
    pairs = u.pop_mark()
    u.append({})
    u._add_pairs(pairs)


def _set_item(u: PlainUnpickler) -> None:
    value = u.stack.pop()
    u._add_pairs([u.stack.pop(), value])


def _add_to_set(u: PlainUnpickler) -> None:
    items = [check_key(item) for item in u.pop_mark()]
    u.budget.charge(_MEMBER_BYTES * len(items))
    u._top(set).update(items)


def _frozen_set(u: PlainUnpickler) -> None:
    items = u.pop_mark()  # which changes what `append` adds to
    u.append(call(find_global("builtins", "frozenset"), (items,), u.budget))


def _bytearray(u: PlainUnpickler) -> None:
    u.append(bytearray(u.read(int.from_bytes(u.read(8), "little"))))


def _stack_global(u: PlainUnpickler) -> None:
    name = u.stack.pop()
    u.append(u.find_class(u.stack.pop(), name))


_OWN: Mapping[bytes, _Step] = {
    pickle.FRAME: _frame,
    pickle.NEWOBJ: _new,
    pickle.NEWOBJ_EX: _new_with_keywords,
    pickle.REDUCE: _reduce,
    pickle.BUILD: _build,
    pickle.APPEND: _append,
    pickle.APPENDS: _extend,
    pickle.DICT: _dict,
    pickle.SETITEM: _set_item,
    pickle.SETITEMS: lambda u: u._add_pairs(u.pop_mark()),
    pickle.ADDITEMS: _add_to_set,
    pickle.FROZENSET: _frozen_set,
    pickle.BYTEARRAY8: _bytearray,
    pickle.STACK_GLOBAL: _stack_global,
    pickle.NEXT_BUFFER: lambda u: u._reject("a buffer outside the file"),
    pickle.READONLY_BUFFER: lambda u: u._reject("a buffer outside the file"),
}
"""The steps that would act on objects."""
_PYTHONS = (
    pickle.PROTO, pickle.STOP, pickle.MARK, pickle.POP, pickle.POP_MARK, pickle.INT, pickle.LONG, pickle.BININT,
    pickle.BININT2, pickle.LONG1, pickle.LONG4, pickle.FLOAT, pickle.BINFLOAT, pickle.STRING, pickle.BINSTRING,
    pickle.SHORT_BINSTRING, pickle.UNICODE, pickle.BINUNICODE, pickle.SHORT_BINUNICODE, pickle.BINUNICODE8,
    pickle.BINBYTES, pickle.SHORT_BINBYTES, pickle.BINBYTES8, pickle.TUPLE, pickle.TUPLE1, pickle.TUPLE2,
    pickle.TUPLE3, pickle.EMPTY_LIST, pickle.LIST, pickle.EMPTY_DICT, pickle.GLOBAL, pickle.INST, pickle.OBJ,
    pickle.PERSID, pickle.BINPERSID, pickle.EXT1, pickle.EXT2, pickle.EXT4,
)  # fmt: skip
"""Python's own steps that are harmless with the methods above."""
_SHARED = (
    pickle.NONE, pickle.NEWTRUE, pickle.NEWFALSE, pickle.BININT1, pickle.DUP, pickle.EMPTY_TUPLE,
    pickle.GET, pickle.BINGET, pickle.LONG_BINGET,
)  # fmt: skip
_MEMO = (pickle.PUT, pickle.BINPUT, pickle.LONG_BINPUT, pickle.MEMOIZE)


def _charged(step: _Step, num_bytes: int) -> _Step:
    """Return *step* after a charge of *num_bytes*."""

    def charged(u: PlainUnpickler) -> None:
        u.budget.charge(num_bytes)
        step(u)

    return charged


class _Steps(dict[int, _Step]):
    """The step of each opcode."""

    def __missing__(self, code: int) -> _Step:
        raise ValueError(f"byte {code:#04x} is no pickle opcode")


def _steps() -> _Steps:
    python: Mapping[int, _Step] = pickle._Unpickler.dispatch  # type: ignore[assignment]
    costs = dict.fromkeys(_PYTHONS, _OBJECT_BYTES) | dict.fromkeys(_SHARED, _SHARED_BYTES)
    costs |= dict.fromkeys(_MEMO, _MEMO_BYTES) | {pickle.EMPTY_SET: _SET_BYTES}
    steps = {code[0]: _charged(python[code[0]], cost) for code, cost in costs.items()}
    return _Steps(steps | {code[0]: _charged(step, _OBJECT_BYTES) for code, step in _OWN.items()})


PlainUnpickler.dispatch = _steps()  # type: ignore[assignment]
