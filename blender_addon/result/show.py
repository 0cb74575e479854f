"""Show fitted people: figures in the scene that keep the result of their fit."""

from __future__ import annotations

from collections.abc import Sequence

import bpy

from ..core_access import FittedPerson
from ..figure.create import Figure, FigureOptions, add_figures
from ..figure.keyframe_hash import mark_keys
from ..figure.record import FigureRecord, store
from .error_curve import key_errors
from .live_settings import store_cleanup_source


def show(fitted: Sequence[FittedPerson], name: str, options: FigureOptions | None = None) -> list[Figure]:
    """Add fitted people to the current scene, in a new collection; see `figure.create.add_figures`."""
    figures = add_figures(fitted, bpy.context.scene, name=name, options=options)
    for figure, person in zip(figures, fitted, strict=True):
        store_fit(figure, person)
        if figure.source is not None:
            store_cleanup_source(figure.armature, figure.source)
    return figures


def store_fit(figure: Figure, person: FittedPerson) -> None:
    """Store the result of the fit with a new figure; must be called after the figure is added to a scene."""
    record = FigureRecord(
        motion=figure.motion,
        first_frame=figure.first_frame,
        source=person.source,
        report=None if person.solved_by else person.report,
        track_fps=person.track.fps,
        offset=figure.motion.trans[0] - person.motion.trans[0],
    )
    store(figure.armature, record)
    key_errors(figure.armature, record)
    mark_keys(figure.armature)
