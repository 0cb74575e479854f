"""The part of the WebSocket protocol (RFC 6455) that receiving needs, without sockets: bytes in, messages out.

Own code rather than a library: a server that only receives is one page, and every limit is ours. Nothing is compressed,
no extension is offered.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator
from urllib.parse import urlsplit

import numpy as np

from ..errors import LiveError

MAX_HEAD_BYTES = 8_192
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_LOCAL = ("localhost", "127.0.0.1", "::1")
_CONTINUATION, _TEXT, _BINARY, _CLOSE, _PING, _PONG = 0, 1, 2, 8, 9, 10
_MAX_CONTROL_BYTES = 125
_NORMAL, _PROTOCOL_ERROR, _TOO_BIG = 1000, 1002, 1009


def accept_key(key: bytes) -> bytes:
    """Return the answer to the key of a handshake."""
    return base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest())


def masked(payload: bytes, mask: bytes) -> bytes:
    """Return *payload* with each byte changed by *mask* (4 bytes), which also undoes it."""
    values = np.frombuffer(payload, dtype=np.uint8)
    return (values ^ np.resize(np.frombuffer(mask, dtype=np.uint8), values.shape)).tobytes()


class WebSocketServer:
    """The server's side of one connection.

    Attributes:
        to_send: what is to be sent to the client next; the owner sends and clears it.
        is_open: whether the handshake is done.
        is_closed: whether the client has ended the connection.
    """

    def __init__(self, max_bytes: int) -> None:
        """Begin before the handshake; no message may have more than *max_bytes*."""
        self._max_bytes = max_bytes
        self._buffer = bytearray()
        self._message: bytearray | None = None
        self.to_send = bytearray()
        self.is_open = self.is_closed = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take bytes from the client; yield the messages that are complete.

        At most *data* and one message are kept.

        Raises:
            LiveError: the client violates the protocol; send `to_send` and close the connection.
        """
        self._buffer += data
        if not self.is_open and not self._shake_hands():
            return
        while not self.is_closed and (frame := self._next_frame()) is not None:
            message = self._handle(*frame)
            if message is not None:
                yield message

    def _shake_hands(self) -> bool:
        """Answer the request once it is complete; return whether it is."""
        end = self._buffer.find(b"\r\n\r\n", 0, MAX_HEAD_BYTES)
        if end < 0:
            if len(self._buffer) >= MAX_HEAD_BYTES:
                self._refuse("431 Request Header Fields Too Large", f"a head of up to {MAX_HEAD_BYTES} bytes")
            return False
        first, *lines = bytes(self._buffer[:end]).split(b"\r\n")
        del self._buffer[: end + 4]
        pairs = (line.partition(b":") for line in lines)
        fields = {name.strip().lower(): value.strip() for name, _, value in pairs}
        words = first.split()
        if len(words) != 3 or words[0] != b"GET" or words[2] != b"HTTP/1.1":
            self._refuse("400 Bad Request", "GET and HTTP/1.1")
        upgrades = b"upgrade" in fields.get(b"connection", b"").lower()
        if fields.get(b"upgrade", b"").lower() != b"websocket" or not upgrades:
            self._refuse("426 Upgrade Required", "an upgrade to a WebSocket", "Upgrade: websocket\r\n")
        if fields.get(b"sec-websocket-version") != b"13":
            self._refuse("426 Upgrade Required", "version 13", "Sec-WebSocket-Version: 13\r\n")
        key = fields.get(b"sec-websocket-key", b"")
        if not _is_key(key):
            self._refuse("400 Bad Request", "a key of 16 bytes")
        if not _is_local(fields.get(b"origin")):
            self._refuse("403 Forbidden", "a page of this machine")
        self.to_send += (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept_key(key) + b"\r\n\r\n"
        )
        self.is_open = True
        return True

    def _refuse(self, status: str, expected: str, fields: str = "") -> None:
        """Answer the handshake with an error."""
        self.to_send += f"HTTP/1.1 {status}\r\n{fields}Content-Length: 0\r\nConnection: close\r\n\r\n".encode()
        raise LiveError(f"expected the handshake of a WebSocket with {expected}; connect by ws://")

    def _next_frame(self) -> tuple[int, bool, bytes] | None:
        """Return opcode, whether it is the message's last, and payload of the next frame; None if it is not whole."""
        if len(self._buffer) < 2:
            return None
        opcode, is_last, length = self._buffer[0] & 15, bool(self._buffer[0] & 128), self._buffer[1] & 127
        if self._buffer[0] & 112 or opcode not in (_CONTINUATION, _TEXT, _BINARY, _CLOSE, _PING, _PONG):
            self._fail(_PROTOCOL_ERROR, "frames of known kinds without extensions")
        if not self._buffer[1] & 128:
            self._fail(_PROTOCOL_ERROR, "masked frames")
        if opcode >= _CLOSE and not (is_last and length <= _MAX_CONTROL_BYTES):
            self._fail(_PROTOCOL_ERROR, f"control frames of up to {_MAX_CONTROL_BYTES} bytes in one piece")
        at = 2 + {126: 2, 127: 8}.get(length, 0)
        if len(self._buffer) < at:
            return None
        if length > _MAX_CONTROL_BYTES:
            length = int.from_bytes(self._buffer[2:at], "big")
        if length + len(self._message or b"") > self._max_bytes:
            self._fail(_TOO_BIG, f"messages of up to {self._max_bytes} bytes")
        if len(self._buffer) < at + 4 + length:
            return None
        payload = masked(bytes(self._buffer[at + 4 : at + 4 + length]), bytes(self._buffer[at : at + 4]))
        del self._buffer[: at + 4 + length]
        return opcode, is_last, payload

    def _handle(self, opcode: int, is_last: bool, payload: bytes) -> bytes | None:
        """Answer a control frame, or return the message that a frame completes."""
        if opcode == _PING:
            self._send(_PONG, payload)
        elif opcode == _CLOSE:
            self._send(_CLOSE, payload[:2] if len(payload) >= 2 else _NORMAL.to_bytes(2, "big"))
            self.is_closed = True
        elif opcode != _PONG:
            if (opcode == _CONTINUATION) != (self._message is not None):
                self._fail(_PROTOCOL_ERROR, "the frames of a message one after the other")
            message = self._message if self._message is not None else bytearray()
            message += payload
            self._message = None if is_last else message
            return bytes(message) if is_last else None
        return None

    def _fail(self, code: int, expected: str) -> None:
        """Close the connection because of an error."""
        self._send(_CLOSE, code.to_bytes(2, "big"))
        raise LiveError(f"expected {expected} from a WebSocket, got others")

    def _send(self, opcode: int, payload: bytes) -> None:
        self.to_send += bytes((128 | opcode, len(payload))) + payload


def _is_key(key: bytes) -> bool:
    try:
        return len(base64.b64decode(key, validate=True)) == 16
    except (binascii.Error, ValueError):
        return False


def _is_local(origin: bytes | None) -> bool:
    """Return whether a page of *origin* may connect: a browser lets any page try, and names it. Programs name none."""
    if origin is None:
        return True
    try:
        return urlsplit(origin.decode("ascii")).hostname in _LOCAL
    except ValueError:
        return False
