"""The fingers of a motion, as the retargeting follows them. F frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..body.model import BodyModel
from ..body.topology import VERTEX_IDS_BY_COUNT
from ..fingers import HAND_JOINTS, hands_of
from ..math.frames_last import apply, from_rotation_vectors, times
from ..math.rotations import unit
from ..motion import Motion
from ..smpl_skeleton import FINGER_JOINTS, FINGERS, SIDES, SMPLH
from .hand_bones import palm_frame

_STILL_RAD = 1e-3


@dataclass(frozen=True, eq=False)
class SourceHands:
    """The fingers of both hands, left first, in SMPL's rest axes.

    Attributes:
        rotations: (F, 2, 15, 3) axis-angle of the joints, in SMPL-H's order.
        directions: (2, 15, 3) unit vector along each phalanx at rest.
        palms: (2, 3, 3) frames of the palms at rest, see `palm_frame`.
        bones: (2, 5, 4, 3) of each finger at rest: from the wrist to its first joint, then along each phalanx, metres.
    """

    rotations: np.ndarray
    directions: np.ndarray
    palms: np.ndarray
    bones: np.ndarray

    @classmethod
    def of(cls, motion: Motion, model: BodyModel) -> SourceHands | None:
        """Return the fingers of *motion* on the body *model*; None if they have none."""
        hands = hands_of(motion)
        if hands is None:
            return None
        betas = np.asarray(motion.betas, dtype=np.float32)
        joints = np.asarray(model.rest_joints(betas), dtype=np.float64)
        vertices = np.asarray(model.rest_vertices(betas), dtype=np.float64)
        ids = VERTEX_IDS_BY_COUNT[len(vertices)]
        bones, palms = np.zeros((2, len(FINGERS), FINGER_JOINTS + 1, 3)), np.zeros((2, 3, 3))
        for number, (side, of_hand) in enumerate(zip(SIDES, HAND_JOINTS, strict=True)):
            wrist, index, pinky = (
                joints[SMPLH.index(f"{side}_{name}")] for name in ("wrist", "index1", "pinky1")
            )  # fmt: skip
            for finger, name in enumerate(FINGERS):
                chain = of_hand[FINGER_JOINTS * finger : FINGER_JOINTS * (finger + 1)]
                points = [wrist, *joints[list(chain)], vertices[ids[f"{side}_{name}_tip"]]]
                bones[number, finger] = np.diff(points, axis=0)
            knuckles = joints[[SMPLH.index(f"{side}_{name}1") for name in FINGERS if name != "thumb"]]
            frame = palm_frame(knuckles.mean(axis=0) - wrist, index - pinky)
            if frame is None:
                return None
            palms[number] = frame
        directions = unit(bones[:, :, 1:].reshape(2, -1, 3))
        return cls(hands.astype(np.float64), directions, palms, bones)

    def turned(self, frames: slice) -> np.ndarray:
        """Return the rotations (3, 3, 30, F) of the phalanges relative to their hands in *frames*, left hand first."""
        vectors = self.rotations[frames].reshape(-1, 2 * len(HAND_JOINTS[0]), 3).transpose(2, 1, 0)
        found: np.ndarray = from_rotation_vectors(np.ascontiguousarray(vectors))
        for joint in range(found.shape[2]):
            if joint % FINGER_JOINTS:
                found[:, :, joint] = times(found[:, :, joint - 1], found[:, :, joint])
        return found

    @property
    def moves(self) -> bool:
        """Whether the fingers move, as those that somebody saw do; fingers that nothing shows keep one pose."""
        return bool(np.ptp(self.rotations, axis=0).max(initial=0.0) > _STILL_RAD)

    def tips(self, frames: slice) -> np.ndarray:
        """Return the finger tips (3, 2, 5, F) relative to their wrists, in the rest axes of the hands, left first."""
        turned = self.turned(frames)
        num_frames = turned.shape[-1]
        phalanges = self.bones[:, :, 1:].reshape(-1, 3).T[..., None]
        moved = apply(turned, phalanges).reshape(3, 2, len(FINGERS), FINGER_JOINTS, num_frames)
        found: np.ndarray = moved.sum(axis=3) + self.bones[:, :, 0].transpose(2, 0, 1)[..., None]
        return found
