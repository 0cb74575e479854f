"""The fingers of a character: as the source's, or relaxed.

A relaxed hand has its fingers bent a little towards the palm, more so from the index to the little finger.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..math.frames_last import apply, times
from ..math.rotations import axis_angle_to_matrix, swing_between
from ..smpl_skeleton import FINGER_JOINTS, FINGERS, SIDES
from .bone_map import BoneMap
from .character import Character
from .hand_bones import HandBones, find_hands
from .rig import Rig
from .source_hands import SourceHands
from .surfaces import HANDS

_BENDS_DEG = ((14.0, 20.0, 12.0), (24.0, 32.0, 20.0))
"""Bend of the three bones of the index and of the little finger against the hand; the others lie between."""
_NUM_JOINTS = FINGER_JOINTS * len(FINGERS)
_OF_COUNT = {
    1: ("middle",),
    2: ("index", "ring"),
    3: ("index", "middle", "pinky"),
    4: ("index", "middle", "ring", "pinky"),
}
"""The fingers of the source that a hand of so many fingers, without the thumb, follows."""
_JOINT_OF_BONE = {1: (1,), 2: (0, 2), 3: (0, 1, 2)}
"""For a finger of so many bones, the source's joint down to which each one bends: its tip ends as the source's."""


@dataclass(frozen=True, eq=False)
class FollowingBone:
    """A finger bone that follows one of the source's.

    Attributes:
        bone: its index.
        place: the phalanx of the source among the 30 of both hands.
        rest: (3, 3) its rotation when the source's hand is at rest, in the hand's aligned axes.
    """

    bone: int
    place: int
    rest: np.ndarray


@dataclass(frozen=True, eq=False)
class FingerTip:
    """The tip of a finger that follows one of the source's, in the hand's aligned axes.

    Attributes:
        finger: the finger of the source, an index into `FINGERS`.
        base: (3,) the first bone that follows, from the hand's joint, metres.
        bones: for each bone that follows, its phalanx of the source among the 30 of both hands, and the vector (3,)
            along it when the source's hand is at rest; the last one reaches to the tip.
    """

    finger: int
    base: np.ndarray
    bones: list[tuple[int, np.ndarray]]


@dataclass(frozen=True, eq=False)
class HandMotion:
    """How the fingers of a character follow those of a source.

    A phalanx points where the source's does, relative to the palm, whatever its own direction at rest.

    Attributes:
        source: the fingers to follow.
        bones: the finger bones.
        hands: the joint of each hand, left first, among the character's; 0 if it has no fingers.
        palms: (2, 3, 3) rotations from the source's palms to the character's, both aligned.
        tips: the finger tips of each hand, left first.
    """

    source: SourceHands
    bones: list[FollowingBone]
    hands: tuple[int, int]
    palms: np.ndarray
    tips: tuple[list[FingerTip], list[FingerTip]]

    @classmethod
    def of(cls, character: Character, source: SourceHands | None) -> HandMotion | None:
        """Return how the fingers of *character* follow *source*; None if one of them has none."""
        rig, tree = character.rig, character.tree
        bones, hands, palms = [], [0, 0], np.tile(np.eye(3), (2, 1, 1))
        tips: tuple[list[FingerTip], list[FingerTip]] = ([], [])
        for hand in find_hands(rig, character.bone_map) if source is not None else ():
            side, frame = SIDES.index(hand.role.removesuffix("_hand")), hand.palm(rig)
            if source is None or frame is None:
                continue
            hands[side] = tree.index[hand.role]
            aligned = tree.aligned[hands[side]]
            palms[side] = aligned @ frame @ source.palms[side].T
            for name, chain in _paired(hand):
                first = FINGERS.index(name) * FINGER_JOINTS
                following = []
                for bone, joint in zip(chain, _JOINT_OF_BONE[min(len(chain), FINGER_JOINTS)], strict=False):
                    along = aligned @ _along(rig, bone)
                    wanted = palms[side] @ source.directions[side, first + joint]
                    rest = swing_between(along, wanted) @ aligned @ rig.axes[bone]
                    following.append(FollowingBone(bone, side * _NUM_JOINTS + first + joint, rest))
                bones += following
                tips[side].append(_tip(rig, hand.hand, FINGERS.index(name), chain, following, aligned))
        if source is None or not bones:
            return None
        return cls(source, bones, (hands[0], hands[1]), palms, tips)

    def rotations(self, joints: np.ndarray, frames: slice) -> np.ndarray:
        """Return the world rotations (3, 3, 30, F) of both hands' phalanges from those of the *joints* (3, 3, N, F)."""
        turned = self._local(frames)
        for side, hand in enumerate(self.hands):
            own = slice(side * _NUM_JOINTS, (side + 1) * _NUM_JOINTS)
            turned[:, :, own] = times(joints[:, :, hand : hand + 1], turned[:, :, own])
        return turned

    def _local(self, frames: slice) -> np.ndarray:
        """Return the rotations (3, 3, 30, F) of both hands' phalanges relative to the hands, in these' aligned axes."""
        turned: np.ndarray = self.source.turned(frames)
        for side, palm in enumerate(self.palms):
            own = slice(side * _NUM_JOINTS, (side + 1) * _NUM_JOINTS)
            turned[:, :, own] = times(times(palm[..., None, None], turned[:, :, own]), palm.T[..., None, None])
        return turned

    def tip_points(self, frames: slice) -> dict[str, np.ndarray]:
        """Return the finger tips (3, T, F) of each hand by its name, relative to its joint, in its aligned axes."""
        turned, found = self._local(frames), {}
        for name, tips in zip(HANDS, self.tips, strict=True):
            points = np.empty((3, len(tips), turned.shape[-1]))
            for number, tip in enumerate(tips):
                points[:, number] = tip.base[:, None]
                for place, along in tip.bones:
                    points[:, number] += apply(turned[:, :, place], along[:, None])
            found[name] = points
        return found

    def source_tip_points(self, frames: slice) -> dict[str, np.ndarray]:
        """Return the same finger tips (3, T, F) of the source, in the rest axes of its hands."""
        tips = self.source.tips(frames)
        return {name: tips[:, side, [tip.finger for tip in self.tips[side]]] for side, name in enumerate(HANDS)}


def _tip(
    rig: Rig, hand: int, finger: int, chain: tuple[int, ...], following: list[FollowingBone], aligned: np.ndarray
) -> FingerTip:
    """Return the tip of the finger *chain* below the bone *hand*, of which the bones *following* follow the source."""
    heads = [rig.heads[one.bone] for one in following]
    ends = [*heads[1:], rig.heads[chain[-1]] + _along(rig, chain[-1])]
    bones = [
        (one.place, one.rest @ rig.axes[one.bone].T @ (end - head))
        for one, head, end in zip(following, heads, ends, strict=True)
    ]
    return FingerTip(finger, aligned @ (heads[0] - rig.heads[hand]), bones)


def _along(rig: Rig, bone: int) -> np.ndarray:
    """Return the direction (3,) of a finger's *bone*: to the next one if there is one, since tails may lie anywhere."""
    below = rig.children[bone]
    end: np.ndarray = rig.heads[below[0]] if len(below) == 1 else rig.tails[bone]
    return np.asarray(end - rig.heads[bone])


def _paired(hand: HandBones) -> list[tuple[str, tuple[int, ...]]]:
    """Return the source's finger for each finger of a character's *hand*, and the bones that follow it."""
    names = _OF_COUNT[min(len(hand.fingers), max(_OF_COUNT))]
    return [("thumb", hand.thumb), *zip(names, hand.fingers, strict=False)]


def relaxed_fingers(rig: Rig, bone_map: BoneMap) -> dict[int, tuple[str, np.ndarray]]:
    """Return for each finger bone the role of its hand and its rotation (3, 3), in world axes at rest, when relaxed.

    A finger that is bent at rest only gets what is missing. Hands whose fingers are not found stay as they are.
    """
    found: dict[int, tuple[str, np.ndarray]] = {}
    for hand in find_hands(rig, bone_map):
        for bone, turn in _bent(rig, hand).items():
            found[bone] = (hand.role, turn)
    return found


def _bent(rig: Rig, hand: HandBones) -> dict[int, np.ndarray]:
    """Return the rotation (3, 3) of each bone of the four fingers of *hand* in world axes."""
    frame = hand.palm(rig)
    if frame is None:
        return {}
    ahead, _, normal = frame.T
    palm = normal if hand.role.startswith(SIDES[0]) else -normal
    axis = np.cross(ahead, palm)
    found = {}
    for rank, finger in enumerate(hand.fingers):
        share = rank / max(len(hand.fingers) - 1, 1)
        bends = np.deg2rad((1.0 - share) * np.array(_BENDS_DEG[0]) + share * np.array(_BENDS_DEG[1]))
        turn, wanted = np.eye(3), 0.0
        for bone, bend in zip(finger, bends, strict=False):
            wanted += float(bend)
            along = _along(rig, bone)
            now = float(np.arctan2(along @ palm, along @ ahead))
            turn = axis_angle_to_matrix(axis * max(wanted - now, 0.0))
            found[bone] = turn
        for bone in finger[len(bends) :]:
            found[bone] = turn
    return found
