"""Live sessions on real sockets of the loopback: senders that play, flood, send rubbish, stop and vanish."""

from __future__ import annotations

import json
import socket

import numpy as np
import pytest

from core.errors import LiveError
from core.live.addresses import Address
from core.live.mailbox import CAPACITY, Mail, Mailbox
from core.live.messages import parse_message
from core.live.receiver import LiveReceiver
from core.live.sender import connect, play
from core.live.websocket_client import WebSocketClient

from .senders import BODY, FINGERED, SCENE, send_datagrams, wait_for, walk

WALK = SCENE.track()
ANOTHER = json.dumps({**json.loads(walk()[0]), "person": "another"}).encode()


@pytest.fixture(params=["udp", "ws"])
def receiver(request):
    session = LiveReceiver(Address(request.param, port=0), BODY, FINGERED)
    yield session
    session.close()


def test_a_file_is_played_fitted_and_recorded(receiver):
    receiver.begin_recording()
    assert play(WALK, receiver.address, speed=2.0) == WALK.num_frames
    status = wait_for(receiver, lambda status: status.num_fitted + status.num_dropped == WALK.num_frames, "all frames")
    recording = receiver.end_recording()
    assert status.num_fitted == len(recording) and status.num_refused == 0 and status.problem == ""
    assert recording.motion().fps == 60.0 and receiver.num_recorded is None
    np.testing.assert_allclose(
        np.diff(recording.times_s) * 60.0 - np.diff(recording.times_s * 60.0).round(), 0.0, atol=0.01
    )


def test_rubbish_a_flood_and_a_silence_are_survived(receiver):
    messages = walk()
    if receiver.address.kind == "udp":
        send_datagrams(receiver.address, *[b"\xff" * 60_000] * 50, messages[0])
    else:
        client = WebSocketClient(receiver.address)
        for payload in [*[b"\xff" * 60_000] * 50, messages[0]]:
            client.send(payload)
        client._socket.close()  # vanishes without a word
    status = wait_for(receiver, lambda status: status.num_fitted == 1, "the frame after the flood")
    assert status.is_receiving
    wait_for(receiver, lambda status: not status.is_receiving, "the silence to be noticed")
    if receiver.address.kind == "udp":
        send_datagrams(receiver.address, b"\n".join([b"{}", messages[1]]))
    else:
        WebSocketClient(receiver.address).send(messages[1])
    assert wait_for(receiver, lambda status: status.num_fitted == 2, "the next sender").problem == ""


def test_a_web_page_of_elsewhere_is_turned_away_and_told():
    session = LiveReceiver(Address("ws", port=0), BODY, FINGERED)
    with socket.create_connection((session.address.host, session.address.port)) as client:
        client.sendall(
            b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: https://example.org\r\n\r\n"
        )
        assert client.recv(1_000).startswith(b"HTTP/1.1 403 ") and client.recv(1_000) == b""
    wait_for(session, lambda status: "a page of this machine" in status.problem, "the refusal")
    session.close()


def test_a_port_is_refused_while_it_is_used_and_free_after(receiver):
    with pytest.raises(LiveError, match="expected a free port"):
        LiveReceiver(receiver.address, BODY, FINGERED)
    receiver.close()
    LiveReceiver(receiver.address, BODY, FINGERED).close()


def test_nobody_at_the_other_end_is_an_error_of_the_sender():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = Address("ws", port=unused.getsockname()[1])
        with pytest.raises(LiveError, match=f"listens on {address}"):
            play(WALK, address)


@pytest.mark.parametrize("rubbish", [b"rubbish", b'{"points": [[0, 0, 0]]}', ANOTHER], ids=["text", "fields", "person"])
def test_a_good_frame_waits_whatever_rubbish_follows_it(receiver, rubbish):
    messages, many = walk(), 2 * CAPACITY
    client = connect(receiver.address)
    with receiver._lock:  # the fit waits with its first frame, as if it took long
        client.send(messages[0])
        wait_for(receiver, lambda status: status.num_fitted == 1, "the first frame")
        client.send(messages[1])
        for _ in range(many):
            client.send(rubbish)
        wait_for(receiver, lambda status: status.num_refused + status.num_others == many, "the rubbish")
    wait_for(receiver, lambda status: status.num_fitted == 2, "the frame before the rubbish")
    client.close()


def test_a_full_mailbox_keeps_the_newest():
    mailbox, message = Mailbox(), parse_message(walk()[0])
    for number in range(CAPACITY + 10):
        mailbox.put(Mail(message, float(number)))
    taken = mailbox.take(0.0)
    assert [mail.arrived_s for mail in taken] == list(range(CAPACITY + 9, 9, -1))
    assert mailbox.num_dropped == 10 and mailbox.take(0.0) == []


@pytest.mark.parametrize(
    "text", ["", "127.0.0.1:9760", "tcp://127.0.0.1:1", "udp://:9", "udp://a:99999", "ws://h", "udp://[::1:5"]
)
def test_what_is_no_address_is_refused(text):
    with pytest.raises(LiveError, match="expected an address such as"):
        Address.parse(text)


def test_an_address_is_read_as_it_is_written():
    for text in ("udp://127.0.0.1:9760", "ws://[::1]:80"):
        assert str(Address.parse(text)) == text
