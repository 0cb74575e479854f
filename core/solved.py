"""A motion that another tool solved, before it is on a body: SMPL parameters in the axes of their file. F frames.

Convention: metres, radians; a vertex is ``model(betas, poses) + trans``. The root acts about the rest pelvis of the
body, so a motion can be rotated as a whole only when the body is known (`core.amass`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .body.data import NUM_BETAS, BodyData
from .body.model import BodyModel
from .errors import MotionError
from .fingers import has_fingers, with_hands
from .math.rotations import axis_angle_to_matrix, matrix_to_axis_angle
from .motion import Motion


@dataclass(frozen=True, eq=False)
class SolvedPoses:
    """The SMPL parameters of one person, as somebody's tool solved them.

    Attributes:
        poses: (F, 72) axis-angle of SMPL's joints, NaN in frames without the person.
        trans: (F, 3) metres, in the file's axes.
        betas: (10,) shape.
        tool: what solved it, for the user.
        body: name of the body that the betas belong to.
        gender: "neutral", "female" or "male".
        to_world: (F, 3, 3) rotations and (F, 3) translations from the axes of each frame's camera to those of the
            world; None if all frames have the same axes.
        turn: (3, 3) rotation from the file's axes, or the world's, to Y up.
        hands: (F, 2, 15, 3) axis-angle of SMPL-H's fingers, left hand first; None if the file does not show them.
    """

    poses: np.ndarray
    trans: np.ndarray
    betas: np.ndarray
    tool: str
    body: str = "smpl"
    gender: str = "neutral"
    to_world: tuple[np.ndarray, np.ndarray] | None = None
    turn: np.ndarray = field(default_factory=lambda: np.eye(3))
    hands: np.ndarray | None = None

    @property
    def known(self) -> np.ndarray:
        """Which frames (F,) have the person."""
        found: np.ndarray = np.isfinite(self.poses).all(axis=1) & np.isfinite(self.trans).all(axis=1)
        return found

    def betas_on(self, body: BodyData) -> np.ndarray:
        """Return the betas (10,) for *body*: the file's own if they belong to it, else those of the mean shape."""
        return self.betas if self.body == body.name else np.zeros(NUM_BETAS)

    def motion_on(self, body: BodyData, fps: float, betas: np.ndarray | None = None) -> Motion:
        """Return the motion on *body*, Y up; frames without the person are interpolated.

        It has the joints of SMPL-H if file and body have fingers, else those of SMPL.

        Args:
            body: the body.
            fps: frames per second.
            betas: (B,) the shape; None for `betas_on`.

        Raises:
            MotionError: no frame has the person.
        """
        betas = self.betas_on(body) if betas is None else np.asarray(betas, dtype=np.float64)
        pelvis = np.asarray(BodyModel(body).rest_joints(betas.astype(np.float32)))[0].astype(np.float64)
        known = np.flatnonzero(self.known)
        if not len(known):
            raise MotionError("expected a frame with the person, found none; the file may be damaged, save it again")
        roots, places = axis_angle_to_matrix(self.poses[known, :3]), self.trans[known] + pelvis
        if self.to_world is not None:
            turns, shifts = (part[known] for part in self.to_world)
            roots, places = turns @ roots, (turns @ places[..., None])[..., 0] + shifts
        poses = self.poses[known].copy()
        poses[:, :3] = matrix_to_axis_angle(self.turn @ roots)
        motion = Motion(poses, betas, places @ self.turn.T - pelvis, fps, body.gender, body.name)
        if self.hands is not None and has_fingers(body.skeleton):
            motion = with_hands(motion, self.hands[known])
        frames = np.arange(len(self.poses))
        return motion if len(known) == len(frames) else motion.sampled(np.interp(frames, known, np.arange(len(known))))

    def joints_on(self, body: BodyData) -> np.ndarray:
        """Return the joints (F, 24, 3) on *body*, metres, in the axes that `turn` leads to; NaN without the person."""
        motion = self.motion_on(body, 1.0)
        model = BodyModel(body)
        joints = np.asarray(model.joints(*(part.astype(np.float32) for part in (
            motion.rotations(), motion.betas, motion.trans - motion.trans[0]
        ))))  # fmt: skip
        return np.where(self.known[:, None, None], joints.astype(np.float64) + motion.trans[0], np.nan)
