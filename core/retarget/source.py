"""The motion to retarget: SMPL's joints over time, contacts with the floor, and the body. F frames."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..body.data import NUM_BETAS, BodyData
from ..body.model import BodyModel
from ..cleanup import (
    PLANTED,
    CleanupOptions,
    CleanupSource,
    Contact,
    Ground,
    analyse_motion,
    place_in_room,
    smooth_and_lock_feet,
)
from ..cleanup.feet import Feet
from ..fingers import hands_of, has_fingers, with_fingers, without_fingers
from ..math.frames_last import apply, from_rotation_vectors, times
from ..math.rotations import swing_between
from ..motion import Motion
from ..smpl_skeleton import JOINT_INDEX, JOINT_PARENTS, NUM_JOINTS, SIDES
from .alignment import SOURCE_JOINTS
from .source_hands import SourceHands
from .surfaces import HANDS, Part, RestBody, measure_parts
from .tree import Pose

_CHEST = JOINT_INDEX["spine3"]
_TRUNK = {"hips": (0, 1, 2), "chest": (JOINT_INDEX["spine2"], _CHEST)}
"""The joints whose skin shows the width of the trunk at both ends."""


@dataclass(frozen=True, eq=False)
class RetargetSource:
    """A motion and what retargeting it to any character needs. Positions are in metres, Y up, in the scene's world.

    Attributes:
        motion: the motion as it is to be transferred.
        feet: legs and feet of its body at rest.
        contacts: the foot contacts; none without a floor.
        floor: the floor that the motion stands on.
        drift: (F, 3) how far the floor has moved below the body, for motions that are held in place.
        parts: the surface of the body.
        joints: (F, 24, 3) the joints, where they are not where the rotations of *motion* put the rest joints: the spine
            of an armature has other bones than SMPL's. None if they are.
        unit_m: length in the scene of a metre of this source, which has the size of a person even if its armature has
            not.
        hands: its fingers; None if it has none.
    """

    motion: Motion
    feet: Feet
    contacts: tuple[Contact, ...]
    floor: Ground
    drift: np.ndarray
    parts: dict[str, Part]
    joints: np.ndarray | None = None
    unit_m: float = 1.0
    hands: SourceHands | None = None

    @classmethod
    def of(cls, cleanup: CleanupSource, options: CleanupOptions = PLANTED) -> RetargetSource:
        """Return the source for an analysed motion, cleaned up with *options*."""
        model, feet = cleanup.model, cleanup.feet
        if has_fingers(model.skeleton):
            model = model.without_fingers
            feet = Feet.of_body(model, cleanup.motion.betas)
        steady = smooth_and_lock_feet(cleanup, options)
        motion = place_in_room(cleanup, steady, options)
        in_world = place_in_room(cleanup, steady, replace(options, root="world"))
        ground = cleanup.floor if options.ground == "keep" else Ground(0.0, np.zeros(2))
        plain = without_fingers(motion)
        return cls(
            replace(plain, poses=plain.poses.astype(np.float64), trans=plain.trans.astype(np.float64)),
            feet,
            cleanup.contacts if cleanup.ground is not None else (),
            replace(ground, height_m=ground.height_m + options.height_m),
            (motion.trans - in_world.trans).astype(np.float64) * [1.0, 0.0, 1.0],
            _parts_of(model, motion.betas, feet.rest),
            hands=SourceHands.of(motion, cleanup.model),
        )

    @classmethod
    def of_motion(cls, motion: Motion, body: BodyData | BodyModel) -> RetargetSource:
        """Return the source for a *motion* of *body*, with its feet locked and its floor at height 0."""
        return cls.of(analyse_motion(motion, body))

    @classmethod
    def at_rest(
        cls, model: BodyModel, betas: np.ndarray | None = None, fingered: BodyModel | None = None
    ) -> RetargetSource:
        """Return one frame of a body in its rest pose, to measure characters by.

        Args:
            model: the body, of SMPL's joints.
            betas: (B,) its shape; None for the mean one.
            fingered: the same body with fingers, if it has any.
        """
        betas = np.zeros(NUM_BETAS) if betas is None else betas
        feet = Feet.of_body(model, betas)
        still = Motion(np.zeros((1, 3 * NUM_JOINTS)), betas, np.zeros((1, 3)), 30.0)
        hands = None if fingered is None else SourceHands.of(with_fingers(still), fingered)
        parts = _parts_of(model, betas, feet.rest)
        return cls(still, feet, (), Ground(0.0, np.zeros(2)), np.zeros((1, 3)), parts, hands=hands)

    def with_frame(self, motion: Motion, floor_m: float) -> RetargetSource:
        """Return the source of one frame of the same body, above a level floor.

        Args:
            motion: one frame, of SMPL's joints or, if the source has hands, of SMPL-H's.
            floor_m: height of the floor, metres.
        """
        fingers = None if self.hands is None else hands_of(motion)
        hands = self.hands if fingers is None or self.hands is None else replace(self.hands, rotations=fingers)
        floor = Ground(floor_m, np.zeros(2))
        return replace(self, motion=without_fingers(motion), floor=floor, hands=hands)

    @property
    def num_frames(self) -> int:
        """Number of frames."""
        return self.motion.num_frames

    @property
    def rest(self) -> np.ndarray:
        """The rest joints (24, 3), metres."""
        return self.feet.rest

    @property
    def leg_drop(self) -> float:
        """How far the ankles lie below the hip joints at rest, along Y and below 0, metres."""
        hips, ankles = ([JOINT_INDEX[f"{side}_{name}"] for side in SIDES] for name in ("hip", "ankle"))
        return float(self.rest[ankles, 1].mean() - self.rest[hips, 1].mean())

    @property
    def ankle_height(self) -> float:
        """Mean height of the ankles above the soles of the standing body, metres."""
        return -float(self.feet.heels[:, 1].mean())

    @property
    def foot_m(self) -> float:
        """Mean length of the feet from heel to toe tips, metres."""
        ankles, toes = ([JOINT_INDEX[f"{side}_{name}"] for side in SIDES] for name in ("ankle", "foot"))
        feet = self.rest[toes] + self.feet.tips - self.rest[ankles] - self.feet.heels
        return float(feet[:, 2].mean())

    @property
    def arm_m(self) -> float:
        """Mean length of upper arm and forearm together, metres."""
        joints = [[JOINT_INDEX[f"{side}_{name}"] for name in ("shoulder", "elbow", "wrist")] for side in SIDES]
        bones = np.diff(self.rest[np.array(joints)], axis=1)
        return float(np.linalg.norm(bones, axis=-1).sum(axis=-1).mean())

    @property
    def level(self) -> np.ndarray:
        """The rotation (3, 3) from the world to the floor's axes, in which the floor is level."""
        if not self.floor.slope.any():
            return np.eye(3)
        turn: np.ndarray = swing_between(self.floor.up, np.array([0.0, 1.0, 0.0]))
        return turn

    @property
    def floor_origin(self) -> np.ndarray:
        """The point (3,) of the floor that lies at the origin of the floor's axes."""
        return np.array([0.0, self.floor.height_m, 0.0])

    def pose(self, frames: slice) -> Pose:
        """Return the pose of the 24 joints in *frames*, in the floor's axes: it is level there, at height 0."""
        vectors = self.motion.poses[frames].reshape(-1, NUM_JOINTS, 3).transpose(2, 1, 0)
        world = from_rotation_vectors(np.ascontiguousarray(vectors))
        positions = np.empty(vectors.shape)
        level = self.level
        positions[:, 0] = level @ (self.rest[0] + self.motion.trans[frames] - self.floor_origin).T
        world[:, :, 0] = times(level[..., None], world[:, :, 0])
        for joint in range(1, NUM_JOINTS):
            parent = JOINT_PARENTS[joint]
            bone = self.rest[joint] - self.rest[parent]
            positions[:, joint] = positions[:, parent] + apply(world[:, :, parent], bone[:, None])
            world[:, :, joint] = times(world[:, :, parent], world[:, :, joint])
        if self.joints is not None:
            positions = np.einsum("ij,fnj->inf", level, self.joints[frames] - self.floor_origin)
        return Pose(world, positions)

    def contact_points(self, pose: Pose) -> np.ndarray:
        """Return the contact points (F, 4, 3) of the feet in a *pose* of `pose`, as `core.cleanup.feet.POINTS`."""
        found = []
        for number, side in enumerate(SIDES):
            found.append(pose.point(JOINT_INDEX[f"{side}_ankle"], self.feet.heels[number]).T)
            found.append(pose.positions[:, JOINT_INDEX[f"{side}_foot"]].T)
        return np.stack(found, axis=1)

    def in_contact(self) -> np.ndarray:
        """Return in which frames each contact point is on the floor (F, 4), ordered as `core.cleanup.feet.POINTS`."""
        marked = np.zeros((self.num_frames, 4), dtype=bool)
        for contact in self.contacts:
            marked[contact.frames, contact.point] = True
        return marked


def _parts_of(model: BodyModel, betas: np.ndarray, rest: np.ndarray) -> dict[str, Part]:
    """Return the surface of the source's body."""
    vertices = np.asarray(model.rest_vertices(np.asarray(betas, dtype=np.float32)), dtype=np.float64)
    main_joint = np.asarray(model.data.weights).argmax(axis=1)
    joints = {**SOURCE_JOINTS, "chest": _CHEST}
    of_role = {role: _TRUNK.get(role, (joint,)) for role, joint in joints.items()}
    hands = {f"{side}_hand": rest[JOINT_INDEX[f"{side}_hand"]] - rest[JOINT_INDEX[f"{side}_wrist"]] for side in SIDES}
    return measure_parts(
        RestBody(
            joints,
            {role: rest[joint] for role, joint in joints.items()},
            dict.fromkeys(joints, np.eye(3)),
            {role: vertices[np.isin(main_joint, own)] for role, own in of_role.items()},
            {hand: hands[hand] for hand in HANDS},
        )
    )
