"""A small interpreter of the pickle opcodes, which never imports, calls or instantiates what a file names."""

from __future__ import annotations

import codecs
import pickle
import struct
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import IO, Any

import numpy as np

from ...errors import UnsafePickleError
from .plain_types import Budget, DType, GlobalName, Standin, call, check_key, fill_array, find_global, make_standin

_MAX_INTEGER_BYTES = 1024
_OBJECT_BYTES = 64
_MARK = object()


class PickleMachine:
    """The interpreter: a stack, a memo, and the operations that implement the opcodes.

    Attributes:
        left: number of bytes of the file not yet read.
        stack: the objects under construction.
        memo: the objects that the file can refer to again, by the file's numbers.
    """

    def __init__(self, stream: IO[bytes], size: int, where: str, budget: Budget) -> None:
        """Interpret *size* bytes of *stream*; *where* names the file in messages."""
        self.stream = stream
        self.left = size
        self.where = where
        self.budget = budget
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.empty_arrays: dict[int, np.ndarray] = {}

    def load(self) -> Any:
        """Run until the STOP opcode, and return the top of the stack."""
        stop = pickle.STOP[0]
        while True:
            code = self.read(1)[0]
            if code == stop:
                return self.pop()
            step = _STEPS.get(code)
            if step is None:
                raise ValueError(f"byte {code:#04x} is no pickle opcode")
            self.budget.charge(_OBJECT_BYTES)
            step(self)

    def read(self, count: int) -> bytes:
        """Return the next *count* bytes."""
        if count < 0 or count > self.left:
            raise EOFError(f"{count} more bytes are expected, {self.left} are left")
        self.left -= count
        data = self.stream.read(count)
        if len(data) != count:
            raise EOFError("the file ends early")
        return data

    def number(self, form: str) -> Any:
        """Return the next number, in the ``struct`` format *form*."""
        return struct.unpack(form, self.read(struct.calcsize(form)))[0]

    def block(self, form: str) -> bytes:
        """Return bytes preceded by their count, which is in the ``struct`` format *form*."""
        data = self.read(self.number(form))
        self.budget.charge(len(data))
        return data

    def line(self) -> bytes:
        """Return the bytes up to the next line feed, without it.

        A protocol 0 file that went through a text-mode transfer also has a carriage return, which is removed: strings
        are escaped, so they never end in one.
        """
        data = self.stream.readline(self.left)
        self.left -= len(data)
        if not data.endswith(b"\n"):
            raise EOFError("the file ends in the middle of a line")
        self.budget.charge(len(data))
        return data[:-1].removesuffix(b"\r")

    def push(self, value: object) -> None:
        """Put *value* on the stack."""
        self.stack.append(value)

    def pop(self) -> Any:
        """Remove the top of the stack and return it."""
        value = self.stack.pop()
        if value is _MARK:
            raise ValueError("there is a mark where an object is expected")
        return value

    def pop_to_mark(self) -> list[Any]:
        """Remove the last mark and everything above it from the stack; return what was above it."""
        index = len(self.stack) - 1
        while self.stack[index] is not _MARK:
            index -= 1
            if index < 0:
                raise ValueError("a mark is missing")
        items = self.stack[index + 1 :]
        del self.stack[index:]
        return items

    def top(self, kind: type) -> Any:
        """Return the top of the stack, which must be of type *kind*."""
        if type(self.stack[-1]) is not kind:
            raise ValueError(f"expected a {kind.__name__} to add to, got {type(self.stack[-1]).__name__}")
        return self.stack[-1]

    def find(self, module: object, name: object) -> GlobalName:
        """Return the harmless replacement of a name, or reject the file.

        Raises:
            UnsafePickleError: the name is not on the allow-list.
        """
        found = find_global(module, name) if isinstance(module, str) and isinstance(name, str) else None
        if found is None:
            asked = f"{module}.{name}"[:120]
            raise UnsafePickleError(
                f"expected a pickle of plain data, but it requests {asked!r} in {self.where}: rejected, nothing was "
                "executed; if you trust the file, load it where it was created and save its arrays as .npz"
            )
        return found

    def make(self, wanted: object, args: object) -> None:
        """Push the object that *wanted* creates from *args*."""
        made = call(wanted, args, self.budget)
        if isinstance(wanted, GlobalName) and wanted.kind == "array":
            self.empty_arrays[id(made)] = made
        self.push(made)

    def build(self) -> None:
        """Set the state of the object below the top; only stand-ins, arrays and data types have one."""
        state = self.pop()
        target = self.stack[-1]
        if isinstance(target, Standin):
            target.state = state
        elif isinstance(target, DType):
            target.set_state(state)
        elif isinstance(target, np.ndarray) and self.empty_arrays.pop(id(target), None) is not None:
            fill_array(target, state, self.budget)
        else:
            raise ValueError(f"a {type(target).__name__} takes no state")

    def reject(self, what: str) -> None:
        """Reject the file because of an opcode that refers to something outside it.

        Raises:
            UnsafePickleError: always.
        """
        raise UnsafePickleError(
            f"expected a pickle of plain data, but it requests {what} in {self.where}: rejected, nothing was executed; "
            "save its arrays as .npz where it was created"
        )

    def add_items(self, pairs: list[Any]) -> None:
        """Add alternating keys and values to the dict on top of the stack."""
        target = self.top(dict)
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            target[check_key(key)] = value

    def instance(self, wanted: object, args: object) -> None:
        """Push a stand-in for an instance of a class, which must be on the allow-list."""
        self.push(make_standin(wanted, args))


def _integer(data: bytes) -> int:
    if len(data) > _MAX_INTEGER_BYTES:
        raise ValueError(f"an integer of {len(data)} bytes")
    return int.from_bytes(data, "little", signed=True)


def _integer_line(m: PickleMachine) -> int | bool:
    text = m.line().strip()
    if text in (b"00", b"01"):
        return text == b"01"
    return _decimal(text)


def _decimal(text: bytes) -> int:
    if len(text) > _MAX_INTEGER_BYTES:
        raise ValueError(f"an integer of {len(text)} digits")
    return int(text.rstrip(b"L"))


def _quoted(m: PickleMachine) -> str:
    """Return a quoted Python 2 string with its escapes resolved, decoded as latin-1."""
    line = m.line().strip()
    if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in (b"'", b'"'):
        raise ValueError("expected a text in quotes")
    return str(codecs.escape_decode(line[1:-1])[0], "latin1")


def _pair(m: PickleMachine) -> tuple[Any, Any]:
    second = m.pop()
    return m.pop(), second


def _tuple_of(count: int) -> Callable[[PickleMachine], None]:
    """Return the step that packs the last *count* objects into a tuple."""

    def step(m: PickleMachine) -> None:
        items = [m.pop() for _ in range(count)]
        m.push(tuple(reversed(items)))

    return step


def _get(m: PickleMachine, key: int) -> None:
    m.push(m.memo[key])


def _put(m: PickleMachine, key: int) -> None:
    if m.stack[-1] is _MARK:
        raise ValueError("there is a mark where an object is expected")
    m.memo[key] = m.stack[-1]


def _protocol(m: PickleMachine) -> None:
    version = m.number("<B")
    if version > pickle.HIGHEST_PROTOCOL:
        raise ValueError(f"pickle protocol {version} is not known")


def _pop(m: PickleMachine) -> None:
    m.stack.pop()


def _dict_from_mark(m: PickleMachine) -> None:
    pairs = m.pop_to_mark()
    m.push({})
    m.add_items(pairs)


def _set_item(m: PickleMachine) -> None:
    key, value = _pair(m)
    m.add_items([key, value])


def _append(m: PickleMachine) -> None:
    item = m.pop()
    m.top(list).append(item)


def _extend(m: PickleMachine) -> None:
    items = m.pop_to_mark()
    m.top(list).extend(items)


def _empty_set(m: PickleMachine) -> None:
    m.make(find_global("builtins", "set"), ())


def _add_to_set(m: PickleMachine) -> None:
    items = [check_key(item) for item in m.pop_to_mark()]
    m.top(set).update(items)


def _frozen_set(m: PickleMachine) -> None:
    m.make(find_global("builtins", "frozenset"), (m.pop_to_mark(),))


def _global_line(m: PickleMachine) -> None:
    module = m.line().decode("utf-8")
    m.push(m.find(module, m.line().decode("utf-8")))


def _global_from_stack(m: PickleMachine) -> None:
    m.push(m.find(*_pair(m)))


def _reduce(m: PickleMachine) -> None:
    m.make(*_pair(m))


def _new_object(m: PickleMachine) -> None:
    m.instance(*_pair(m))


def _new_object_with_keywords(m: PickleMachine) -> None:
    keywords = m.pop()
    if keywords != {}:
        raise ValueError("expected a class without arguments")
    _new_object(m)


def _instance_by_line(m: PickleMachine) -> None:
    module = m.line().decode("utf-8")
    wanted = m.find(module, m.line().decode("utf-8"))
    m.instance(wanted, tuple(m.pop_to_mark()))


def _instance_from_stack(m: PickleMachine) -> None:
    wanted, *args = m.pop_to_mark()
    m.instance(wanted, tuple(args))


_STEPS: Mapping[int, Callable[[PickleMachine], None]] = MappingProxyType(
    {
        code[0]: step
        for code, step in (
            (pickle.PROTO, _protocol),
            (pickle.FRAME, lambda m: m.number("<Q")),
            (pickle.MARK, lambda m: m.push(_MARK)),
            (pickle.POP, _pop),
            (pickle.POP_MARK, lambda m: m.pop_to_mark()),
            (pickle.DUP, lambda m: m.push(m.stack[-1])),
            (pickle.NONE, lambda m: m.push(None)),
            (pickle.NEWTRUE, lambda m: m.push(True)),
            (pickle.NEWFALSE, lambda m: m.push(False)),
            (pickle.INT, lambda m: m.push(_integer_line(m))),
            (pickle.LONG, lambda m: m.push(_decimal(m.line().strip()))),
            (pickle.BININT, lambda m: m.push(m.number("<i"))),
            (pickle.BININT1, lambda m: m.push(m.number("<B"))),
            (pickle.BININT2, lambda m: m.push(m.number("<H"))),
            (pickle.LONG1, lambda m: m.push(_integer(m.block("<B")))),
            (pickle.LONG4, lambda m: m.push(_integer(m.block("<i")))),
            (pickle.FLOAT, lambda m: m.push(float(m.line()))),
            (pickle.BINFLOAT, lambda m: m.push(m.number(">d"))),
            (pickle.STRING, lambda m: m.push(_quoted(m))),
            (pickle.BINSTRING, lambda m: m.push(str(m.block("<i"), "latin1"))),
            (pickle.SHORT_BINSTRING, lambda m: m.push(str(m.block("<B"), "latin1"))),
            (pickle.UNICODE, lambda m: m.push(str(m.line(), "raw-unicode-escape"))),
            (pickle.BINUNICODE, lambda m: m.push(str(m.block("<I"), "utf-8", "surrogatepass"))),
            (pickle.SHORT_BINUNICODE, lambda m: m.push(str(m.block("<B"), "utf-8", "surrogatepass"))),
            (pickle.BINUNICODE8, lambda m: m.push(str(m.block("<Q"), "utf-8", "surrogatepass"))),
            (pickle.BINBYTES, lambda m: m.push(m.block("<I"))),
            (pickle.SHORT_BINBYTES, lambda m: m.push(m.block("<B"))),
            (pickle.BINBYTES8, lambda m: m.push(m.block("<Q"))),
            (pickle.BYTEARRAY8, lambda m: m.push(bytearray(m.block("<Q")))),
            (pickle.EMPTY_TUPLE, lambda m: m.push(())),
            (pickle.TUPLE, lambda m: m.push(tuple(m.pop_to_mark()))),
            (pickle.TUPLE1, _tuple_of(1)),
            (pickle.TUPLE2, _tuple_of(2)),
            (pickle.TUPLE3, _tuple_of(3)),
            (pickle.EMPTY_LIST, lambda m: m.push([])),
            (pickle.LIST, lambda m: m.push(m.pop_to_mark())),
            (pickle.APPEND, _append),
            (pickle.APPENDS, _extend),
            (pickle.EMPTY_DICT, lambda m: m.push({})),
            (pickle.DICT, _dict_from_mark),
            (pickle.SETITEM, _set_item),
            (pickle.SETITEMS, lambda m: m.add_items(m.pop_to_mark())),
            (pickle.EMPTY_SET, _empty_set),
            (pickle.ADDITEMS, _add_to_set),
            (pickle.FROZENSET, _frozen_set),
            (pickle.GET, lambda m: _get(m, _decimal(m.line().strip()))),
            (pickle.BINGET, lambda m: _get(m, m.number("<B"))),
            (pickle.LONG_BINGET, lambda m: _get(m, m.number("<I"))),
            (pickle.PUT, lambda m: _put(m, _decimal(m.line().strip()))),
            (pickle.BINPUT, lambda m: _put(m, m.number("<B"))),
            (pickle.LONG_BINPUT, lambda m: _put(m, m.number("<I"))),
            (pickle.MEMOIZE, lambda m: _put(m, len(m.memo))),
            (pickle.GLOBAL, _global_line),
            (pickle.STACK_GLOBAL, _global_from_stack),
            (pickle.REDUCE, _reduce),
            (pickle.BUILD, lambda m: m.build()),
            (pickle.NEWOBJ, _new_object),
            (pickle.NEWOBJ_EX, _new_object_with_keywords),
            (pickle.INST, _instance_by_line),
            (pickle.OBJ, _instance_from_stack),
            (pickle.PERSID, lambda m: m.reject("an object outside the file (a persistent id)")),
            (pickle.BINPERSID, lambda m: m.reject("an object outside the file (a persistent id)")),
            (pickle.EXT1, lambda m: m.reject("a class by its extension code")),
            (pickle.EXT2, lambda m: m.reject("a class by its extension code")),
            (pickle.EXT4, lambda m: m.reject("a class by its extension code")),
            (pickle.NEXT_BUFFER, lambda m: m.reject("a buffer outside the file")),
            (pickle.READONLY_BUFFER, lambda m: m.reject("a buffer outside the file")),
        )
    }
)
