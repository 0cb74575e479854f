"""Pose correctives for exporters, which read keys but no drivers: shape keys with keyed values. F frames, N keys.

Many readers limit the value of a shape key to 0 to 1, Blender's own of glTF and USD among them. So a key whose value
falls below 0 is written as two, one for each sign; those that hardly move the skin in a clip are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import bpy
import numpy as np

from ..figure.body_mesh import skin_of
from ..figure.correctives import corrective_keys
from ..figure.fcurves import Channels
from ..figure.isolated_scene import isolated_scene, played_frames

_LEAST_M = 1e-5
"""How far a key must move a vertex in some frame of a clip to be written."""
_SIGNS = {"": 1.0, "_negative": -1.0}
"""What is added to the name of a key for each sign of its value."""


@dataclass(frozen=True, eq=False)
class BakedCorrectives:
    """The pose correctives of a figure, frame by frame.

    Attributes:
        body: the figure's mesh object.
        frames: (F,) the scene frames of the values.
        keys: name, offsets (V, 3) of the vertices for a value of 1, and values (F,), 0 or more, of each shape key.
    """

    body: bpy.types.Object
    frames: np.ndarray
    keys: list[tuple[str, np.ndarray, np.ndarray]]


def bake_correctives(armatures: Sequence[bpy.types.Object], scene: bpy.types.Scene) -> list[BakedCorrectives]:
    """Return the pose correctives of those of *armatures* that show some, evaluated in each frame that they play."""
    bodies = [(armature, skin_of(armature)) for armature in armatures]
    return [_baked(armature, body, scene) for armature, body in bodies if corrective_keys(body.data)]


def _baked(armature: bpy.types.Object, body: bpy.types.Object, scene: bpy.types.Scene) -> BakedCorrectives:
    keys = corrective_keys(body.data)
    places = [_places(key) for key in (body.data.shape_keys.key_blocks[0], *keys)]
    names, evaluated = [key.name for key in keys], []
    with isolated_scene([armature, body], scene, name=armature.name, frames=played_frames(armature)) as isolated:
        frames = range(isolated.frame_start, isolated.frame_end + 1)
        for frame in frames:
            isolated.frame_set(frame)
            shown = body.evaluated_get(bpy.context.evaluated_depsgraph_get()).data.shape_keys.key_blocks
            evaluated.append([shown[name].value for name in names])
    kept = []
    for name, place, column in zip(names, places[1:], np.array(evaluated).T, strict=True):
        offsets = place - places[0]
        reach = float(np.linalg.norm(offsets, axis=1).max())
        for suffix, sign in _SIGNS.items():
            values = np.maximum(sign * column, 0.0)
            if reach * values.max() > _LEAST_M:
                kept.append((name + suffix, sign * offsets, values))
    return BakedCorrectives(body, np.array(frames, dtype=np.float64), kept)


def _places(key: bpy.types.ShapeKey) -> np.ndarray:
    places = np.empty(3 * len(key.data), dtype=np.float32)
    key.points.foreach_get("co", places)
    return places.reshape(-1, 3)


@contextmanager
def keyed_correctives(baked: Sequence[BakedCorrectives]) -> Iterator[None]:
    """Meanwhile give the meshes of *baked*, which must have no shape keys, the correctives as keyed shape keys."""
    actions: list[bpy.types.Action] = []
    try:
        for item in baked:
            actions.append(_key(item))
        yield
    finally:
        for item in baked:
            item.body.shape_key_clear()
        bpy.data.batch_remove(actions)


def _key(baked: BakedCorrectives) -> bpy.types.Action:
    """Add the shape keys of *baked* to its mesh; return the action with their values."""
    rest = _places(baked.body.shape_key_add(name="Basis", from_mix=False))
    channels = Channels(baked.body.data.shape_keys, name=baked.body.name)
    for name, offsets, values in baked.keys:
        key = baked.body.shape_key_add(name=name, from_mix=False)
        key.points.foreach_set("co", (rest + offsets).ravel())
        channels.write(f'key_blocks["{name}"].value', baked.frames, values[:, None], group=baked.body.name)
    return channels.action
