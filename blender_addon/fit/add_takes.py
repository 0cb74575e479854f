"""Add the figures of several fitted takes to the scene, and say what was added."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import bpy
from bpy.app.translations import pgettext_iface as iface_

from ..result.flag_list import fill
from ..track.request import TrackRequest
from ..ui.message_terms import in_panel_words
from .takes import FittedTakes, listed

if TYPE_CHECKING:
    from ..figure.create import Figure, FigureOptions

_MOST_DOUBTS = 6


def add_fitted(done: FittedTakes, scene: bpy.types.Scene, options: FigureOptions) -> list[Figure]:
    """Add the takes as the settings of box 3 say; return the figures, each once."""
    from ..result.takes import FittedTake, add_takes

    settings = scene.smplify.fit
    takes = [FittedTake(TrackRequest(path).name, people) for path, people in done.people.items()]
    figures = add_takes(takes, scene, options, one_figure=settings.takes == "ACTIONS", strips=settings.strips)
    once = list({figure.armature: figure for figure in reversed(figures)}.values())[::-1]
    for figure in once:
        fill(figure.armature)
    return once


def what_was_added(done: FittedTakes, figures: list[Figure]) -> str:
    """Return what was added, translated: the takes with the error of their fits, and those that were refused."""
    people = [person for of_take in done.people.values() for person in of_take]
    errors = [person.report.mean_error_mm for person in people if not person.solved_by]
    names = ", ".join(figure.armature.name for figure in figures)
    text = iface_("Added {:s}: {:d} takes").format(names, len(done.people))
    if errors:
        text = iface_("{:s}, mean keypoint error {:.1f} mm").format(text, sum(errors) / len(errors))
    return f"{text}."


def refusals(done: FittedTakes) -> str:
    """Return why takes were not fitted, translated; "" if all were."""
    if not done.refused:
        return ""
    return iface_("Not fitted: {:s}.").format(in_panel_words(listed(done.refused)))


def doubts(done: FittedTakes) -> list[str]:
    """Return the doubts about the tracks, each with the name of its take."""
    found = [
        f"{Path(path).name}: {in_panel_words(doubt).rstrip('.')}."
        for path, people in done.people.items()
        for doubt in dict.fromkeys(doubt for person in people for doubt in person.track.doubts)
    ]
    more = len(found) - _MOST_DOUBTS
    return [*found[:_MOST_DOUBTS], *([iface_("And {:d} more doubts.").format(more)] if more > 0 else [])]
