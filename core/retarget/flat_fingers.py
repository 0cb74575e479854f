"""Fingers of a hand on the floor: as at rest, since curled ones would go through it. F frames, M moved bones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..math.frames_last import from_rotation_vectors, rotation_vectors, times, transposed_times
from ..smpl_skeleton import SIDES
from .character import Character


@dataclass(frozen=True, eq=False)
class _Hand:
    """The moved fingers of a hand.

    Attributes:
        side: 0 for left, 1 for right.
        joint: the hand's joint.
        columns: (K,) places of the finger bones among the moved bones.
        rests: (3, 3, K, 1) their rotations at rest, in the hand's aligned rest axes.
    """

    side: int
    joint: int
    columns: np.ndarray
    rests: np.ndarray


@dataclass(frozen=True, eq=False)
class FlatFingers:
    """How the fingers of both hands lie at rest."""

    hands: tuple[_Hand, ...]

    @classmethod
    def of(cls, character: Character, bones: np.ndarray) -> FlatFingers:
        """Return the fingers among the moved *bones* (M,) of *character*."""
        rig, tree = character.rig, character.tree
        owners, joints, found = tree.owners(rig), set(tree.bones.tolist()), []
        for side, name in enumerate(SIDES):
            hand = tree.index.get(f"{name}_hand")
            own = [number for number, bone in enumerate(bones.tolist()) if owners[bone] == hand and bone not in joints]
            if hand is not None and own:
                rests = tree.aligned[hand] @ rig.axes[bones[own]]
                found.append(_Hand(side, hand, np.array(own), rests.transpose(1, 2, 0)[..., None]))
        return cls(tuple(found))

    def flatten(self, rotations: np.ndarray, joints: np.ndarray, weights: np.ndarray) -> None:
        """Turn the fingers in *rotations* (3, 3, M, F) towards their rest pose.

        Args:
            rotations: world rotations of the moved bones, changed in place.
            joints: (3, 3, N, F) those of the joints.
            weights: (2, F) how far, from 0 to 1, for each hand.
        """
        for hand in self.hands:
            frames = np.flatnonzero(weights[hand.side] > 0.0)
            if len(frames) == 0:
                continue
            flat = times(joints[:, :, hand.joint : hand.joint + 1][..., frames], hand.rests)
            curl = rotation_vectors(transposed_times(flat, rotations[:, :, hand.columns][..., frames]))
            turned = times(flat, from_rotation_vectors((1.0 - weights[hand.side, frames]) * curl))
            for number, column in enumerate(hand.columns):
                rotations[:, :, column, frames] = turned[:, :, number]
