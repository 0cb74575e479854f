"""Colour a figure's body by its error, frame by frame, on request; switching it off restores everything.

The colours are an attribute of the mesh, rewritten when the frame changes. The handler that does so is installed only
while a figure needs it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

import bpy
import numpy as np
from bpy.app.handlers import persistent

from ..figure.custom_properties import RECORD_KEY, has_live_settings, json_of, text_of
from ..ui.quiet import quiet

if TYPE_CHECKING:
    from ..core_access import FitReport
    from ..figure.record import FigureRecord

CLASSES = ()

ATTRIBUTE = "fit_error"
_MATERIAL = "SMPLify Error"
_SLOT_KEY, _SKIN_KEY, _SHADING_KEY = "smplify_slot_link", "smplify_slot_material", "smplify_color_types"
_SHOWN_KEY = "smplify_color_names"
_SHOWN = ("active_color_name", "default_color_name")
_COLOR_TYPES = ("MATERIAL", "SINGLE", "OBJECT", "RANDOM", "VERTEX", "TEXTURE")
_CACHED = 4


def follow_colors(armature: bpy.types.Object) -> None:
    """Apply a change of the colour settings of *armature*; on an error, revert it and show why."""
    from ..core_access import CoreError

    properties = armature.smplify
    if properties.quiet:
        return
    try:
        if properties.color_by_error:
            _show(armature)
        else:
            _hide(armature)
        properties.trouble = ""
    except CoreError as error:
        with quiet(properties):
            properties.color_by_error = False
        properties.trouble = str(error)
    sync()


def _show(armature: bpy.types.Object) -> None:
    from ..figure.body_mesh import body_mesh_of

    _fitted(armature)
    body = body_mesh_of(armature)
    colors = body.data.color_attributes
    if ATTRIBUTE not in colors:
        body[_SHOWN_KEY] = [getattr(body.data.attributes, name) for name in _SHOWN]
        colors.new(ATTRIBUTE, "FLOAT_COLOR", "POINT")
    colors.active_color = colors[ATTRIBUTE]
    if body.material_slots and _SLOT_KEY not in body:
        slot = body.material_slots[0]
        body[_SLOT_KEY] = slot.link
        slot.link = "OBJECT"
        if slot.material is not None:
            body[_SKIN_KEY] = slot.material
        slot.material = _error_material()
    paint(armature, bpy.context.scene.frame_current)


def _fitted(armature: bpy.types.Object) -> tuple[FigureRecord, FitReport]:
    """Return the record of *armature* and its fit report.

    Raises:
        CoreError: the figure was not fitted, or its record is damaged.
    """
    from ..figure.record import AdjustmentError, adjustable

    record = adjustable(armature)
    if record.report is None:
        raise AdjustmentError(f"expected a figure that was fitted, but {armature.name!r} came from a motion file")
    return record, record.report


def _hide(armature: bpy.types.Object) -> None:
    from ..figure.body_mesh import body_mesh_of

    body = body_mesh_of(armature)
    attribute = body.data.color_attributes.get(ATTRIBUTE)
    if attribute is not None:
        body.data.color_attributes.remove(attribute)
        # Some Blender versions keep the name of a removed attribute.
        shown = body.get(_SHOWN_KEY)
        for number, name in enumerate(_SHOWN):
            before = shown[number] if isinstance(shown, list) and number < len(shown) else ""
            setattr(body.data.attributes, name, before if isinstance(before, str) else "")
    if _SLOT_KEY in body and body.material_slots:
        skin = body.get(_SKIN_KEY)
        body.material_slots[0].material = skin if isinstance(skin, bpy.types.Material) else None
        body.material_slots[0].link = "OBJECT" if text_of(body, _SLOT_KEY) == "OBJECT" else "DATA"
    for key in (_SLOT_KEY, _SKIN_KEY, _SHOWN_KEY):
        body.pop(key, None)
    material = bpy.data.materials.get(_MATERIAL)
    if material is not None and material.users == 0:
        bpy.data.materials.remove(material)


@contextmanager
def without_colors(armatures: Sequence[bpy.types.Object]) -> Iterator[None]:
    """Temporarily switch the error colours of *armatures* off."""
    colored = [item for item in armatures if has_live_settings() and item.smplify.color_by_error]
    for item in colored:
        _hide(item)
    try:
        yield
    finally:
        for item in colored:
            _show(item)


def paint(armature: bpy.types.Object, frame: int) -> None:
    """Write the colours of the scene frame *frame* to the body of *armature*.

    Raises:
        CoreError: the figure has no record, its body cannot be read, or its mesh was remodelled.
    """
    from ..figure.body_mesh import body_mesh_of
    from ..figure.record import AdjustmentError
    from .error_shading import vertex_colors

    (record, report), body = _fitted(armature), body_mesh_of(armature)
    shares = _shares_of(record.source.body, report.point_names)
    if len(shares) != len(body.data.vertices):
        raise AdjustmentError(
            f"expected the {len(shares)} vertices of the body that was fitted, found {len(body.data.vertices)} in "
            f"{body.name!r}; the mesh was remodelled, so it cannot be coloured"
        )
    errors = report.point_error_mm[record.track_frame(frame)]
    colors = vertex_colors(shares, errors, armature.smplify.color_limit_mm)
    body.data.color_attributes[ATTRIBUTE].data.foreach_set("color", colors.ravel())
    body.data.update()


@lru_cache(maxsize=_CACHED)
def _shares_of(body_file: str, names: tuple[str, ...]) -> np.ndarray:
    """Return the weights (V, K) of the points *names* for each vertex of the body in a file."""
    from ..core_access import resolve_body
    from .error_shading import point_shares

    return point_shares(resolve_body(body_file or None), names)


def _error_material() -> bpy.types.Material:
    """Return the material that shows the attribute; create it if missing."""
    from ..figure.body_mesh import new_material

    material = bpy.data.materials.get(_MATERIAL)
    if material is not None:
        return material
    material, shader = new_material(_MATERIAL)
    tree = material.node_tree
    colors = tree.nodes.new("ShaderNodeVertexColor")
    colors.layer_name = ATTRIBUTE
    colors.location = (shader.location.x - 250.0, shader.location.y)
    tree.links.new(colors.outputs["Color"], shader.inputs["Base Color"])
    shader.inputs["Roughness"].default_value = 0.8
    return material


def _colored() -> list[bpy.types.Object]:
    """Return the figures of the file with error colours switched on."""
    return [item for item in bpy.data.objects if RECORD_KEY in item and item.smplify.color_by_error]


def sync() -> None:
    """Install or remove the handler and the viewports' shading as needed."""
    wanted = bool(_colored())
    handlers = bpy.app.handlers.frame_change_post
    if wanted and _frame_changed not in handlers:
        handlers.append(_frame_changed)
    elif not wanted and _frame_changed in handlers:
        handlers.remove(_frame_changed)
    for screen in bpy.data.screens:
        _shade(screen, wanted)


def _shade(screen: bpy.types.Screen, colored: bool) -> None:
    """Make the solid viewports of *screen* show colour attributes, or restore their previous colour type."""
    spaces = [area.spaces.active for area in screen.areas if area.type == "VIEW_3D"]
    before = json_of(screen, _SHADING_KEY)
    if colored and not isinstance(before, list):
        screen[_SHADING_KEY] = json.dumps([space.shading.color_type for space in spaces])
        for space in spaces:
            space.shading.color_type = "VERTEX"
    elif not colored and isinstance(before, list):
        for number, space in enumerate(spaces):
            known = number < len(before) and before[number] in _COLOR_TYPES
            space.shading.color_type = before[number] if known else "MATERIAL"
        del screen[_SHADING_KEY]


def _frame_changed(scene: bpy.types.Scene, *_: object) -> None:
    """Update the colours for the new frame, except while a render reads the meshes."""
    from ..core_access import CoreError

    if bpy.app.is_job_running("RENDER") and not scene.render.use_lock_interface:
        return
    for armature in _colored():
        if armature.name in scene.objects:
            try:
                paint(armature, scene.frame_current)
            except (CoreError, KeyError) as error:  # the mesh or its attribute was changed
                armature.smplify.trouble = str(error)


@persistent
def _file_changed(*_: object) -> None:
    """Update the handler and shading after undo, redo or loading a file."""
    sync()


_HANDLERS = ("load_post", "undo_post", "redo_post")


def register() -> None:
    """Add the handlers for loading, undo and redo."""
    for name in _HANDLERS:
        getattr(bpy.app.handlers, name).append(_file_changed)


def unregister() -> None:
    """Remove all handlers; coloured figures keep the colours of the current frame."""
    for name in _HANDLERS:
        getattr(bpy.app.handlers, name).remove(_file_changed)
    if _frame_changed in bpy.app.handlers.frame_change_post:
        bpy.app.handlers.frame_change_post.remove(_frame_changed)
    _shares_of.cache_clear()
