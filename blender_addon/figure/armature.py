"""Armatures with the 24 SMPL bones at the shaped joints of a body. J joints, B betas.

Bones point along the limbs (to the child joint that continues the limb). Their local Z axis points to the figure's
front (feet: up), so that the X axis is the hinge of knees and elbows. The armature stores how its joints depend on the
betas, so the shape can be changed later without the body file.
"""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Vector

from ..core_access import JOINT_NAMES, JOINT_PARENTS, NUM_BETAS, NUM_JOINTS, CoreError
from .axes import Z_UP_FROM_Y_UP, to_axes
from .custom_properties import TEMPLATE_KEY
from .scene_state import edited_bones

DIRECTIONS_KEY = "smplify_joint_directions"

CONTINUES_IN: dict[str, str] = {
    "pelvis": "spine1", "spine1": "spine2", "spine2": "spine3", "spine3": "neck", "neck": "head",
    "left_hip": "left_knee", "left_knee": "left_ankle", "left_ankle": "left_foot",
    "right_hip": "right_knee", "right_knee": "right_ankle", "right_ankle": "right_foot",
    "left_collar": "left_shoulder", "left_shoulder": "left_elbow", "left_elbow": "left_wrist",
    "left_wrist": "left_hand",
    "right_collar": "right_shoulder", "right_shoulder": "right_elbow", "right_elbow": "right_wrist",
    "right_wrist": "right_hand",
}  # fmt: skip
"""The child joint that each bone points at; bones not listed end a limb."""

_END_LENGTH_M = {"head": 0.18, "left_foot": 0.07, "right_foot": 0.07, "left_hand": 0.09, "right_hand": 0.09}
_END_DIRECTION = {
    "head": (0.0, 1.0, 0.0),
    "left_foot": (0.0, 0.0, 1.0),
    "right_foot": (0.0, 0.0, 1.0),
    "left_hand": (1.0, 0.0, 0.0),
    "right_hand": (-1.0, 0.0, 0.0),
}
"""Rest direction of the last bone of a limb, Y up."""

_FRONT = (0.0, 0.0, 1.0)
_UP = (0.0, 1.0, 0.0)
_Z_TOWARDS = {name: _UP if name.endswith(("ankle", "foot")) else _FRONT for name in JOINT_NAMES}
_SHORTEST_BONE_M = 0.01


@dataclass(frozen=True, eq=False)
class JointShape:
    """A body's rest joints as a linear function of its betas.

    Convention: metres, Y up.

    Attributes:
        template: (24, 3) rest joints of the mean shape.
        directions: (24, 3, B) offset per unit of beta.
    """

    template: np.ndarray
    directions: np.ndarray

    def joints(self, betas: np.ndarray) -> np.ndarray:
        """Return the rest joints (24, 3), metres, Y up, of *betas* (B,)."""
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
        The armature object. Its pose bones use quaternions; only the pelvis can be translated.
    """
    data = bpy.data.armatures.new(name)
    data[TEMPLATE_KEY] = shape.template.ravel().tolist()
    data[DIRECTIONS_KEY] = shape.directions.ravel().tolist()
    armature = bpy.data.objects.new(name, data)
    armature.show_in_front = True
    collection.objects.link(armature)
    joints = shape.joints(betas)
    directions, lengths = _bone_directions(joints)
    with edited_bones(armature) as bones:
        for index, joint in enumerate(JOINT_NAMES):
            bone = bones.new(joint)
            if JOINT_PARENTS[index] >= 0:
                bone.parent = bones[JOINT_NAMES[JOINT_PARENTS[index]]]
            head = to_axes(joints[index], axes)
            bone.head = head
            bone.tail = head + to_axes(directions[index], axes) * lengths[index]
            bone.align_roll(Vector(to_axes(np.array(_Z_TOWARDS[joint]), axes)))
    for bone in armature.pose.bones:
        bone.rotation_mode = "QUATERNION"
        bone.lock_location = (bone.parent is not None,) * 3
    return armature


def _bone_directions(joints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return unit directions (24, 3), Y up, and lengths (24,) of the bones of rest *joints* (24, 3)."""
    directions = np.zeros((NUM_JOINTS, 3))
    lengths = np.zeros(NUM_JOINTS)
    for index, name in enumerate(JOINT_NAMES):
        if name in CONTINUES_IN:
            direction = joints[JOINT_NAMES.index(CONTINUES_IN[name])] - joints[index]
            lengths[index] = max(float(np.linalg.norm(direction)), _SHORTEST_BONE_M)
        else:
            direction = np.array(_END_DIRECTION[name])
            lengths[index] = _END_LENGTH_M[name]
        directions[index] = direction / max(float(np.linalg.norm(direction)), 1e-9)
    return directions, lengths


def rest_matrices(armature: bpy.types.Object) -> np.ndarray:
    """Return the bones' rest rotations (24, 3, 3) in armature space, in SMPL's order; columns are the bones' axes."""
    bones = armature.data.bones
    rest = np.array([[list(row) for row in bones[name].matrix_local.to_3x3()] for name in JOINT_NAMES])
    return rest


def joint_shape(armature: bpy.types.Object) -> JointShape:
    """Return the rest joints of *armature* as a function of the betas.

    Raises:
        CoreError: the armature was not made by this add-on.
    """
    missing = [key for key in (TEMPLATE_KEY, DIRECTIONS_KEY) if key not in armature.data]
    if missing:
        raise CoreError(
            f"expected an armature made by SMPLify, but {armature.name!r} has no {' and '.join(missing)}; "
            "choose the armature of an imported figure"
        )
    template = np.array(armature.data[TEMPLATE_KEY]).reshape(NUM_JOINTS, 3)
    directions = np.array(armature.data[DIRECTIONS_KEY]).reshape(NUM_JOINTS, 3, NUM_BETAS)
    return JointShape(template, directions)


def move_rest_joints(armature: bpy.types.Object, betas: np.ndarray, *, axes: np.ndarray = Z_UP_FROM_Y_UP) -> None:
    """Move the rest heads of the bones to the joints of *betas* (B,).

    The bones keep their rest rotations, so existing keys stay exact. The length of a bone is the distance to the joint
    it pointed at when it was created. May be called in any mode; active object, selection and mode are restored.
    """
    joints = joint_shape(armature).joints(betas)
    _, lengths = _bone_directions(joints)
    rest = rest_matrices(armature)
    with edited_bones(armature) as bones:
        for index, name in enumerate(JOINT_NAMES):
            head = to_axes(joints[index], axes)
            bones[name].head = head
            bones[name].tail = head + rest[index, :, 1] * lengths[index]
            bones[name].align_roll(Vector(rest[index, :, 2]))
