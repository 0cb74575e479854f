"""A Blender in a window, as a test uses it: clicks and keys go in, pictures and answers come out."""

from __future__ import annotations

import base64
import json
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType

import numpy as np
from PIL import Image

from tests.waiting import PATIENCE_S, POLL_S, poll

from .part import Part
from .screen import Screen

START_S = 300.0
MARGIN = 2
DARK = 40  # in 255
INSIDE = Path(__file__).resolve().parents[1] / "inside" / "serve.py"


class InsideError(AssertionError):
    """What was run inside Blender raised; the message holds its traceback."""


class Session:
    """A running Blender, for use in a with statement.

    Attributes:
        screen: where its window is.
        log: the file its output goes to.
    """

    def __init__(self, program: str, screen: Screen, folder: Path, environment: dict[str, str]) -> None:
        """Start it and wait for its window.

        Args:
            program: the Blender.
            screen: where its window opens.
            folder: for its log.
            environment: of the process, such as `installation.clean_user` makes it.
        """
        self.screen = screen
        self.log = folder / "blender.log"
        self._texts: dict[tuple[str, bool], np.ndarray] = {}
        address = folder / "socket"
        environment = {
            **environment,
            "DISPLAY": screen.display,
            "LIBGL_ALWAYS_SOFTWARE": "1",
            "GALLIUM_DRIVER": "llvmpipe",
        }
        command = [program, "-p", "0", "0", str(screen.width), str(screen.height), "--python-exit-code", "1"]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [*command, "--python", str(INSIDE), "--", str(address)],
                env=environment, cwd=environment["HOME"], stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self._socket = self._connect(address)
        self._stream = self._socket.makefile("rw", encoding="utf-8")
        self.wait_until("windows.box('VIEW_3D', 'WINDOW') is not None", START_S)

    def _connect(self, address: Path) -> socket.socket:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self._process.poll() is None:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                connection.connect(str(address))
            except OSError:
                connection.close()
                time.sleep(POLL_S)
            else:
                return connection
        code = self._process.poll()
        raise RuntimeError(f"Blender did not start within {START_S:.0f} s (exit code {code}):\n{self.log_tail()}")

    def __enter__(self) -> Session:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stream.close()
        self._socket.close()
        self._process.terminate()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(timeout=20)

    def log_tail(self) -> str:
        """Return the end of what Blender has said."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-3000:]

    # What Blender knows

    def _ask(self, mode: str, code: str) -> object:
        self._stream.write(json.dumps({"mode": mode, "code": code}) + "\n")
        self._stream.flush()
        line = self._stream.readline()
        if not line:
            raise InsideError(f"Blender ended (exit code {self._process.wait(20)}) at {code!r}:\n{self.log_tail()}")
        answer = json.loads(line)
        if "error" in answer:
            raise InsideError(f"{code}\n{answer['error']}")
        return answer["value"]

    def evaluate(self, expression: str) -> object:
        """Return the value of a Python expression in Blender; it must be one that JSON can hold."""
        return self._ask("eval", expression)

    def run(self, statements: str) -> None:
        """Run Python statements in Blender, and have the window drawn again, as after an event."""
        self._ask("exec", statements)
        self._ask("exec", "windows.redraw()")

    def wait_until(self, expression: str, seconds: float = PATIENCE_S) -> object:
        """Wait until the expression is true in Blender and return its value."""
        return poll(lambda: self.evaluate(expression), seconds, f"{expression} to become true")

    def settle(self) -> None:
        """Wait until Blender has dealt with the events sent so far: its main loop has gone round twice."""
        for _ in range(3):
            self.evaluate("None")

    # Where a test begins

    def new_scene(self) -> None:
        """Open Blender's own start-up scene: cube, camera and light."""
        self.press("Escape", "Escape")  # close what a failed test left open
        self.run("windows.new_scene()")
        self.picture()
        self.run("windows.show_sidebar()")
        self.wait_until("windows.box('VIEW_3D', 'UI') is not None")

    def open_tab(self, name: str = "SMPLify") -> None:
        """Bring a tab of the sidebar to the front, by a click."""
        self.sidebar.click(name, turned=True)
        self.viewport.hover()

    # Mouse and keyboard

    def press(self, *keys: str) -> None:
        """Press keys one after the other, by their X names: Return, Escape, n, ctrl+z."""
        for key in keys:
            self.screen.send("key", key)
            self.settle()

    def write(self, text: str) -> None:
        """Type a text."""
        self.screen.send("type", "--delay", 20, text)
        self.settle()

    def move_to(self, x: float, y: float) -> None:
        """Put the mouse somewhere, in pixels from the upper left corner."""
        self.screen.send("mousemove", round(x), round(y))
        self.settle()

    def click_at(self, x: float, y: float, *, times: int = 1, button: int = 1) -> None:
        """Click somewhere, in pixels from the upper left corner."""
        self.move_to(x - 2, y)
        self.move_to(x, y)
        for _ in range(times):
            self.screen.send("mousedown", button)
            self.screen.send("mouseup", button)
        self.settle()

    @property
    def files(self) -> Part:
        """The list of files of the file browser."""
        return Part(self, "FILE_BROWSER", "WINDOW")

    def drag(self, start: tuple[int, int], dx: int) -> None:
        """Press the mouse button, move to the side, and release it."""
        self.move_to(start[0] - 2, start[1])
        self.move_to(*start)
        self.screen.send("mousedown", 1)
        for part in range(1, 6):
            self.move_to(start[0] + dx * part / 5, start[1])
        self.screen.send("mouseup", 1)
        self.settle()

    # Pictures

    def picture(self) -> Image.Image:
        """Return what the window shows, once it has stopped changing."""
        last: list[Image.Image] = [self.screen.picture()]

        def still() -> bool:
            self.settle()
            last.append(self.screen.picture())
            return last[-1].tobytes() == last.pop(0).tobytes()

        poll(still, PATIENCE_S, "the window to stop changing")
        return last[-1]

    def text_pattern(self, text: str, *, turned: bool = False) -> np.ndarray:
        """Return how Blender draws a text, (h, w), brightness; *turned* as on the tabs."""
        if (text, turned) not in self._texts:
            drawn = self.evaluate(f"text_pictures.text_picture({text!r}, turned={turned})")
            pixels = np.frombuffer(base64.b64decode(drawn["pixels"]), dtype=np.uint8)
            self._texts[text, turned] = _with_margin(pixels.reshape(drawn["height"], drawn["width"]))
        return self._texts[text, turned]

    @property
    def window(self) -> Part:
        """All that the window shows: menus and dialogs may open anywhere."""
        return Part(self)

    @property
    def sidebar(self) -> Part:
        """The sidebar of the 3D viewport."""
        return Part(self, "VIEW_3D", "UI")

    @property
    def viewport(self) -> Part:
        """The 3D viewport itself."""
        return Part(self, "VIEW_3D", "WINDOW")


def _with_margin(drawn: np.ndarray) -> np.ndarray:
    """Return what is drawn with only `MARGIN` blank pixels around it, so that nothing near it spoils the match."""
    rows, columns = (np.flatnonzero((drawn > DARK).any(axis=axis)) for axis in (1, 0))
    return np.pad(drawn[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], MARGIN)
