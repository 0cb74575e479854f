"""F-curves in every Blender from 4.2 on. F frames.

Up to 4.3 they are the action's own; from 4.4 on they are in the channelbag of a slot.
"""

from __future__ import annotations

from collections.abc import Sequence

import bpy
import numpy as np

Keys = dict[tuple[str, int], np.ndarray]
"""The keys (F, 2) float32, frame and value, of the F-curves that there are, by path and index."""

_LINEAR = bpy.types.Keyframe.bl_rna.properties["interpolation"].enum_items["LINEAR"].value


class Channels:
    """The F-curves that animate one data-block, made on demand.

    Before 4.4 an action holds F-curves for one data-block. From 4.4 on it holds layers of strips with one channelbag a
    slot, and the data-block names its slot; the shortcut ``Action.fcurves`` is gone in 5.0.

    Attributes:
        action: the data-block's action.
    """

    def __init__(self, datablock: bpy.types.ID, *, name: str = "Action") -> None:
        """Take the action of *datablock*; a new one called *name* is made where it has none."""
        animation = datablock.animation_data or datablock.animation_data_create()
        self.action = animation.action
        if self.action is None:
            self.action = animation.action = bpy.data.actions.new(name)
        if bpy.app.version < (4, 4, 0):
            self._owner = self.action
            return
        slot = animation.action_slot
        if slot is None:
            slot = next(iter(animation.action_suitable_slots), None)
            slot = slot or self.action.slots.new(datablock.id_type, datablock.name)
            animation.action_slot = slot
        layer = self.action.layers[0] if self.action.layers else self.action.layers.new("Layer")
        strip = layer.strips[0] if layer.strips else layer.strips.new(type="KEYFRAME")
        self._owner = strip.channelbag(slot, ensure=True)

    def find(self, data_path: str, index: int = 0) -> bpy.types.FCurve | None:
        """Return the F-curve of one number, or None."""
        return self._owner.fcurves.find(data_path, index=index)

    def write(self, data_path: str, frames: np.ndarray, values: np.ndarray, *, group: str) -> None:
        """Key a property linearly, in place of the F-curves it had.

        Args:
            data_path: of the property, from the data-block.
            frames: (F,) when.
            values: (F, N) one column a number of the property.
            group: the name under which the curves are listed.
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
        """Key as `write` does, but only set values that differ where a curve has keys at just these *frames*.

        Args:
            data_path: of the property, from the data-block.
            frames: (F,) when, float32.
            values: (F, N) one column a number of the property.
            group: the name under which the curves are listed.
            keys: the keys that there are; becomes those that there are then.
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
        """Take away the F-curves of a property."""
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
        """Return the values (F, N) of a property at *frames*; where it has no F-curve, its *rest* value (N,)."""
        wanted = np.asarray(frames, dtype=np.float64)
        columns = []
        for index, value in enumerate(rest):
            curve = self.find(data_path, index)
            columns.append(np.full(len(wanted), value) if curve is None else _values(curve, wanted))
        return np.array(columns, dtype=np.float64).T


def _values(curve: bpy.types.FCurve, frames: np.ndarray) -> np.ndarray:
    """Return the values (F,) of *curve*: of its keys, where it has one at each of *frames* and no modifiers."""
    keys = keys_of(curve)
    if len(curve.modifiers) == 0 and np.array_equal(keys[:, 0], frames):
        return keys[:, 1]
    return np.array([curve.evaluate(frame) for frame in frames.tolist()])


def own_action(item: bpy.types.Object) -> None:
    """Give *item* a copy of its action where another object plays the same keys, as linked duplicates do."""
    animation = item.animation_data
    if animation is None or animation.action is None or animation.action.users < 2:
        return
    slotted = bpy.app.version >= (4, 4, 0)
    handle = animation.action_slot_handle if slotted else 0
    for other in bpy.data.objects:
        theirs = other.animation_data
        if other != item and theirs is not None and theirs.action == animation.action:
            if not slotted or theirs.action_slot_handle == handle:
                break
    else:
        return
    animation.action = animation.action.copy()
    if slotted:
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
