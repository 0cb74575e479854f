"""Messages between the add-on and its own processes, which fit or convert: JSON and plain arrays, nothing unpickled.

A message consists of eight magic bytes, the lengths of the header and of the arrays, the header, and the arrays in C
order, little-endian. All sizes are checked. A process begins its messages with a line, since Blender or a Python may
have printed something before; afterwards anything but a message is an error.
"""

from __future__ import annotations

import json
import math
import os
import struct
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO, Any, TypeVar

import numpy as np

Value = TypeVar("Value")

_BEGINNING = b"@smplify messages\n"
_MAX_LINE_BYTES = 1 << 16
_MAGIC = b"SMPLFIT1"
_LENGTHS = struct.Struct("<8sIQ")
_MAX_HEADER_BYTES = 64 << 20
_MAX_ARRAY_BYTES = 4 << 30
_MAX_DIMENSIONS = 8
_TYPES = frozenset(f"<{kind}" for kind in ("f8", "f4", "i8", "i4", "i2", "u8", "u4", "u2")) | {"|i1", "|u1", "|b1"}


class PipeError(Exception):
    """The received data are not a valid message; the text says why."""


@dataclass(frozen=True, eq=False)
class Message:
    """One message.

    Attributes:
        kind: the type of the message.
        content: plain values for JSON.
        arrays: the arrays that *content* references by index.
    """

    kind: str
    content: dict[str, Any] = field(default_factory=dict)
    arrays: Sequence[np.ndarray] = ()

    def get(self, name: str, kind: type[Value]) -> Value:
        """Return the entry *name* of the content.

        Raises:
            PipeError: it is missing, or not a *kind*.
        """
        value = self.content.get(name)
        if type(value) is not kind:
            raise PipeError(
                f"expected {name} of type {kind.__name__} in a message {self.kind[:40]!r}, found {type(value).__name__}"
            )
        return value


class Channel:
    """The messages of this process to and from the one that started it; complete messages are sent from any thread."""

    def __init__(self) -> None:
        """Take over standard input and output; all other output goes to standard error from now on."""
        sys.stdout.flush()
        self._incoming = os.fdopen(os.dup(sys.stdin.fileno()), "rb")
        self._outgoing = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        self._outgoing.write(b"\n" + _BEGINNING)
        self._lock = threading.Lock()

    def send(self, message: Message) -> None:
        """Send *message*.

        Raises:
            OSError: the other process no longer listens.
        """
        parts = message_parts(message)
        with self._lock:
            write_parts(self._outgoing, parts)

    def receive(self) -> Message | None:
        """Return the next message, or None at the end; see `read_message`."""
        return read_message(self._incoming)


def message_parts(message: Message) -> list[bytes | memoryview]:
    """Return *message* as the bytes to write; those of its arrays are not copied if they are in C order.

    Raises:
        TypeError: the message contains something other than plain values and arrays of numbers.
    """
    arrays = [_plain(array) for array in message.arrays]
    described = [{"type": array.dtype.str, "shape": list(array.shape)} for array in arrays]
    text = json.dumps({"kind": message.kind, "content": message.content, "arrays": described}).encode()
    lengths = _LENGTHS.pack(_MAGIC, len(text), sum(array.nbytes for array in arrays))
    return [lengths, text, *(array.reshape(-1).data.cast("B") for array in arrays)]


def write_parts(stream: IO[bytes], parts: Sequence[bytes | memoryview]) -> None:
    """Write the *parts* of a message to *stream* and flush it."""
    for part in parts:
        stream.write(part)
    stream.flush()


def read_messages(stream: IO[bytes]) -> Iterator[Message]:
    """Yield the messages of a process that has a `Channel`, from its standard output; skip what it printed before.

    Raises:
        PipeError: as for `read_message`.
    """
    while (line := stream.readline(_MAX_LINE_BYTES)) != _BEGINNING:
        if not line:
            return
    while (message := read_message(stream)) is not None:
        yield message


def read_message(stream: IO[bytes]) -> Message | None:
    """Return the next message of *stream*, or None at its end.

    Raises:
        PipeError: the data are not a valid message, or end within one.
    """
    start = stream.read(_LENGTHS.size)
    if not start:
        return None
    if len(start) < _LENGTHS.size:
        raise PipeError(f"expected a message, found {start[:40]!r} and the end")
    magic, header_bytes, array_bytes = _LENGTHS.unpack(start)
    if magic != _MAGIC:
        raise PipeError(f"expected a message, found {start[:40]!r}")
    if header_bytes > _MAX_HEADER_BYTES or array_bytes > _MAX_ARRAY_BYTES:
        raise PipeError(f"expected a message of a sensible size, found one of {header_bytes} and {array_bytes} bytes")
    kind, content, described = _header(_exactly(stream, header_bytes))
    if sum(_num_bytes(*item) for item in described) != array_bytes:
        raise PipeError(f"expected {array_bytes} bytes of arrays, found a header that describes another number")
    return Message(kind, content, [_read_array(stream, *item) for item in described])


def _plain(array: np.ndarray) -> np.ndarray:
    """Return *array* in the form it is sent in: C order, little-endian, of an allowed type."""
    plain = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    if plain.dtype.str not in _TYPES:
        raise TypeError(f"expected an array of numbers or booleans, got {array.dtype}")
    return plain.reshape(array.shape)


def _header(text: bytes) -> tuple[str, dict[str, Any], list[tuple[np.dtype, tuple[int, ...]]]]:
    """Parse a header; return the kind, the content, and the type and shape of each array."""
    try:
        header = json.loads(text)
        kind, content = header["kind"], header["content"]
        described = [(item["type"], tuple(item["shape"])) for item in header["arrays"]]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise PipeError(f"expected the header of a message, found {text[:80]!r}") from error
    if not isinstance(kind, str) or not isinstance(content, dict):
        raise PipeError(f"expected a kind and a content, found {text[:80]!r}")
    for code, shape in described:
        sizes = all(type(size) is int and 0 <= size <= _MAX_ARRAY_BYTES for size in shape)
        if not isinstance(code, str) or code not in _TYPES or len(shape) > _MAX_DIMENSIONS or not sizes:
            raise PipeError(f"expected an array of numbers, found the description {text[-80:]!r}")
    return kind, content, [(np.dtype(code), shape) for code, shape in described]


def _num_bytes(dtype: np.dtype, shape: tuple[int, ...]) -> int:
    return dtype.itemsize * math.prod(shape)


def _read_array(stream: IO[bytes], dtype: np.dtype, shape: tuple[int, ...]) -> np.ndarray:
    try:
        array = np.empty(shape, dtype=dtype)
    except (ValueError, MemoryError) as error:  # NumPy also refuses certain shapes of 0 bytes
        raise PipeError(f"expected an array that fits into memory, found the shape {shape}") from error
    view = array.reshape(-1).data.cast("B") if array.size else memoryview(b"")
    done = 0
    while done < len(view):
        count = stream.readinto(view[done:])  # type: ignore[attr-defined]  # every binary stream has it
        if not count:
            raise PipeError(f"expected {len(view)} bytes of an array, found {done} and the end")
        done += count
    return array


def _exactly(stream: IO[bytes], count: int) -> bytes:
    read = stream.read(count)
    if len(read) < count:
        raise PipeError(f"expected {count} bytes, found {len(read)} and the end")
    return read
