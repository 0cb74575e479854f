"""A request to read a keypoint file, as a plain value for use on any thread."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..core_access import ReadOptions

AUTO = "AUTO"
"""The menu item that leaves a property to be stated by the file or detected."""


@dataclass(frozen=True)
class TrackRequest:
    """A keypoint file and its reading options; equal requests give equal tracks.

    Attributes:
        path: absolute path of the file or folder, "" for none.
        layout: name of one of the core's layouts, or None.
        units: "m", "cm", "mm", "in", "ft", or None.
        up: "+Y", "-Z" and so on, or None.
        fps: frame rate, frames per second, or None.
        handedness: "right", "left", or None.
        swap_sides: the file confuses left and right.
    """

    path: str = ""
    layout: str | None = None
    units: str | None = None
    up: str | None = None
    fps: float | None = None
    handedness: str | None = None
    swap_sides: bool = False

    @property
    def name(self) -> str:
        """The name for figures made from the file."""
        path = Path(self.path)
        return path.name if path.is_dir() else path.stem

    def options(self) -> ReadOptions:
        """Return the options for the core's readers."""
        from ..core_access import ReadOptions

        return ReadOptions(
            layout=self.layout,
            units=self.units,
            up=self.up,
            fps=self.fps,
            handedness=self.handedness,
            swap_sides=self.swap_sides,
        )
