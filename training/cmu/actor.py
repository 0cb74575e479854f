"""Convert an actor's motion from mocap files to SMPL. F frames, N bones.

Convention: metres, right-handed, Y up. Both the T-pose of the files and SMPL's rest pose face +Z with the arms along X,
so a bone's rotation relative to the actor's own T-pose is an SMPL joint's rotation relative to the world.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.body.data import NUM_BETAS, BodyData
from core.body.model import local_rotations
from core.errors import MotionError
from core.math.rotations import matrix_to_axis_angle
from core.motion import Motion
from core.smpl_skeleton import JOINT_INDEX, JOINT_NAMES, JOINT_PARENTS, NUM_JOINTS

METRES_PER_UNIT = 0.0254 / 0.45
"""CMU's unit of length: an inch over 0.45, 56.4444 mm."""


@dataclass(frozen=True, eq=False)
class ActorMotion:
    """A motion of a mocap skeleton.

    Attributes:
        names: names of the N bones.
        rotations: (F, N, 3, 3) relative to the world, identity in the skeleton's T-pose.
        positions: (F, N, 3) head of each bone, metres.
        fps: frames per second.
    """

    names: tuple[str, ...]
    rotations: np.ndarray
    positions: np.ndarray
    fps: float

    def bone(self, name: str) -> int:
        """Return the index of a bone."""
        return self.names.index(name)


def actor_to_motion(actor: ActorMotion, bones: Mapping[str, str], body: BodyData, where: str) -> Motion:
    """Convert an actor's motion to an SMPL motion on a body of mean shape.

    SMPL joints missing from *bones* (clavicles, hands) do not move. The path of the hips is scaled by the ratio of the
    leg lengths of body and actor, so that the feet stay on the ground.

    Args:
        actor: the motion.
        bones: by SMPL joint, the actor's corresponding bone.
        body: the body that gives leg length and pelvis position.
        where: the file, named in errors.

    Raises:
        MotionError: bones are missing; all are named.
    """
    missing = sorted({bone for bone in bones.values() if bone not in actor.names})
    if missing:
        raise MotionError(
            f"expected CMU's skeleton, found no bones {', '.join(missing)} in {where}; "
            f"it has {', '.join(actor.names)[:300]}"
        )
    world = np.empty((len(actor.rotations), NUM_JOINTS, 3, 3))
    for joint, name in enumerate(JOINT_NAMES):
        source = actor.rotations[:, actor.bone(bones[name])] if name in bones else world[:, JOINT_PARENTS[joint]]
        world[:, joint] = source
    poses = matrix_to_axis_angle(local_rotations(world)).reshape(len(world), -1)
    rest = body.joint_regressor.astype(np.float64) @ body.v_template
    chain = ("left_hip", "left_knee", "left_ankle")
    actor_leg = [actor.positions[0, actor.bone(bones[name])] for name in chain]
    ratio = _length([rest[JOINT_INDEX[name]] for name in chain]) / _length(actor_leg)
    trans = ratio * actor.positions[:, actor.bone(bones["pelvis"])] - rest[0]
    return Motion(poses, np.zeros(NUM_BETAS), trans, actor.fps, body=body.name)


def _length(points: list[np.ndarray]) -> float:
    return float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum())
