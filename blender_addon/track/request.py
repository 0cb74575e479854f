"""What is to be read, as a plain value that a thread may hold."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..core_access import ReadOptions

AUTO = "AUTO"
"""The choice in every menu that leaves a property to the file and its data."""


@dataclass(frozen=True)
class TrackRequest:
    """A keypoint file and what the user says about it; two that are equal read the same.

    Attributes:
        path: absolute path of the file or folder, "" for none.
        layout: a name of the core's layouts, or None.
        units: "m", "cm", "mm", "in", "ft", or None.
        up: "+Y", "-Z" and so on, or None.
        fps: frames a second, or None.
        handedness: "right", "left", or None.
        swap_sides: the file names left points right and right points left.
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
        """What figures made from it are called."""
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
