"""Read an armature object as the core's `Rig`: its rest pose and a sample of its skin, in world space. B bones."""

from __future__ import annotations

from collections.abc import Mapping

import bpy
import numpy as np

from ..core_access import Rig, RigError, Skin
from ..figure.axes import Z_UP_FROM_Y_UP
from ..figure.units import world_in_metres

_MAX_VERTICES = 12_000
"""Vertices of all meshes together that are read: the lowest ones, and an even sample of the others."""
_LOWEST = 0.25
"""Share of these that is spent on the lowest vertices, which are the soles."""
_MAX_SKEW = 1e-3
"""Largest relative difference of an object's scales, and largest cosine between its axes."""


def read_rig(armature: bpy.types.Object) -> Rig:
    """Return the rest pose of *armature* in world space, metres, Y up. The pose does not matter; any mode.

    Raises:
        RigError: the armature has no bones, or its object is scaled unevenly, sheared or mirrored.
    """
    bones = armature.data.bones
    if not bones:
        raise RigError(f"expected bones in {armature.name}, found none; choose another armature")
    world = world_in_metres(armature, bpy.context.scene)
    turn = rotation_of(world, armature.name)
    rest = rest_matrices(armature)
    tails = np.array([bone.tail_local for bone in bones], dtype=np.float64)
    index = {bone.name: number for number, bone in enumerate(bones)}
    return Rig(
        names=tuple(index),
        parents=np.array([index[bone.parent.name] if bone.parent else -1 for bone in bones]),
        heads=_to_world(rest[:, :3, 3], world),
        tails=_to_world(tails, world),
        axes=Z_UP_FROM_Y_UP.T @ turn @ rest[:, :3, :3],
        deform=np.array([bone.use_deform for bone in bones]),
        skin=_read_skin(armature, index),
    )


def rest_matrices(armature: bpy.types.Object) -> np.ndarray:
    """Return the rest matrices (B, 4, 4) of the bones of *armature*, in its own space."""
    return np.array([bone.matrix_local for bone in armature.data.bones], dtype=np.float64)


def rotation_of(world: np.ndarray, name: str) -> np.ndarray:
    """Return the rotation (3, 3) of the matrix (4, 4) of the object *name*, which may only scale evenly.

    Raises:
        RigError: it scales unevenly, shears or mirrors.
    """
    scales = np.linalg.norm(world[:3, :3], axis=0)
    if scales.min() <= 0.0 or scales.max() / scales.min() - 1.0 > _MAX_SKEW:
        raise RigError(
            f"expected {name} to be scaled alike on all axes, found {scales[0]:g}, {scales[1]:g}, {scales[2]:g}; "
            "apply its scale (Object > Apply > Scale) or choose another armature"
        )
    turn: np.ndarray = world[:3, :3] / scales
    if np.abs(turn.T @ turn - np.eye(3)).max() > _MAX_SKEW or np.linalg.det(turn) < 0.0:
        raise RigError(f"expected {name} to be neither sheared nor mirrored; apply its scale (Object > Apply > Scale)")
    return turn


def _to_world(points: np.ndarray, world: np.ndarray) -> np.ndarray:
    """Return *points* (N, 3) of an object's space in the core's world axes."""
    moved: np.ndarray = (points @ world[:3, :3].T + world[:3, 3]) @ Z_UP_FROM_Y_UP
    return moved


def meshes_of(armature: bpy.types.Object) -> list[bpy.types.Object]:
    """Return the meshes that *armature* moves."""
    return [item for item in bpy.data.objects if item.type == "MESH" and _is_moved_by(item, armature)]


def _read_skin(armature: bpy.types.Object, index: Mapping[str, int]) -> Skin:
    """Return a sample of the meshes that *armature* moves."""
    meshes = meshes_of(armature)
    points = [_to_world(_shape(item.data), _rest_place(item, armature)) for item in meshes]
    chosen = _sample(points)
    parts = [
        _weighted(item, armature, index, where[picked], picked)
        for item, where, picked in zip(meshes, points, chosen, strict=True)
    ]
    if not any(len(part.vertices) for part in parts):
        return Skin()
    return Skin(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("vertices", "bones", "weights")))


def _is_moved_by(mesh: bpy.types.Object, armature: bpy.types.Object) -> bool:
    if mesh.parent == armature and mesh.parent_type in ("ARMATURE", "BONE"):
        return True
    return any(modifier.type == "ARMATURE" and modifier.object == armature for modifier in mesh.modifiers)


def _shape(mesh: bpy.types.Mesh) -> np.ndarray:
    """Return the vertices (V, 3) of *mesh* in its own space, with its relative shape keys as they are set."""
    points = np.empty(3 * len(mesh.vertices), dtype=np.float32)
    mesh.vertices.foreach_get("co", points)
    shaped = points.astype(np.float64)
    keys = mesh.shape_keys
    if keys is not None and keys.use_relative:
        column, base = np.empty_like(points), np.empty_like(points)
        for key in keys.key_blocks:
            if key.mute or key.value == 0.0 or key == key.relative_key or key.vertex_group:
                continue
            key.data.foreach_get("co", column)
            key.relative_key.data.foreach_get("co", base)
            shaped += key.value * (column.astype(np.float64) - base)
    return shaped.reshape(-1, 3)


def _rest_place(mesh: bpy.types.Object, armature: bpy.types.Object) -> np.ndarray:
    """Return the world matrix (4, 4), in metres, of *mesh* while *armature* is at rest: a bone may carry the object."""
    place = world_in_metres(mesh, bpy.context.scene)
    posed = armature.pose.bones.get(mesh.parent_bone) if _is_carried(mesh, armature) else None
    if posed is None:
        return place
    world = world_in_metres(armature, bpy.context.scene)
    rest, now = (np.array(matrix, dtype=np.float64) for matrix in (posed.bone.matrix_local, posed.matrix))
    moved: np.ndarray = world @ rest @ np.linalg.solve(world @ now, place)
    return moved


def _is_carried(mesh: bpy.types.Object, armature: bpy.types.Object) -> bool:
    return bool(mesh.parent == armature and mesh.parent_type == "BONE")


def _sample(points: list[np.ndarray]) -> list[np.ndarray]:
    """Return the indices of the chosen vertices of each mesh, given the world positions (V, 3), Y up, of all."""
    total = sum(len(part) for part in points)
    if total <= _MAX_VERTICES:
        return [np.arange(len(part)) for part in points]
    heights = np.concatenate([part[:, 1] for part in points])
    lowest = int(_LOWEST * _MAX_VERTICES)
    taken = np.zeros(total, dtype=bool)
    taken[np.argpartition(heights, lowest)[:lowest]] = True
    others = np.flatnonzero(~taken)
    taken[others[:: -(-len(others) // (_MAX_VERTICES - lowest))]] = True
    ends = np.cumsum([len(part) for part in points])[:-1]
    return [np.flatnonzero(part) for part in np.split(taken, ends)]


def _weighted(
    mesh: bpy.types.Object,
    armature: bpy.types.Object,
    index: Mapping[str, int],
    points: np.ndarray,
    chosen: np.ndarray,
) -> Skin:
    """Return those of the *chosen* vertices, at *points* (N, 3), that bones move, with their four largest weights."""
    if _is_carried(mesh, armature):
        bones, weights = np.zeros((len(points), 4), dtype=np.int64), np.zeros((len(points), 4))
        bones[:, 0], weights[:, 0] = index.get(mesh.parent_bone, 0), float(mesh.parent_bone in index)
        return Skin(points, bones, weights) if mesh.parent_bone in index else Skin()
    moving = {bone.name for bone in armature.data.bones if bone.use_deform}
    bone_of = [index[group.name] if group.name in moving else -1 for group in mesh.vertex_groups]
    bones, weights = np.zeros((len(points), 4), dtype=np.int64), np.zeros((len(points), 4))
    vertices = mesh.data.vertices
    for row, number in enumerate(chosen.tolist()):
        found = [
            (entry.weight, bone_of[entry.group]) for entry in vertices[number].groups if entry.group < len(bone_of)
        ]
        found = [(weight, bone) for weight, bone in found if bone >= 0 and weight > 0.0]
        if len(found) > 4:
            found = sorted(found, reverse=True)[:4]
        for place, (weight, bone) in enumerate(found):
            weights[row, place], bones[row, place] = weight, bone
    used = weights.any(axis=1)
    return Skin(points[used], bones[used], weights[used])
