"""Which figures and takes go to which files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import bpy

from ..figure.takes import takes_of


@dataclass(frozen=True)
class ExportFile:
    """A file to write.

    Attributes:
        figures: the armatures of its figures.
        path: the file.
        take: the action of the take to write; None for what the figures show.
    """

    figures: Sequence[bpy.types.Object]
    path: Path
    take: bpy.types.Action | None = None


def has_takes(figures: Sequence[bpy.types.Object]) -> bool:
    """Return whether one of *figures* has several takes."""
    return any(len(takes_of(figure)) > 1 for figure in figures)


def files_to_write(
    figures: Sequence[bpy.types.Object], path: Path, *, one_each: bool, all_takes: bool
) -> list[ExportFile]:
    """Return the files of *figures*: one, one each, or one for each take of each figure.

    Names of figures and takes are appended to that of *path*; equal names get a number.
    """
    all_takes = all_takes and has_takes(figures)
    if not all_takes and not (one_each and len(figures) > 1):
        return [ExportFile(figures, path)]
    files: list[ExportFile] = []
    taken: set[str] = set()
    for figure in figures:
        for take in (takes_of(figure) if all_takes else []) or [None]:
            parts = [figure.name] if len(figures) > 1 else []
            parts += [take.name] if take is not None else []
            stem = name = "_".join((path.stem, *map(bpy.path.clean_name, parts)))
            number = 1
            while name.lower() in taken:
                number += 1
                name = f"{stem}_{number}"
            taken.add(name.lower())
            files.append(ExportFile([figure], path.with_name(f"{name}{path.suffix}"), take))
    return files
