"""A character prepared for a source body: all of a retargeting that depends on no frame. F frames, M moved bones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..math.frames_last import matrices_first, times
from .bone_map import BoneMap
from .character import Character
from .fingers import HandMotion, relaxed_fingers
from .flat_fingers import FlatFingers
from .floor import FloorPlan
from .options import RetargetOptions
from .rig import Rig
from .root import root_positions, step_size
from .source import RetargetSource
from .tree import Pose
from .twist import TwistBone, find_twist_bones, twisted


@dataclass(frozen=True, eq=False)
class Outputs:
    """The moved bones and how their world rotations follow from the joints'.

    Attributes:
        bones: (M,) indices, the hips first.
        columns: (M,) for each bone its place among the joints, then the twist bones, then the source's finger joints.
        rests: (3, 3, M, 1) constant factors on the right.
        twists: the twist bones.
        fingers: the fingers of the source, if the character's follow them, and how its hands lie in the source's.
        flat: the fingers as they are on the floor.
    """

    bones: np.ndarray
    columns: np.ndarray
    rests: np.ndarray
    twists: list[TwistBone]
    fingers: HandMotion | None
    flat: FlatFingers

    @classmethod
    def of(cls, character: Character, options: RetargetOptions, source: RetargetSource) -> Outputs:
        """Return the bones that the motion of *source* moves on *character*."""
        rig, tree = character.rig, character.tree
        twists = find_twist_bones(rig, character.bone_map, tree)
        found = [(int(bone), joint, tree.aligned[joint] @ rig.axes[bone]) for joint, bone in enumerate(tree.bones)]
        for number, twist in enumerate(twists):
            rest = tree.aligned[twist.limb] @ rig.axes[twist.bone]
            found.append((twist.bone, len(tree.names) + number, rest))
        fingers = HandMotion.of(character, source.hands) if options.fingers == "follow" else None
        if fingers is not None:
            first = len(tree.names) + len(twists)
            found += [(one.bone, first + one.place, one.rest) for one in fingers.bones]
        elif options.fingers != "leave":
            for bone, (hand, turn) in relaxed_fingers(rig, character.bone_map).items():
                joint = tree.index[hand]
                found.append((bone, joint, tree.aligned[joint] @ turn @ rig.axes[bone]))
        found[1:] = sorted(found[1:], key=lambda entry: entry[0])
        bones, columns, rests = zip(*found, strict=True)
        flat = FlatFingers.of(character, np.array(bones))
        return cls(np.array(bones), np.array(columns), np.stack(rests, axis=-1)[..., None], twists, fingers, flat)

    def rotations(self, joints: np.ndarray, level: np.ndarray, frames: slice, floor: FloorPlan | None) -> np.ndarray:
        """Return the world rotations (F, M, 3, 3) from those of the joints (3, 3, N, F) above a *level* floor."""
        turned = [twisted(twist, joints)[:, :, None] for twist in self.twists]
        if self.fingers is not None:
            turned.append(self.fingers.rotations(joints, frames))
        every = np.concatenate([joints, *turned], axis=2) if turned else joints
        chosen = times(np.ascontiguousarray(every[:, :, self.columns]), self.rests)
        if floor is not None:
            self.flat.flatten(chosen, joints, floor.flat[:, frames])
        if not np.array_equal(level, np.eye(3)):
            chosen = times(level.T[..., None, None], chosen)
        by_frame: np.ndarray = matrices_first(chosen)
        return by_frame


@dataclass(frozen=True, eq=False)
class Prepared:
    """A character prepared for the body of a source, made once for any number of its frames.

    Attributes:
        character: the character's joints, sizes, feet and surface.
        outputs: its moved bones.
        step: factor from the source's steps to the character's.
    """

    character: Character
    outputs: Outputs
    step: float

    @classmethod
    def of(cls, source: RetargetSource, rig: Rig, bone_map: BoneMap, options: RetargetOptions) -> Prepared:
        """Measure *rig* for *source*; raises as `retarget` does."""
        character = Character.of(rig, bone_map, source, options.rest_pose)
        return cls(character, Outputs.of(character, options, source), step_size(character, options, source.unit_m))

    def transferred(self, source: RetargetSource, frames: slice) -> tuple[Pose, np.ndarray, np.ndarray]:
        """Return the pose of *source*, and the joints' rotations (3, 3, N, F) and the root (3, F) transferred from it.

        *source* has the body that the character was prepared for.
        """
        pose = source.pose(frames)
        rotations = self.character.tree.rotations_from(pose.rotations)
        return pose, rotations, root_positions(self.character, source, pose, rotations[:, :, 0], self.step)
