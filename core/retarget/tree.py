"""The joints of a character that a motion moves, as a tree in SMPL's rest axes. N joints, F frames.

In these axes a bone's world rotation is ``W A R0``, with W the world rotation of the source's body part, A the rest
alignment and R0 the bone's rest rotation; and a joint lies at ``p + W o`` with p and W of its parent and o the constant
``A (P - P_parent)``. So bone axes do not enter until the end. Arrays of frames have the frames last.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..math.frames_last import apply, from_rotation_vectors, rotation_vectors, times, transposed_times
from ..smpl_skeleton import JOINT_INDEX
from .alignment import SOURCE_JOINTS
from .bone_map import ROLES, BoneMap
from .rig import Rig, RigError

_SPINE = (0, JOINT_INDEX["spine1"], JOINT_INDEX["spine2"], JOINT_INDEX["spine3"])
_CHAINS = ("spine", "neck")
_LOGICAL_PARENTS = {"toe": "foot", "foot": "shin", "shin": "thigh", "hand": "forearm", "forearm": "upper_arm"}


@dataclass(frozen=True, eq=False)
class Pose:
    """World rotations (3, 3, N, F) and positions (3, N, F) of joints, metres."""

    rotations: np.ndarray
    positions: np.ndarray

    def point(self, joint: int, offset: np.ndarray, frames: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Return the position (3, F) of a point that moves with *joint*.

        Args:
            joint: the joint.
            offset: (3,) or (3, F) from it to the point, in its rest axes.
            frames: the frames.
        """
        turn = self.rotations[:, :, joint][..., frames]
        at: np.ndarray = self.positions[:, joint][:, frames] + apply(turn, offset.reshape(3, -1))
        return at


@dataclass(frozen=True, eq=False)
class Tree:
    """The moved joints: parents before children, the hips first.

    Attributes:
        names: the role of each joint; in the spine and the neck with its number, from 0.
        bones: (N,) indices of the bones.
        parents: (N,) index of each joint's parent, -1 for the hips.
        offsets: (N, 3) from the parent to the joint, in the parent's aligned rest axes, metres.
        heads: (N, 3) rest positions in the rig's world.
        aligned: (N, 3, 3) rotations from the rig's rest pose to SMPL's.
        sources: (N, 2) the SMPL joints between which each joint's rotation lies.
        shares: (N,) how far from the first to the second.
        loose: names of joints that the armature does not hang below their logical parent.
    """

    names: tuple[str, ...]
    bones: np.ndarray
    parents: np.ndarray
    offsets: np.ndarray
    heads: np.ndarray
    aligned: np.ndarray
    sources: np.ndarray
    shares: np.ndarray
    loose: tuple[str, ...] = ()

    @cached_property
    def index(self) -> dict[str, int]:
        """Index of each joint by its name."""
        return {name: number for number, name in enumerate(self.names)}

    @property
    def chest(self) -> int:
        """The joint that carries the shoulders: the last of the spine, or the hips."""
        return max([self.index[name] for name in self.names if name.startswith("spine")], default=0)

    def below(self, joint: int) -> list[int]:
        """Return *joint* and all joints below it."""
        found = [joint]
        for other in range(joint + 1, len(self.names)):
            if int(self.parents[other]) in found:
                found.append(other)
        return found

    def local(self, joint: int, points: np.ndarray) -> np.ndarray:
        """Return *points* (..., 3) of the rig's rest pose relative to *joint*, in its aligned rest axes."""
        moved: np.ndarray = (points - self.heads[joint]) @ self.aligned[joint].T
        return moved

    def owners(self, rig: Rig) -> np.ndarray:
        """Return for each bone (B,) of *rig* the joint that it moves with; the hips for bones above them."""
        owners = np.zeros(len(rig.names), dtype=np.int64)
        joint_of = {int(bone): joint for joint, bone in enumerate(self.bones)}
        for bone, parent in enumerate(rig.parents):
            owners[bone] = joint_of.get(bone, owners[parent] if parent >= 0 else 0)
        return owners

    def rotations_from(self, source: np.ndarray) -> np.ndarray:
        """Return the world rotations (3, 3, N, F) of the joints, from those of the source (3, 3, 24, F)."""
        found = np.ascontiguousarray(source[:, :, self.sources[:, 0]])
        for joint in np.flatnonzero(self.shares > 0.0):
            first, second = (source[:, :, number] for number in self.sources[joint])
            turn = self.shares[joint] * rotation_vectors(transposed_times(first, second))
            found[:, :, joint] = times(first, from_rotation_vectors(turn))
        return found

    def positions(self, rotations: np.ndarray, root: np.ndarray, joints: list[int] | None = None) -> np.ndarray:
        """Return the positions (3, N, F) of the joints; of those not in *joints*, undefined values.

        Args:
            rotations: (3, 3, N, F) world rotations.
            root: (3, F) position of the hips.
            joints: the joints to place, with their ancestors, in order; None for all.
        """
        placed = np.empty((3, len(self.names), root.shape[-1]))
        for joint in range(len(self.names)) if joints is None else joints:
            parent = int(self.parents[joint])
            offset = self.offsets[joint][:, None]
            placed[:, joint] = root if parent < 0 else placed[:, parent] + apply(rotations[:, :, parent], offset)
        return placed

    def pose(self, rotations: np.ndarray, root: np.ndarray) -> Pose:
        """Return the pose with these world rotations (3, 3, N, F) and the hips at *root* (3, F)."""
        return Pose(rotations, self.positions(rotations, root))


def build_tree(rig: Rig, bone_map: BoneMap, alignment: dict[str, np.ndarray]) -> Tree:
    """Return the moved joints of *rig*.

    Raises:
        RigError: the hips hang below another moved joint.
    """
    roles = {name: role for role in ROLES if role in bone_map.bones for name in _joint_names(role, bone_map)}
    bones = {
        name: rig.index[bone_map.bones[role][int(name.split()[1]) if role in _CHAINS else 0]]
        for name, role in roles.items()
    }
    name_of = {bone: name for name, bone in bones.items()}
    parents, loose = {}, []
    for name, bone in bones.items():
        above = [name_of[other] for other in rig.ancestors(bone)[1:] if other in name_of]
        parents[name] = above[0] if above else _logical_parent(name, bones)
        if not above and name != "hips":
            loose.append(name)
    if parents["hips"] != "":
        raise RigError(f"expected the hips above all other bones, found them below {parents['hips']}")
    names = _parents_first(parents)
    index = {name: number for number, name in enumerate(names)}
    aligned = np.stack([alignment[roles[name]] for name in names])
    heads = rig.heads[[bones[name] for name in names]]
    parent_of = np.array([index.get(parents[name], -1) for name in names])
    offsets = np.einsum("nij,nj->ni", aligned[parent_of], heads - heads[parent_of])
    offsets[0] = 0.0
    origins = [_source_of(name, roles[name], len(bone_map.bones[roles[name]])) for name in names]
    return Tree(
        names,
        np.array([bones[name] for name in names]),
        parent_of,
        offsets,
        heads,
        aligned,
        np.array([origin[:2] for origin in origins]),
        np.array([origin[2] for origin in origins]),
        tuple(loose),
    )


def _joint_names(role: str, bone_map: BoneMap) -> list[str]:
    return [f"{role} {number}" for number in range(len(bone_map.bones[role]))] if role in _CHAINS else [role]


def _logical_parent(name: str, bones: dict[str, int]) -> str:
    """Return the joint that carries *name* in a body whose armature does not say so; empty for the hips."""
    if name == "hips":
        return ""
    role, _, number = name.partition(" ")
    if number and number != "0":
        return f"{role} {int(number) - 1}"
    side, _, part = role.partition("_")
    if part in _LOGICAL_PARENTS:
        return f"{side}_{_LOGICAL_PARENTS[part]}"
    if part == "thigh" or role == "spine":
        return "hips"
    if part == "upper_arm" and f"{side}_clavicle" in bones:
        return f"{side}_clavicle"
    trunk = [other for other in bones if other.startswith("spine") or (role == "head" and other.startswith("neck"))]
    return trunk[-1] if trunk else "hips"


def _parents_first(parents: dict[str, str]) -> tuple[str, ...]:
    """Return the names with each parent before its children; *parents* gives the parent of each, empty for the root.

    Raises:
        RigError: the bones form a circle.
    """
    names: list[str] = []
    while len(names) < len(parents):
        ready = [name for name in parents if name not in names and (parents[name] in names or parents[name] == "")]
        if not ready:
            raise RigError("expected each bone below another role's bone or the hips; correct the bone map")
        names += ready
    return tuple(names)


def _source_of(name: str, role: str, length: int) -> tuple[int, int, float]:
    """Return the SMPL joints between which a joint's rotation lies, and how far from the first to the second.

    A spine of any length shares the bends of SMPL's three spine joints evenly; the last bone has the rotation of the
    last. The first bone of a neck has the rotation of SMPL's neck, and the next ones approach the head's.
    """
    number = int(name.split()[1]) if role in _CHAINS else 0
    if role == "spine":
        knot, rest = divmod(3 * (number + 1), length)
        return _SPINE[knot], _SPINE[min(knot + 1, 3)], rest / length
    if role == "neck":
        return JOINT_INDEX["neck"], JOINT_INDEX["head"], number / length
    joint = SOURCE_JOINTS[role]
    return joint, joint, 0.0
