"""The motion of a character's bones as a motion of the controls of its control rig. F frames, M controls."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import bpy
import numpy as np

from ..core_access import REQUIRED_ROLES, BoneMap, RetargetedMotion, Rig, axis_angle_to_matrix
from ..figure.axes import Z_UP_FROM_Y_UP
from ..figure.units import world_in_metres
from .errors import CharacterError
from .ik_motion import goal_motion
from .keys import BoneMotion, Channel, Curve, is_custom
from .probe import ControlRig, find_controls
from .read_rig import rotation_of

_LIMBS = (("clavicle", "upper_arm", "forearm", "hand"), ("thigh", "shin", "foot", "toe"))
_BENDING = (("upper_arm", "forearm", "hand"), ("thigh", "shin", "foot"))
_SMALL = 1e-9

_last_found: list[tuple[int, tuple[str, ...], ControlRig]] = []
"""The control rig that was found last, with its armature's session id and bones: live changes need not probe again."""


def controls_of(
    armature: bpy.types.Object, bone_map: BoneMap, values: Mapping[Channel, Sequence[float]], *, reuse: bool
) -> ControlRig:
    """Return the controls of the control rig *armature*.

    Args:
        armature: the character.
        bone_map: its bones.
        values: values of channels that an earlier motion has keyed, as they were before.
        reuse: take those that were found last, if they belong to the same bones.

    Raises:
        CharacterError: a required bone follows no control; the message names them.
    """
    segments = segments_of(bone_map)
    key = armature.session_uid, tuple(segments)
    if not (reuse and _last_found and _last_found[0][:2] == key):
        found = find_controls(armature, segments, _limbs(bone_map), values)
        moved = {*found.control_of, *found.ik.bones}
        lost = [bone_map.bones[role][0] for role in REQUIRED_ROLES if bone_map.bones[role][0] not in moved]
        if lost:
            raise CharacterError(
                f"expected controls of {armature.name} that its bones follow rigidly, but none moves "
                f"{', '.join(lost[:5])}{' and others' if len(lost) > 5 else ''}; name bones that can be posed in the "
                "bone list, or mute the constraints"
            )
        _last_found[:] = [(*key, found)]
    return _last_found[0][2]


def segments_of(bone_map: BoneMap) -> dict[str, str | None]:
    """Return the first bone of each part of the body, and the bone at whose head the part ends."""
    return {bone: end for chain in _chains(bone_map) for bone, end in zip(chain, [*chain[1:], None], strict=True)}


def _chains(bone_map: BoneMap) -> list[list[str]]:
    """Return the joints of the trunk and of the four limbs; the neck is one part, as it is in control rigs."""
    trunk = [name for role in ("hips", "spine") for name in bone_map.bones.get(role, ())]
    trunk += [name for role in ("neck", "head") if (name := bone_map.joint(role)) is not None]
    chains = [trunk]
    for side in ("left", "right"):
        for limb in _LIMBS:
            joints = [bone_map.joint(f"{side}_{part}") for part in limb]
            chains.append([joint for joint in joints if joint is not None])
    return chains


def _limbs(bone_map: BoneMap) -> list[list[str]]:
    """Return the bones at whose heads each limb starts, bends and ends, where there is one."""
    limbs = [[bone_map.joint(f"{side}_{part}") for part in limb] for side in ("left", "right") for limb in _BENDING]
    return [[joint for joint in limb if joint is not None] for limb in limbs if None not in limb]


def hang_together(rig: Rig, bone_map: BoneMap) -> Rig:
    """Return *rig* with the mapped bones parented as in a body; control rigs connect them by constraints instead.

    Raises:
        CharacterError: the bones hang on each other the other way round.
    """
    trunk, *limbs = _chains(bone_map)
    chest = bone_map.bones.get("spine", bone_map.bones["hips"])[-1]
    chains = [trunk, *([chest if number % 2 == 0 else trunk[0], *limb] for number, limb in enumerate(limbs))]
    parents = rig.parents.copy()
    for chain in chains:
        for above, bone in zip(chain, chain[1:], strict=False):
            if rig.index[above] not in rig.ancestors(rig.index[bone]):
                parents[rig.index[bone]] = rig.index[above]
    order = _parents_first(parents)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return Rig(
        tuple(rig.names[bone] for bone in order),
        np.where(parents[order] < 0, -1, place[parents[order]]),
        rig.heads[order],
        rig.tails[order],
        rig.axes[order],
        rig.deform[order],
        replace(rig.skin, bones=place[rig.skin.bones]),
    )


def _parents_first(parents: np.ndarray) -> np.ndarray:
    """Return the bones ordered so that each comes after its parent; raise `CharacterError` for a circle."""
    depth = np.zeros(len(parents), dtype=np.int64)
    for _ in range(len(parents)):
        deeper = np.where(parents < 0, 0, depth[parents] + 1)
        if np.array_equal(deeper, depth):
            return np.argsort(depth, kind="stable")
        depth = deeper
    raise CharacterError("expected bones that hang on each other as in a body; correct the bone list")


def control_motion(
    armature: bpy.types.Object, motion: RetargetedMotion, bone_map: BoneMap, controls: ControlRig
) -> BoneMotion:
    """Return the motion of the *controls* that makes the bones of *armature* perform *motion*."""
    rig = motion.rig
    row = {rig.names[bone]: number for number, bone in enumerate(motion.bones)}
    world = world_in_metres(armature, bpy.context.scene)
    to_world = Z_UP_FROM_Y_UP.T @ rotation_of(world, armature.name)

    def turn_of(bone: str) -> np.ndarray:
        turned: np.ndarray = motion.rotations[:, row[bone]] @ rig.axes[rig.index[bone]].T
        return turned

    hips = rig.names[motion.bones[0]]
    turns = {hips: turn_of(hips)} | {bone: turn_of(bone) for bone in controls.control_of if bone in row}
    neck = bone_map.bones.get("neck", ())
    if neck and neck[0] in controls.control_of and bone_map.joint("head") is not None:
        turns[neck[0]] = _neck_turn(motion, [*neck, bone_map.bones["head"][0]], turn_of)
    of_control = {controls.control_of[bone]: turn for bone, turn in turns.items() if bone in controls.control_of}
    if controls.traveller is not None:
        of_control.setdefault(controls.traveller, turns[hips])
    goals = goal_motion(motion, controls.ik, lambda control: _world_head(world, controls.links[control].rest), turn_of)
    of_control |= goals.turns
    rotations = [turn @ to_world @ controls.links[control].rest[:3, :3] for control, turn in of_control.items()]
    head = _world_head(world, controls.links[controls.control_of[hips]].rest)
    at_rest = rig.heads[motion.bones[0]]
    return BoneMotion(
        tuple(of_control),
        np.stack(rotations, axis=1),
        motion.root + (head - at_rest) @ np.swapaxes(turns[hips], -1, -2),
        at_rest,
        motion.carrier,
        controls.traveller,
        goals.places,
    )


def _world_head(world: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """Return the head (3,) in the world, Y up, of a bone with the matrix *rest* in an armature placed by *world*."""
    head: np.ndarray = (world[:3, :3] @ rest[:3, 3] + world[:3, 3]) @ Z_UP_FROM_Y_UP
    return head


def _neck_turn(motion: RetargetedMotion, chain: Sequence[str], turn_of: Callable[[str], np.ndarray]) -> np.ndarray:
    """Return the rotations (F, 3, 3) since rest of the neck as one part that ends where its *chain* of bones does."""
    heads = motion.rig.heads[[motion.rig.index[bone] for bone in chain]]
    turns = [turn_of(bone) for bone in chain[:-1]]
    ends = sum(offset @ np.swapaxes(turn, -1, -2) for offset, turn in zip(np.diff(heads, axis=0), turns, strict=True))
    start = (heads[-1] - heads[0]) @ np.swapaxes(turns[0], -1, -2)
    axis = np.cross(start, ends)
    sine = np.linalg.norm(axis, axis=1, keepdims=True)
    angle = np.arctan2(sine[:, 0], np.sum(start * ends, axis=1))
    swung: np.ndarray = axis_angle_to_matrix(axis / np.maximum(sine, _SMALL) * angle[:, None]) @ turns[0]
    return swung


def switch_curves(controls: ControlRig, use: str) -> list[Curve]:
    """Return the channels that keep the switches as the controls need them, with the limbs under *use*: fk or ik."""
    return [Curve(channel, np.array([[value]])) for channel, value in _switches(controls, use).items()]


def _switches(controls: ControlRig, use: str) -> dict[Channel, float]:
    return {**controls.switches, **controls.ik.settings, **(controls.ik.switches if use == "ik" else {})}


def control_note(controls: ControlRig, bone_map: BoneMap, use: str) -> str:
    """Return what the user should know about the controls."""
    names = sorted({channel[1][2:-2] if is_custom(channel) else channel[1] for channel in _switches(controls, use)})
    left = [bone for bone in segments_of(bone_map) if bone not in {*controls.control_of, *controls.ik.bones}]
    note = f"Control rig: {len(controls.control_of)} controls are keyed"
    if controls.ik.limbs:
        note += f", and {len(controls.ik.controls)} of IK"
    elif use == "ik":
        note += ", none of IK was found"
    if names:
        note += f"; switched over: {', '.join(names)}"
    return f"{note}; follow no control: {', '.join(left)}" if left else note
