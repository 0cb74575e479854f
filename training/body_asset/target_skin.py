"""Target skin of the pose correctives: MakeHuman's 163 bones, twist distributed along the limbs, dual quaternions.

This target was designed to look better than linear blending; it is not measured on humans.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from core.smpl_skeleton import JOINT_INDEX, JOINT_PARENTS

from .joints import SIDES, smpl_joint_of_bone
from .makehuman import Rig
from .skinning import forward_kinematics, skinning_transforms
from .tpose import unit

_INFLUENCES = 9
_ROOT_TWIST = 0.5
"""Share of a shoulder's or hip's twist applied to its first bone; the second bone has the full twist."""
_FOREARM_TWIST = {"lowerarm01": (0.35, 0.2), "lowerarm02": (0.85, 0.65)}
"""By forearm bone, the share of the elbow's twist and of the wrist's."""


def _twist(rotations: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """Return the twist of *rotations* (N, 3, 3) about *axes* (N, 3), as axis-angle (N, 3): R = swing x twist."""
    quaternion = Rotation.from_matrix(rotations).as_quat()
    along = (quaternion[:, :3] * axes).sum(1, keepdims=True) * axes
    twist = np.concatenate([along, quaternion[:, 3:]], axis=1)
    twist /= np.linalg.norm(twist, axis=1, keepdims=True) + 1e-12
    return np.asarray(Rotation.from_quat(twist).as_rotvec())


class TargetSkin:
    """Skins T-posed bodies of one topology with MakeHuman's rig driven by SMPL's joints."""

    def __init__(self, rig: Rig, source: np.ndarray) -> None:
        """Prepare for the vertices *source* (V,), given as MakeHuman vertex indices."""
        self._rig = rig
        self._joint_of_bone = smpl_joint_of_bone(rig)
        weights = rig.weights[source].toarray()
        self._bones = np.argsort(-weights, axis=1, kind="stable")[:, :_INFLUENCES]
        kept = np.take_along_axis(weights, self._bones, axis=1)
        self._weights = kept / kept.sum(1, keepdims=True)

    def pose(self, vertices: np.ndarray, rotations: np.ndarray, joints: np.ndarray) -> np.ndarray:
        """Return the posed vertices (N, V, 3) float32.

        Args:
            vertices: (N, V, 3) in the T-pose.
            rotations: (N, 24, 3, 3) local SMPL rotations.
            joints: (N, 24, 3) rest joints.
        """
        transforms = self._bone_transforms(rotations, joints)
        posed = [self._blend(body, bones) for body, bones in zip(vertices, transforms, strict=True)]
        return np.array(posed, dtype=np.float32)

    def _bone_transforms(self, rotations: np.ndarray, joints: np.ndarray) -> np.ndarray:
        """Return the transforms (N, bones, 3, 4) of MakeHuman's bones."""
        world, position = forward_kinematics(rotations, joints)
        transforms = skinning_transforms(world, position, joints)[:, self._joint_of_bone]

        def place(bone: str, joint: int, local: np.ndarray) -> None:
            turned = world[:, JOINT_PARENTS[joint]] @ local
            index = self._rig.index(bone)
            transforms[:, index, :, :3] = turned
            transforms[:, index, :, 3] = position[:, joint] - np.einsum("nij,nj->ni", turned, joints[:, joint])

        def untwisted(joint: int, vector: np.ndarray) -> np.ndarray:
            return np.asarray(rotations[:, joint] @ Rotation.from_rotvec(vector).as_matrix())

        for side, suffix, _ in SIDES:
            for root, child, bone in (("shoulder", "elbow", "upperarm01"), ("hip", "knee", "upperleg01")):
                joint = JOINT_INDEX[f"{side}_{root}"]
                axis = unit(joints[:, JOINT_INDEX[f"{side}_{child}"]] - joints[:, joint])
                twist = _twist(rotations[:, joint], axis)
                place(f"{bone}.{suffix}", joint, untwisted(joint, -twist * (1 - _ROOT_TWIST)))
            elbow, wrist = JOINT_INDEX[f"{side}_elbow"], JOINT_INDEX[f"{side}_wrist"]
            axis = unit(joints[:, wrist] - joints[:, elbow])
            elbow_twist, wrist_twist = _twist(rotations[:, elbow], axis), _twist(rotations[:, wrist], axis)
            for bone, (share, wrist_share) in _FOREARM_TWIST.items():
                place(
                    f"{bone}.{suffix}", elbow, untwisted(elbow, -elbow_twist * (1 - share) + wrist_twist * wrist_share)
                )
        return transforms

    def _blend(self, vertices: np.ndarray, transforms: np.ndarray) -> np.ndarray:
        """Skin *vertices* (V, 3) by *transforms* (bones, 3, 4) with dual quaternions."""
        real = Rotation.from_matrix(transforms[:, :, :3]).as_quat()[:, [3, 0, 1, 2]]
        shift = transforms[:, :, 3]
        scalar = -(shift * real[:, 1:]).sum(1, keepdims=True)
        vector = shift * real[:, :1] + np.cross(shift, real[:, 1:])
        dual = 0.5 * np.concatenate([scalar, vector], axis=1)

        chosen = real[self._bones]
        signs = np.where((chosen * chosen[:, :1]).sum(-1) < 0, -1.0, 1.0)
        share = (self._weights * signs)[..., None]
        blend, blend_dual = (chosen * share).sum(1), (dual[self._bones] * share).sum(1)
        length = np.linalg.norm(blend, axis=1, keepdims=True)
        blend, blend_dual = blend / length, blend_dual / length
        w, xyz = blend[:, :1], blend[:, 1:]
        turned = vertices + 2 * np.cross(xyz, np.cross(xyz, vertices) + w * vertices)
        return np.asarray(
            turned + 2 * (w * blend_dual[:, 1:] - blend_dual[:, :1] * xyz + np.cross(xyz, blend_dual[:, 1:]))
        )
