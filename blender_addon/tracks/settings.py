"""From the settings of box 1 to what they mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from .choices import CUSTOM
from .request import AUTO, TrackRequest
from .session import TRACKS

if TYPE_CHECKING:
    from ..scene_properties import SMPLIFY_PG_track


def track_request(settings: SMPLIFY_PG_track) -> TrackRequest:
    """Return what *settings* ask to be read."""

    def chosen(name: str) -> str | None:
        value = getattr(settings, name)
        return None if value == AUTO else value

    path = bpy.path.abspath(settings.filepath) if settings.filepath else ""
    return TrackRequest(
        path=path,
        layout=chosen("layout"),
        units=chosen("units"),
        up=chosen("up"),
        fps=_fps(settings),
        handedness=chosen("handedness"),
        swap_sides=settings.swap_sides,
    )


def _fps(settings: SMPLIFY_PG_track) -> float | None:
    if settings.frame_rate == AUTO:
        return None
    return settings.fps if settings.frame_rate == CUSTOM else float(settings.frame_rate)


def people_names() -> list[str]:
    """Return a name for each person that is read, in order, no two alike."""
    from ..core_access import person_labels

    labels = person_labels([reading.track for reading in TRACKS.readings])
    return [label or "person1" for label in labels]


def chosen_people(settings: SMPLIFY_PG_track) -> list[int]:
    """Return the numbers of the people whom *settings* choose among those that are read.

    A person is named by the name in `people_names` or by the number from 1; nobody is named for everyone. The answer is
    empty when there is no such person.
    """
    wanted = settings.person.strip().lower()
    everyone = list(range(len(TRACKS.readings)))
    if not wanted:
        return everyone
    names = [name.lower() for name in people_names()]
    if wanted in names:
        return [names.index(wanted)]
    return [int(wanted) - 1] if wanted.isdecimal() and 1 <= int(wanted) <= len(everyone) else []
