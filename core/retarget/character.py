"""A character prepared for a motion: its joints, sizes, feet and surface, measured once on its rest pose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..smpl_skeleton import JOINT_INDEX, SIDES
from .alignment import joint_positions, rest_alignment
from .bone_map import ROLES, BoneMap
from .options import RetargetOptionError
from .rig import Rig
from .soles import Foot, measure_feet
from .source import RetargetSource
from .surfaces import Part, RestBody, measure_parts
from .tree import Tree, build_tree


@dataclass(frozen=True, eq=False)
class Character:
    """A rig with its bone map, in SMPL's rest axes.

    Attributes:
        rig: the armature at rest.
        bone_map: its bones.
        tree: the moved joints.
        feet: left and right foot.
        parts: the surface of the body.
        size: height of the hips above the ankles, standing in SMPL's rest pose, compared with that of the source.
        reach: length of the arms, compared with those of the source.
        leg_m: mean length of thigh and shin together.
        arm_m: mean length of upper arm and forearm together; 0 without hands.
        hip_middle: (3,) the middle of the hip joints, relative to the hips bone.
    """

    rig: Rig
    bone_map: BoneMap
    tree: Tree
    feet: tuple[Foot, Foot]
    parts: dict[str, Part]
    size: float
    reach: float
    leg_m: float
    arm_m: float
    hip_middle: np.ndarray

    @property
    def ankle_height(self) -> float:
        """Mean height of the ankles above the soles of a standing character, metres."""
        return -0.5 * (self.feet[0].sole + self.feet[1].sole)

    @classmethod
    def of(cls, rig: Rig, bone_map: BoneMap, source: RetargetSource, rest_pose: np.ndarray | None = None) -> Character:
        """Measure the character for *source*, with the *rest_pose* of `RetargetOptions`.

        Raises:
            BoneMapError: *bone_map* does not fit the rig, or lacks a required bone.
            RigError: a limb has no length, or left and right coincide.
            RetargetOptionError: the rest pose has another number of bones than the rig, or the legs do not stand in it.
        """
        bone_map.check(rig)
        alignment, body = rest_alignment(rig, bone_map, source.rest)
        if rest_pose is not None:
            alignment = _posed_alignment(rig, bone_map, rest_pose, body)
        tree = build_tree(rig, bone_map, alignment)
        drops = [tree.offsets[tree.index[f"{side}_{end}"]] for side in SIDES for end in ("shin", "foot")]
        size = 2.0 * float(np.mean(drops, axis=0)[1]) / source.leg_drop
        if size <= 0.0:
            raise RetargetOptionError(
                "expected a rest pose in which the character stands, but its feet are above its hips; check the bones "
                "of hips, thighs, shins and feet, or give another rest pose"
            )
        feet = measure_feet(rig, tree, size * source.foot_m)
        arms = [_chain_length(tree, side, ("forearm", "hand")) for side in SIDES if f"{side}_hand" in tree.index]
        reach = float(np.mean(arms)) / source.arm_m if arms else size
        thighs = [tree.local(0, tree.heads[tree.index[f"{side}_thigh"]]) for side in SIDES]
        return cls(
            rig,
            bone_map,
            tree,
            feet,
            measure_parts(_rest_body(rig, tree, source, reach), source.parts, size),
            size,
            reach,
            float(np.mean([_chain_length(tree, side, ("shin", "foot")) for side in SIDES])),
            float(np.mean(arms)) if arms else 0.0,
            np.mean(thighs, axis=0),
        )


def _posed_alignment(rig: Rig, bone_map: BoneMap, rest_pose: np.ndarray, body: np.ndarray) -> dict[str, np.ndarray]:
    """Return the alignment of a character that the user has posed like SMPL's rest pose."""
    if len(rest_pose) != len(rig.names):
        raise RetargetOptionError(f"expected rest_pose of {len(rig.names)} bones, got {len(rest_pose)}")
    joints = joint_positions(rig, bone_map)
    bones = {role: rig.index[bone_map.bones[role][0]] for role in joints}
    posed = {role: body @ rest_pose[bone] @ rig.axes[bone].T for role, bone in bones.items()}
    return {role: posed.get(role, body) for role in ROLES}


def _chain_length(tree: Tree, side: str, ends: tuple[str, ...]) -> float:
    """Return the length of a limb, given the joints at the ends of its bones."""
    return float(sum(np.linalg.norm(tree.offsets[tree.index[f"{side}_{end}"]]) for end in ends))


def _rest_body(rig: Rig, tree: Tree, source: RetargetSource, reach: float) -> RestBody:
    """Return the body on which the parts of the character are measured."""
    joints = {**tree.index, "chest": tree.chest}
    owners = tree.owners(rig)[rig.skin.main_bones] if len(rig.skin.vertices) else np.zeros(0, dtype=np.int64)
    hands = {}
    for side in SIDES:
        wrist, hand = (JOINT_INDEX[f"{side}_{name}"] for name in ("wrist", "hand"))
        hands[f"{side}_hand"] = reach * (source.rest[hand] - source.rest[wrist])
    return RestBody(
        joints,
        {role: tree.heads[joint] for role, joint in joints.items()},
        {role: tree.aligned[joint] for role, joint in joints.items()},
        {role: rig.skin.vertices[owners == joint] for role, joint in joints.items()},
        hands,
    )
