"""A temporary scene for exporters that contains only the figures, with their shape in the vertices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import bpy
import numpy as np

from .animation import frames_of
from .body_mesh import shaped_vertices, skin_of


def played_frames(armature: bpy.types.Object) -> tuple[int, int]:
    """Return the first and last frame of the animation of *armature*: its action and its NLA strips.

    Raises:
        CoreError: the armature is not animated.
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
    """Return the first and last frame of the animation of all *armatures*.

    Raises:
        CoreError: an armature is not animated.
    """
    ranges = [played_frames(armature) for armature in armatures]
    return min(first for first, _ in ranges), max(last for _, last in ranges)


@contextmanager
def isolated_scene(
    objects: Sequence[bpy.types.Object], scene: bpy.types.Scene, *, name: str, frames: tuple[int, int]
) -> Iterator[bpy.types.Scene]:
    """Yield a temporary scene that contains only *objects*, selected; it is the context's scene meanwhile.

    Args:
        objects: the objects, the active one first.
        scene: the scene whose frame rate and unit of length are used; its current frame is restored.
        name: name of the new scene, which certain formats use as the name of the clip.
        frames: the first and last frame.
    """
    isolated = bpy.data.scenes.new(name)
    try:
        isolated.render.fps = scene.render.fps
        isolated.render.fps_base = scene.render.fps_base
        isolated.unit_settings.system = scene.unit_settings.system
        isolated.unit_settings.scale_length = scene.unit_settings.scale_length
        isolated.frame_start, isolated.frame_end = frames
        layer = isolated.view_layers[0]
        for item in objects:
            isolated.collection.objects.link(item)
            item.select_set(True, view_layer=layer)
        layer.objects.active = objects[0]
        with bpy.context.temp_override(
            scene=isolated, view_layer=layer, object=objects[0], active_object=objects[0], selected_objects=objects
        ):
            isolated.frame_set(isolated.frame_start)
            yield isolated
    finally:
        bpy.data.scenes.remove(isolated)
        scene.frame_set(scene.frame_current, subframe=scene.frame_subframe)


@contextmanager
def shown(scene: bpy.types.Scene) -> Iterator[None]:
    """Temporarily show and select all objects of *scene*: exporters leave out what is hidden or cannot be selected."""
    flags = [(item, item.hide_viewport, item.hide_select) for item in scene.objects]
    layer = scene.view_layers[0]
    try:
        for item, *_ in flags:
            item.hide_viewport = item.hide_select = False
        layer.update()
        for item, *_ in flags:
            item.select_set(True, view_layer=layer)
        yield
    finally:
        for item, is_hidden, is_unselectable in flags:
            item.hide_viewport, item.hide_select = is_hidden, is_unselectable


@contextmanager
def shape_in_vertices(armatures: Sequence[bpy.types.Object]) -> Iterator[None]:
    """Temporarily replace the figures' meshes by ones without shape keys, in the current shape."""
    swapped: list[tuple[bpy.types.Object, bpy.types.Mesh, str]] = []
    try:
        for armature in armatures:
            figure = skin_of(armature)
            if figure.data.shape_keys is None:
                continue
            mesh, name = figure.data, figure.data.name
            shaped = shaped_mesh(mesh)
            swapped.append((figure, mesh, name))
            if mesh.library is None:  # a linked one does not have the name to itself
                mesh.name = f"{name} keys"
            figure.data = shaped
            shaped.name = name
        yield
    finally:
        for figure, mesh, name in swapped:
            shaped, figure.data = figure.data, mesh
            if shaped != mesh:
                bpy.data.meshes.remove(shaped)
            if mesh.library is None:
                mesh.name = name


def shaped_mesh(mesh: bpy.types.Mesh) -> bpy.types.Mesh:
    """Return a copy of *mesh* without shape keys, with their current shape applied to the vertices."""
    shaped = shaped_vertices(mesh)
    copy = mesh.copy()
    holder = bpy.data.objects.new("SMPLify export", copy)
    unused = copy.shape_keys.name
    holder.shape_key_clear()
    bpy.data.objects.remove(holder)
    leftover = bpy.data.shape_keys.get(unused)  # depending on the version, Blender frees it or leaves it unused
    if leftover is not None:
        bpy.data.batch_remove((leftover,))
    copy.vertices.foreach_set("co", shaped.astype(np.float32).ravel())
    copy.update()
    return copy
