"""The length of Blender's unit in a scene: the core and the keys of a figure are in metres, objects in Blender's units.

In a scene whose unit is not the metre, the scale of a figure's object converts; bones, mesh and keys stay in metres.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import bpy
import numpy as np


def metres_per_unit(scene: bpy.types.Scene) -> float:
    """Return the length of Blender's unit in *scene*, metres: as Blender's own fields show lengths."""
    units = scene.unit_settings
    return 1.0 if units.system == "NONE" else float(units.scale_length)


def world_in_metres(item: bpy.types.Object, scene: bpy.types.Scene) -> np.ndarray:
    """Return the matrix (4, 4) from the space of the object *item* to the world of *scene*, in metres."""
    placed = np.array(item.matrix_world, dtype=np.float64)
    placed[:3] *= metres_per_unit(scene)
    return placed


@contextmanager
def in_metres(objects: Sequence[bpy.types.Object], scene: bpy.types.Scene) -> Iterator[list[bpy.types.Object]]:
    """Temporarily scale *objects* to metres, for exporters that take Blender's unit for a metre; yield what to export.

    Objects without a parent hang on an empty object, which is exported too; in a scene in metres nothing is done.
    """
    scale = metres_per_unit(scene)
    if scale == 1.0:
        yield list(objects)
        return
    roots = [(item, item.matrix_parent_inverse.copy()) for item in objects if item.parent is None]
    unit = bpy.data.objects.new("metres", None)
    unit.scale = (scale, scale, scale)
    try:
        for item, _ in roots:
            item.parent = unit
            item.matrix_parent_inverse.identity()
        bpy.context.view_layer.update()  # exporters read the world matrices of the original objects
        yield [*objects, unit]
    finally:
        for item, inverse in roots:
            item.parent = None
            item.matrix_parent_inverse = inverse
        bpy.data.objects.remove(unit)
        bpy.context.view_layer.update()


def scale_from_metres(item: bpy.types.Object, scene: bpy.types.Scene) -> None:
    """Scale the object *item*, whose data are in metres, to the unit of *scene*."""
    scale = metres_per_unit(scene)
    if scale != 1.0:
        item.scale = [1.0 / scale] * 3
