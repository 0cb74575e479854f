"""Several takes in the scene: a figure each, or an action each on the figures of the first; and which one is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import bpy

from ..core_access import FittedPerson
from ..figure.create import Figure, FigureOptions, check_people, key_on_figure
from ..figure.key_listeners import notify
from ..figure.scene_time import has_animation, keeps_time, show_frames
from ..figure.takes import begin_take, keep_take, push_strip, recall_take, set_action
from ..ui.redraw import redraw_viewports
from .error_colors import follow_colors
from .flag_list import fill
from .live_settings import show_applied, store_cleanup_source
from .show import plant, show, store_fit


@dataclass(frozen=True)
class FittedTake:
    """The people of one take.

    Attributes:
        name: name of the take.
        people: those who were fitted.
    """

    name: str
    people: Sequence[FittedPerson]


def add_takes(
    takes: Sequence[FittedTake], scene: bpy.types.Scene, options: FigureOptions, *, one_figure: bool, strips: bool
) -> list[Figure]:
    """Add fitted takes to *scene*; see `figure.create.add_figures`.

    Args:
        takes: the takes; with *one_figure*, all of the same people in the same shapes.
        scene: the current scene.
        options: how figures are added.
        one_figure: key each take as an action of its own on the figures of the first take, which they show; else each
            take has figures of its own.
        strips: put each action into an NLA track of its own; those of one figure follow each other.

    Returns:
        Each person of each take, in order; with *one_figure*, those of one person have the same armature.

    Raises:
        CoreError: a take cannot be added; nothing is changed.
    """
    check_people([person for take in takes for person in take.people], scene, options)
    extends = not keeps_time(scene, options.timing) or (has_animation(scene) and options.timing == "AUTO")
    begin = options.begin(scene)
    later = replace(options, timing="AUTO" if options.timing == "CLIP" else options.timing, first_frame=begin)
    first = _planted(takes[0], options)
    figures, actions = list(first), [_action(figure) for figure in first]
    for take in takes[1:]:
        if one_figure:
            added = [_add_action(*pair, scene, later) for pair in zip(first, take.people, strict=True)]
        else:
            added = _planted(take, later)
        figures += added
        actions += [_action(figure) for figure in added]
    last = max(figure.last_frame for figure in figures)
    if one_figure and len(takes) > 1:
        for figure, action in zip(first, actions, strict=False):
            choose_take(figure.armature, action)
    if strips:
        last = _push_strips(figures, actions, len(first) if one_figure else len(figures))
    if extends:
        show_frames(scene, begin, last, extend=True)
    return figures


def _planted(take: FittedTake, options: FigureOptions) -> list[Figure]:
    figures = show(take.people, take.name, options)
    plant(figures, take.people)
    return figures


def _action(figure: Figure) -> bpy.types.Action:
    return figure.armature.animation_data.action


def _add_action(figure: Figure, person: FittedPerson, scene: bpy.types.Scene, options: FigureOptions) -> Figure:
    """Key the motion of *person* on *figure* as a new take, and store its fit."""
    armature = figure.armature
    keep_take(armature)
    set_action(armature, None)
    keyed = key_on_figure(figure, person, scene, options)
    begin_take(armature)
    store_fit(keyed, person)
    show_applied(armature)
    if keyed.source is not None:
        store_cleanup_source(armature, keyed.source)
    plant([keyed], [person])
    return keyed


def _push_strips(figures: Sequence[Figure], actions: Sequence[bpy.types.Action], num_figures: int) -> int:
    """Put the *actions* into NLA tracks, those of one figure after each other; return the last frame of all."""
    ends = [figure.first_frame - 1 for figure in figures[:num_figures]]
    for number, (figure, action) in enumerate(zip(figures, actions, strict=True)):
        ends[number % num_figures] = push_strip(figure.armature, action, ends[number % num_figures] + 1)
    for figure in figures[:num_figures]:
        set_action(figure.armature, None)
    return max(ends)


def choose_take(armature: bpy.types.Object, action: bpy.types.Action) -> None:
    """Show the take with *action*, one of `figure.takes.takes_of`: its keys, live settings, errors and flags.

    Raises:
        CoreError: its record is damaged.
    """
    recall_take(armature, action)
    show_applied(armature)
    properties = armature.smplify
    properties.range_first = properties.range_last = 0
    fill(armature)
    if properties.color_by_error:
        follow_colors(armature)
    notify(armature)
    redraw_viewports()
