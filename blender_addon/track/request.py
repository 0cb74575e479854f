"""A request to read a keypoint file, as a plain value for use on any thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..batch.inputs import is_armature

if TYPE_CHECKING:
    from ..core_access import ReadOptions

HERE = "#/"
"""What a path begins with that names an armature of the open file; with a backslash where paths have these."""
AUTO = "AUTO"
"""The menu item that leaves a property to be stated by the file or detected."""


@dataclass(frozen=True)
class TrackRequest:
    """A keypoint file and its reading options; equal requests give equal tracks.

    Attributes:
        path: absolute path of the file or folder, or `HERE` and the name of an armature; "" for none.
        given: the fields of the core's `ReadOptions` that the user gives, by name; names of points as JSON text.
    """

    path: str = ""
    given: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name for figures made from the file."""
        path = Path(self.path)
        return path.name if path.is_dir() else path.stem

    @property
    def is_armature(self) -> bool:
        """Whether Blender has to evaluate an armature to read it, instead of the core."""
        return bool(self.armature) or is_armature(Path(self.path))

    @property
    def armature(self) -> str:
        """The name of an armature of the open file, "" for a file."""
        return self.path[len(HERE) :] if self.path[: len(HERE)].replace("\\", "/") == HERE else ""

    def options(self) -> ReadOptions:
        """Return the options for the core's readers.

        Raises:
            TrackError: the names of points are damaged.
        """
        from ..core_access import NameMap, ReadOptions

        text = self.given.get("names")
        names = {} if text is None else {"names": NameMap.from_json(text, "the list of point names")}
        return ReadOptions(**{**self.given, **names})
