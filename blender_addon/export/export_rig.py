"""Export rigs: copies of figures as another program expects them, with other bone names, a root bone, units and axes.

The keys of an export rig are the evaluated poses, frame by frame: they include constraints, NLA strips, bone edits and
the object's transform. F frames, J bones.

At rest the rig stands on the floor at the origin, where SMPL's rest pose has the pelvis: Unreal and Unity scale the
motion for another character by the height of the pelvis at rest.

Convention: let D be the change of axes and scale from the scene to the rig's data, and L the lift onto the floor. A
bone with rest matrix R and pose matrix P in the scene has rest ``D L R`` and pose ``D P`` in the rig, with the scale
removed from the rotations.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import bpy
import numpy as np
from mathutils import Matrix

from ..core_access import Skeleton, matrix_to_quat_wxyz
from ..figure.armature import pose_bones, rest_bones, skeleton_of
from ..figure.axes import Z_UP_FROM_Y_UP, continuous_signs
from ..figure.fcurves import Channels
from ..figure.scene_state import edited_bones
from .presets import BONE_NAMES, ROOT_NAMES, ExportTarget

_ROOT_LENGTH_M = 0.2
_SMALLEST_TWIST = 1e-3


def evaluated_bones(armature: bpy.types.Object, scene: bpy.types.Scene, frames: Sequence[int]) -> np.ndarray:
    """Return the evaluated bone matrices (F, J, 4, 4) in world space, in the current view layer."""
    found = np.empty((len(frames), skeleton_of(armature).num_joints, 4, 4))
    for index, frame in enumerate(frames):
        scene.frame_set(frame)
        posed = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
        place = np.array(posed.matrix_world)
        found[index] = place @ np.array([bone.matrix for bone in pose_bones(posed)])
    return found


def root_places(bones: np.ndarray, rest_pelvis: np.ndarray) -> np.ndarray:
    """Return the matrices (F, 4, 4) of a root bone on the floor below the pelvis, turned to the figure's heading.

    The heading is the twist about the vertical of the pelvis's rotation from rest. Where it is undefined, because the
    figure is upside down, the last one is kept.

    Args:
        bones: (F, J, 4, 4) in world space, Z up; the first is the pelvis.
        rest_pelvis: (4, 4) rest matrix of the pelvis.
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
    """Return *matrices* (..., 3, 3) with columns of unit length, which removes the scale of an object."""
    return matrices / np.linalg.norm(matrices, axis=-2, keepdims=True)


@contextmanager
def export_rig_of(
    armature: bpy.types.Object,
    body: bpy.types.Object,
    bones: np.ndarray,
    first_frame: int,
    target: ExportTarget,
    *,
    fbx: bool,
) -> Iterator[list[bpy.types.Object]]:
    """Yield the temporary export rig of a figure, armature and skinned body, in the current scene.

    May be called in any mode; active object, selection and mode are restored.

    Args:
        armature: the armature of the figure.
        body: the body mesh, with its shape in the vertices instead of shape keys; pose correctives are copied.
        bones: (F, J, 4, 4) from `evaluated_bones`.
        first_frame: scene frame of the first of *bones*.
        target: the conventions of the target program.
        fbx: whether the rig is for an .fbx file, whose axes and units the target may set.
    """
    upright, scale = fbx and target.fbx_upright, 100.0 if fbx and target.fbx_centimetres else 1.0
    change = (Z_UP_FROM_Y_UP.T if upright else np.eye(3)) * scale
    skeleton = skeleton_of(armature)
    names = _bone_names(skeleton, target)
    rest = np.array([bone.matrix_local for bone in rest_bones(armature)])
    made: list[bpy.types.ID] = []
    collection = bpy.data.collections.new("SMPLify export")
    bpy.context.scene.collection.children.link(collection)
    with (
        free_name(bpy.data.objects, target.node or armature.name) as name,
        free_name(bpy.data.objects, body.name) as body_name,
    ):
        try:
            rig = _bare_copy(armature, name, made)
            skin = _skin(body, body_name, rig, made)
            for item in (rig, skin):
                collection.objects.link(item)
            _rename(rig, skin, dict(zip(skeleton.names, names, strict=True)))
            lift = Matrix.Translation((0.0, 0.0, -_lowest(skin)))
            _transform(rig, skin, lift)
            if target.root_bone:
                _add_root(rig, ROOT_NAMES[target.bones], names[0])
            _transform(rig, skin, Matrix(change.tolist()).to_4x4())
            if upright:
                rig.rotation_euler = (np.pi / 2.0, 0.0, 0.0)
            bpy.context.view_layer.update()
            made.append(_key(rig, bones, rest, first_frame, target, change))
            yield [rig, skin]
        finally:
            bpy.data.batch_remove([*made, collection])


@contextmanager
def free_name(blocks: bpy.types.bpy_prop_collection, name: str) -> Iterator[str]:
    """Yield *name* while no local block of *blocks* has it; one that has it is renamed temporarily."""
    owner = next((item for item in blocks if item.name == name and item.library is None), None)
    if owner is not None:
        owner.name = f"{name} original"
    try:
        yield name
    finally:
        if owner is not None:
            owner.name = name


def _bare_copy(armature: bpy.types.Object, name: str, made: list[bpy.types.ID]) -> bpy.types.Object:
    """Return a copy of *armature* at the origin, without keys and constraints; append new data-blocks to *made*."""
    rig = bpy.data.objects.new(name, armature.data.copy())
    made += [rig, rig.data]
    return rig


def _skin(body: bpy.types.Object, name: str, rig: bpy.types.Object, made: list[bpy.types.ID]) -> bpy.types.Object:
    """Return a copy of *body*, skinned to *rig*; append new data-blocks to *made*."""
    skin = body.copy()
    skin.name = name
    skin.animation_data_clear()
    skin.data = body.data.copy()
    made += [skin, skin.data]
    skin.parent = rig
    skin.matrix_parent_inverse.identity()
    skin.matrix_basis.identity()
    for modifier in skin.modifiers:
        if modifier.type == "ARMATURE":
            modifier.object = rig
    return skin


def _transform(rig: bpy.types.Object, skin: bpy.types.Object, matrix: Matrix) -> None:
    rig.data.transform(matrix)
    skin.data.transform(matrix, shape_keys=True)


def _lowest(skin: bpy.types.Object) -> float:
    places = np.empty(3 * len(skin.data.vertices), dtype=np.float32)
    skin.data.vertices.foreach_get("co", places)
    return float(places[2::3].min())


def _rename(rig: bpy.types.Object, skin: bpy.types.Object, names: dict[str, str]) -> None:
    for joint, name in names.items():
        rig.data.bones[joint].name = name
        group = skin.vertex_groups.get(joint)
        if group is not None and joint != name:
            group.name = name


def _add_root(rig: bpy.types.Object, name: str, pelvis: str) -> None:
    """Add a root bone at the origin as parent of the pelvis; it points along +Y, so its axes are the scene's."""
    with edited_bones(rig) as bones:
        root = bones.new(name)
        root.head, root.tail, root.roll = (0.0, 0.0, 0.0), (0.0, _ROOT_LENGTH_M, 0.0), 0.0
        root.use_deform = False
        bones[pelvis].parent = root


def _bone_names(skeleton: Skeleton, target: ExportTarget) -> list[str]:
    """Return the name of each joint's bone in *target*; joints that its convention does not name keep theirs."""
    return [BONE_NAMES[target.bones].get(joint, joint) for joint in skeleton.names]


def _key(
    rig: bpy.types.Object, bones: np.ndarray, rest: np.ndarray, first: int, target: ExportTarget, change: np.ndarray
) -> bpy.types.Action:
    """Key the poses *bones* on the rig; return its action."""
    skeleton = skeleton_of(rig)
    names = _bone_names(skeleton, target)
    whole = np.eye(4)
    whole[:3, :3] = change
    posed = {name: _changed(bones[:, index], whole) for index, name in enumerate(names)}
    parents = {names[joint]: names[parent] for joint, parent in enumerate(skeleton.parents) if joint}
    if target.root_bone:
        root = ROOT_NAMES[target.bones]
        posed[root] = _changed(root_places(bones, rest[0]), whole)
        parents[names[0]] = root
    rested = {name: np.array(rig.data.bones[name].matrix_local) for name in posed}
    frames = np.arange(first, first + len(bones), dtype=np.float64)
    channels = Channels(rig, name=rig.name)
    for name, pose in posed.items():
        local = np.linalg.inv(rested[name])
        local = local @ (rested[parents[name]] @ np.linalg.inv(posed[parents[name]]) if name in parents else np.eye(4))
        local = local @ pose
        quats = continuous_signs(matrix_to_quat_wxyz(orthonormal(local[:, :3, :3]))[:, None])[:, 0]
        rig.pose.bones[name].rotation_mode = "QUATERNION"
        path = f'pose.bones["{name}"].'
        channels.write(f"{path}rotation_quaternion", frames, quats, group=name)
        if name not in parents or parents[name] not in names:  # the pelvis, and the root above it
            channels.write(f"{path}location", frames, local[:, :3, 3], group=name)
    return channels.action


def _changed(places: np.ndarray, change: np.ndarray) -> np.ndarray:
    """Return *places* (..., 4, 4) in the rig's axes and units, as rigid transforms."""
    found = change @ places
    found[..., :3, :3] = orthonormal(found[..., :3, :3])
    return found
