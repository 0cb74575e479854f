"""Hashes of all that a .blend would hold, to tell whether something left the user's data as they were.

Every data-block is walked by Blender's own description of it (RNA), so nothing has to be named here to be seen; what is
named is what changes by itself or is not the user's.
"""

from __future__ import annotations

import hashlib
import struct

import bpy
import numpy as np

# Of the window and the program rather than of the scene; and a list that names everything once more.
NOT_DATA_TYPES = (bpy.types.Screen, bpy.types.WindowManager, bpy.types.WorkSpace)
NOT_DATA = {"all_ids", "screens", "workspaces", "window_managers", "libraries", "brushes", "palettes", "fonts"}
# Blender's own bookkeeping: it changes when data are looked at, evaluated, or loaded again.
BOOKKEEPING = {
    "rna_type", "original", "preview", "tag", "users", "session_uid", "is_evaluated", "is_updated", "is_updated_data",
    "is_runtime_data", "is_missing", "is_library_indirect", "pixels", "depsgraph",
    "storage_type",  # of an attribute: whether one value stands for all
    "particle_edit",  # points at the active object, from when it is next evaluated
    "uv_sculpt",  # reading it crashes Blender 4.3
}  # fmt: skip
SOCKET_BOOKKEEPING = {"enabled", "is_unavailable"}
BY_NAME = {("Bone", "collections"), ("BoneCollection", "bones")}
"""Which bones are in which collections: each names the other, so following both would never end."""
NUMERIC = {"BOOLEAN": np.bool_, "INT": np.int32, "FLOAT": np.float32, "ENUM": np.int32}


def hashes() -> dict[str, str]:
    """Return the hash of every data-block, by the name of its collection and its own."""
    found = {"selection": _digest(repr(_selection()))}
    for collection in bpy.data.bl_rna.properties:
        if collection.type != "COLLECTION" or collection.identifier in NOT_DATA:
            continue
        for block in getattr(bpy.data, collection.identifier):
            found[f"{collection.identifier}/{block.name_full}"] = block_hash(block)
    return found


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _selection() -> list[object]:
    """Return what is active, selected and hidden in every view layer."""
    state: list[object] = []
    for scene in bpy.data.scenes:
        for layer in scene.view_layers:
            active = layer.objects.active
            state.append((scene.name, layer.name, active.name if active else None, active.mode if active else None))
            for item in layer.objects:
                state.append((item.name, item.select_get(view_layer=layer), item.hide_get(view_layer=layer)))
    return state


def block_hash(block: bpy.types.ID) -> str:
    """Return the hash of one data-block."""
    sink = hashlib.sha256()
    _add_struct(sink, block, block, frozenset())
    return sink.hexdigest()[:16]


def _add_struct(sink, item: bpy.types.bpy_struct, owner: bpy.types.ID, within: frozenset[tuple[int, str]]) -> None:
    """Feed all properties of *item*, which is *owner* or a part of it, to *sink*; *within* are those that it is in."""
    key = (item.as_pointer(), item.bl_rna.identifier)
    if key in within or isinstance(item, NOT_DATA_TYPES):
        return
    left_out = BOOKKEEPING | SOCKET_BOOKKEEPING if isinstance(item, bpy.types.NodeSocket) else BOOKKEEPING
    for prop in item.bl_rna.properties:
        if prop.identifier not in left_out:
            sink.update(prop.identifier.encode())
            _add_property(sink, item, prop, owner, within | {key})
    _add_custom(sink, item)


def _add_property(sink, item, prop, owner, within) -> None:
    try:
        value = getattr(item, prop.identifier)
    except (AttributeError, RuntimeError, TypeError, ValueError):
        return  # such as a property of another kind of strip
    if prop.type == "POINTER":
        _add_pointer(sink, value, owner, within)
    elif prop.type == "COLLECTION":
        sink.update(struct.pack("q", len(value)))
        if (item.bl_rna.identifier, prop.identifier) in BY_NAME:
            sink.update(repr([element.name for element in value]).encode())
        else:
            _add_elements(sink, value, owner, within)
    elif prop.type == "FLOAT" and not prop.is_array:
        sink.update(struct.pack("d", value))
    elif prop.type in NUMERIC and getattr(prop, "is_array", False):
        sink.update(repr([tuple(row) if hasattr(row, "__len__") else row for row in value]).encode())
    else:
        sink.update(repr(sorted(value) if isinstance(value, set) else value).encode())


def _add_pointer(sink, value, owner, within) -> None:
    if value is None or not isinstance(value, bpy.types.bpy_struct):
        return
    if isinstance(value, bpy.types.ID) and value != owner and not value.is_embedded_data:
        sink.update(f"{value.bl_rna.identifier}:{value.name_full}".encode())
    elif value.id_data is None or value.id_data == owner or getattr(value, "is_embedded_data", False):
        _add_struct(sink, value, owner, within)
    elif value.id_data.is_embedded_data:
        _add_struct(sink, value, value.id_data, within)
    else:  # a part of another data-block, which has its own hash
        sink.update(f"{value.bl_rna.identifier}:{value.id_data.name_full}:{getattr(value, 'name', '')}".encode())


def _add_elements(sink, elements, owner, within) -> None:
    """Feed a collection: its numbers at once, since a mesh has many, and the rest one by one."""
    if not len(elements):
        return
    first = elements[0]
    if first is None or isinstance(first, bpy.types.ID):
        sink.update(repr([element.name_full if element else None for element in elements]).encode())
        return
    fixed = first.bl_rna
    rest = []
    for prop in fixed.properties:
        if prop.identifier in BOOKKEEPING:
            continue
        if len(elements) < 64 or prop.type not in NUMERIC or getattr(prop, "is_enum_flag", False):
            rest.append(prop)
            continue
        values = np.zeros(len(elements) * max(1, getattr(prop, "array_length", 0)), dtype=NUMERIC[prop.type])
        try:
            elements.foreach_get(prop.identifier, values)
        except (AttributeError, RuntimeError, TypeError):
            rest.append(prop)
            continue
        sink.update(values.tobytes())
    if len(elements) < 64:
        for element in elements:
            _add_struct(sink, element, owner, within)
        return
    for element in elements:
        for prop in rest:
            _add_property(sink, element, prop, owner, within)


def _add_custom(sink, item) -> None:
    """Feed the custom properties of *item*, if it can have any."""
    try:
        pairs = list(item.items())
    except (AttributeError, TypeError):
        return
    for name, value in pairs:
        if name in item.bl_rna.properties:
            continue  # an add-on's: fed already, and stored only since it was looked at
        for to_plain in ("to_list", "to_dict"):
            value = getattr(value, to_plain, lambda value=value: value)()
        sink.update(f"{name}={value!r}".encode())
