"""Play a track to a receiver, as a camera or a suit would send it."""

from __future__ import annotations

import time
from collections.abc import Iterator

from ..errors import LiveError
from ..layouts import LAYOUTS
from ..track import KeypointTrack
from .addresses import Address
from .messages import MAX_MESSAGE_BYTES, write_message
from .websocket_client import WebSocketClient

_MAX_SPEED = 1000.0
"""A track is played at most so much faster or slower than it was recorded."""


class UdpClient:
    """Sends datagrams; whether anybody receives them is unknown."""

    def __init__(self, address: Address) -> None:
        """Find *address*.

        Raises:
            LiveError: the host is unknown.
        """
        self._address = address
        self._socket, self._where = address.socket()

    def send(self, message: bytes) -> None:
        """Send *message*.

        Raises:
            LiveError: the system does not take it.
        """
        try:
            self._socket.sendto(message, self._where)
        except OSError as error:
            raise LiveError(f"cannot send to {self._address}: {error}; check the address") from error

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


def connect(address: Address) -> UdpClient | WebSocketClient:
    """Return a client for *address*.

    Raises:
        LiveError: nobody listens there.
    """
    return UdpClient(address) if address.kind == "udp" else WebSocketClient(address)


def messages_of(track: KeypointTrack, *, speed: float = 1.0, loop: bool = False) -> Iterator[tuple[float, bytes]]:
    """Yield each frame of *track* as a message, with its time in seconds from the start.

    Args:
        track: the track.
        speed: how much faster it is played.
        loop: begin again after the last frame, for ever.

    Raises:
        LiveError: *speed* is not from 0.001 to 1000, or a frame is too large for a message.
    """
    if not 1.0 / _MAX_SPEED <= speed <= _MAX_SPEED:
        raise LiveError(f"expected a speed above 0, from {1.0 / _MAX_SPEED:g} to {_MAX_SPEED:g}, got {speed:g}")
    known = LAYOUTS.get(track.layout.name)
    names = () if known == track.layout else track.layout.names
    layout = track.layout.name if known is not None else ""
    fps, number = track.fps * speed, 0
    while loop or number < track.num_frames:
        frame = number % track.num_frames
        time_s = number / fps
        message = write_message(
            track.positions[frame], track.confidence[frame], fps=fps, layout=layout, names=names, time_s=time_s
        )
        if len(message) > MAX_MESSAGE_BYTES:
            raise LiveError(
                f"expected a frame of up to {MAX_MESSAGE_BYTES} bytes, got {len(message)}; use fewer points"
            )
        yield time_s, message
        number += 1


def play(track: KeypointTrack, address: Address, *, speed: float = 1.0, loop: bool = False) -> int:
    """Send *track* to *address* at its frame rate; return the number of frames that were sent.

    Args:
        track: the track.
        address: where to send it.
        speed: how much faster it is played.
        loop: begin again after the last frame, until an exception ends it.

    Raises:
        LiveError: nobody listens there, or the receiver has gone.
    """
    client = connect(address)
    sent, began = 0, time.monotonic()
    try:
        for time_s, message in messages_of(track, speed=speed, loop=loop):
            time.sleep(max(0.0, began + time_s - time.monotonic()))
            client.send(message)
            sent += 1
    finally:
        client.close()
    return sent
