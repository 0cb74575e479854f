"""Rest alignment: the rotations that bring a character's limbs from its own rest pose to that of SMPL.

SMPL rests in a T-pose: +X is the body's left, +Y up, +Z its front. Only the positions of the joints count. The trunk,
the clavicles and the head are rotated as a whole, with the body. A limb is then swung onto the direction that SMPL's
limb has at rest, so that T-poses, A-poses and bent elbows end alike. Clavicles are not aligned by direction, since they
start anywhere between the spine and the shoulder. Feet only turn about the vertical, so that a flat sole stays flat.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..math.rotations import swing_between, unit
from ..smpl_skeleton import JOINT_INDEX, SIDES
from .bone_map import ROLES, BoneMap
from .rig import Rig, RigError

MAX_LEAN_RAD = np.deg2rad(25.0)
"""A character whose trunk leans more than this at rest is not standing; its trunk is then the vertical."""
_FINGERS = 3
"""So many fingers show the direction of a hand."""
_ALONG = 0.6
"""Cosine from which the hand bone's end is taken for the direction of the hand."""
_TINY_M = 1e-6

SOURCE_JOINTS = {"hips": 0, "neck": JOINT_INDEX["neck"], "head": JOINT_INDEX["head"]} | {
    f"{side}_{role}": JOINT_INDEX[f"{side}_{joint}"]
    for side in SIDES
    for role, joint in (
        ("clavicle", "collar"),
        ("upper_arm", "shoulder"),
        ("forearm", "elbow"),
        ("hand", "wrist"),
        ("thigh", "hip"),
        ("shin", "knee"),
        ("foot", "ankle"),
        ("toe", "foot"),
    )
}
"""The SMPL joint of each role but the spine, whose bones lie between several."""
LIMBS = tuple(
    (f"{side}_{upper}", f"{side}_{lower}")
    for side in SIDES
    for upper, lower in (("upper_arm", "forearm"), ("forearm", "hand"), ("thigh", "shin"), ("shin", "foot"))
)
"""The roles whose bone points from its own joint to that of another role."""


def joint_positions(rig: Rig, bone_map: BoneMap) -> dict[str, np.ndarray]:
    """Return the rest position (3,) of the joint of each role."""
    return {role: rig.heads[rig.index[chain[0]]] for role, chain in bone_map.bones.items()}


def rest_alignment(rig: Rig, bone_map: BoneMap, source_rest: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return for each role the rotation (3, 3) from the rig's rest pose to SMPL's, and that of the whole body.

    Args:
        rig: the character.
        bone_map: its bones.
        source_rest: (24, 3) rest joints of the source.

    Raises:
        RigError: a limb has no length, or left and right coincide.
    """
    joints = joint_positions(rig, bone_map)
    _check_lengths(joints)
    body, stands = _body_turn(joints)
    found = {role: body for role in ROLES}
    for role, following in LIMBS:
        if following in joints:
            bone = source_rest[SOURCE_JOINTS[following]] - source_rest[SOURCE_JOINTS[role]]
            found[role] = swing_between(body @ (joints[following] - joints[role]), bone) @ body
    for side in SIDES:
        hand, foot, toe = f"{side}_hand", f"{side}_foot", f"{side}_toe"
        found[hand] = _hand_turn(rig, bone_map, side, found[f"{side}_forearm"], source_rest)
        ahead = body @ (_toe_position(rig, bone_map, side, joints) - joints[foot])
        source_ahead = source_rest[SOURCE_JOINTS[toe]] - source_rest[SOURCE_JOINTS[foot]]
        level = np.array([1.0, 0.0, 1.0]) if stands else np.ones(3)
        if np.linalg.norm(ahead * level) > _TINY_M:
            found[foot] = found[toe] = swing_between(ahead * level, source_ahead * level) @ body
    return found, body


def _check_lengths(joints: dict[str, np.ndarray]) -> None:
    """Raise `RigError` if a limb has no length."""
    short = [role for role, end in LIMBS if end in joints and np.linalg.norm(joints[end] - joints[role]) < _TINY_M]
    if short:
        raise RigError(f"expected limbs with a length, but these have none: {', '.join(short)}; correct the bone map")


def _body_turn(joints: Mapping[str, np.ndarray]) -> tuple[np.ndarray, bool]:
    """Return the rotation (3, 3) from the rig's world to SMPL's axes, and whether the character stands upright.

    *joints* are the positions (3,) of the joints of the roles, at least of both thighs and upper arms.
    """
    across = joints["left_thigh"] - joints["right_thigh"]
    trunk = joints["left_upper_arm"] + joints["right_upper_arm"] - joints["left_thigh"] - joints["right_thigh"]
    up = np.array([0.0, 1.0, 0.0])
    stands = bool(unit(trunk)[1] > np.cos(MAX_LEAN_RAD))
    if not stands:
        up = unit(trunk)
    left = across - across @ up * up
    if np.linalg.norm(left) < _TINY_M:
        raise RigError("expected a left and a right thigh beside each other; correct the bone map")
    left = unit(left)
    return np.stack([left, up, np.cross(left, up)]), stands


def _hand_turn(rig: Rig, bone_map: BoneMap, side: str, forearm_turn: np.ndarray, source_rest: np.ndarray) -> np.ndarray:
    """Return the alignment (3, 3) of a hand: as the forearm, then along the hand if its direction is known."""
    name = bone_map.joint(f"{side}_hand")
    if name is None:
        return forearm_turn
    bone = rig.index[name]
    away = np.array([rig.heads[child] - rig.heads[bone] for child in rig.children[bone]]).reshape(-1, 3)
    away = away[np.linalg.norm(away, axis=1) > _TINY_M]
    has_fingers = len(away) >= _FINGERS
    direction = away.mean(axis=0) if has_fingers else rig.tails[bone] - rig.heads[bone]
    arm = rig.heads[bone] - rig.heads[rig.index[bone_map.bones[f"{side}_forearm"][0]]]
    if not has_fingers and abs(unit(direction) @ unit(arm)) < _ALONG:
        return forearm_turn
    source_hand = source_rest[JOINT_INDEX[f"{side}_hand"]] - source_rest[JOINT_INDEX[f"{side}_wrist"]]
    turn: np.ndarray = swing_between(forearm_turn @ direction, source_hand) @ forearm_turn
    return turn


def _toe_position(rig: Rig, bone_map: BoneMap, side: str, joints: dict[str, np.ndarray]) -> np.ndarray:
    """Return the toe joint (3,), or the end of the foot bone of a foot without toes."""
    toe = joints.get(f"{side}_toe")
    return rig.tails[rig.index[bone_map.bones[f"{side}_foot"][0]]] if toe is None else toe
