"""The skinned mesh of a body with shape keys. V vertices, B betas.

The mesh is the mean shape with one shape key per beta and linear blend skinning; `correctives` adds pose correctives.
"""

from __future__ import annotations

import bpy
import numpy as np

from ..core_access import NUM_BETAS, BodyData, CoreError
from .armature import betas_of_bones
from .axes import to_axes

SHAPE_KEYS: tuple[str, ...] = tuple(f"beta_{index}" for index in range(NUM_BETAS))
SLIDER_RANGE = 5.0
LARGEST_BETA = 10.0
"""Blender limits the value of a shape key to -10 to 10."""

_SKIN_KEY = "smplify_skin"
_SKIN_COLOUR = (0.62, 0.40, 0.30, 1.0)
_SMALLEST_WEIGHT = 1e-5


def check_betas(betas: np.ndarray) -> None:
    """Raise `CoreError` if one of *betas* (B,) is outside the range of a shape key."""
    if np.abs(betas).max(initial=0.0) > LARGEST_BETA:
        raise CoreError(
            f"expected betas between -{LARGEST_BETA:g} and {LARGEST_BETA:g}, got {np.round(betas, 2).tolist()}; "
            "no body has such a shape: check the units and the layout of the keypoints"
        )


def create_body_mesh(
    name: str, body: BodyData, betas: np.ndarray, armature: bpy.types.Object, collection: bpy.types.Collection
) -> bpy.types.Object:
    """Create the mesh of *body* with shape *betas* in *collection*, skinned to *armature*.

    May be called in any mode; active object, selection and mode are not changed.

    Args:
        name: name of the object and its data; Blender makes it unique.
        body: the body model.
        betas: (B,), each between -10 and 10.
        armature: the armature made by `armature.create_armature` for the same body and betas.
        collection: the collection to link the object to.

    Raises:
        CoreError: a beta is outside the range of a shape key.
    """
    check_betas(betas)
    mesh = bpy.data.meshes.new(name)
    vertices = to_axes(body.v_template).astype(np.float32)
    mesh.from_pydata(vertices.tolist(), [], body.faces.tolist(), shade_flat=False)
    mesh.polygons.foreach_set("use_smooth", np.ones(len(mesh.polygons), dtype=bool))
    if body.texture is not None:
        mesh.uv_layers.new(name="UVMap").uv.foreach_set("vector", body.texture.astype(np.float32).ravel())
    mesh.materials.append(_skin_material())
    figure = bpy.data.objects.new(name, mesh)
    collection.objects.link(figure)
    _add_shape_keys(figure, body)
    set_shape_values(figure, betas)
    _add_weights(figure, body)
    figure.parent = armature
    modifier = figure.modifiers.new("Armature", "ARMATURE")
    modifier.object = armature
    modifier.use_deform_preserve_volume = False
    return figure


def _add_shape_keys(figure: bpy.types.Object, body: BodyData) -> None:
    figure.shape_key_add(name="Basis", from_mix=False)
    for index, name in enumerate(SHAPE_KEYS):
        key = figure.shape_key_add(name=name, from_mix=False)
        shaped = to_axes(body.v_template.astype(np.float64) + body.shapedirs[:, :, index])
        key.points.foreach_set("co", shaped.astype(np.float32).ravel())


def set_shape_values(figure: bpy.types.Object, betas: np.ndarray) -> None:
    """Set the shape keys of *figure* to *betas* (B,); widen the range of a slider if needed."""
    keys = figure.data.shape_keys.key_blocks
    for name, beta in zip(SHAPE_KEYS, np.asarray(betas, dtype=float), strict=True):
        reach = max(SLIDER_RANGE, float(np.ceil(abs(beta))))
        keys[name].slider_min = -reach
        keys[name].slider_max = reach
        keys[name].value = beta


def shape_values(figure: bpy.types.Object) -> np.ndarray:
    """Return the values of the shape keys of *figure* as betas (B,)."""
    keys = figure.data.shape_keys.key_blocks
    return np.array([keys[name].value for name in SHAPE_KEYS])


def _add_weights(figure: bpy.types.Object, body: BodyData) -> None:
    """Add one vertex group per joint, with the weights of *body*."""
    for index, name in enumerate(body.skeleton.names):
        group = figure.vertex_groups.new(name=name)
        column = body.weights[:, index]
        for vertex in np.flatnonzero(column > _SMALLEST_WEIGHT).tolist():
            group.add((vertex,), float(column[vertex]), "REPLACE")


def body_mesh_of(armature: bpy.types.Object) -> bpy.types.Object:
    """Return the body mesh skinned to *armature*.

    Raises:
        CoreError: the armature has no mesh with the shape keys of the betas.
    """
    found = _shaped_mesh_of(armature)
    if found is None:
        raise CoreError(
            f"expected a mesh with shape keys {SHAPE_KEYS[0]} to {SHAPE_KEYS[-1]} under {armature.name!r}, found none: "
            "it was deleted, or its shape keys were applied or removed; choose an imported figure that has them"
        )
    return found


def find_skin(armature: bpy.types.Object) -> bpy.types.Object | None:
    """Return the body mesh of *armature*, also one whose shape keys were applied; None if it was deleted."""
    found = _shaped_mesh_of(armature)
    for item in (*armature.children, *bpy.context.scene.objects):
        if found is None and item.type == "MESH":
            modifiers = (modifier for modifier in item.modifiers if modifier.type == "ARMATURE")
            found = item if any(modifier.object == armature for modifier in modifiers) else None
    return found


def skin_of(armature: bpy.types.Object) -> bpy.types.Object:
    """Return the body mesh of *armature*, also one whose shape keys were applied.

    Raises:
        CoreError: no mesh is skinned to the armature.
    """
    found = find_skin(armature)
    if found is None:
        raise CoreError(
            f"expected a mesh that {armature.name!r} deforms, found none: it was deleted, or lost its Armature "
            "modifier; bring it back, or write a .blend, .bvh or .npz, which need no mesh"
        )
    return found


def betas_of(armature: bpy.types.Object) -> np.ndarray:
    """Return the betas (B,) of a figure: its shape keys' values; those of its bones if it has no shape keys any more.

    Raises:
        CoreError: the armature has neither.
    """
    mesh = _shaped_mesh_of(armature)
    return betas_of_bones(armature) if mesh is None else shape_values(mesh)


def shaped_vertices(mesh: bpy.types.Mesh) -> np.ndarray:
    """Return the vertices (V, 3) of *mesh* in the shape that its shape keys for the betas have now."""
    keys = mesh.shape_keys.key_blocks
    basis = np.empty(3 * len(mesh.vertices), dtype=np.float32)
    keys[0].points.foreach_get("co", basis)
    shaped = basis.astype(np.float64)
    column = np.empty_like(basis)
    for name in (name for name in SHAPE_KEYS if name in keys):
        keys[name].points.foreach_get("co", column)
        shaped += keys[name].value * (column.astype(np.float64) - basis)
    return shaped.reshape(-1, 3)


_last_stature: dict[tuple[int, bytes], float] = {}
"""The last stature that was measured, by mesh and betas: panels ask for it whenever they are drawn."""


def stature_of(armature: bpy.types.Object) -> float | None:
    """Return the height in metres of the body of *armature* in its present shape; None if it has no shape keys."""
    body = _shaped_mesh_of(armature)
    if body is None:
        return None
    key = (body.session_uid, shape_values(body).tobytes())
    if key not in _last_stature:
        _last_stature.clear()
        _last_stature[key] = float(np.ptp(shaped_vertices(body.data)[:, 2]))
    return _last_stature[key]


def _shaped_mesh_of(armature: bpy.types.Object) -> bpy.types.Object | None:
    for child in armature.children:
        keys = child.data.shape_keys if child.type == "MESH" else None
        if keys is not None and all(name in keys.key_blocks for name in SHAPE_KEYS):
            return child
    return None


def _skin_material() -> bpy.types.Material:
    """Return the skin material; create it for the first figure."""
    for material in bpy.data.materials:
        if _SKIN_KEY in material:
            return material
    material, shader = new_material("SMPLify Skin")
    material[_SKIN_KEY] = True
    material.diffuse_color = _SKIN_COLOUR
    shader.inputs["Base Color"].default_value = _SKIN_COLOUR
    shader.inputs["Roughness"].default_value = 0.55
    return material


def new_material(name: str) -> tuple[bpy.types.Material, bpy.types.ShaderNode]:
    """Return a new material called *name*, and its Principled BSDF node."""
    material = bpy.data.materials.new(name)
    if bpy.app.version < (5, 0, 0):
        material.use_nodes = True
    return material, next(node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
