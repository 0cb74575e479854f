"""A port for a test to listen on."""

from __future__ import annotations

import socket


def free_port() -> int:
    """Return a port of the loopback that nothing used a moment ago, neither by UDP nor by TCP."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams,
        socket.socket(socket.AF_INET, socket.SOCK_STREAM) as stream,
    ):
        datagrams.bind(("127.0.0.1", 0))
        port = int(datagrams.getsockname()[1])
        stream.bind(("127.0.0.1", port))
        return port
