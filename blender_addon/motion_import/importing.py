"""Import motions in AMASS layout, or that other tools solved, as figures that can be adjusted like fitted ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import bpy
import numpy as np

from ..core_access import (
    DEFAULT_HANDS,
    HANDS,
    BodyData,
    BodyError,
    BodyModel,
    FitSource,
    Motion,
    MotionError,
    Person,
    ReadOptions,
    is_amass,
    on_skeleton,
    person_labels,
    read_all,
    read_motion,
    resolve_body,
)
from ..figure.armature import JointShape
from ..figure.correctives import add_correctives
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
        hands: how fingers are held that a file does not show, a key of `core.fingers.HANDS`.
    """

    body_file: str = ""
    up_axis: str | None = None
    fps: float | None = None
    floor: bool = False
    mean_shape: bool = True
    hands: str = DEFAULT_HANDS


def import_motions(
    paths: Sequence[Path], scene: bpy.types.Scene, options: MotionImport
) -> tuple[list[Figure], list[str]]:
    """Add the motions of *paths* to the current *scene*, one figure per person; add none if one cannot be read.

    Returns:
        The figures, and notes for the user on what differs from the files.

    Raises:
        CoreError: a file does not contain a motion, or its betas belong to another body.
    """
    body = resolve_body(options.body_file or None, fingers=True)
    shape = joint_shape_of(BodyModel(body))
    people, notes, files = [], [], []
    for path in paths:
        if path.suffix.lower() == ".npz" and is_amass(path):
            motion, note = _read(path, body, shape, options)
            found = [Person(path.stem, motion, body)]
        else:
            found, note = _read_solved(path, body, options)
        people += [
            replace(person, motion=on_skeleton(person.motion, body.skeleton, HANDS[options.hands])) for person in found
        ]
        notes += note
        files += [path] * len(found)
    figures = add_figures(people, scene, name=paths[0].stem, options=FigureOptions(floor=options.floor))
    for figure, person, path in zip(figures, people, files, strict=True):
        add_correctives(figure.armature, body)
        offset = figure.motion.trans[0] - person.motion.trans[0]
        source = FitSource(file=str(path), body=options.body_file, hands=options.hands)
        store(
            figure.armature,
            FigureRecord(
                figure.motion, figure.first_frame, source, None, person.motion.fps, offset, start_s=person.start_s
            ),
        )
        mark_keys(figure.armature)
        if figure.source is not None:
            store_cleanup_source(figure.armature, figure.source)
    return figures, notes


def _read(path: Path, body: BodyData, shape: JointShape, options: MotionImport) -> tuple[Motion, list[str]]:
    """Return the motion of a file for *body*, and notes for the user."""

    def read(pelvis: Callable[[np.ndarray], np.ndarray]) -> Motion:
        return read_motion(path, up_axis=options.up_axis, fps=options.fps, rest_pelvis=pelvis, fingers=True)

    motion = read(lambda betas: shape.joints(betas)[0])
    if motion.body == body.name:
        return replace(motion, gender=body.gender), []
    note = f"{path.name} was made with the body {motion.body}, not with {body.name}"
    if not options.mean_shape:
        raise BodyError(f"expected betas of {body.name}, but {note}; choose the body that it was made with")
    motion = read(lambda betas: shape.joints(np.zeros_like(betas))[0])
    motion = replace(motion, betas=np.zeros_like(motion.betas), gender=body.gender, body=body.name)
    return motion, [f"{note}: its betas were left out, the figure has the mean shape"]


def _read_solved(path: Path, body: BodyData, options: MotionImport) -> tuple[list[Person], list[str]]:
    """Return the people of a file of another tool on *body*, and notes for the user."""
    readings = read_all(path, ReadOptions(up=options.up_axis, fps=options.fps))
    people: list[Person] = []
    notes: list[str] = []
    for reading, label in zip(readings, person_labels([reading.track for reading in readings]), strict=True):
        solved = reading.solved
        if solved is None:
            raise MotionError(f"expected a motion, found keypoints in {path}; import them in box 1, and fit them")
        if not options.mean_shape and solved.body != body.name:
            raise BodyError(
                f"expected betas of {body.name}, but {path.name} was made with the body {solved.body}; choose the body "
                "that it was made with"
            )
        motion = solved.motion_on(body, reading.track.fps)
        name = f"{path.stem}_{label}" if label else path.stem
        people.append(Person(name, motion, body, start_s=reading.track.start_s))
        notes += reading.doubts
        if solved.betas.any() and solved.body != body.name:
            notes.append(f"{path.name} was made with the body {solved.body}: the figure has the mean shape")
    return people, list(dict.fromkeys(notes))
