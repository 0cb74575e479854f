"""Read an animated armature in the core's terms: the pose of its bones in each frame. F frames, B bones.

The armature is evaluated in a temporary scene of its own, so that constraints, drivers and NLA tracks
count, but the meshes and other characters of the user's scene are not evaluated in every frame.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import bpy
import numpy as np

from ..core_access import ArmatureMotion
from ..figure.axes import Z_UP_FROM_Y_UP
from ..figure.scene_time import scene_rate
from ..figure.units import metres_per_unit
from .errors import CharacterError
from .read_rig import rotation_of


def animated_frames(armature: bpy.types.Object) -> range:
    """Return the frames of the action of *armature*, or of its NLA strips.

    Raises:
        CharacterError: it has neither.
    """
    animation = armature.animation_data
    ends: list[tuple[float, float]] = []
    if animation is not None and animation.action is not None:
        ends = [tuple(animation.action.frame_range)]
    elif animation is not None and animation.use_nla:
        strips = [strip for track in animation.nla_tracks if not track.mute for strip in track.strips if not strip.mute]
        ends = [(strip.frame_start, strip.frame_end) for strip in strips]
    if not ends:
        raise CharacterError(f"expected an animated armature, but {armature.name} has no action; give it one")
    return range(round(min(start for start, _ in ends)), round(max(end for _, end in ends)) + 1)


def read_animation(armature: bpy.types.Object, bones: list[str], frames: range) -> ArmatureMotion:
    """Return where *bones* of *armature* are in the *frames* of the scene.

    Args:
        armature: the armature object; nothing of it is changed, and the scene stays at its frame.
        bones: names of its bones.
        frames: consecutive frames.

    Raises:
        CharacterError: the armature is edited, shows its rest pose, or is hidden, so that it does not move.
        RigError: its object is scaled unevenly, sheared or mirrored, or a frame has bones with undefined positions.
    """
    if armature.data.is_editmode:
        raise CharacterError(f"expected {armature.name} to move, but it is being edited; leave Edit Mode")
    if armature.data.pose_position == "REST":
        raise CharacterError(f"expected {armature.name} in its pose, but it shows its rest position; switch it to Pose")
    if armature.hide_viewport:
        raise CharacterError(f"expected {armature.name} to move, but it is disabled in viewports; enable it there")
    chosen = [armature.pose.bones.find(name) for name in bones]
    matrices = np.empty((len(frames), len(chosen), 4, 4), dtype=np.float32)
    places = np.empty((len(frames), 4, 4))
    everything = np.empty(16 * len(armature.pose.bones), dtype=np.float32)
    with _alone(armature) as scene:
        for number, frame in enumerate(frames):
            scene.frame_set(frame)
            posed = armature.evaluated_get(scene.view_layers[0].depsgraph)
            posed.pose.bones.foreach_get("matrix", everything)
            matrices[number] = everything.reshape(-1, 4, 4)[chosen]
            places[number] = posed.matrix_world
    columns = matrices.swapaxes(2, 3).astype(np.float64)  # Blender's arrays hold matrices column by column
    rotation_of(places[0], armature.name)
    world = places[:, None] @ columns
    axes = world[..., :3, :3] / np.maximum(np.linalg.norm(world[..., :3, :3], axis=-2, keepdims=True), 1e-12)
    heads = metres_per_unit(bpy.context.scene) * world[..., :3, 3] @ Z_UP_FROM_Y_UP
    return ArmatureMotion(tuple(bones), Z_UP_FROM_Y_UP.T @ axes, heads, scene_rate(bpy.context.scene))


@contextmanager
def _alone(armature: bpy.types.Object) -> Iterator[bpy.types.Scene]:
    """Temporarily use a scene that contains only *armature*; what it depends on is evaluated with it."""
    scene = bpy.data.scenes.new("reading")
    try:
        scene.collection.objects.link(armature)
        yield scene
    finally:
        bpy.data.scenes.remove(scene)
