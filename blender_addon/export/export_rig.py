"""A figure's twin, as another program expects it: other bone names, a root bone, other units and axes.

The twin's keys are what Blender shows, frame by frame: constraints, NLA strips, bone edits and the object's own place
are in them. F frames, J bones.

At rest the twin stands on the floor at the origin, where SMPL's rest has the pelvis there: Unreal and Unity measure by
the height of the pelvis at rest how far another character goes with the same motion.

Convention: with D the change of axes and scale from the scene to the twin's data and L the lift onto the floor, a bone
whose rest in the scene is R and whose pose is P is at rest at ``D L R`` and posed at ``D P`` in the twin, with the
scale left out of the rotations.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import bpy
import numpy as np
from mathutils import Matrix

from ..core_access import JOINT_NAMES, JOINT_PARENTS, matrix_to_quat_wxyz
from ..figure.axes import Z_UP_FROM_Y_UP, continuous_signs
from ..figure.fcurves import Channels
from ..figure.scene_state import edited_bones
from .presets import BONE_NAMES, ROOT_NAMES, ExportTarget

_ROOT_LENGTH_M = 0.2
_SMALLEST_TWIST = 1e-3


def shown_bones(armature: bpy.types.Object, scene: bpy.types.Scene, frames: Sequence[int]) -> np.ndarray:
    """Return the bones' matrices (F, 24, 4, 4) in the world, as Blender shows them in the current view layer."""
    found = np.empty((len(frames), len(JOINT_NAMES), 4, 4))
    for index, frame in enumerate(frames):
        scene.frame_set(frame)
        posed = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
        place = np.array(posed.matrix_world)
        bones = posed.pose.bones
        found[index] = place @ np.array([bones[name].matrix for name in JOINT_NAMES])
    return found


def root_places(bones: np.ndarray, rest_pelvis: np.ndarray) -> np.ndarray:
    """Return the places (F, 4, 4) of a root bone on the floor below the pelvis, turned to where the figure heads.

    The heading is the twist about the vertical in the pelvis's turn from rest; where there is none, because the figure
    stands on its head, the last one is kept.

    Args:
        bones: (F, 24, 4, 4) in the world, Z up; the first is the pelvis.
        rest_pelvis: (4, 4) the pelvis at rest.
    """
    turns = bones[:, 0, :3, :3] @ rest_pelvis[:3, :3].T
    quats = matrix_to_quat_wxyz(orthonormal(turns))
    twist = quats[:, [0, 3]]
    length = np.linalg.norm(twist, axis=1)
    known = np.where(length > _SMALLEST_TWIST, np.arange(len(twist)), 0)
    twist = twist[np.maximum.accumulate(known)]
    if length[0] <= _SMALLEST_TWIST:
        twist[: int(np.argmax(length > _SMALLEST_TWIST))] = (1.0, 0.0)
    cosine, sine = (twist / np.linalg.norm(twist, axis=1, keepdims=True)).T
    places = np.tile(np.eye(4), (len(bones), 1, 1))
    places[:, 0, 0] = places[:, 1, 1] = cosine**2 - sine**2
    places[:, 1, 0] = 2.0 * cosine * sine
    places[:, 0, 1] = -places[:, 1, 0]
    offset = np.array([rest_pelvis[0, 3], rest_pelvis[1, 3], 0.0])
    places[:, :2, 3] = (bones[:, 0, :3, 3] - places[:, :3, :3] @ offset)[:, :2]
    return places


def orthonormal(matrices: np.ndarray) -> np.ndarray:
    """Return *matrices* (..., 3, 3) with the lengths of their columns, a scaled object's, taken out."""
    return matrices / np.linalg.norm(matrices, axis=-2, keepdims=True)


@contextmanager
def twin_of(
    armature: bpy.types.Object,
    body: bpy.types.Object,
    bones: np.ndarray,
    first_frame: int,
    target: ExportTarget,
    *,
    fbx: bool,
) -> Iterator[list[bpy.types.Object]]:
    """Yield the twin of a figure, armature and skinned body, for the time being, in the current scene.

    Called in any mode; active object, selection and mode are restored.

    Args:
        armature: the figure's.
        body: its body, with its shape in the vertices instead of in shape keys.
        bones: (F, 24, 4, 4) from `shown_bones`.
        first_frame: the scene's frame of the first of *bones*.
        target: what to make.
        fbx: whether it is for an .fbx file, whose axes and units the target may set.
    """
    upright, scale = fbx and target.fbx_upright, 100.0 if fbx and target.fbx_centimetres else 1.0
    change = (Z_UP_FROM_Y_UP.T if upright else np.eye(3)) * scale
    rest = np.array([armature.data.bones[joint].matrix_local for joint in JOINT_NAMES])
    made: list[bpy.types.ID] = []
    collection = bpy.data.collections.new("SMPLify export")
    bpy.context.scene.collection.children.link(collection)
    with _free_name(target.node or armature.name) as name, _free_name(body.name) as body_name:
        try:
            twin = _bare_copy(armature, name, made)
            skin = _skin(body, body_name, twin, made)
            for item in (twin, skin):
                collection.objects.link(item)
            _rename(twin, skin, BONE_NAMES[target.bones])
            lift = Matrix.Translation((0.0, 0.0, -_lowest(skin)))
            for item in (twin, skin):
                item.data.transform(lift)
            if target.root_bone:
                _add_root(twin, ROOT_NAMES[target.bones], BONE_NAMES[target.bones]["pelvis"])
            for item in (twin, skin):
                item.data.transform(Matrix(change.tolist()).to_4x4())
            if upright:
                twin.rotation_euler = (np.pi / 2.0, 0.0, 0.0)
            bpy.context.view_layer.update()
            made.append(_key(twin, bones, rest, first_frame, target, change))
            yield [twin, skin]
        finally:
            bpy.data.batch_remove([*made, collection])


@contextmanager
def _free_name(name: str) -> Iterator[str]:
    """Yield *name* while no object has it; the one that has is called otherwise for the time being."""
    owner = bpy.data.objects.get(name)
    if owner is not None:
        owner.name = f"{name} original"
    try:
        yield name
    finally:
        if owner is not None:
            owner.name = name


def _bare_copy(armature: bpy.types.Object, name: str, made: list[bpy.types.ID]) -> bpy.types.Object:
    """Return a copy of *armature* at the origin, at rest, without keys and constraints; what is new goes to *made*."""
    twin = bpy.data.objects.new(name, armature.data.copy())
    made += [twin, twin.data]
    return twin


def _skin(body: bpy.types.Object, name: str, twin: bpy.types.Object, made: list[bpy.types.ID]) -> bpy.types.Object:
    """Return a copy of *body*, skinned to *twin*; what is new goes to *made*."""
    skin = body.copy()
    skin.name = name
    skin.animation_data_clear()
    skin.data = body.data.copy()
    made += [skin, skin.data]
    skin.parent = twin
    skin.matrix_parent_inverse.identity()
    skin.matrix_basis.identity()
    for modifier in skin.modifiers:
        if modifier.type == "ARMATURE":
            modifier.object = twin
    return skin


def _lowest(skin: bpy.types.Object) -> float:
    places = np.empty(3 * len(skin.data.vertices), dtype=np.float32)
    skin.data.vertices.foreach_get("co", places)
    return float(places[2::3].min())


def _rename(twin: bpy.types.Object, skin: bpy.types.Object, names: dict[str, str]) -> None:
    for joint, name in names.items():
        twin.data.bones[joint].name = name
        group = skin.vertex_groups.get(joint)
        if group is not None and joint != name:
            group.name = name


def _add_root(twin: bpy.types.Object, name: str, pelvis: str) -> None:
    """Add a bone at the origin, along +Y so that its axes are the scene's, above the pelvis."""
    with edited_bones(twin) as bones:
        root = bones.new(name)
        root.head, root.tail, root.roll = (0.0, 0.0, 0.0), (0.0, _ROOT_LENGTH_M, 0.0), 0.0
        root.use_deform = False
        bones[pelvis].parent = root


def _key(
    twin: bpy.types.Object, bones: np.ndarray, rest: np.ndarray, first: int, target: ExportTarget, change: np.ndarray
) -> bpy.types.Action:
    """Key the twin to be at *bones*; return its action."""
    names = BONE_NAMES[target.bones]
    whole = np.eye(4)
    whole[:3, :3] = change
    posed = {names[joint]: _changed(bones[:, index], whole) for index, joint in enumerate(JOINT_NAMES)}
    parents = {names[joint]: names[JOINT_NAMES[JOINT_PARENTS[index]]] for index, joint in enumerate(JOINT_NAMES[1:], 1)}
    if target.root_bone:
        root = ROOT_NAMES[target.bones]
        posed[root] = _changed(root_places(bones, rest[0]), whole)
        parents[names["pelvis"]] = root
    rested = {name: np.array(twin.data.bones[name].matrix_local) for name in posed}
    frames = np.arange(first, first + len(bones), dtype=np.float64)
    channels = Channels(twin, name=twin.name)
    for name, pose in posed.items():
        local = np.linalg.inv(rested[name])
        local = local @ (rested[parents[name]] @ np.linalg.inv(posed[parents[name]]) if name in parents else np.eye(4))
        local = local @ pose
        quats = continuous_signs(matrix_to_quat_wxyz(orthonormal(local[:, :3, :3]))[:, None])[:, 0]
        twin.pose.bones[name].rotation_mode = "QUATERNION"
        path = f'pose.bones["{name}"].'
        channels.write(f"{path}rotation_quaternion", frames, quats, group=name)
        if name not in parents or parents[name] not in names.values():  # the pelvis, and the root above it
            channels.write(f"{path}location", frames, local[:, :3, 3], group=name)
    return channels.action


def _changed(places: np.ndarray, change: np.ndarray) -> np.ndarray:
    """Return *places* (..., 4, 4) in the twin's axes and units, as rigid motions."""
    found = change @ places
    found[..., :3, :3] = orthonormal(found[..., :3, :3])
    return found
