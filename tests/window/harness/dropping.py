"""A file manager's side of drag and drop (the XDND protocol): drag files over a window and let them go there."""

from __future__ import annotations

import time
from pathlib import Path

from Xlib import X, Xatom
from Xlib.display import Display
from Xlib.protocol import event
from Xlib.xobject.drawable import Window

from tests.waiting import NotShown

VERSION = 5
PATIENCE_S = 20.0
STEPS = 5


class FileDrag:
    """Files that are dragged: they enter the window under the mouse, move over it, and are dropped there.

    What a program asks for is given to it as a file manager does: the files' addresses as ``text/uri-list``.
    """

    def __init__(self, display: str, *paths: Path) -> None:
        """Take the files up.

        Args:
            display: the X name of the screen, such as ":91".
            paths: the files.
        """
        self._display = Display(display)
        root = self._display.screen().root
        self._source = root.create_window(-10, -10, 1, 1, 0, X.CopyFromParent)
        self._uris = "".join(f"{path.resolve().as_uri()}\r\n" for path in paths).encode()
        self._source.set_selection_owner(self._atom("XdndSelection"), X.CurrentTime)
        self._display.sync()

    def drop(self, x: int, y: int) -> None:
        """Drag them to a place, in pixels from the screen's upper left corner, and let them go.

        Raises:
            NotShown: the window there does not take files, or does not fetch these.
        """
        target = self._window_at(x, y)
        self._send(target, "XdndEnter", VERSION << 24, self._atom("text/uri-list"), 0, 0)
        for step in range(STEPS):
            place = (x - STEPS + step + 1) << 16 | y
            self._send(target, "XdndPosition", 0, place, X.CurrentTime, self._atom("XdndActionCopy"))
            self._answer_until("XdndStatus")
        self._send(target, "XdndDrop", 0, X.CurrentTime, 0, 0)
        self._answer_until("XdndFinished")
        self._display.close()

    def _atom(self, name: str) -> int:
        return self._display.intern_atom(name)

    def _window_at(self, x: int, y: int) -> Window:
        """Return the uppermost window at a place that takes what is dropped."""
        for window in reversed(self._display.screen().root.query_tree().children):
            frame = window.get_geometry()
            inside = frame.x <= x < frame.x + frame.width and frame.y <= y < frame.y + frame.height
            shown = window.get_attributes().map_state == X.IsViewable
            if inside and shown and window.get_full_property(self._atom("XdndAware"), Xatom.ATOM) is not None:
                return window
        raise NotShown(f"expected a window that takes dropped files at {x}, {y}; there is none")

    def _send(self, target: Window, kind: str, *values: int) -> None:
        data = (32, [self._source.id, *values])
        target.send_event(event.ClientMessage(window=target, client_type=self._atom(kind), data=data))
        self._display.flush()

    def _answer_until(self, kind: str) -> None:
        """Give what is asked for, until the other window has sent this message."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if not self._display.pending_events():
                time.sleep(0.01)
                continue
            came = self._display.next_event()
            if came.type == X.SelectionRequest:
                self._give(came)
            elif came.type == X.ClientMessage and came.client_type == self._atom(kind):
                return
        raise NotShown(f"waited {PATIENCE_S:.0f} s for {kind} from the window that the files are dragged over")

    def _give(self, request: event.SelectionRequest) -> None:
        wanted = request.target == self._atom("text/uri-list")
        if wanted:
            request.requestor.change_property(request.property, request.target, 8, self._uris)
        answer = event.SelectionNotify(
            time=request.time, requestor=request.requestor, selection=request.selection, target=request.target,
            property=request.property if wanted else X.NONE,
        )  # fmt: skip
        request.requestor.send_event(answer)
        self._display.flush()
