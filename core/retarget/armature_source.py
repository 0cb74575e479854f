"""The motion of any animated armature as a source. F frames, N bones.

The armature is measured as a character is: its rest pose is aligned limb by limb, its feet and surface come from its
own skin, or from its proportions. Each SMPL joint then has the world rotation of its bone relative to the aligned rest
pose, ``W = R (A R0)^T``, the inverse of what `tree` writes, and lies where the bone's head is. Contacts and floor are
found as in a captured motion, and feet that stand are locked as there. The source is scaled to the size of a person,
about the origin of the scene, so that all limits given in metres hold for goblins and for files in centimetres.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from ..body.free_body import load_free_body
from ..body.model import BodyModel, local_rotations
from ..cleanup import Ground, find_floor
from ..cleanup.feet import Feet
from ..cleanup.foot_lock import lock_feet
from ..cleanup.soles import Sole
from ..cleanup.standing import Holds, plan_holds
from ..math.frames_last import matrices_first, matrices_last
from ..math.rotations import matrix_to_axis_angle, slerp_matrices
from ..motion import Motion
from ..smpl_skeleton import JOINT_INDEX, JOINT_PARENTS, NUM_JOINTS, SIDES, SMPL
from .alignment import SOURCE_JOINTS
from .bone_map import BoneMap
from .character import Character
from .rig import Rig, RigError
from .source import RetargetSource
from .surfaces import HANDS, Part
from .tree import Tree

_SPINE = tuple(JOINT_INDEX[name] for name in ("pelvis", "spine1", "spine2", "spine3"))


@dataclass(frozen=True, eq=False)
class ArmatureMotion:
    """Bones of an armature over time, in world space: metres, Y up.

    Attributes:
        names: the names of the bones.
        rotations: (F, N, 3, 3) world rotations; the columns are the bones' axes, as in `Rig.axes`.
        heads: (F, N, 3) positions of their heads.
        fps: frames per second.
    """

    names: tuple[str, ...]
    rotations: np.ndarray
    heads: np.ndarray
    fps: float

    def __post_init__(self) -> None:
        """Check shapes and values; raise `RigError`."""
        shape = len(self.heads), len(self.names)
        if len(self.heads) == 0 or self.heads.shape != (*shape, 3) or self.rotations.shape != (*shape, 3, 3):
            raise RigError(
                f"expected rotations and heads of {len(self.names)} bones in one or more frames, found "
                f"{self.rotations.shape} and {self.heads.shape}"
            )
        if not (np.isfinite(self.rotations).all() and np.isfinite(self.heads).all()):
            raise RigError("expected an armature with finite positions in all frames; look at its keys and its scale")


@dataclass(frozen=True)
class _Carrier:
    """What moves an SMPL joint.

    Attributes:
        joint: the SMPL joint.
        first: joint of the tree whose rotation it has; -1 for that of the SMPL joint above it.
        second: joint of the tree towards whose rotation it lies.
        share: how far.
        place: joint of the tree that it lies at; -1 if it only moves with the SMPL joint above it.
    """

    joint: int
    first: int
    second: int
    share: float
    place: int


def armature_source(animation: ArmatureMotion, rig: Rig, bone_map: BoneMap, foot_lock: float = 1.0) -> RetargetSource:
    """Return the motion of an armature as a source.

    Args:
        animation: the armature over time; with all bones of *bone_map*.
        rig: the armature at rest.
        bone_map: its bones by role.
        foot_lock: 0 leaves the feet where the animation has them, 1 stops all sliding in their contacts.

    Raises:
        BoneMapError: *bone_map* does not fit the rig, or lacks a required bone.
        RigError: a limb has no length, or *animation* lacks a bone.
    """
    person = _person()
    character = Character.of(rig, bone_map, person)
    tree, size = character.tree, character.size
    carriers = list(_carriers(tree))
    rest = _rest_joints(character, person, carriers)
    rotations, heads = _of_tree(animation, rig, tree)
    world, joints = _smpl_joints(rotations, heads / size, rest, carriers)
    feet = _feet_of(character, person, rest)
    points = _contact_points(world, joints, feet)
    contacts, ground = find_floor(points, joints, feet, animation.fps, np.zeros(points.shape[:2], dtype=bool))
    if ground is not None and foot_lock > 0.0:
        holds = plan_holds(contacts, points, feet.heights, ground, animation.fps)
        _lock_feet(world, joints, feet, holds, animation.fps, foot_lock)
    poses = matrix_to_axis_angle(local_rotations(world)).reshape(len(world), -1)
    return RetargetSource(
        Motion(poses, np.zeros(1), joints[:, 0] - rest[0], animation.fps),
        feet,
        contacts if ground is not None else (),
        ground or Ground(float((points[..., 1] - feet.heights).min()), np.zeros(2)),
        np.zeros((len(world), 3)),
        _parts_of(character),
        joints,
        size,
    )


@cache
def _person() -> RetargetSource:
    return RetargetSource.at_rest(BodyModel(load_free_body()))


def _carriers(tree: Tree) -> Iterator[_Carrier]:
    """Yield what moves each SMPL joint, in order.

    SMPL's spine joints lie evenly along the chain of the tree's spine, the reverse of what the tree does.
    """
    spine = [0, *(tree.index[name] for name in tree.names if name.startswith("spine"))]
    roles = {
        joint: tree.index.get(f"{role} 0" if role == "neck" else role, -1) for role, joint in SOURCE_JOINTS.items()
    }
    for joint in range(NUM_JOINTS):
        if joint in _SPINE:
            at = _SPINE.index(joint) * (len(spine) - 1) / (len(_SPINE) - 1)
            below, above = spine[int(at)], spine[int(np.ceil(at))]
            yield _Carrier(joint, below, above, at % 1.0, above)
        else:
            found = roles.get(joint, -1)
            yield _Carrier(joint, found, found, 0.0, found)


def _rest_joints(character: Character, person: RetargetSource, carriers: list[_Carrier]) -> np.ndarray:
    """Return the rest joints (24, 3) in SMPL's rest axes, at the size of a person; the pelvis is the origin."""
    tree = character.tree
    identity = np.broadcast_to(np.eye(3)[:, :, None, None], (3, 3, len(tree.names), 1))
    own = tree.positions(identity, np.zeros((3, 1)))[..., 0].T / character.size
    steps = person.rest - person.rest[list(JOINT_PARENTS)]
    for number, side in enumerate(SIDES):
        steps[JOINT_INDEX[f"{side}_foot"]] = character.feet[number].ball / character.size
        steps[JOINT_INDEX[f"{side}_hand"]] *= character.reach / character.size
    rest = np.zeros((NUM_JOINTS, 3))
    for carrier in carriers:
        joint = carrier.joint
        rest[joint] = own[carrier.place] if carrier.place >= 0 else rest[JOINT_PARENTS[joint]] + steps[joint]
    return rest


def _of_tree(animation: ArmatureMotion, rig: Rig, tree: Tree) -> tuple[np.ndarray, np.ndarray]:
    """Return the rotations (F, N, 3, 3) of the tree's joints since the aligned rest pose, and their heads (F, N, 3)."""
    column = {name: number for number, name in enumerate(animation.names)}
    names = [rig.names[bone] for bone in tree.bones]
    absent = [name for name in names if name not in column]
    if absent:
        raise RigError(f"expected the motion of all mapped bones, found none of {', '.join(absent)}")
    chosen = [column[name] for name in names]
    rests = tree.aligned @ rig.axes[tree.bones]
    return animation.rotations[:, chosen] @ np.swapaxes(rests, -1, -2), animation.heads[:, chosen]


def _smpl_joints(
    rotations: np.ndarray, heads: np.ndarray, rest: np.ndarray, carriers: list[_Carrier]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the world rotations (F, 24, 3, 3) and the positions (F, 24, 3) of SMPL's joints."""
    world = np.empty((len(heads), NUM_JOINTS, 3, 3))
    joints = np.empty((len(heads), NUM_JOINTS, 3))
    for carrier in carriers:
        joint, parent = carrier.joint, JOINT_PARENTS[carrier.joint]
        if carrier.first < 0:
            world[:, joint] = world[:, parent]
        elif carrier.share > 0.0:
            first, second = rotations[:, carrier.first], rotations[:, carrier.second]
            world[:, joint] = slerp_matrices(first, second, np.array(carrier.share))
        else:
            world[:, joint] = rotations[:, carrier.first]
        if carrier.place >= 0:
            joints[:, joint] = heads[:, carrier.place]
        else:
            joints[:, joint] = joints[:, parent] + world[:, parent] @ (rest[joint] - rest[parent])
    return world, joints


def _feet_of(character: Character, person: RetargetSource, rest: np.ndarray) -> Feet:
    """Return the feet at the size of a person; feet that end at the ball have the toes of *person*."""
    heels, tips, heights, lengths, soles = [], [], [], [], []
    size = character.size
    for number, (side, foot) in enumerate(zip(SIDES, character.feet, strict=True)):
        points = foot.support.points
        soles.append(Sole.of_points(points / size, foot.support.share_of(foot.toe), foot.ball / size))
        toes = points[points[:, 2].argmax()] - foot.ball
        toes[1] = -foot.ball_height
        heels.append(foot.heel)
        tips.append(toes if toes[2] > 0.0 else character.size * person.feet.tips[number])
        heights.append(foot.ball_height)
        leg = rest[[JOINT_INDEX[f"{side}_{name}"] for name in ("hip", "knee", "ankle")]]
        lengths.append(np.linalg.norm(np.diff(leg, axis=0), axis=1).sum())
    return Feet(
        SMPL, rest, np.stack(heels) / size, np.stack(tips) / size, np.array(heights) / size, np.array(lengths),
        (soles[0], soles[1]),
    )  # fmt: skip


def _contact_points(world: np.ndarray, joints: np.ndarray, feet: Feet) -> np.ndarray:
    """Return the contact points (F, 4, 3) of the feet, ordered as `core.cleanup.feet.POINTS`."""
    ankles = [feet.joint(side, "ankle") for side in SIDES]
    toes = [feet.joint(side, "foot") for side in SIDES]
    heels = joints[:, ankles] + (world[:, ankles] @ feet.heels[..., None])[..., 0]
    points: np.ndarray = np.stack([heels, joints[:, toes]], axis=2).reshape(len(joints), -1, 3)
    return points


def _lock_feet(world: np.ndarray, joints: np.ndarray, feet: Feet, holds: Holds, fps: float, strength: float) -> None:
    """Lock the feet in place: turn the legs in *world* (F, 24, 3, 3), and move *joints* (F, 24, 3) with them."""
    trans = joints[:, 0] - feet.rest[0]
    chain = matrices_last(local_rotations(world)[:, feet.chain_joints])
    legs = lock_feet(chain, trans, feet, holds, fps=fps, strength=strength)
    joints += (legs.trans - trans)[:, None]
    for joint, rotations in zip(legs.joints, matrices_first(legs.rotations).swapaxes(0, 1), strict=True):
        parent = JOINT_PARENTS[joint]
        world[:, joint] = world[:, parent] @ rotations
        joints[:, joint] = joints[:, parent] + (world[:, parent] @ (feet.rest[joint] - feet.rest[parent]))


def _parts_of(character: Character) -> dict[str, Part]:
    """Return the surface of the body at the size of a person, on SMPL's joints.

    Without a skin only head and hands: arms hang near the trunk and the thighs, so their size cannot be guessed.
    """
    tree, size = character.tree, character.size
    joint_of = {tree.chest: _SPINE[-1]}
    joint_of |= {tree.index[role]: joint for role, joint in SOURCE_JOINTS.items() if role in tree.index}
    return {
        name: Part((joint_of[part.joints[0]], joint_of[part.joints[1]]), part.offsets / size, part.radii / size)
        for name, part in character.parts.items()
        if len(character.rig.skin.vertices) or name in ("head", *HANDS)
    }
