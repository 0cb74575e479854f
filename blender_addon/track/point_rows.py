"""The list of point names in the Track box: the body point of each point of the file, as rows that the user can edit.

The user's choices are stored with the scene as JSON; the rows show them and what else was recognised.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import bpy

from ..ui.quiet import quiet
from .session import TRACKS

if TYPE_CHECKING:
    from ..core_access import NameMap


def fill(settings: bpy.types.PropertyGroup) -> None:
    """Show the points of the file in the rows of *settings* if the list is open; no rows if it is closed."""
    points = TRACKS.recognition.names.points if TRACKS.recognition is not None and settings.show_points else ()
    given = _given_indices(settings) if points else {}
    rows = settings.points
    wanted = [(point.name, point.index or 0, point.body_point or "", point.index in given) for point in points]
    if wanted == [(row.name, row.index, row.body_point, row.is_given) for row in rows]:
        return
    with quiet(settings):
        if [item[:2] for item in wanted] != [(row.name, row.index) for row in rows]:
            rows.clear()
            for _ in wanted:
                rows.add()
            settings.point_index = 0
        for row, (name, index, body_point, is_given) in zip(rows, wanted, strict=True):
            row.name, row.index, row.body_point, row.is_given = name, index, body_point, is_given


def point_chosen(row: bpy.types.PropertyGroup) -> None:
    """Apply the user's choice for a point; another point with the same body point is then ignored."""
    from ..core_access import spelled

    settings = row.id_data.smplify.track
    if settings.quiet:
        return
    with quiet(settings):
        row.body_point, row.is_given = spelled(row.body_point) or "", True
        for other in settings.points:
            if row.body_point and other.body_point == row.body_point and other.index != row.index:
                other.body_point, other.is_given = "", True
    names = _names(settings, [row for row in settings.points if row.is_given])
    settings.point_names = json.dumps(asdict(names))


def names_of_rows(settings: bpy.types.PropertyGroup) -> NameMap:
    """Return all rows of *settings* as a name map."""
    return _names(settings, settings.points)


def stored_names(path: str) -> str:
    """Return the name map in the JSON file *path* as it is stored with a scene; empty for no path.

    Raises:
        CoreError: the file cannot be read, or is no name map.
    """
    from ..core_access import read_name_map

    return json.dumps(asdict(read_name_map(Path(bpy.path.abspath(path))))) if path else ""


def _names(settings: bpy.types.PropertyGroup, rows: list[bpy.types.PropertyGroup]) -> NameMap:
    from ..core_access import NamedPoint, NameMap

    points = tuple(NamedPoint(row.name, row.index, row.body_point or None) for row in rows)
    recognised = TRACKS.recognition
    return NameMap(points, recognised.names.layout if recognised is not None else None)


def _given_indices(settings: bpy.types.PropertyGroup) -> dict[int, str | None]:
    """Return the user's choices for the points, by index; empty if they do not fit them."""
    from ..core_access import CoreError, NameMap

    if not settings.point_names:
        return {}
    try:
        return dict(NameMap.from_json(settings.point_names).resolve(TRACKS.recordings[0]))
    except CoreError:
        return {}
