"""Import motions in AMASS layout as figures that can be adjusted, edited and exported like fitted ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import bpy
import numpy as np

from ..core_access import BodyData, BodyError, BodyModel, FitSource, Motion, Person, read_motion, resolve_body
from ..figure.armature import JointShape
from ..figure.create import Figure, FigureOptions, add_figures, joint_shape_of
from ..figure.keyframe_hash import mark_keys
from ..figure.record import FigureRecord, store
from ..result.live_settings import store_cleanup_source


@dataclass(frozen=True)
class MotionImport:
    """How motion files are imported.

    Attributes:
        body_file: path of a licensed body; empty for the free body.
        up_axis: "Y" or "Z"; None to use the file's, or to detect it.
        fps: frame rate, frames per second; None for the file's.
        floor: place the figures on the floor.
        mean_shape: use the mean shape where a file's betas belong to another body.
    """

    body_file: str = ""
    up_axis: str | None = None
    fps: float | None = None
    floor: bool = False
    mean_shape: bool = True


def import_motions(
    paths: Sequence[Path], scene: bpy.types.Scene, options: MotionImport
) -> tuple[list[Figure], list[str]]:
    """Add the motions of *paths* to the current *scene*, one figure each; add none if one cannot be read.

    Returns:
        The figures, and notes for the user on what differs from the files.

    Raises:
        CoreError: a file does not contain a motion, or its betas belong to another body.
    """
    body = resolve_body(options.body_file or None)
    shape = joint_shape_of(BodyModel(body))
    people, notes = [], []
    for path in paths:
        motion, note = _read(path, body, shape, options)
        people.append(Person(path.stem, motion, body))
        notes += note
    figures = add_figures(people, scene, name=paths[0].stem, options=FigureOptions(floor=options.floor))
    for figure, person, path in zip(figures, people, paths, strict=True):
        offset = figure.motion.trans[0] - person.motion.trans[0]
        source = FitSource(file=str(path), body=options.body_file)
        store(
            figure.armature,
            FigureRecord(figure.motion, figure.first_frame, source, None, person.motion.fps, offset),
        )
        mark_keys(figure.armature)
        if figure.source is not None:
            store_cleanup_source(figure.armature, figure.source)
    return figures, notes


def _read(path: Path, body: BodyData, shape: JointShape, options: MotionImport) -> tuple[Motion, list[str]]:
    """Return the motion of a file for *body*, and notes for the user."""

    def read(pelvis: Callable[[np.ndarray], np.ndarray]) -> Motion:
        return read_motion(path, up_axis=options.up_axis, fps=options.fps, rest_pelvis=pelvis)

    motion = read(lambda betas: shape.joints(betas)[0])
    if motion.body == body.name:
        return replace(motion, gender=body.gender), []
    note = f"{path.name} was made with the body {motion.body}, not with {body.name}"
    if not options.mean_shape:
        raise BodyError(f"expected betas of {body.name}, but {note}; choose the body that it was made with")
    motion = read(lambda betas: shape.joints(np.zeros_like(betas))[0])
    motion = replace(motion, betas=np.zeros_like(motion.betas), gender=body.gender, body=body.name)
    return motion, [f"{note}: its betas were left out, the figure has the mean shape"]
