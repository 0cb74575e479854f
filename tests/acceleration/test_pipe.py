"""Messages between two Pythons: whole, checked, never unpickled."""

from __future__ import annotations

import io
import json
import struct

import numpy as np
import pytest

from blender_addon.background.messages import (
    Message,
    PipeError,
    message_parts,
    read_message,
    read_messages,
    write_parts,
)


def sent(*messages: Message) -> io.BytesIO:
    stream = io.BytesIO()
    for message in messages:
        write_parts(stream, message_parts(message))
    stream.seek(0)
    return stream


def raw(header: object, body: bytes = b"", *, array_bytes: int | None = None, magic: bytes = b"SMPLFIT1") -> io.BytesIO:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    lengths = struct.pack("<8sIQ", magic, len(text), len(body) if array_bytes is None else array_bytes)
    return io.BytesIO(lengths + text + body)


ARRAYS = [
    np.arange(24, dtype=np.float64).reshape(2, 3, 4)[:, ::-1].T,
    np.array([[np.nan, np.inf, -0.0]], dtype=np.float32),
    np.array(7, dtype=">i4"),
    np.zeros((0, 3)),
    np.array([True, False]),
]


def test_what_is_sent_comes_whole_and_in_order():
    stream = sent(Message("first", {"text": "Zoë", "number": 0.1}, ARRAYS), Message("second"))
    first, second = read_message(stream), read_message(stream)
    assert (first.kind, first.content) == ("first", {"text": "Zoë", "number": 0.1})
    assert len(first.arrays) == len(ARRAYS)
    for got, wanted in zip(first.arrays, ARRAYS, strict=True):
        assert got.shape == wanted.shape and got.dtype == wanted.dtype.newbyteorder("=")
        np.testing.assert_array_equal(got, wanted)
    assert (second.kind, second.content, second.arrays) == ("second", {}, [])
    assert read_message(stream) is None


@pytest.mark.parametrize("array", [np.array(["text"]), np.array([object()]), np.array([1j])])
def test_only_plain_arrays_are_sent(array):
    with pytest.raises(TypeError, match="expected an array of numbers"):
        message_parts(Message("x", {}, [array]))


@pytest.mark.parametrize("length", [1, 19, 20, 40, -1])
def test_an_end_within_a_message_is_noticed(length):
    whole = sent(Message("x", {"a": 1}, [np.arange(100.0)])).getvalue()
    with pytest.raises(PipeError, match="the end"):
        read_message(io.BytesIO(whole[:length]))


def described(**changes: object) -> dict[str, object]:
    return {"kind": "x", "content": {}, "arrays": [{"type": "<f8", "shape": [2], **changes}]}


@pytest.mark.parametrize(
    ("stream", "fault"),
    [
        (io.BytesIO(b"Blender 4.5 quit, and more than twenty letters"), "found b'Blender 4.5"),
        (raw({}, magic=b"SMPLFIT0"), "expected a message"),
        (raw(b"{"), "header of a message"),
        (raw(b"[" * 100_000), "header of a message"),
        (raw({"kind": "x"}), "header of a message"),
        (raw({"kind": 1, "content": {}, "arrays": []}), "a kind and a content"),
        (raw(described(type="|O"), bytes(16)), r'"type": "|O"'),
        (raw(described(type="<U4"), bytes(16)), "expected an array of numbers"),
        (raw(described(type=["<f8"]), bytes(16)), "expected an array of numbers"),
        (raw(described(shape=[0, 1 << 32, 1 << 32])), "an array that fits into memory"),
        (raw(described(shape=[-2]), bytes(16)), "expected an array of numbers"),
        (raw(described(shape=[True, 2]), bytes(16)), "expected an array of numbers"),
        (raw(described(shape=[1] * 9), bytes(8)), "expected an array of numbers"),
        (raw(described(shape=[3]), bytes(16)), "expected 16 bytes of arrays"),
        (raw(described(), bytes(8), array_bytes=16), "expected 16 bytes of an array, found 8"),
        (raw(described(shape=[1 << 40]), array_bytes=1 << 43), "of a sensible size"),
        (io.BytesIO(struct.pack("<8sIQ", b"SMPLFIT1", (1 << 32) - 1, 0)), "of a sensible size"),
    ],
)
def test_what_is_no_message_is_refused(stream, fault):
    with pytest.raises(PipeError, match=fault.replace("|", r"\|")):
        read_message(stream)


BEGINNING = b"\n@smplify messages\n"


def test_what_is_printed_before_the_first_message_is_skipped():
    first = sent(Message("first")).getvalue()
    printed = b"Blender 4.5\nsite customised" + BEGINNING
    assert [message.kind for message in read_messages(io.BytesIO(printed + first + first))] == ["first", "first"]
    assert list(read_messages(io.BytesIO(b"no messages at all"))) == []
    with pytest.raises(PipeError, match="found b'Blender quit"):
        list(read_messages(io.BytesIO(printed + first + b"Blender quit, and more than twenty letters")))


@pytest.mark.parametrize("value", [None, True, 1.0, "1", [1]])
def test_an_entry_of_another_type_is_refused(value):
    assert Message("x", {"number": 1}).get("number", int) == 1
    for content in ({"number": value}, {}):
        with pytest.raises(PipeError, match="expected number of type int in a message 'x'"):
            Message("x", content).get("number", int)


def test_any_bytes_give_messages_or_an_error_of_ours():
    whole = BEGINNING + sent(Message("x", {"a": [1, {"b": "c"}]}, [np.arange(3.0), np.zeros((2, 0))])).getvalue()
    rng = np.random.default_rng(0)
    for _ in range(3000):
        changed = bytearray(whole)
        for place in rng.integers(0, len(whole), rng.integers(1, 4)):
            changed[place] = rng.integers(0, 256)
        try:
            messages = list(read_messages(io.BytesIO(bytes(changed[: rng.integers(0, len(whole) + 40)]))))
        except PipeError:
            continue
        assert all(isinstance(message, Message) for message in messages)
