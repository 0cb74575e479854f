"""A motion on a character's bones, and its quality. F frames, M moved bones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .rig import Rig
from .root import Carrier


@dataclass(frozen=True, eq=False)
class RetargetReport:
    """Quality of a retargeted motion. Lengths in metres on the character.

    Attributes:
        leg_m: length of the character's leg, thigh and shin.
        size: factor from the source's steps to the character's.
        source_slide_m: how far the foot contacts of the source slide, scaled to the character, mean over contacts.
        slide_m: how far the same contacts slide on the character, mean over contacts.
        worst_slide_m: the same for the worst contact.
        lowest_m: height of the lowest vertex of the feet over all frames; NaN if they have no skin.
        contacts: number of hand contacts (a hand at the other one, the head, a hip ...) in the source, in frames.
        contacts_kept: in how many of these frames the character's hand is within 3 cm of its goal, scaled to a leg of
            0.80 m.
        out_of_reach: frames in which a hand or foot cannot reach its goal.
        doubts: what the user should know, one sentence each.
    """

    leg_m: float
    size: float
    source_slide_m: float
    slide_m: float
    worst_slide_m: float
    lowest_m: float
    contacts: int
    contacts_kept: int
    out_of_reach: np.ndarray
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class RetargetedMotion:
    """World rotations of a character's bones over time: metres, Y up.

    Attributes:
        rig: the character.
        bones: (M,) indices of the bones that the motion moves, parents before children. All others keep their rest
            pose relative to their parents.
        rotations: (F, M, 3, 3) world rotations; the columns are the bone's axes, as in `Rig.axes`.
        root: (F, 3) world position of the head of the hips bone, the first of *bones*.
        fps: frames per second.
        report: its quality.
        carrier: the path over the floor for a root bone or the object, below which the rest moves; None if the hips
            carry it. *rotations* and *root* are in world space either way.
    """

    rig: Rig
    bones: np.ndarray
    rotations: np.ndarray
    root: np.ndarray
    fps: float
    report: RetargetReport
    carrier: Carrier | None = None

    @property
    def num_frames(self) -> int:
        """Number of frames."""
        return len(self.root)

    def pose(self, frames: slice = slice(None)) -> tuple[np.ndarray, np.ndarray]:
        """Return world rotations (F, B, 3, 3) and heads (F, B, 3) of all bones of the rig, metres.

        A bone above the hips moves with them, since it is not keyed.
        """
        rig, hips = self.rig, int(self.bones[0])
        moved, root = self.rotations[frames], self.root[frames]
        column = {int(bone): number for number, bone in enumerate(self.bones)}
        turn = moved[:, 0] @ rig.axes[hips].T
        rotations = np.empty((len(root), len(rig.names), 3, 3))
        heads = np.empty((len(root), len(rig.names), 3))
        for bone, parent in enumerate(rig.parents):
            inside = parent >= 0 and bone != hips
            carried = rotations[:, parent] @ rig.axes[parent].T if inside else turn
            origin, rest = (heads[:, parent], rig.heads[parent]) if inside else (root, rig.heads[hips])
            heads[:, bone] = origin + carried @ (rig.heads[bone] - rest)
            rotations[:, bone] = moved[:, column[bone]] if bone in column else carried @ rig.axes[bone]
        return rotations, heads
