"""A short walk as messages, and raw sockets that send them."""

from __future__ import annotations

import socket
from collections.abc import Callable

from core.body.catalog import resolve_body
from core.layouts import BODY25, Layout
from core.live.addresses import Address
from core.live.receiver import LiveReceiver, LiveStatus
from core.live.sender import messages_of
from tests.core.fit.scenes import walking
from tests.waiting import poll

SCENE = walking()[20:44]
BODY, FINGERED = (resolve_body("", fingers=fingers) for fingers in (False, True))


def walk(layout: Layout = BODY25) -> list[bytes]:
    """Return the frames of the walk as messages at 30 fps."""
    return [message for _, message in messages_of(SCENE.track(layout))]


def send_datagrams(address: Address, *payloads: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for payload in payloads:
            sender.sendto(payload, (address.host, address.port))


def wait_for(receiver: LiveReceiver, condition: Callable[[LiveStatus], object], what: str) -> LiveStatus:
    poll(lambda: condition(receiver.status), 30.0, f"{what}, found {receiver.status}")
    return receiver.status
