"""Pose bodies from MakeHuman's A-pose to SMPL's T-pose with MakeHuman's own bones. N bodies, V vertices.

Convention: rotations are world rotations (N, 3, 3) of a bone from its A-pose.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from scipy.spatial.transform import Rotation

from .joints import SIDES
from .makehuman import Rig

Rotations = dict[str, np.ndarray]
Points = dict[str, np.ndarray]

_LEG_ABDUCTION = np.deg2rad(2.5)
"""Smaller angles crumple the skin between the thighs, which are 8 degrees apart in MakeHuman's A-pose."""
_CLAVICLE_LIFT = np.deg2rad(7.0)
_FINGER_STRAIGHTENING = 0.75
_FINGERS = (2, 3, 4, 5)


def unit(vectors: np.ndarray) -> np.ndarray:
    """Normalise *vectors* (..., 3)."""
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))


def apply(rotations: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Rotate *vectors* (N, 3) by *rotations* (N, 3, 3)."""
    return np.einsum("nij,nj->ni", rotations, vectors)


def _frame(x_axis: np.ndarray, z_hint: np.ndarray) -> np.ndarray:
    """Return right-handed frames (N, 3, 3), columns x, y, z: x exact, z as close to *z_hint* as possible."""
    x_axis = unit(x_axis)
    z_axis = unit(z_hint - (z_hint * x_axis).sum(-1, keepdims=True) * x_axis)
    return np.stack([x_axis, np.cross(z_axis, x_axis), z_axis], axis=-1)


def _shortest_arc(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return the smallest rotations (N, 3, 3) from the directions *source* to *target*."""
    source = unit(source)
    target = unit(np.broadcast_to(target, source.shape))
    axis = np.cross(source, target)
    sine = np.linalg.norm(axis, axis=-1)
    angle = np.arctan2(sine, (source * target).sum(-1))
    return np.asarray(Rotation.from_rotvec(axis * (angle / np.maximum(sine, 1e-12))[:, None]).as_matrix())


def _part(rotations: np.ndarray, fraction: float) -> np.ndarray:
    return np.asarray(Rotation.from_rotvec(Rotation.from_matrix(rotations).as_rotvec() * fraction).as_matrix())


def bone_ends(rig: Rig, vertices: np.ndarray) -> tuple[Points, Points]:
    """Return the heads and tails, each (N, 3), of every bone of bodies *vertices* (N, V, 3)."""
    heads = {bone: vertices[:, rig.heads[bone]].mean(1, dtype=np.float64) for bone in rig.bones}
    tails = {bone: vertices[:, rig.tails[bone]].mean(1, dtype=np.float64) for bone in rig.bones}
    return heads, tails


def _leg(heads: Points, suffix: str, sign: float) -> Rotations:
    hip, knee, ankle = (heads[f"{bone}.{suffix}"] for bone in ("upperleg01", "lowerleg01", "foot"))
    down = np.array([sign * np.sin(_LEG_ABDUCTION), -np.cos(_LEG_ABDUCTION), 0.0])
    return {
        f"upperleg01.{suffix}": _shortest_arc(knee - hip, down),
        f"lowerleg01.{suffix}": _shortest_arc(ankle - knee, down),
        f"foot.{suffix}": np.broadcast_to(np.eye(3), (len(hip), 3, 3)),
    }


def _arm(heads: Points, tails: Points, suffix: str, sign: float) -> Rotations:
    """Rotate the arm along x: elbow hinge along y, palm down, fingers nearly straight, twist distributed."""
    shoulder, elbow, wrist = (heads[f"{bone}.{suffix}"] for bone in ("upperarm01", "lowerarm01", "wrist"))
    knuckle = {finger: heads[f"finger{finger}-1.{suffix}"] for finger in _FINGERS}
    out = np.broadcast_to([sign, 0.0, 0.0], shoulder.shape)
    front = np.broadcast_to([0.0, 0.0, 1.0], shoulder.shape)

    upper = _frame(out, front) @ _frame(elbow - shoulder, wrist - elbow).swapaxes(-1, -2)
    swing = _shortest_arc(elbow - shoulder, out)
    twist = upper @ swing.swapaxes(-1, -2)

    fore = _shortest_arc(apply(upper, wrist - elbow), out) @ upper
    hand_axis = (knuckle[3] + knuckle[4]) / 2 - wrist
    hand = _frame(out, front) @ _frame(hand_axis, knuckle[2] - knuckle[5]).swapaxes(-1, -2)
    fore_twist = hand @ (_shortest_arc(apply(fore, hand_axis), out) @ fore).swapaxes(-1, -2)

    lift = Rotation.from_rotvec([0.0, 0.0, sign * _CLAVICLE_LIFT]).as_matrix()
    rotations = {
        f"clavicle.{suffix}": np.broadcast_to(lift, upper.shape),
        f"upperarm01.{suffix}": _part(twist, 0.5) @ swing,
        f"upperarm02.{suffix}": upper,
        f"lowerarm01.{suffix}": _part(fore_twist, 0.15) @ fore,
        f"lowerarm02.{suffix}": _part(fore_twist, 0.6) @ fore,
        f"wrist.{suffix}": hand,
    }
    for finger in _FINGERS:
        for phalanx in (1, 2, 3):
            bone = f"finger{finger}-{phalanx}.{suffix}"
            rotations[bone] = (
                _part(_shortest_arc(apply(hand, tails[bone] - heads[bone]), out), _FINGER_STRAIGHTENING) @ hand
            )
    return rotations


def tpose_rotations(rig: Rig, heads: Points, tails: Points) -> Rotations:
    """Return the world rotation (N, 3, 3) of every bone from the A-pose to the T-pose."""
    rotations: Rotations = {"root": np.broadcast_to(np.eye(3), (len(heads["root"]), 3, 3))}
    for _, suffix, sign in SIDES:
        rotations |= _leg(heads, suffix, sign) | _arm(heads, tails, suffix, sign)
    for bone, parent in zip(rig.bones, rig.parents, strict=True):
        if bone not in rotations:
            rotations[bone] = rotations[rig.bones[parent]]
    return rotations


def pose(
    rig: Rig, vertices: np.ndarray, heads: Points, rotations: Rotations, weights: sp.csr_matrix
) -> tuple[np.ndarray, Points]:
    """Skin bodies with MakeHuman's full rig.

    Args:
        rig: the rig.
        vertices: (N, V, 3) vertices in the A-pose, one per row of *weights*.
        heads: bone heads in the A-pose.
        rotations: world rotations from `tpose_rotations`.
        weights: (V, bones) skinning weights.

    Returns:
        The posed vertices (N, V, 3) float32, and the posed bone heads.
    """
    posed: Points = {}
    for bone, parent in zip(rig.bones, rig.parents, strict=True):
        if parent < 0:
            posed[bone] = heads[bone]
        else:
            parent_name = rig.bones[parent]
            posed[bone] = posed[parent_name] + apply(rotations[parent_name], heads[bone] - heads[parent_name])
    transforms = np.empty((len(rig.bones), len(vertices), 3, 4))
    for index, bone in enumerate(rig.bones):
        transforms[index, :, :, :3] = rotations[bone]
        transforms[index, :, :, 3] = posed[bone] - apply(rotations[bone], heads[bone])
    result = np.empty(vertices.shape, dtype=np.float32)
    for body in range(len(vertices)):
        blended = (weights @ transforms[:, body].reshape(-1, 12)).reshape(-1, 3, 4)
        result[body] = np.einsum("vij,vj->vi", blended[:, :, :3], vertices[body]) + blended[:, :, 3]
    return result, posed
