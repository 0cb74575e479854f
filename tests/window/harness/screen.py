"""A screen without a monitor (Xvfb), a mouse and a keyboard on it (xdotool), and pictures of it."""

from __future__ import annotations

import os
import subprocess
from types import TracebackType

from PIL import Image, ImageGrab

TOOLS = ("Xvfb", "xdotool")


class Screen:
    """A virtual screen, for use in a with statement.

    Attributes:
        width: in pixels.
        height: in pixels.
        display: its X name, such as ":91".
    """

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        read, write = os.pipe()
        size = ("-screen", "0", f"{width}x{height}x24", "-dpi", "96")
        self._process = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write), *size, "+extension", "GLX", "-nolisten", "tcp"],
            pass_fds=[write], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(write)
        with os.fdopen(read) as stream:
            number = stream.readline().strip()  # comes when the server accepts connections; empty if it died
        if not number:
            raise RuntimeError(f"Xvfb did not start; its exit code is {self._process.wait(timeout=20)}")
        self.display = f":{number}"

    def __enter__(self) -> Screen:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.terminate()
        self._process.wait(timeout=20)

    def picture(self) -> Image.Image:
        """Return what the screen shows now."""
        return ImageGrab.grab(xdisplay=self.display).convert("RGB")

    def send(self, *arguments: object) -> None:
        """Let xdotool do something with mouse or keyboard."""
        environment = {**os.environ, "DISPLAY": self.display}
        subprocess.run(["xdotool", *map(str, arguments)], env=environment, check=True, timeout=30)
