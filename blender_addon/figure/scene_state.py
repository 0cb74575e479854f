"""Preserve the user's active object, selection and mode."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import bpy


def _set_mode(mode: str) -> None:
    """Switch the active object's mode; do nothing if no object is active."""
    active = bpy.context.view_layer.objects.active
    if active is not None and active.mode != mode:
        bpy.ops.object.mode_set(mode=mode)


def is_among(item: bpy.types.Object, objects: bpy.types.bpy_prop_collection) -> bool:
    """Return whether *item* is one of the *objects* of a scene or view layer.

    Its name alone does not tell: an override has the name of the linked object, which may be there too.
    """
    found = objects.get(item.name)
    return found is not None and (found == item or item in objects.values())


def _alive(objects: list[bpy.types.Object]) -> list[bpy.types.Object]:
    """Return those of *objects* that are still in the current view layer."""
    layer = bpy.context.view_layer.objects
    return [item for item in objects if is_among(item, layer)]


def select_alone(objects: Sequence[bpy.types.Object]) -> None:
    """Select *objects*, which are in the current view layer, and nothing else; the first one becomes active."""
    for item in bpy.context.selected_objects:
        item.select_set(False)
    for item in objects:
        item.select_set(True)
    bpy.context.view_layer.objects.active = objects[0]


@contextmanager
def preserved_selection() -> Iterator[None]:
    """Switch to Object Mode with nothing selected; restore active object, selection and mode afterwards.

    May be called in any mode.
    """
    layer = bpy.context.view_layer
    active = layer.objects.active
    mode = active.mode if active is not None else "OBJECT"
    _set_mode("OBJECT")
    selected = [item for item in layer.objects if item.select_get()]
    for item in selected:
        item.select_set(False)
    try:
        yield
    finally:
        _set_mode("OBJECT")
        for item in layer.objects:
            item.select_set(False)
        for item in _alive(selected):
            item.select_set(True)
        layer.objects.active = active if active is not None and _alive([active]) else None
        _set_mode(mode)


@contextmanager
def edited_bones(armature: bpy.types.Object) -> Iterator[bpy.types.ArmatureEditBones]:
    """Yield the edit bones of *armature*, whose data must be of this file.

    They are edited on another object that has them too, since *armature* may be hidden, or be in a collection that is.
    May be called in any mode; active object, selection and mode are restored.
    """
    with preserved_selection():
        shown = bpy.data.objects.new("edited bones", armature.data)
        try:
            bpy.context.scene.collection.objects.link(shown)
            bpy.context.view_layer.objects.active = shown
            bpy.ops.object.mode_set(mode="EDIT")
            try:
                yield armature.data.edit_bones
            finally:
                bpy.ops.object.mode_set(mode="OBJECT")
        finally:
            bpy.data.objects.remove(shown)
