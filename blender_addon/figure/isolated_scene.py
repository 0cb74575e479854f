"""What exporters are shown: a scene of its own that holds only the figures, their shape in the vertices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import bpy
import numpy as np

from .animation import frames_of
from .body_mesh import SHAPE_KEYS, body_mesh_of


def played_frames(armature: bpy.types.Object) -> tuple[int, int]:
    """Return the first and last frame of all that *armature* does: its action, and the strips of its NLA tracks.

    Raises:
        CoreError: it is not animated.
    """
    animation = armature.animation_data
    tracks = [] if animation is None else [track for track in animation.nla_tracks if not track.mute]
    strips = [strip for track in tracks for strip in track.strips if not strip.mute]
    if not strips:
        return frames_of(armature)
    ranges = [(strip.frame_start, strip.frame_end) for strip in strips]
    if animation.action is not None:
        ranges.append(tuple(animation.action.frame_range))
    return int(np.floor(min(first for first, _ in ranges))), int(np.ceil(max(last for _, last in ranges)))


def whole_range(armatures: Sequence[bpy.types.Object]) -> tuple[int, int]:
    """Return the first and last frame of all that *armatures* do.

    Raises:
        CoreError: one is not animated.
    """
    ranges = [played_frames(armature) for armature in armatures]
    return min(first for first, _ in ranges), max(last for _, last in ranges)


@contextmanager
def stage_of(
    players: Sequence[bpy.types.Object], scene: bpy.types.Scene, *, name: str, frames: tuple[int, int]
) -> Iterator[bpy.types.Scene]:
    """Yield a scene that holds only *players*, selected, while it is the context's scene.

    Args:
        players: the objects, the active one first.
        scene: whose frame rate it plays at; its current frame is restored.
        name: of the new scene, which some formats give to the clip.
        frames: the first and last frame.
    """
    stage = bpy.data.scenes.new(name)
    try:
        stage.render.fps = scene.render.fps
        stage.render.fps_base = scene.render.fps_base
        stage.frame_start, stage.frame_end = frames
        layer = stage.view_layers[0]
        for item in players:
            stage.collection.objects.link(item)
            item.select_set(True, view_layer=layer)
        layer.objects.active = players[0]
        with bpy.context.temp_override(
            scene=stage, view_layer=layer, object=players[0], active_object=players[0], selected_objects=players
        ):
            stage.frame_set(stage.frame_start)
            yield stage
    finally:
        bpy.data.scenes.remove(stage)
        scene.frame_set(scene.frame_current, subframe=scene.frame_subframe)


@contextmanager
def shape_in_vertices(armatures: Sequence[bpy.types.Object]) -> Iterator[None]:
    """Give the figures meshes without shape keys, in the shape that the keys stand at, for the time being."""
    swapped: list[tuple[bpy.types.Object, bpy.types.Mesh, str]] = []
    try:
        for armature in armatures:
            figure = body_mesh_of(armature)
            mesh, name = figure.data, figure.data.name
            shaped = shaped_mesh(mesh)
            swapped.append((figure, mesh, name))
            mesh.name = f"{name} keys"
            figure.data = shaped
            shaped.name = name
        yield
    finally:
        for figure, mesh, name in swapped:
            shaped, figure.data = figure.data, mesh
            if shaped != mesh:
                bpy.data.meshes.remove(shaped)
            mesh.name = name


def shaped_mesh(mesh: bpy.types.Mesh) -> bpy.types.Mesh:
    """Return a copy of *mesh* with the shape of its keys in the vertices."""
    keys = mesh.shape_keys.key_blocks
    basis = np.empty(3 * len(mesh.vertices), dtype=np.float32)
    keys[0].data.foreach_get("co", basis)
    shaped = basis.astype(np.float64)
    column = np.empty_like(basis)
    for name in SHAPE_KEYS:
        keys[name].data.foreach_get("co", column)
        shaped += keys[name].value * (column.astype(np.float64) - basis)
    copy = mesh.copy()
    holder = bpy.data.objects.new("SMPLify export", copy)
    unused = copy.shape_keys.name
    holder.shape_key_clear()
    bpy.data.objects.remove(holder)
    left = bpy.data.shape_keys.get(unused)  # some versions free it, others leave it without a user
    if left is not None:
        bpy.data.batch_remove((left,))
    copy.vertices.foreach_set("co", shaped.astype(np.float32))
    copy.update()
    return copy
