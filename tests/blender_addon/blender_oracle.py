"""The slow, plain twin of what the add-on puts into a scene: one frame, one joint, one vertex formula at a time.

Convention: results are in Blender's axes (Z up), metres.
"""

from __future__ import annotations

import bpy
import numpy as np

from blender_addon.core_access import BodyData, Motion
from blender_addon.figure.armature import skeleton_of


def turn(vector: np.ndarray) -> np.ndarray:
    """Return the rotation matrix of an axis-angle vector, by Rodrigues' formula."""
    angle = float(np.linalg.norm(vector))
    if angle == 0.0:
        return np.eye(3)
    x, y, z = vector / angle
    skew = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.eye(3) + np.sin(angle) * skew + (1.0 - np.cos(angle)) * skew @ skew


def z_up(vectors: np.ndarray) -> np.ndarray:
    """Return Y-up vectors (..., 3) as Z-up ones: (x, y, z) is (x, -z, y)."""
    return np.stack([vectors[..., 0], -vectors[..., 2], vectors[..., 1]], axis=-1)


def shaped(body: BodyData, betas: np.ndarray) -> np.ndarray:
    """Return the rest vertices (V, 3), Y up."""
    return body.v_template.astype(np.float64) + body.shapedirs.astype(np.float64) @ betas


def _transforms(body: BodyData, motion: Motion, frame: int) -> list[np.ndarray]:
    rest = body.joint_regressor.astype(np.float64) @ shaped(body, motion.betas)
    chain: list[np.ndarray] = []
    for joint, parent in enumerate(body.skeleton.parents):
        local = np.eye(4)
        local[:3, :3] = turn(motion.poses[frame, 3 * joint : 3 * joint + 3])
        local[:3, 3] = rest[joint] - (rest[parent] if parent >= 0 else 0.0)
        chain.append(chain[parent] @ local if parent >= 0 else local)
    return chain


def joints(body: BodyData, motion: Motion, frame: int) -> np.ndarray:
    """Return the joints (J, 3) of a frame."""
    chain = _transforms(body, motion, frame)
    return z_up(np.array([matrix[:3, 3] for matrix in chain]) + motion.trans[frame])


def skin(body: BodyData, motion: Motion, frame: int) -> np.ndarray:
    """Return the vertices (V, 3) of a frame: linear blend skinning without pose correctives."""
    vertices = shaped(body, motion.betas)
    rest = body.joint_regressor.astype(np.float64) @ vertices
    total = np.zeros_like(vertices)
    for joint, matrix in enumerate(_transforms(body, motion, frame)):
        moved = (vertices - rest[joint]) @ matrix[:3, :3].T + matrix[:3, 3]
        total += body.weights[:, joint : joint + 1] * moved
    return z_up(total + motion.trans[frame])


def shown_joints(armature: bpy.types.Object, frame: float, names: tuple[str, ...] = ()) -> np.ndarray:
    """Return where the heads (J, 3) of the bones *names*, by default all, stand in the world, as Blender shows them."""
    names = names or skeleton_of(armature).names
    whole = int(np.floor(frame))
    bpy.context.scene.frame_set(whole, subframe=frame - whole)
    posed = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return np.array([posed.matrix_world @ posed.pose.bones[name].head for name in names])


def shown_vertices(figure: bpy.types.Object, frame: int) -> np.ndarray:
    """Return where the vertices (V, 3) stand in the world, as Blender evaluates them."""
    bpy.context.scene.frame_set(frame)
    posed = figure.evaluated_get(bpy.context.evaluated_depsgraph_get())
    mesh = posed.to_mesh()
    flat = np.empty(3 * len(mesh.vertices), dtype=np.float32)
    mesh.vertices.foreach_get("co", flat)
    posed.to_mesh_clear()
    place = np.array(posed.matrix_world)
    return flat.reshape(-1, 3) @ place[:3, :3].T + place[:3, 3]
