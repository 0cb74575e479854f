"""A character that follows a motion frame by frame, each frame from what came before. M moved bones, F = 1 inside.

What depends on the body, the rig and its map alone is prepared once. A frame is then transferred as one of a clip is
(`retargeting`), with the same steps: the limbs, trunk, head and fingers by the rest alignment, the root by the length
of the legs, the feet held and on the floor, the legs solved for them. What needs the frames to come or takes long is
left to `retarget`: hands that touch, other parts of the body on the floor, skin of the shins.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..body.data import BodyData
from ..body.model import BodyModel
from ..fingers import has_fingers
from ..motion import Motion
from ..smpl_skeleton import SIDES
from .bone_map import BoneMap
from .feet import FootPath
from .legs import solve_legs
from .live_contacts import LiveContacts
from .live_feet import LiveFoot
from .options import RetargetOptions
from .prepared import Prepared
from .rig import Rig
from .source import RetargetSource
from .tree import Pose

_LEG_STEPS = 2
"""Gauss-Newton steps of the legs; a clip takes six. With two, feet on the floor slid no more than with six."""
_SAME_BETAS = 1e-6
_SAME_SHAPE_M = 0.01
"""The character is measured again when a joint of the source's rest pose has moved this far."""
_SHORTEST_S, _LONGEST_S = 1e-3, 0.5
"""A frame that comes later than the second after the one before begins anew."""
_JUMP_M = 0.5
"""So does one in which the body is this far from where it was."""
_FRAME = slice(0, 1)
_ANY_RATE = 30.0
_LEG = ("thigh", "shin", "foot")


@dataclass(frozen=True, eq=False)
class CharacterPose:
    """One frame on a character: world space, metres, Y up.

    Attributes:
        rotations: (M, 3, 3) world rotations of the moved bones, as in `RetargetedMotion`.
        root: (3,) position of the head of the first of them, the hips.
    """

    rotations: np.ndarray
    root: np.ndarray


class LiveRetargeting:
    """Retargets one frame after another; `retarget` does a whole clip.

    Attributes:
        bones: (M,) indices of the moved bones, the hips first.
    """

    def __init__(self, body: BodyData, rig: Rig, bone_map: BoneMap, options: RetargetOptions | None = None) -> None:
        """Prepare the character for the mean shape of *body*.

        Args:
            body: the source's body, with or without fingers.
            rig: the character at rest.
            bone_map: its bones by role.
            options: settings; None for the defaults. The hips carry the path, whatever `root_motion` says, and `hands`
                has no effect.

        Raises:
            CoreError: as `retarget`.
        """
        self._rig, self._bone_map, self._options = rig, bone_map, options or RetargetOptions()
        self._skeleton = body.skeleton
        model = BodyModel(body)
        self._model = model.without_fingers
        self._fingered = model if has_fingers(body.skeleton) else None
        self._prepare(np.zeros(body.shapedirs.shape[-1]))
        self._contacts: LiveContacts | None = None
        self._time_s, self._place = -np.inf, np.zeros(3)
        self.bones = self._prepared.outputs.bones

    def push(self, pose: np.ndarray, trans: np.ndarray, betas: np.ndarray, time_s: float) -> CharacterPose:
        """Return the pose of the character in the next frame.

        Args:
            pose: (3 J,) axis-angle of the joints of the body.
            trans: (3,) metres.
            betas: (B,) the shape so far; the character is measured again when it has changed much.
            time_s: time of the frame, seconds, on any clock; later than that of the frame before.

        Raises:
            MotionError: the pose is not one of the body, or not finite.
        """
        self._take_shape(betas)
        moved = np.asarray(trans, dtype=np.float64) + self._pelvis
        motion = Motion(
            np.asarray(pose, dtype=np.float64)[None], self._betas, moved[None], _ANY_RATE, skeleton=self._skeleton
        )
        step_s = self._step(moved, time_s)
        source = self._source.with_frame(motion, 0.0 if self._contacts is None else self._contacts.floor_m)
        if self._contacts is None:
            self._contacts = LiveContacts(_contact_points(source, source.pose(_FRAME)), source.feet.heights)
            source = self._source.with_frame(motion, self._contacts.floor_m)
        found, rotations, root = self._prepared.transferred(source, _FRAME)
        certainty = self._contacts.push(_contact_points(source, found), source.feet, step_s)
        if self._options.feet > 0.0:
            root = self._on_feet(rotations, root, certainty, step_s)
        outputs = self._prepared.outputs
        if outputs.fingers is not None and source.hands is not None:
            outputs = replace(outputs, fingers=replace(outputs.fingers, source=source.hands))
        turned = outputs.rotations(rotations, source.level, _FRAME, None)
        return CharacterPose(turned[0], root[:, 0] + source.floor_origin)

    def _prepare(self, betas: np.ndarray) -> None:
        """Measure source and character for the shape *betas* (B,)."""
        self._betas, self._pelvis = betas, np.zeros(3)
        self._source = RetargetSource.at_rest(self._model, betas, self._fingered)
        self._prepared = Prepared.of(self._source, self._rig, self._bone_map, self._options)
        self._stand_anew()

    def _stand_anew(self) -> None:
        character = self._prepared.character
        self._feet = [LiveFoot(foot, character.leg_m) for foot in character.feet]

    def _take_shape(self, betas: np.ndarray) -> None:
        """Measure again if *betas* (B,) differ much from those that were measured; else only follow the pelvis."""
        if np.abs(betas - self._betas).max(initial=0.0) < _SAME_BETAS:
            self._pelvis = np.zeros(3)
            return
        rest = np.asarray(self._model.rest_joints(betas.astype(np.float32)), dtype=np.float64)
        self._pelvis = rest[0] - self._source.rest[0]
        if np.abs(rest - self._source.rest - self._pelvis).max() > _SAME_SHAPE_M:
            self._prepare(betas)

    def _step(self, place: np.ndarray, time_s: float) -> float:
        """Return the time since the last frame, seconds; stand anew if it is too long ago or *place* (3,) too far."""
        step_s = time_s - self._time_s
        if step_s > _LONGEST_S or np.linalg.norm(place - self._place) > _JUMP_M:
            self._stand_anew()
            if self._contacts is not None:
                self._contacts.stand_anew()
        self._time_s, self._place = time_s, place
        return float(np.clip(step_s, _SHORTEST_S, _LONGEST_S))

    def _on_feet(self, rotations: np.ndarray, root: np.ndarray, certainty: np.ndarray, step_s: float) -> np.ndarray:
        """Put the feet where they should be in *rotations* (3, 3, N, 1); return the moved root (3, 1)."""
        character, strength = self._prepared.character, self._options.feet
        legs = sorted({0, *(character.tree.index[f"{side}_{part}"] for side in SIDES for part in _LEG)})
        positions = character.tree.positions(rotations, root, legs)
        goals = []
        for number, (foot, held) in enumerate(zip(character.feet, self._feet, strict=True)):
            toe = foot.ankle if foot.toe is None else foot.toe
            path = FootPath(positions[:, foot.ankle], rotations[:, :, foot.ankle], rotations[:, :, toe])
            planned = held.plan(path, certainty[2 * number : 2 * number + 2], strength, step_s)
            rotations[:, :, foot.ankle] = planned.foot
            if foot.toe is not None:
                rotations[:, :, foot.toe] = planned.toe
            goals.append(planned.ankle)
        return solve_legs(character, rotations, root, goals, _LEG_STEPS)


def _contact_points(source: RetargetSource, pose: Pose) -> np.ndarray:
    """Return the contact points (4, 3) of the feet of *source*, one frame, in the world."""
    points: np.ndarray = source.contact_points(pose)[0] + source.floor_origin
    return points
