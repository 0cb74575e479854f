"""The sender's side of a WebSocket: connect, and send messages."""

from __future__ import annotations

import base64
import os
import socket

from ..errors import LiveError
from .addresses import Address
from .websocket import MAX_HEAD_BYTES, accept_key, masked

_TEXT_FRAME = 0x81
_CLOSE_FRAME = b"\x88\x80" + bytes(4)


class WebSocketClient:
    """A connection to a receiver."""

    def __init__(self, address: Address, timeout_s: float = 5.0) -> None:
        """Connect.

        Raises:
            LiveError: nobody listens there, or it is no WebSocket.
        """
        self._address = address
        self._socket, where = address.socket()
        self._socket.settimeout(timeout_s)
        try:
            self._socket.connect(where)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._shake_hands()
        except (OSError, LiveError) as error:
            self._socket.close()
            raise LiveError(f"expected a receiver that listens on {address}: {error}; start it first") from error

    def _shake_hands(self) -> None:
        key = base64.b64encode(os.urandom(16))
        host = f"{self._address.host}:{self._address.port}"
        self._socket.sendall(
            f"GET / HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key.decode()}\r\n\r\n".encode()
        )
        head = b""
        while b"\r\n\r\n" not in head:
            more = self._socket.recv(1_024)
            head += more
            if not more or len(head) > MAX_HEAD_BYTES:
                raise LiveError("it ended the connection")
        if b" 101 " not in head.partition(b"\r\n")[0] or accept_key(key) not in head:
            raise LiveError(f"it answered {head.partition(bytes((13, 10)))[0][:60]!r}")

    def send(self, message: bytes) -> None:
        """Send *message*.

        Raises:
            LiveError: the receiver has ended the connection.
        """
        size = len(message)
        head = bytes((_TEXT_FRAME, 128 | size)) if size < 126 else bytes((_TEXT_FRAME, 254)) + size.to_bytes(2, "big")
        mask = os.urandom(4)
        try:
            self._socket.sendall(head + mask + masked(message, mask))
        except OSError as error:
            raise LiveError(f"the receiver at {self._address} ended the connection: {error}") from error

    def close(self) -> None:
        """End the connection."""
        try:
            self._socket.sendall(_CLOSE_FRAME)
        except OSError:
            pass  # it has ended already
        self._socket.close()
