"""Pose correctives on a figure's mesh: shape keys that drivers set from the rotations of the bones.

The drivers are plain sums of products, which Blender evaluates without Python, so a .blend shows them without the
add-on, and keys that are edited or constraints' channels that are keyed are followed. Exports leave them out unless
asked (`export.baked_correctives`).
"""

from __future__ import annotations

import bpy
import numpy as np

from ..core_access import BodyData, BodyError, corrective_basis
from .armature import rest_matrices, skeleton_of
from .axes import Z_UP_FROM_Y_UP, bone_from_core, to_axes
from .body_mesh import body_mesh_of
from .fcurves import bone_path

PREFIX = "corrective_"
_PRODUCTS = ("x*x", "y*y", "z*z", "x*y", "x*z", "y*z", "x*w", "y*w", "z*w")


def add_correctives(armature: bpy.types.Object, body: BodyData) -> None:
    """Add the pose correctives of *body* to the mesh of *armature*; those that it has are replaced.

    Raises:
        CoreError: bones are missing, the mesh has no shape keys, or it does not have the vertices of *body*.
    """
    remove_correctives(armature)
    mesh, skeleton = body_mesh_of(armature), skeleton_of(armature)
    if len(mesh.data.vertices) != len(body.v_template):
        raise BodyError(
            f"expected the {len(body.v_template)} vertices of the body {body.name!r} in {mesh.name!r}, found "
            f"{len(mesh.data.vertices)}; the mesh was remodelled, so pose correctives cannot be added"
        )
    basis, turns = corrective_basis(body), bone_from_core(rest_matrices(armature), Z_UP_FROM_Y_UP)
    rest = np.empty(3 * len(mesh.data.vertices), dtype=np.float32)
    mesh.data.shape_keys.key_blocks[0].points.foreach_get("co", rest)
    for number, (joint, coefficients, offsets) in enumerate(
        zip(basis.joints, basis.coefficients, basis.offsets, strict=True)
    ):
        name = skeleton.names[joint]
        key = mesh.shape_key_add(name=f"{PREFIX}{number:02d}_{name}", from_mix=False)
        key.slider_min = -1.0
        key.points.foreach_set("co", rest + to_axes(offsets).astype(np.float32).ravel())
        _drive(key, armature, name, turns[joint] @ coefficients @ turns[joint].T)


def remove_correctives(armature: bpy.types.Object) -> None:
    """Remove the pose correctives from the mesh of *armature*; nothing is done if it has none.

    Raises:
        CoreError: the mesh has no shape keys.
    """
    mesh = body_mesh_of(armature)
    for key in corrective_keys(mesh.data):
        key.driver_remove("value")
        mesh.shape_key_remove(key)


def corrective_keys(mesh: bpy.types.Mesh) -> list[bpy.types.ShapeKey]:
    """Return the shape keys of *mesh* that are pose correctives."""
    return [] if mesh.shape_keys is None else [key for key in mesh.shape_keys.key_blocks if key.name.startswith(PREFIX)]


def has_correctives(armature: bpy.types.Object) -> bool:
    """Return whether a mesh below *armature* has pose correctives."""
    meshes = (child.data for child in armature.children if child.type == "MESH")
    return any(corrective_keys(mesh) for mesh in meshes)


def _drive(key: bpy.types.ShapeKey, armature: bpy.types.Object, bone: str, weights: np.ndarray) -> None:
    """Drive *key* by the sum of the entries of (R - I) of *bone*, in its own axes, times *weights* (3, 3)."""
    driver = key.driver_add("value").driver
    driver.type = "SCRIPTED"
    for number, letter in enumerate("wxyz"):
        variable = driver.variables.new()
        variable.name, variable.type = letter, "SINGLE_PROP"
        variable.targets[0].id = armature
        variable.targets[0].data_path = bone_path(bone, f"rotation_quaternion[{number}]")
    factors = _factors(weights)
    driver.expression = "+".join(f"{factor:.6g}*{product}" for factor, product in zip(factors, _PRODUCTS, strict=True))


def _factors(weights: np.ndarray) -> list[float]:
    """Return the factors of `_PRODUCTS` of a unit quaternion, whose sum is that of (R - I) times *weights* (3, 3)."""
    a, b, c = np.diag(weights)
    even, odd = weights + weights.T, weights.T - weights
    doubled = (-b - c, -a - c, -a - b, even[0, 1], even[0, 2], even[1, 2], odd[1, 2], odd[2, 0], odd[0, 1])
    return [2.0 * float(factor) for factor in doubled]
