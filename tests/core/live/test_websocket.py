"""The WebSocket protocol without sockets: handshakes and frames, whole, in pieces and hostile."""

from __future__ import annotations

import pytest

from core.errors import LiveError
from core.live.websocket import MAX_HEAD_BYTES, WebSocketServer, masked

KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # the example of RFC 6455, 1.3
FIELDS = {
    "Host": "127.0.0.1", "Upgrade": "websocket", "Connection": "keep-alive, Upgrade", "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": KEY,
}  # fmt: skip
MASK = b"\x12\x34\x56\x78"
MAX_BYTES = 1_000


def request(first: str = "GET / HTTP/1.1", **changes: str) -> bytes:
    fields = FIELDS | {name.replace("_", "-"): value for name, value in changes.items()}
    return "\r\n".join([first, *(f"{name}: {value}" for name, value in fields.items()), "", ""]).encode()


def frame(payload: bytes, opcode: int = 1, *, last: bool = True, mask: bytes = MASK, first: int = 0) -> bytes:
    size = len(payload)
    length = bytes([128 | size]) if size < 126 else bytes([254]) + size.to_bytes(2, "big")
    return bytes([first or (128 * last | opcode)]) + length + mask + masked(payload, mask)


def opened() -> WebSocketServer:
    server = WebSocketServer(MAX_BYTES)
    assert list(server.feed(request())) == [] and server.is_open
    server.to_send.clear()
    return server


def test_the_handshake_is_answered():
    server = WebSocketServer(MAX_BYTES)
    list(server.feed(request()))
    assert b" 101 " in server.to_send and b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in server.to_send


def test_bytes_may_come_one_by_one():
    server, found = WebSocketServer(MAX_BYTES), []
    for byte in request() + frame(b"one") + frame(b"x" * 300, 2):
        found += server.feed(bytes([byte]))
    assert found == [b"one", b"x" * 300]


def test_a_message_may_come_in_fragments_with_a_ping_between():
    data = frame(b"fi", last=False) + frame(b"hello", 9) + frame(b"rs", 0, last=False) + frame(b"t", 0) + frame(b"")
    server = opened()
    assert list(server.feed(data)) == [b"first", b""]
    assert bytes(server.to_send) == b"\x8a\x05hello"


def test_closing_is_answered_and_ends_it():
    server = opened()
    assert list(server.feed(frame(b"\x03\xe8", 8) + frame(b"late"))) == []
    assert server.is_closed and bytes(server.to_send) == b"\x88\x02\x03\xe8"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x81\x03one", 1002),  # not masked
        (frame(b"x", first=0xC1), 1002),  # compressed
        (frame(b"x", 3), 1002),
        (frame(b"x", 0), 1002),  # continues nothing
        (frame(b"x", last=False) + frame(b"y"), 1002),
        (frame(b"x", 9, last=False), 1002),
        (frame(b"x" * 126, 9), 1002),
        (frame(b"x" * (MAX_BYTES + 1)), 1009),
        (b"\x81\xff" + (2**63).to_bytes(8, "big"), 1009),
        (frame(b"x" * 600, last=False) + frame(b"x" * 600, 0), 1009),
    ],
)
def test_a_violation_closes_with_its_code(data, code):
    server = opened()
    with pytest.raises(LiveError, match="from a WebSocket"):
        list(server.feed(data))
    assert bytes(server.to_send) == b"\x88\x02" + code.to_bytes(2, "big")


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"rubbish\r\n\r\n", 400),
        (request("POST / HTTP/1.1"), 400),
        (request(Upgrade="h2c"), 426),
        (request(Sec_WebSocket_Version="8"), 426),
        (request(Sec_WebSocket_Key="short"), 400),
        (request(Origin="https://example.org"), 403),
        (request(Origin="http://127.0.0.1.example.org"), 403),
        (request(Origin="null"), 403),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * MAX_HEAD_BYTES, 431),
    ],
)
def test_what_is_no_handshake_of_this_machine_is_refused(data, status):
    server = WebSocketServer(MAX_BYTES)
    with pytest.raises(LiveError, match="handshake"):
        list(server.feed(data))
    assert server.to_send.startswith(f"HTTP/1.1 {status} ".encode()) and not server.is_open


@pytest.mark.parametrize("origin", ["http://localhost:8000", "https://127.0.0.1", "http://[::1]:5173"])
def test_pages_of_this_machine_may_connect(origin):
    server = WebSocketServer(MAX_BYTES)
    list(server.feed(request(Origin=origin)))
    assert server.is_open
