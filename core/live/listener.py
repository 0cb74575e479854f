"""Receive messages on a socket; one thread serves all senders."""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ..errors import LiveError
from .addresses import Address
from .messages import MAX_MESSAGE_BYTES
from .websocket import WebSocketServer

MAX_CLIENTS = 4
_READ_BYTES = 65_536
_DATAGRAMS_AT_ONCE = 64
_WAITING_BYTES = 1 << 20
"""Room for datagrams that is asked of the system, which may give less."""
_PAUSE_S = 0.001
"""Rest after each turn with data, so that a flood leaves the other threads their time."""
_TICK_S = 0.1
_HANDSHAKE_S = 5.0
"""A client that has not shaken hands by then makes room for others."""


@dataclass(eq=False)
class _Client:
    socket: socket.socket
    protocol: WebSocketServer = field(default_factory=lambda: WebSocketServer(MAX_MESSAGE_BYTES))
    since_s: float = field(default_factory=time.monotonic)


@dataclass(frozen=True)
class Arrival:
    """What a sender has sent, as it came in.

    Attributes:
        payload: its bytes.
        arrived_s: when, by `time.monotonic`.
    """

    payload: bytes
    arrived_s: float = field(default_factory=time.monotonic)


class Listener:
    """Listens from its construction until `close`.

    Attributes:
        address: the address it listens on, with its actual port.
        problem: the last error of a client, for the user; empty if there was none.
    """

    def __init__(self, address: Address, receive: Callable[[list[Arrival]], None]) -> None:
        """Listen on *address* and call *receive* with what comes in, in order, on the listener's own thread.

        Raises:
            LiveError: the address cannot be listened on.
        """
        self._receive = receive
        self._socket, where = address.socket()
        try:
            if address.kind == "udp":  # what comes in while the fit has the processor waits there
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _WAITING_BYTES)
            self._socket.bind(where)
            if address.kind == "ws":
                self._socket.listen(MAX_CLIENTS)
            self._socket.setblocking(False)
        except OSError as error:
            self._socket.close()
            raise LiveError(
                f"expected a free port to listen on, got {address}: {error}; end what uses it, or choose another port"
            ) from error
        self.address = replace(address, port=self._socket.getsockname()[1])
        self.problem = ""
        self._clients: dict[socket.socket, _Client] = {}
        self._stop = threading.Event()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._socket, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, name="SMPLify listener", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening and free the port."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                ready = [key.fileobj for key, _ in self._selector.select(_TICK_S)]
                for item in ready:
                    self._serve(item)  # type: ignore[arg-type]
                self._drop_silent()
                if ready:
                    self._stop.wait(_PAUSE_S)
        finally:
            for client in list(self._clients.values()):
                self._drop(client)
            self._selector.close()
            self._socket.close()

    def _serve(self, item: socket.socket) -> None:
        if item in self._clients:
            self._read(self._clients[item])
        elif self.address.kind == "ws":
            self._accept()
        else:
            self._receive_datagrams()

    def _receive_datagrams(self) -> None:
        """Take the datagrams that have come in."""
        arrivals: list[Arrival] = []
        try:
            while len(arrivals) < _DATAGRAMS_AT_ONCE:
                arrivals.append(Arrival(self._socket.recv(_READ_BYTES)))
        except OSError:  # none is left, or the system tells of one that was lost
            pass
        self._receive(arrivals)

    def _accept(self) -> None:
        try:
            connection, _ = self._socket.accept()
        except OSError:  # it has gone again
            return
        if len(self._clients) == MAX_CLIENTS:
            self.problem = f"more than {MAX_CLIENTS} senders; the last was turned away"
            connection.close()
            return
        connection.setblocking(False)
        self._clients[connection] = _Client(connection)
        self._selector.register(connection, selectors.EVENT_READ)

    def _read(self, client: _Client) -> None:
        """Take what a client has sent, and answer it."""
        protocol, ended, arrivals = client.protocol, False, list[Arrival]()
        try:
            data = client.socket.recv(_READ_BYTES)
            ended = not data
            for payload in protocol.feed(data):
                arrivals.append(Arrival(payload))
        except BlockingIOError:
            return
        except LiveError as error:
            self.problem, ended = str(error), True
        except OSError:
            ended = True
        self._receive(arrivals)
        try:
            if protocol.to_send:  # a few bytes; a client that does not take them is of no use
                client.socket.sendall(protocol.to_send)
                protocol.to_send.clear()
        except OSError:
            ended = True
        if ended or protocol.is_closed:
            self._drop(client)

    def _drop_silent(self) -> None:
        """Drop the clients that connected and said nothing."""
        late = time.monotonic() - _HANDSHAKE_S
        for client in [client for client in self._clients.values() if client.since_s < late]:
            if not client.protocol.is_open:
                self._drop(client)

    def _drop(self, client: _Client) -> None:
        self._selector.unregister(client.socket)
        client.socket.close()
        del self._clients[client.socket]
