"""The figure that follows live points: posed frame by frame, and keyed once when a recording ends. J joints."""

from __future__ import annotations

from contextlib import suppress

import bpy
import numpy as np

from ..character.errors import CharacterError
from ..character.identity import has_motion
from ..character.stored import load
from ..core_access import FitSource, LiveFrame, LiveRecording, axis_angle_to_quat_wxyz
from ..figure.animation import key_motion
from ..figure.armature import joint_shape, pose_bones, rest_matrices
from ..figure.axes import bone_from_core
from ..figure.body_mesh import LARGEST_BETA, betas_of
from ..figure.create import set_betas
from ..figure.custom_properties import LIVE_KEY
from ..figure.find import find_object
from ..figure.keyframe_hash import mark_keys
from ..figure.record import FigureRecord
from ..figure.scene_time import scene_rate, show_frames
from ..result.live_settings import replace_motion

_SAME_BETAS = 1e-3


class LiveFigure:
    """A figure of this add-on that shows live frames.

    Attributes:
        shown: the frame that it shows; None before the first.
    """

    def __init__(self, armature: bpy.types.Object, body_file: str) -> None:
        """Take the figure *armature*, of the body in *body_file* (empty for the free body)."""
        self._uid, self._name, self._body_file = armature.session_uid, armature.name, body_file
        self._turns = np.zeros(0)
        self.shown: LiveFrame | None = None

    def find(self) -> bpy.types.Object | None:
        """Return its armature; None if it was removed."""
        return find_object(self._uid, self._name)

    def show(self, armature: bpy.types.Object, frame: LiveFrame) -> None:
        """Pose *armature*, which `find` has returned; in Object and Pose Mode it takes the shape once that is known.

        Raises:
            CoreError: bones are missing.
        """
        if frame.calibrated and bpy.context.mode in ("OBJECT", "POSE"):
            _take_shape(armature, frame.betas)
        if not len(self._turns):  # rest rotations, which do not change with the shape
            self._turns = bone_from_core(rest_matrices(armature))
        bones, shape = pose_bones(armature), joint_shape(armature)
        pelvis = shape.joints(_limited(frame.betas))[0] - shape.joints(betas_of(armature))[0]
        vectors = np.einsum("jab,jb->ja", self._turns, frame.pose.reshape(-1, 3))
        for bone, quaternion in zip(bones, axis_angle_to_quat_wxyz(vectors).tolist(), strict=True):
            bone.rotation_quaternion = quaternion
        bones[0].location = (self._turns[0] @ (frame.trans + pelvis)).tolist()
        self.shown = frame

    def key(self, armature: bpy.types.Object, recording: LiveRecording, scene: bpy.types.Scene, begin: int) -> None:
        """Key a *recording* on *armature*, as a new action, with its true times; its characters follow.

        The live settings of the figure, which key whole frames, begin anew. May be called in Object and Pose Mode.

        Args:
            armature: its armature, which `find` has returned.
            recording: what to key, not empty.
            scene: the scene, which is extended to show it.
            begin: the frame of the scene in which it begins.

        Raises:
            CoreError: bones are missing.
        """
        rate, motion = scene_rate(scene), recording.as_recorded()
        _take_shape(armature, motion.betas)
        release_action(armature)
        even, source = recording.motion(rate, motion), FitSource(body=self._body_file)
        replace_motion(armature, FigureRecord(even, begin, source, None, rate, np.zeros(3)))
        frames = begin + recording.times_s * rate
        key_motion(armature, motion, frames=frames)
        mark_keys(armature)
        show_frames(scene, begin, int(np.ceil(frames[-1])), extend=True)


def mark_live(armature: bpy.types.Object, body_file: str) -> None:
    """Mark the figure *armature*, of the body in *body_file*, as one that live sessions may use again."""
    armature[LIVE_KEY] = body_file


def live_figure(active: bpy.types.Object | None, body_file: str) -> bpy.types.Object | None:
    """Return the figure of earlier live sessions with the body in *body_file* that is *active*, or whose character is.

    None if there is none, or it cannot be keyed.
    """
    found = active
    if active is not None and has_motion(active):
        with suppress(CharacterError):
            found = load(active).figure
    if found is None or found.get(LIVE_KEY) != body_file or not found.users_scene:
        return None
    return found if found.animation_data is None or not found.animation_data.nla_tracks else None


def release_action(armature: bpy.types.Object) -> None:
    """Take the action of an earlier recording from *armature*; it is kept in the file."""
    animation = armature.animation_data
    if animation is not None and animation.action is not None:
        animation.action.use_fake_user = True
        animation.action = None


def _take_shape(armature: bpy.types.Object, betas: np.ndarray) -> None:
    """Give the figure *armature* the shape *betas*, if it has another one."""
    wanted = _limited(betas)
    if np.abs(betas_of(armature) - wanted).max() > _SAME_BETAS:
        set_betas(armature, wanted)


def _limited(betas: np.ndarray) -> np.ndarray:
    """Return *betas* as shape keys can show them."""
    return np.clip(betas, -LARGEST_BETA, LARGEST_BETA)
