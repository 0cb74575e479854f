"""Characters that follow a live figure without keys: posed frame by frame, and put back as they were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import bpy
import numpy as np
from bpy.app.translations import pgettext_iface as iface_

from ..character import stored as storage
from ..character.action import set_value
from ..character.applying import apply_motion, in_its_own_place
from ..character.bone_rows import bone_map_of
from ..character.choosing import settings_of
from ..character.errors import CharacterError
from ..character.frame_pose import FramePose, show_matrices
from ..character.identity import characters_of, has_motion, picked
from ..character.keys import Channel, bone_links, held_bones
from ..character.obstacles import check_editable, moved_otherwise
from ..character.read_rig import read_rig
from ..character.rotation_values import POSE_CHANNELS
from ..character.settings import CharacterSettings
from ..core_access import BodyData, BoneMap, CoreError, LiveFrame, LiveRetargeting
from ..figure.find import find_object
from ..figure.scene_state import is_among
from .kept_pose import keep_pose, put_back, put_right


@dataclass(frozen=True)
class Follower:
    """A character that is to follow a live figure.

    Attributes:
        uid: session number of its armature.
        name: its name when the session began.
        bone_map: its bones.
        settings: how motions are put onto it.
        is_new: whether it has no motion yet, so that it gets that of a recording as by Apply.
    """

    uid: int
    name: str
    bone_map: BoneMap
    settings: CharacterSettings
    is_new: bool

    def find(self) -> bpy.types.Object | None:
        """Return its armature; None if it was removed."""
        return find_object(self.uid, self.name)


def followers_of(figure: bpy.types.Object, scene: bpy.types.Scene) -> list[Follower]:
    """Return the characters of *scene* that have the motion of *figure*, and the picked one if it has none yet.

    Characters whose data are damaged are left out; the Character box says so.
    """
    found = []
    for item in characters_of(figure):
        if is_among(item, scene.objects):
            try:
                kept = storage.load(item)
            except CharacterError:
                continue
            found.append(Follower(item.session_uid, item.name, kept.bone_map, kept.settings, is_new=False))
    item, properties = picked(scene), scene.smplify_character
    if item is not None and item != figure and not has_motion(item):
        try:
            bone_map, settings = bone_map_of(properties), settings_of(properties)
        except CoreError:
            return found
        if not bone_map.missing:
            found.append(Follower(item.session_uid, item.name, bone_map, settings, is_new=True))
    return found


class LiveCharacter:
    """A character that is posed by live frames.

    Attributes:
        follower: which one.
    """

    def __init__(self, follower: Follower, body: BodyData) -> None:
        """Prepare the character for the poses of *body*; its pose is not changed.

        Raises:
            CoreError: it cannot be posed frame by frame.
        """
        self.follower = follower
        armature = follower.find()
        if armature is None:
            raise CharacterError(f"expected the character {follower.name}, but it was removed")
        check_editable(armature)
        put_right(armature)
        links = bone_links(armature)
        mapped = [name for chain in follower.bone_map.bones.values() for name in chain if name in links]
        if moved_otherwise(armature, held_bones(links, mapped)):
            raise CharacterError(f"{armature.name} is a control rig, and finding its controls takes too long")
        earlier = storage.load(armature) if has_motion(armature) else None
        with in_its_own_place(armature, earlier):
            rig = read_rig(armature)
            self._retargeting = LiveRetargeting(body, rig, follower.bone_map, follower.settings.options())
            self._pose = FramePose(armature, links, rig, self._retargeting.bones)
        values = {} if earlier is None else earlier.before.values
        self._place: dict[Channel, Sequence[float]] = {key: value for key, value in values.items() if not key[0]}
        self._matrices: np.ndarray | None = None

    def show(self, frame: LiveFrame) -> None:
        """Pose the character like *frame*, unless it was removed or is being edited.

        Raises:
            CoreError: the frame is not one of the body.
        """
        pose = self._retargeting.push(frame.pose, frame.trans, frame.betas, frame.time_s)
        self._matrices = self._pose.matrices(pose.rotations, pose.root)
        self.show_again()

    def show_again(self) -> None:
        """Pose the character as before, after the timeline has moved it."""
        armature = self.follower.find()
        if armature is None or self._matrices is None or armature.mode == "EDIT":
            return
        keep_pose(armature, self._channels(armature))
        for channel, values in self._place.items():
            set_value(armature, channel, values)
        show_matrices(armature, self._pose.names, self._matrices)

    def restore(self) -> None:
        """Put the character back into the pose that it had."""
        armature = self.follower.find()
        if armature is not None:
            put_back(armature)

    def _channels(self, armature: bpy.types.Object) -> list[Channel]:
        """Return the channels that a live pose sets, those of all rotation modes."""
        names = [name for name in self._pose.names if name in armature.pose.bones]
        return [*self._place, *((name, channel) for name in names for channel in POSE_CHANNELS)]


class LiveCharacters:
    """The characters of a live session.

    Attributes:
        notes: why characters do not follow live, for the user.
    """

    def __init__(self, followers: Sequence[Follower], body: BodyData) -> None:
        """Prepare those of *followers* that can be posed frame by frame by the poses of *body*."""
        self._followers, self._live = list(followers), list[LiveCharacter]()
        self.notes: list[str] = []
        for follower in followers:
            try:
                self._live.append(LiveCharacter(follower, body))
            except CoreError as error:
                self._note(follower, str(error))

    @property
    def names(self) -> list[str]:
        """The names of the characters that follow live."""
        return [character.follower.name for character in self._live]

    @property
    def uids(self) -> set[int]:
        """The session numbers of the armatures that follow live."""
        return {character.follower.uid for character in self._live}

    def show(self, frame: LiveFrame) -> None:
        """Pose them like *frame*; one that cannot be is put back."""
        for character in list(self._live):
            try:
                character.show(frame)
            except CoreError as error:
                self._drop(character, str(error))

    def show_again(self) -> None:
        """Pose them as before, after the timeline has moved them."""
        for character in self._live:
            character.show_again()

    def restore(self) -> None:
        """Put them back into the poses that they had, until the next frame."""
        for character in self._live:
            character.restore()

    def release(self, armature: bpy.types.Object) -> None:
        """Let *armature* follow no longer, since its motion is about to be changed."""
        for character in list(self._live):
            if character.follower.uid == armature.session_uid:
                self._drop(character, iface_("its motion was changed"))

    def apply_recording(self, figure: bpy.types.Object) -> str:
        """Put the recorded motion of *figure* onto the characters that have none yet; the others follow by themselves.

        Returns:
            Why it could not be put onto one of them; empty if it could.
        """
        troubles = []
        for follower in self._followers:
            armature = follower.find() if follower.is_new else None
            if armature is not None and not has_motion(armature):
                try:
                    apply_motion(armature, figure, follower.bone_map, follower.settings)
                except CoreError as error:
                    troubles.append(str(error))
        return "; ".join(troubles)

    def _drop(self, character: LiveCharacter, reason: str) -> None:
        character.restore()
        self._live.remove(character)
        self._note(character.follower, reason)

    def _note(self, follower: Follower, reason: str) -> None:
        self.notes.append(iface_("{:s} follows when the recording stops: {:s}").format(follower.name, reason))
