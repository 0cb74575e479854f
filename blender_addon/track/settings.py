"""Convert the settings of box 1 to requests and choices."""

from __future__ import annotations

import bpy

from .choices import CUSTOM
from .persons import choose, names_of
from .request import AUTO, TrackRequest
from .session import TRACKS

GROUPS = ";"
"""What divides groups of people who are one person each."""


def track_request(settings: bpy.types.PropertyGroup) -> TrackRequest:
    """Return the reading request of *settings*."""

    path = bpy.path.abspath(settings.filepath) if settings.filepath else ""
    given = {name: getattr(settings, name) for name in ("layout", "units", "up", "handedness", "swap_sides")}
    given |= {
        "fps": _fps(settings),
        "stature": settings.statures.strip() or settings.stature or None,
        "names": settings.point_names or None,
    }
    given |= {"join": tuple(filter(None, map(str.strip, settings.join.split(GROUPS)))) or None}
    given |= {"static": bpy.path.abspath(settings.static) if settings.static else None}
    return TrackRequest(path, {name: value for name, value in given.items() if value not in (AUTO, None, False)})


def take_requests(settings: bpy.types.PropertyGroup) -> list[TrackRequest]:
    """Return the reading requests of the file and of all further takes, each file once."""
    first = track_request(settings)
    paths = dict.fromkeys([first.path, *(bpy.path.abspath(take.path) for take in settings.takes)])
    return [TrackRequest(path, first.given) for path in paths]


def _fps(settings: bpy.types.PropertyGroup) -> float | None:
    if settings.frame_rate == AUTO:
        return None
    return settings.fps if settings.frame_rate == CUSTOM else float(settings.frame_rate)


def people_names() -> list[str]:
    """Return a unique name for each person of the tracks, in order."""
    return names_of([reading.track for reading in TRACKS.readings])


def chosen_people(settings: bpy.types.PropertyGroup) -> list[int]:
    """Return the indices of the people that *settings* choose; empty for an unknown person."""
    return choose(settings.person, people_names())
