"""Add animated figures to the scene: armature, skinned mesh and keys, in a new collection."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import bpy
import numpy as np

from ..core_access import (
    NUM_BETAS,
    BodyData,
    BodyModel,
    CleanupSource,
    CoreError,
    Motion,
    MotionError,
    Person,
    Place,
    shape_of,
)
from ..ui.property_options import MAX_FRAME
from .animation import key_motion
from .armature import JointShape, create_armature, move_rest_joints, pose_bones, rest_matrices
from .axes import bone_from_core
from .body_mesh import body_mesh_of, check_betas, create_body_mesh, set_shape_values
from .scene_time import has_animation, keeps_time, scene_rate, set_scene_rate, show_frames
from .units import scale_from_metres


@dataclass(frozen=True, eq=False)
class Figure:
    """One person in the scene.

    Attributes:
        armature: the armature object, which has the action.
        mesh: the skinned body.
        motion: the keyed motion: at the scene's frame rate, and on the floor if requested.
        first_frame: scene frame at which the motion begins.
        source: the clean-up's analysis of the motion if its floor was detected, else None.
        own_fps: frame rate of the motion before it was resampled to the scene's, frames per second.
    """

    armature: bpy.types.Object
    mesh: bpy.types.Object
    motion: Motion
    first_frame: int
    source: CleanupSource | None
    own_fps: float

    @property
    def last_frame(self) -> int:
        """Scene frame at which the motion ends."""
        return self.first_frame + self.motion.num_frames - 1


@dataclass(frozen=True)
class FigureOptions:
    """How figures are added to the scene.

    Attributes:
        floor: move each clip vertically so that the floor under its feet is at height 0.
        timing: whose frame rate and range the scene has then, one of `scene_time.TIMINGS`.
        first_frame: scene frame at which the clips begin; None for the scene's first frame, or 1 in a scene that takes
            the clip's time.
        as_recorded: each clip begins as late after that frame as its track begins in its recording.
    """

    floor: bool = True
    timing: str = "AUTO"
    first_frame: int | None = None
    as_recorded: bool = False

    def begin(self, scene: bpy.types.Scene) -> int:
        """Return the frame of *scene* at which a clip begins, or its recording (`as_recorded`), once it is added."""
        if self.first_frame is not None:
            return self.first_frame
        return scene.frame_start if keeps_time(scene, self.timing) else 1

    def lead(self, start_s: float, rate: float) -> int:
        """Return how many frames after `begin` a clip begins that starts at *start_s* of its recording."""
        return round(start_s * rate) if self.as_recorded else 0


def add_figures(
    people: Sequence[Person], scene: bpy.types.Scene, *, name: str, options: FigureOptions | None = None
) -> list[Figure]:
    """Add *people* to *scene*, in a new collection called *name*.

    A scene as Blender starts with takes the clip's frame rate and range. Otherwise the scene's are kept and the motions
    are resampled to them; the options may overrule this, see `scene_time.TIMINGS`. The collection goes into the active
    one. May be called in any mode; active object, selection, mode and current frame are kept.

    Args:
        people: the people; if their frame rates differ, all are resampled to that of the first.
        scene: the current scene.
        name: name of the collection; Blender makes it unique.
        options: see `FigureOptions`.

    Returns:
        One figure per person, in order.

    Raises:
        CoreError: a person's betas are outside the range of a shape key, or motion and body have different skeletons;
            nothing is changed.
    """
    options = options or FigureOptions()
    firsts, rate = check_people(people, scene, options)
    kept, animated, begin = keeps_time(scene, options.timing), has_animation(scene), options.begin(scene)
    if not kept:
        set_scene_rate(scene, rate)
    collection = _new_collection(name, scene)
    place = Place(scene_rate(scene), options.floor)
    figures = [
        _add_figure(person, place, collection, first_frame=first) for person, first in zip(people, firsts, strict=True)
    ]
    for figure in figures:
        scale_from_metres(figure.armature, scene)
    last = max(figure.last_frame for figure in figures)
    if not kept or (animated and options.timing == "AUTO"):
        show_frames(scene, begin, last, extend=kept)
    return figures


def check_people(people: Sequence[Person], scene: bpy.types.Scene, options: FigureOptions) -> tuple[list[int], float]:
    """Return the scene frame at which each person's motion would begin, and the frame rate that *scene* would have.

    Raises:
        CoreError: see `add_figures`.
    """
    for person in people:
        check_betas(shape_of(person.motion))
        body = f"body {person.body.name!r}"
        person.body.skeleton.check_same(person.motion.skeleton, of=f"the motion of {person.name!r}", as_in=body)
    rate = scene_rate(scene) if keeps_time(scene, options.timing) else people[0].motion.fps
    firsts = [options.begin(scene) + options.lead(person.start_s, rate) for person in people]
    _check_frames(people, firsts, rate)
    return firsts, rate


def key_on_figure(figure: Figure, person: Person, scene: bpy.types.Scene, options: FigureOptions) -> Figure:
    """Key the motion of *person* on the armature of *figure*, which has no action, at the rate of *scene*.

    Args:
        figure: a figure of the same body in the same shape.
        person: the person.
        scene: the scene of the figure.
        options: how figures are added; rate and range of the scene are kept.

    Returns:
        The figure with that motion; its action is called as the person.

    Raises:
        CoreError: the motion ends after Blender's last frame, or has another skeleton.
    """
    kept = replace(options, timing="SCENE")
    (first,), rate = check_people([person], scene, kept)
    placed = person.placed_at(Place(rate, options.floor))
    for bone in figure.armature.pose.bones:  # bones without keys would keep the pose of another action
        bone.location, bone.rotation_quaternion = (0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0)
    key_motion(figure.armature, placed.motion, first_frame=first).name = person.name
    return Figure(figure.armature, figure.mesh, placed.motion, first, placed.source, person.motion.fps)


def _check_frames(people: Sequence[Person], firsts: Sequence[int], rate: float) -> None:
    """Raise `MotionError` if a motion that begins at a frame of *firsts* would not end before Blender's last frame."""
    for person, first in zip(people, firsts, strict=True):
        last = first + math.ceil(person.motion.num_frames * rate / person.motion.fps)
        if first < -MAX_FRAME or last > MAX_FRAME:
            raise MotionError(
                f"expected the motion of {person.name!r} between Blender's frames -{MAX_FRAME} and {MAX_FRAME}, got "
                f"{first} to {last}; let it begin at another frame"
            )


def _new_collection(name: str, scene: bpy.types.Scene) -> bpy.types.Collection:
    """Return a new collection in the active one, or in that of *scene* where nothing in the active one can be edited.

    Bones are edited in the view layer, so an active collection that is excluded or hidden cannot hold a new figure.
    """
    collection = bpy.data.collections.new(name)
    active = bpy.context.view_layer.active_layer_collection
    usable = bpy.context.scene == scene and active.is_visible and active.collection.library is None
    (active.collection if usable else scene.collection).children.link(collection)
    return collection


def _add_figure(person: Person, place: Place, collection: bpy.types.Collection, *, first_frame: int) -> Figure:
    placed = person.placed_at(place)
    motion = placed.motion
    model = BodyModel(person.body) if placed.source is None else placed.source.model
    armature = create_armature(person.name, joint_shape_of(model), motion.betas, collection)
    mesh = create_body_mesh(f"{person.name} body", person.body, motion.betas, armature, collection)
    key_motion(armature, motion, first_frame=first_frame)
    return Figure(armature, mesh, motion, first_frame, placed.source, person.motion.fps)


def add_at_rest(name: str, body: BodyData, scene: bpy.types.Scene) -> bpy.types.Object:
    """Add a figure of the mean shape of *body* to *scene*, in a new collection, at rest on the floor, without keys.

    May be called in any mode; active object, selection and mode are kept.

    Returns:
        Its armature.
    """
    collection, betas = _new_collection(name, scene), np.zeros(NUM_BETAS)
    armature = create_armature(name, joint_shape_of(BodyModel(body)), betas, collection)
    create_body_mesh(f"{name} body", body, betas, armature, collection)
    rise = np.array([0.0, -float(body.v_template[:, 1].min()), 0.0])
    pose_bones(armature)[0].location = (bone_from_core(rest_matrices(armature))[0] @ rise).tolist()
    scale_from_metres(armature, scene)
    return armature


def joint_shape_of(model: BodyModel) -> JointShape:
    """Return the rest joints of *model* as a function of its betas."""
    template = np.asarray(model.rest_joints(np.zeros(NUM_BETAS, dtype=np.float32)), dtype=np.float64)
    return JointShape(template, np.asarray(model.joint_dirs, dtype=np.float64), model.skeleton)


def set_betas(armature: bpy.types.Object, betas: np.ndarray) -> None:
    """Change the shape of a figure: the shape keys of its mesh and the rest pose of its bones.

    The animation keys are not changed and stay exact: the same pose on the new shape. The height of the pelvis above
    the floor is not adapted. May be called in any mode; active object, selection and mode are restored.

    Args:
        armature: the armature of an imported figure.
        betas: (10,), each between -10 and 10.

    Raises:
        CoreError: the armature does not belong to an imported figure, or is linked from another file.
        ValueError: *betas* has the wrong shape.
    """
    betas = np.asarray(betas, dtype=np.float64)
    if betas.shape != (NUM_BETAS,):
        raise ValueError(f"expected betas ({NUM_BETAS},), got {betas.shape}")
    mesh = body_mesh_of(armature)
    if armature.data.library is not None or armature.data.override_library is not None:
        raise CoreError(
            f"expected a figure of this file, but the bones of {armature.name!r} are linked from another one; change "
            "its shape there, or make it local (Object > Relations > Make Local)"
        )
    move_rest_joints(armature, betas)
    set_shape_values(mesh, betas)
