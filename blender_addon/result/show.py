"""Show fitted people: figures in the scene that keep the result of their fit."""

from __future__ import annotations

from collections.abc import Sequence

import bpy

from ..core_access import PLANTED, FittedPerson
from ..figure.correctives import add_correctives
from ..figure.create import Figure, FigureOptions, add_figures
from ..figure.keyframe_hash import mark_keys
from ..figure.record import FigureRecord, store
from .error_curve import key_errors
from .live_settings import adjust, store_cleanup_source


def show(fitted: Sequence[FittedPerson], name: str, options: FigureOptions | None = None) -> list[Figure]:
    """Add fitted people to the current scene, in a new collection, with their pose correctives; see `add_figures`."""
    figures = add_figures(fitted, bpy.context.scene, name=name, options=options)
    for figure, person in zip(figures, fitted, strict=True):
        if person.source.fit.get("pose_correctives", True):
            add_correctives(figure.armature, person.body)
        store_fit(figure, person)
        if figure.source is not None:
            store_cleanup_source(figure.armature, figure.source)
    return figures


def plant(figures: Sequence[Figure], fitted: Sequence[FittedPerson]) -> None:
    """Start the live settings of new figures on the floor with what a batch does: feet locked, soles on the floor.

    A figure that was not put on the floor, and one whose feet never stand, keep the fit.

    Raises:
        CoreError: a figure's body cannot be read.
    """
    for figure, person in zip(figures, fitted, strict=True):
        if figure.source is not None and figure.source.holds is not None:
            adjust(figure.armature, PLANTED.without_place() if person.track.root_relative else PLANTED)


def store_fit(figure: Figure, person: FittedPerson) -> None:
    """Store the result of the fit with a new figure; must be called after the figure is added to a scene."""
    record = FigureRecord(
        motion=figure.motion,
        first_frame=figure.first_frame,
        source=person.source,
        report=None if person.solved_by else person.report,
        track_fps=person.track.fps,
        offset=figure.motion.trans[0] - person.motion.trans[0],
        start_s=person.start_s,
    )
    store(figure.armature, record)
    key_errors(figure.armature, record)
    mark_keys(figure.armature)
