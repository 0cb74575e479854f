"""Armatures with a bone for each joint of a body, at its shaped joints. J joints, B betas.

Bones point along the limbs (to the child joint that continues the limb). Their local Z axis points to the figure's
front (feet and fingers: up), so that the X axis is the hinge of knees, elbows and fingers. The armature stores its
skeleton and how its joints depend on the betas, so the shape can be changed later without the body file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from mathutils import Vector

from ..core_access import BODY, FINGERS, NUM_BETAS, SMPL, CoreError, Skeleton
from .axes import Z_UP_FROM_Y_UP, to_axes
from .custom_properties import TEMPLATE_KEY, numbers_of
from .scene_state import edited_bones

DIRECTIONS_KEY = "smplify_joint_directions"
SKELETON_KEY = "smplify_skeleton"

_CONTINUES_IN = {
    "pelvis": "spine1", "spine3": "neck", "left_wrist": "left_middle1", "right_wrist": "right_middle1",
}  # fmt: skip
"""The child joint that a bone points at, if there is one; other bones point at the middle of their children."""

_END_LENGTH_M = {"head": 0.18, "left_foot": 0.07, "right_foot": 0.07, "left_hand": 0.09, "right_hand": 0.09}
_END_DIRECTION = {
    "head": (0.0, 1.0, 0.0),
    "left_foot": (0.0, 0.0, 1.0),
    "right_foot": (0.0, 0.0, 1.0),
    "left_hand": (1.0, 0.0, 0.0),
    "right_hand": (-1.0, 0.0, 0.0),
}
"""Rest direction of the last bone of a limb, Y up; other last bones go on as their parent's bone, and as far."""

_FRONT = (0.0, 0.0, 1.0)
_UP = (0.0, 1.0, 0.0)
_SHORTEST_BONE_M = 0.01


@dataclass(frozen=True, eq=False)
class JointShape:
    """A body's rest joints as a linear function of its betas.

    Convention: metres, Y up.

    Attributes:
        template: (J, 3) rest joints of the mean shape.
        directions: (J, 3, B) offset per unit of beta.
        skeleton: the joints.
    """

    template: np.ndarray
    directions: np.ndarray
    skeleton: Skeleton

    def joints(self, betas: np.ndarray) -> np.ndarray:
        """Return the rest joints (J, 3), metres, Y up, of *betas* (B,)."""
        return self.template + self.directions @ np.asarray(betas, dtype=np.float64)


def create_armature(
    name: str,
    shape: JointShape,
    betas: np.ndarray,
    collection: bpy.types.Collection,
    *,
    axes: np.ndarray = Z_UP_FROM_Y_UP,
) -> bpy.types.Object:
    """Create the armature of a body in *collection*, in rest pose, at the origin.

    May be called in any mode; the collection must be visible in the current view layer. Active object, selection and
    mode are restored.

    Args:
        name: name of the object and its data; Blender makes it unique.
        shape: the rest joints as a function of the betas.
        betas: (B,) the shape.
        collection: the collection to link the object to.
        axes: (3, 3) matrix from the core's axes to the armature's.

    Returns:
        The armature object. Its pose bones use quaternions; only the root's can be translated.
    """
    data = bpy.data.armatures.new(name)
    data[TEMPLATE_KEY] = shape.template.ravel().tolist()
    data[DIRECTIONS_KEY] = shape.directions.ravel().tolist()
    data[SKELETON_KEY] = shape.skeleton.to_json()
    armature = bpy.data.objects.new(name, data)
    armature.show_in_front = True
    collection.objects.link(armature)
    joints, skeleton = shape.joints(betas), shape.skeleton
    directions, lengths = _bone_directions(joints, skeleton)
    with edited_bones(armature) as bones:
        for index, joint in enumerate(skeleton.names):
            bone = bones.new(joint)
            if index:
                bone.parent = bones[skeleton.names[skeleton.parents[index]]]
            head = to_axes(joints[index], axes)
            bone.head = head
            bone.tail = head + to_axes(directions[index], axes) * lengths[index]
            is_level = joint.endswith(("ankle", "foot")) or is_finger(joint)
            z_towards = _UP if is_level else _FRONT
            bone.align_roll(Vector(to_axes(np.array(z_towards), axes)))
    _collect_bones(armature, skeleton)
    for bone in armature.pose.bones:
        bone.rotation_mode = "QUATERNION"
        bone.lock_location = (bone.parent is not None,) * 3
    return armature


def is_finger(joint: str) -> bool:
    """Return whether *joint* is one of SMPL-H's finger joints, by its name."""
    return joint.partition("_")[2].rstrip("123") in FINGERS


def _collect_bones(armature: bpy.types.Object, skeleton: Skeleton) -> None:
    """Put the bones into collections that can be hidden one by one: trunk, sides, and other parts such as hands."""
    for name, part in zip(skeleton.names, skeleton.parts, strict=True):
        side = next((side for side in ("left", "right") if name.startswith(f"{side}_")), "trunk")
        title = (side if part == BODY else part).replace("_", " ").title()
        collections = armature.data.collections
        (collections.get(title) or collections.new(title)).assign(armature.data.bones[name])


def _bone_directions(joints: np.ndarray, skeleton: Skeleton) -> tuple[np.ndarray, np.ndarray]:
    """Return unit directions (J, 3), Y up, and lengths (J,) of the bones of rest *joints* (J, 3)."""
    directions = np.zeros((len(joints), 3))
    lengths = np.zeros(len(joints))
    for index, (name, parent, children) in enumerate(
        zip(skeleton.names, skeleton.parents, skeleton.children, strict=True)
    ):
        if _CONTINUES_IN.get(name) in skeleton.names:
            children = (skeleton.index(_CONTINUES_IN[name]),)
        if children:
            direction = joints[list(children)].mean(axis=0) - joints[index]
            lengths[index] = max(float(np.linalg.norm(direction)), _SHORTEST_BONE_M)
        elif name in _END_DIRECTION:
            direction, lengths[index] = np.array(_END_DIRECTION[name]), _END_LENGTH_M[name]
        else:
            direction, lengths[index] = directions[parent], lengths[parent]
        directions[index] = direction / max(float(np.linalg.norm(direction)), 1e-9)
    return directions, lengths


def skeleton_of(armature: bpy.types.Object) -> Skeleton:
    """Return the skeleton of a figure's armature: the stored one, or SMPL's in armatures of versions that stored none.

    Raises:
        SkeletonError: the stored skeleton is damaged.
    """
    stored = armature.data.get(SKELETON_KEY)
    return SMPL if stored is None else Skeleton.from_json(stored)


def rest_bones(armature: bpy.types.Object) -> list[bpy.types.Bone]:
    """Return the bone of each joint of a figure, in the skeleton's order.

    Raises:
        CoreError: bones are missing.
    """
    return _all_of(armature.data.bones, armature)


def pose_bones(armature: bpy.types.Object) -> list[bpy.types.PoseBone]:
    """Return the pose bone of each joint of a figure; see `rest_bones`."""
    return _all_of(armature.pose.bones, armature)


def _all_of(bones: Any, armature: bpy.types.Object) -> list[Any]:
    names = skeleton_of(armature).names
    missing = [name for name in names if name not in bones]
    if missing:
        raise CoreError(
            f"expected a bone for each joint in {armature.name!r}, found none named {', '.join(missing)}; give renamed "
            "bones their names back, or take a figure whose bones were not deleted"
        )
    return [bones[name] for name in names]


def rest_matrices(armature: bpy.types.Object) -> np.ndarray:
    """Return the bones' rest rotations (J, 3, 3) in armature space, in the skeleton's order; columns are bone axes.

    Raises:
        CoreError: bones are missing.
    """
    return np.array([[list(row) for row in bone.matrix_local.to_3x3()] for bone in rest_bones(armature)])


def betas_of_bones(armature: bpy.types.Object) -> np.ndarray:
    """Return the betas (B,) whose joints are nearest to the rest heads of the bones, by least squares.

    Raises:
        CoreError: bones are missing, or the armature is none of a figure.
    """
    shape = joint_shape(armature)
    heads = np.array([list(bone.head_local) for bone in rest_bones(armature)]) @ Z_UP_FROM_Y_UP
    columns = shape.directions.reshape(-1, NUM_BETAS)
    found: np.ndarray = np.linalg.lstsq(columns, (heads - shape.template).ravel(), rcond=None)[0]
    return found


def joint_shape(armature: bpy.types.Object) -> JointShape:
    """Return the rest joints of *armature* as a function of the betas.

    Raises:
        CoreError: the armature was not made by this add-on, or its stored skeleton is damaged.
    """
    missing = [key for key in (TEMPLATE_KEY, DIRECTIONS_KEY) if key not in armature.data]
    if missing:
        raise CoreError(
            f"expected an armature made by SMPLify, but {armature.name!r} has no {' and '.join(missing)}; "
            "choose the armature of an imported figure"
        )
    skeleton = skeleton_of(armature)
    template = numbers_of(armature.data, TEMPLATE_KEY, (skeleton.num_joints, 3))
    directions = numbers_of(armature.data, DIRECTIONS_KEY, (skeleton.num_joints, 3, NUM_BETAS))
    if template is None or directions is None:
        raise CoreError(
            f"expected the rest joints of {skeleton.num_joints} joints in {armature.name!r}, found damaged ones; fit "
            "or import the motion again"
        )
    return JointShape(template, directions, skeleton)


def move_rest_joints(armature: bpy.types.Object, betas: np.ndarray) -> None:
    """Move the rest heads of the bones to the joints of *betas* (B,).

    The bones keep their rest rotations, so existing keys stay exact. The length of a bone is the distance to the joint
    it pointed at when it was created. May be called in any mode; active object, selection and mode are restored.
    """
    shape = joint_shape(armature)
    joints = shape.joints(betas)
    _, lengths = _bone_directions(joints, shape.skeleton)
    rest = rest_matrices(armature)
    with edited_bones(armature) as bones:
        for index, name in enumerate(shape.skeleton.names):
            head = to_axes(joints[index])
            bones[name].head = head
            bones[name].tail = head + rest[index, :, 1] * lengths[index]
            bones[name].align_roll(Vector(rest[index, :, 2]))
