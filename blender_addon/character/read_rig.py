"""Read an armature object as the core's `Rig`: its rest pose and a sample of its skin, in world space."""

from __future__ import annotations

import bpy
import numpy as np

from ..core_access import Rig, RigError, Skin
from ..figure.axes import Z_UP_FROM_Y_UP

_MAX_VERTICES = 12_000
"""Vertices of each mesh that are read; the skin is sampled evenly above that."""
_MAX_SKEW = 1e-3
"""Largest relative difference of an object's scales, and largest cosine between its axes."""


def read_rig(armature: bpy.types.Object) -> Rig:
    """Return the rest pose of *armature* in world space, metres, Y up.

    Raises:
        RigError: the armature has no bones, or its object is scaled unevenly, sheared or mirrored.
    """
    bones = armature.data.bones
    if not bones:
        raise RigError(f"expected bones in {armature.name}, found none; choose another armature")
    index = {bone.name: number for number, bone in enumerate(bones)}
    world = np.array(armature.matrix_world, dtype=np.float64)
    turn = _rotation_of(world, armature.name)
    rest = np.array([bone.matrix_local for bone in bones], dtype=np.float64)
    tails = np.array([bone.tail_local for bone in bones], dtype=np.float64)
    to_core = Z_UP_FROM_Y_UP.T
    return Rig(
        names=tuple(bone.name for bone in bones),
        parents=np.array([index[bone.parent.name] if bone.parent else -1 for bone in bones]),
        heads=_to_world(rest[:, :3, 3], world),
        tails=_to_world(tails, world),
        axes=to_core @ turn @ rest[:, :3, :3],
        deform=np.array([bone.use_deform for bone in bones]),
        skin=_read_skin(armature, index),
    )


def _rotation_of(world: np.ndarray, name: str) -> np.ndarray:
    """Return the rotation (3, 3) of the world matrix of the object *name*, which may only scale evenly."""
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


def _read_skin(armature: bpy.types.Object, index: dict[str, int]) -> Skin:
    """Return a sample of the meshes that *armature* moves."""
    parts = [_read_mesh(mesh, index) for mesh in bpy.data.objects if _is_moved_by(mesh, armature)]
    parts = [part for part in parts if len(part.vertices)]
    if not parts:
        return Skin()
    return Skin(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("vertices", "bones", "weights")))


def _is_moved_by(mesh: bpy.types.Object, armature: bpy.types.Object) -> bool:
    return mesh.type == "MESH" and any(
        modifier.type == "ARMATURE" and modifier.object == armature for modifier in mesh.modifiers
    )


def _read_mesh(mesh: bpy.types.Object, index: dict[str, int]) -> Skin:
    """Return the vertices of *mesh* that bones move, each with its four largest weights."""
    positions = np.empty(3 * len(mesh.data.vertices), dtype=np.float32)
    mesh.data.vertices.foreach_get("co", positions)
    bone_of = [index.get(group.name, -1) for group in mesh.vertex_groups]
    chosen = range(0, len(mesh.data.vertices), max(1, -(-len(mesh.data.vertices) // _MAX_VERTICES)))
    vertices: list[int] = []
    bones, weights = np.zeros((len(chosen), 4), dtype=np.int64), np.zeros((len(chosen), 4))
    for number in chosen:
        groups = mesh.data.vertices[number].groups
        found = [(entry.weight, bone_of[entry.group]) for entry in groups if entry.group < len(bone_of)]
        largest = sorted(((weight, bone) for weight, bone in found if bone >= 0 and weight > 0.0), reverse=True)[:4]
        if largest:
            row = len(vertices)
            weights[row, : len(largest)], bones[row, : len(largest)] = zip(*largest, strict=True)
            vertices.append(number)
    world = np.array(mesh.matrix_world, dtype=np.float64)
    taken = positions.reshape(-1, 3)[vertices].astype(np.float64)
    return Skin(_to_world(taken, world), bones[: len(vertices)], weights[: len(vertices)])
