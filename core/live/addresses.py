"""Addresses to listen on and to send to: ``udp://127.0.0.1:9760``, ``ws://127.0.0.1:9760``."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from ..errors import LiveError

LOOPBACK = "127.0.0.1"
PORT = 9760
"""The port of the examples, and the default everywhere."""
KINDS = ("udp", "ws")


@dataclass(frozen=True)
class Address:
    """An address of a socket.

    Attributes:
        kind: "udp" or "ws" (WebSocket).
        host: a name or a number.
        port: 1 to 65535; 0 to listen on any free port.
    """

    kind: str
    host: str = LOOPBACK
    port: int = PORT

    @classmethod
    def parse(cls, text: str) -> Address:
        """Return the address that *text* is.

        Raises:
            LiveError: it is none.
        """
        expected = f"expected an address such as udp://{LOOPBACK}:{PORT} or ws://{LOOPBACK}:{PORT}, got {text[:80]!r}"
        try:
            parts = urlsplit(text)
            kind, host, port = parts.scheme, parts.hostname, parts.port
        except ValueError as error:
            raise LiveError(expected) from error
        if kind not in KINDS or not host or port is None:
            raise LiveError(expected)
        return cls(kind, host, port)

    def __str__(self) -> str:
        """Return the address as `parse` reads it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.kind}://{host}:{self.port}"

    def socket(self) -> tuple[socket.socket, tuple]:
        """Return a new socket for this address, and the address as the socket takes it.

        Raises:
            LiveError: the host is unknown.
        """
        kind = socket.SOCK_DGRAM if self.kind == "udp" else socket.SOCK_STREAM
        try:
            family, _, _, _, where = socket.getaddrinfo(self.host, self.port, type=kind)[0]
        except (OSError, UnicodeError) as error:
            raise LiveError(f"expected the name of a host, got {self.host[:80]!r}: {error}") from error
        return socket.socket(family, kind), where
