"""Read and write F-curves in every Blender from 4.2 on. F frames.

Up to 4.3 F-curves belong to the action; from 4.4 on they belong to the channelbag of a slot.
"""

from __future__ import annotations

from collections.abc import Sequence

import bpy
import numpy as np

Keys = dict[tuple[str, int], np.ndarray]
"""The keys (F, 2) float32, frame and value, of existing F-curves, by data path and array index."""

HAS_SLOTS = bpy.app.version >= (4, 4, 0)
"""Whether an action keeps the keys of several data-blocks, each in a slot."""

_LINEAR = bpy.types.Keyframe.bl_rna.properties["interpolation"].enum_items["LINEAR"].value


def bone_path(bone: str, channel: str) -> str:
    """Return the data path of a *channel* of a pose bone."""
    return f'pose.bones["{bone}"].{channel}'


class Channels:
    """The F-curves that animate one data-block, created on demand.

    Before 4.4 an action contains the F-curves of one data-block. From 4.4 on it contains layers of strips with one
    channelbag per slot, and the data-block refers to its slot; ``Action.fcurves`` is removed in 5.0.

    Attributes:
        action: the data-block's action.
    """

    def __init__(self, datablock: bpy.types.ID, *, name: str = "Action") -> None:
        """Use the action of *datablock*; create one called *name* if it has none."""
        animation = datablock.animation_data or datablock.animation_data_create()
        self.action = animation.action
        if self.action is None:
            self.action = animation.action = bpy.data.actions.new(name)
        if not HAS_SLOTS:
            self._owner = self.action
            return
        take_suitable_slot(animation)
        if animation.action_slot is None:
            animation.action_slot = self.action.slots.new(datablock.id_type, datablock.name)
        slot = animation.action_slot
        layer = self.action.layers[0] if self.action.layers else self.action.layers.new("Layer")
        strip = layer.strips[0] if layer.strips else layer.strips.new(type="KEYFRAME")
        self._owner = strip.channelbag(slot, ensure=True)

    def find(self, data_path: str, index: int = 0) -> bpy.types.FCurve | None:
        """Return the F-curve of one component, or None."""
        return self._owner.fcurves.find(data_path, index=index)

    def write(self, data_path: str, frames: np.ndarray, values: np.ndarray, *, group: str) -> None:
        """Key a property with linear interpolation; replace its F-curves.

        Args:
            data_path: data path of the property, relative to the data-block.
            frames: (F,) frames of the keys.
            values: (F, N) one column per component of the property.
            group: name of the F-curves' group.
        """
        for index, column in enumerate(np.asarray(values).T):
            self._replace(data_path, index, frames, column, group)

    def rewrite(
        self,
        data_path: str,
        frames: np.ndarray,
        values: np.ndarray,
        *,
        group: str,
        keys: dict[tuple[str, int], np.ndarray],
    ) -> None:
        """Key like `write`, but only set the values of curves that already have keys at exactly these *frames*.

        Args:
            data_path: data path of the property, relative to the data-block.
            frames: (F,) float32, frames of the keys.
            values: (F, N) one column per component of the property.
            group: name of the F-curves' group.
            keys: the existing keys; updated to the new ones.
        """
        for index, column in enumerate(np.asarray(values, dtype=np.float32).T):
            old = keys.get((data_path, index))
            if old is not None and not np.array_equal(old[:, 0], frames):
                old = None
            if old is not None and np.array_equal(old[:, 1], column):
                continue
            keys[data_path, index] = np.stack([frames, column], axis=1)
            if old is None:
                self._replace(data_path, index, frames, column, group)
                continue
            curve = self._owner.fcurves.find(data_path, index=index)
            curve.keyframe_points.foreach_set("co", keys[data_path, index].ravel())
            curve.update()

    def remove(self, data_path: str) -> None:
        """Remove the F-curves of a property."""
        index = 0
        while (curve := self.find(data_path, index)) is not None:
            self._owner.fcurves.remove(curve)
            index += 1

    def _replace(self, data_path: str, index: int, frames: np.ndarray, values: np.ndarray, group: str) -> None:
        old = self.find(data_path, index)
        if old is not None:
            self._owner.fcurves.remove(old)
        curve = self._owner.fcurves.new(data_path, index=index)
        curve.group = self._owner.groups.get(group) or self._owner.groups.new(group)
        _set_keys(curve, frames, values)

    def sample(self, data_path: str, frames: Sequence[float], rest: Sequence[float]) -> np.ndarray:
        """Return the values (F, N) of a property at *frames*; without an F-curve, the *rest* values (N,)."""
        frame_array = np.asarray(frames, dtype=np.float64)
        columns = []
        for index, value in enumerate(rest):
            curve = self.find(data_path, index)
            columns.append(np.full(len(frame_array), value) if curve is None else _values(curve, frame_array))
        return np.array(columns, dtype=np.float64).T


def _values(curve: bpy.types.FCurve, frames: np.ndarray) -> np.ndarray:
    """Return the values (F,) of *curve*; read from its keys if there is one or they are at *frames*, unmodified."""
    keys = keys_of(curve)
    if len(curve.modifiers) == 0 and len(keys) == 1 and curve.extrapolation == "CONSTANT":
        return np.full(len(frames), keys[0, 1])
    if len(curve.modifiers) == 0 and np.array_equal(keys[:, 0], frames):
        return keys[:, 1]
    return np.array([curve.evaluate(frame) for frame in frames.tolist()])


def take_suitable_slot(user: bpy.types.AnimData | bpy.types.NlaStrip) -> None:
    """Let *user*, which has an action but maybe no slot, take the first slot of the action that suits it, if any."""
    if HAS_SLOTS and user.action_slot is None:
        user.action_slot = next(iter(user.action_suitable_slots), None)


def own_action(item: bpy.types.Object) -> None:
    """Give *item* its own copy of its action if another object uses the same keys, as linked duplicates do."""
    animation = item.animation_data
    if animation is None or animation.action is None or animation.action.users < 2:
        return
    handle = animation.action_slot_handle if HAS_SLOTS else 0
    for other in bpy.data.objects:
        other_animation = other.animation_data
        if other != item and other_animation is not None and other_animation.action == animation.action:
            if not HAS_SLOTS or other_animation.action_slot_handle == handle:
                break
    else:
        return
    animation.action = animation.action.copy()
    if HAS_SLOTS:
        animation.action_slot = next(slot for slot in animation.action.slots if slot.handle == handle)


def keys_of(curve: bpy.types.FCurve) -> np.ndarray:
    """Return the keys (F, 2) float32 of *curve*: frame and value."""
    keys = np.empty(2 * len(curve.keyframe_points), dtype=np.float32)
    curve.keyframe_points.foreach_get("co", keys)
    return keys.reshape(-1, 2)


def _set_keys(curve: bpy.types.FCurve, frames: np.ndarray, values: np.ndarray) -> None:
    """Fill an empty F-curve with linear keys, all at once."""
    points = curve.keyframe_points
    points.add(len(frames))
    points.foreach_set("co", np.stack([frames, values], axis=1).astype(np.float32).ravel())
    points.foreach_set("interpolation", np.full(len(frames), _LINEAR, dtype=np.int32))
    curve.update()
