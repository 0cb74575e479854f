"""Motions in AMASS layout as figures that can be adjusted, edited and exported like fitted ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import bpy
import numpy as np

from ..core_access import BodyData, BodyError, BodyModel, Motion, read_motion, resolve_body
from ..figure.armature import JointShape
from ..figure.create import Figure, FigureOptions, add_figures, joint_shape_of
from ..figure.keyframe_hash import mark_keys
from ..figure.placing import Person
from ..figure.record import FigureRecord, FitSource, keep
from ..result.live_settings import take_prepared


@dataclass(frozen=True)
class MotionImport:
    """How motion files are read.

    Attributes:
        body_file: a licensed body; empty for the free body.
        up_axis: "Y" or "Z"; None for what the file says or shows.
        fps: frames a second; None for the file's.
        floor: stand the figures on the floor.
        mean_shape: give the free body its mean shape where a file's betas are those of another body.
    """

    body_file: str = ""
    up_axis: str | None = None
    fps: float | None = None
    floor: bool = False
    mean_shape: bool = True


def import_motions(paths: Sequence[Path], scene: bpy.types.Scene, how: MotionImport) -> tuple[list[Figure], list[str]]:
    """Put the motions of *paths* into *scene*, the current one, a figure each; nothing where one cannot be read.

    Returns:
        The figures, and notes for the user on what is other than the file says.

    Raises:
        CoreError: a file is no such motion, or its betas are of another body.
    """
    body = resolve_body(how.body_file or None)
    shape = joint_shape_of(BodyModel(body))
    people, notes = [], []
    for path in paths:
        motion, note = _read(path, body, shape, how)
        people.append(Person(path.stem, motion, body))
        notes += note
    figures = add_figures(people, scene, name=paths[0].stem, options=FigureOptions(floor=how.floor))
    for figure, person, path in zip(figures, people, paths, strict=True):
        offset = figure.motion.trans[0] - person.motion.trans[0]
        source = FitSource(file=str(path), body=how.body_file)
        keep(
            figure.armature,
            FigureRecord(figure.motion, figure.first_frame, source, None, person.motion.fps, offset),
        )
        mark_keys(figure.armature)
        if figure.source is not None:
            take_prepared(figure.armature, figure.source)
    return figures, notes


def _read(path: Path, body: BodyData, shape: JointShape, how: MotionImport) -> tuple[Motion, list[str]]:
    """Return a file's motion for *body*, and notes."""

    def read(pelvis: Callable[[np.ndarray], np.ndarray]) -> Motion:
        return read_motion(path, up_axis=how.up_axis, fps=how.fps, rest_pelvis=pelvis)

    motion = read(lambda betas: shape.joints(betas)[0])
    if motion.body == body.name:
        return replace(motion, gender=body.gender), []
    note = f"{path.name} was made with the body {motion.body}, not with {body.name}"
    if not how.mean_shape:
        raise BodyError(f"expected betas of {body.name}, but {note}; choose the body that it was made with")
    motion = read(lambda betas: shape.joints(np.zeros_like(betas))[0])
    motion = replace(motion, betas=np.zeros_like(motion.betas), gender=body.gender, body=body.name)
    return motion, [f"{note}: its betas were left out, the figure has the mean shape"]
