"""An animated figure in the scene: armature, skinned mesh, keys, all in a collection of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import bpy
import numpy as np

from ..core_access import NUM_BETAS, BodyModel, CleanupSource, Motion
from .animation import key_motion
from .armature import JointShape, create_armature, move_rest_joints
from .body_mesh import body_mesh_of, check_betas, create_body_mesh, set_shape_values
from .placing import Person, Place, shape_of
from .scene_time import has_animation, scene_rate, set_scene_rate, show_frames


@dataclass(frozen=True, eq=False)
class Figure:
    """One person in the scene.

    Attributes:
        armature: carries the action.
        mesh: the skinned body.
        motion: what the keys say: on the floor if that was asked for, at the scene's frame rate.
        first_frame: where the motion begins.
        source: the motion prepared for the clean-up, where its floor was looked for; else None.
    """

    armature: bpy.types.Object
    mesh: bpy.types.Object
    motion: Motion
    first_frame: int
    source: CleanupSource | None


@dataclass(frozen=True)
class FigureOptions:
    """How figures are put into the scene.

    Attributes:
        floor: move each clip so that the floor its feet stand on is at height 0.
        first_frame: where the clips begin; None is the scene's first frame, or 1 in a scene that had no animation.
    """

    floor: bool = True
    first_frame: int | None = None


def add_figures(
    people: Sequence[Person], scene: bpy.types.Scene, *, name: str, options: FigureOptions | None = None
) -> list[Figure]:
    """Put *people* into *scene*, in a new collection called *name*.

    A scene in which nothing is animated yet takes the clip's frame rate and range. In any other the rate stays, the
    motions are resampled to it by time, and the range is only ever widened. Called in any mode; active object,
    selection, mode and current frame stay.

    Args:
        people: who; all at one frame rate, else each is resampled to the first one's.
        scene: must be the current scene.
        name: of the collection; Blender makes it unique.
        options: see `FigureOptions`.

    Returns:
        One figure a person, in order.

    Raises:
        CoreError: a person has a shape that Blender cannot hold; nothing is changed.
    """
    for person in people:
        check_betas(shape_of(person.motion))
    options = options or FigureOptions()
    shared = has_animation(scene)
    if not shared:
        set_scene_rate(scene, people[0].motion.fps)
    first = options.first_frame
    if first is None:
        first = scene.frame_start if shared else 1
    collection = bpy.data.collections.new(name)
    scene.collection.children.link(collection)
    place = Place(scene_rate(scene), options.floor)
    figures = [_add_figure(person, place, collection, first_frame=first) for person in people]
    last = max(first + figure.motion.num_frames - 1 for figure in figures)
    show_frames(scene, first, last, extend=shared)
    return figures


def _add_figure(person: Person, place: Place, collection: bpy.types.Collection, *, first_frame: int) -> Figure:
    placed = person.placed_at(place)
    motion = placed.motion
    shape = joint_shape_of(BodyModel(person.body))
    armature = create_armature(person.name, shape, motion.betas, collection)
    mesh = create_body_mesh(f"{person.name} body", person.body, motion.betas, armature, collection)
    key_motion(armature, motion, first_frame=first_frame)
    return Figure(armature, mesh, motion, first_frame, placed.source)


def joint_shape_of(model: BodyModel) -> JointShape:
    """Return how the joints of *model* depend on its betas."""
    template = model.rest_joints(np.zeros(NUM_BETAS, dtype=np.float32))
    return JointShape(np.asarray(template, dtype=np.float64), np.asarray(model.joint_dirs, dtype=np.float64))


def set_betas(armature: bpy.types.Object, betas: np.ndarray) -> None:
    """Give a figure another shape: the shape keys of its mesh, and the rest pose and bones that follow them.

    The keys stay as they are and stay exact: the same pose on the new shape. The height of the pelvis over the floor is
    not adapted. Called in any mode; active object, selection and mode are restored.

    Args:
        armature: of an imported figure.
        betas: (10,), each between -10 and 10.

    Raises:
        CoreError: the armature is not one of an imported figure.
        ValueError: the betas have another shape.
    """
    betas = np.asarray(betas, dtype=np.float64)
    if betas.shape != (NUM_BETAS,):
        raise ValueError(f"expected betas ({NUM_BETAS},), got {betas.shape}")
    mesh = body_mesh_of(armature)
    move_rest_joints(armature, betas)
    set_shape_values(mesh, betas)
