"""Contacts of knees, seat, back, head, elbows and hands with the floor. F frames.

The source tells which parts touch. Where they lie follows from the character's own skin: first the height of the whole
body, so that its lowest part is on the floor as the source's is and none is below it; then the arms, so that each hand
reaches the floor and stands still where the source's does. The height is planned for the whole clip, since it must not
jump. Everything is in the floor's axes: Y = 0 is the floor. Frames in which the source and the character come near the
floor with their feet alone are not changed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ..math.frames_last import apply, cross, from_rotation_vectors, times
from ..math.runs import find_runs
from ..smpl_skeleton import JOINT_INDEX, SIDES
from .arms import solve_arms
from .body_skin import BodySkin, lowest
from .character import Character
from .floor_contacts import FADE_S, body_heights, closeness, hand_heights, resting_height, touching
from .source import RetargetSource
from .surfaces import HANDS
from .touch import FloorReach, held_up, smoothed
from .tree import Pose

_ROUNDS = 4
_NEAR_LEGS = 0.02
"""Skin nearer to the floor than this share of the leg's length is looked at."""
_MOST_LEGS = 2.0
"""The body is lifted or lowered at most by this share of the leg's length."""
_STILL_M_S = 0.25
"""A hand on the floor that is slower stands."""
_STANDS = 0.5
_LEAST_MOVE_M = 1e-5
_LEAST_WEIGHT = 0.01
_UP = np.array([[0.0], [1.0], [0.0]])
_WRISTS = [JOINT_INDEX[f"{side}_wrist"] for side in SIDES]
_MOST_PITCH_RAD, _PITCH_STEP_RAD = 0.5, 0.2
_MOST_BACK_RAD, _BACK_STEP_RAD = 1.2, 0.4
_LEAST_LEAN = 0.3
"""Sine of the lean from which the trunk is pitched for hands to reach the floor, fully from twice of it."""
_SOFT_LEGS = 0.05
"""A hand that comes down beside what it touches slows down from this height, as a share of the leg's length."""
_HELD_LEGS = 0.03
"""A body that is lifted by this share of the leg's length is not moved by its feet."""

PosedOnFeet = Callable[[slice, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Returns rotations (3, 3, N, F) and root (3, F) with the feet in place, for frames, a lift and a pitch (F,)."""


@dataclass(frozen=True, eq=False)
class Nearness:
    """Distances of the source and the transferred pose from the floor.

    Attributes:
        body: (F,) height of the source's lowest part besides hands and feet, metres.
        hands: (2, F) heights of its hands.
        places: (2, 3, F) positions of its wrists.
        looked_at: (F,) bool, frames in which the character needs to be looked at.
    """

    body: np.ndarray
    hands: np.ndarray
    places: np.ndarray
    looked_at: np.ndarray

    @classmethod
    def empty(cls, num_frames: int) -> Nearness:
        """Return room for all frames."""
        return cls(
            body=np.zeros(num_frames),
            hands=np.zeros((2, num_frames)),
            places=np.zeros((2, 3, num_frames)),
            looked_at=np.zeros(num_frames, dtype=bool),
        )

    def add(self, frames: slice, character: Character, skin: BodySkin, source: Pose, transferred: Pose) -> None:
        """Measure *frames*, in which the source has the pose *source*, and the character the pose *transferred*."""
        self.body[frames], self.hands[:, frames] = body_heights(source), hand_heights(source)
        self.places[:, :, frames] = source.positions[:, _WRISTS].swapaxes(0, 1)
        parts = (*skin.body, *skin.hands[0], *skin.hands[1])
        if parts:
            touches = touching(np.minimum(self.body[frames], self.hands[:, frames].min(axis=0))) > 0.0
            self.looked_at[frames] = touches | (lowest(parts, transferred) < _NEAR_LEGS * character.leg_m)

    def is_down(self, frames: slice) -> np.ndarray:
        """Return how surely the source is down on the floor (F,), from 0 to 1; not where it stands and bends down."""
        return closeness(self.body[frames])

    def held(self, frames: slice, lift: np.ndarray, leg_m: float) -> np.ndarray:
        """Return how firmly the root of the character stays in place (F,), from 0 to 1.

        Feet out of reach do not move a body that lies on the floor, nor one that hands prop up and that is lifted.

        Args:
            frames: the frames.
            lift: (F,) how far the body is lifted, metres.
            leg_m: length of the character's leg.
        """
        lifted = np.clip(np.abs(lift) / (_HELD_LEGS * leg_m), 0.0, 1.0)
        found: np.ndarray = np.maximum(touching(self.body[frames]), self.propped(frames) * lifted)
        return found

    def propped(self, frames: slice) -> np.ndarray:
        """Return how surely hands prop up a body (F,), from 0 to 1, that does not lie on the floor besides."""
        found: np.ndarray = touching(self.hands[:, frames]).max(axis=0) * (1.0 - touching(self.body[frames]))
        return found


@dataclass(frozen=True, eq=False)
class FloorPlan:
    """How a character is put on the floor.

    Attributes:
        lift: (F,) how far the whole body is lifted, metres.
        pitch: (F,) how far trunk, arms and head lean forward about the hips besides, radians.
        hands: (2, 3, F) where the middle of each hand belongs.
        weights: (2, F) how firmly it is brought there, 0 to 1.
        flat: (2, F) how far its fingers are flat, 0 to 1.
    """

    lift: np.ndarray
    pitch: np.ndarray
    hands: np.ndarray
    weights: np.ndarray
    flat: np.ndarray

    def reaches(self, frames: slice) -> list[FloorReach]:
        """Return the hands that are brought to their places in *frames*."""
        found = []
        for hand, places, weight in zip(HANDS, self.hands[:, :, frames], self.weights[:, frames], strict=True):
            chosen = np.flatnonzero(weight > _LEAST_WEIGHT)
            if len(chosen):
                found.append(FloorReach(hand, chosen, weight[chosen], places[:, chosen]))
        return found


@dataclass(frozen=True, eq=False)
class FloorPlanner:
    """Plans how a character lies, kneels and props itself up.

    Attributes:
        character: the character.
        skin: its skin.
        source: the motion.
        near: how near that comes to the floor.
        posed: poses the character on its feet.
        step: factor from the source's steps to the character's.
        hands: how firmly hands are brought to the floor, 0 to 1.
    """

    character: Character
    skin: BodySkin
    source: RetargetSource
    near: Nearness
    posed: PosedOnFeet
    step: float
    hands: float

    def plan(self, block_frames: int) -> FloorPlan:
        """Return the plan for all frames, worked out for up to *block_frames* at once."""
        count = self.source.num_frames
        fade = max(1, round(FADE_S * self.source.motion.fps))
        lift, pitch = np.zeros(count), np.zeros(count)
        chosen = self._chosen(2 * fade, block_frames)
        for block in chosen:
            lift[block], pitch[block] = self._needed(block)
        is_down = self.near.is_down(slice(None))
        lift, back = held_up(is_down * lift, fade), held_up(np.maximum(-pitch, 0.0), fade)
        pitch = smoothed(is_down * np.maximum(pitch, 0.0), fade) - back
        places, moves, lows = np.zeros((2, 3, count)), np.zeros((2, count)), np.zeros((2, count))
        for block in chosen:
            rotations, root = self.posed(block, lift[block], pitch[block])
            pose = self.character.tree.pose(rotations, root)
            for number in self._hands():
                places[number][:, block] = self._middle(number, pose)
                moves[number, block] = self._hand_move(number, block, pose)
                lows[number, block] = lowest(self.skin.hands[number], pose)
        plan = FloorPlan(lift, pitch, places, np.zeros_like(moves), np.zeros_like(moves))
        return self._with_hands_held(plan, moves, lows, fade)

    def _chosen(self, around: int, block_frames: int) -> list[slice]:
        """Return the frames that are looked at, with *around* frames before and after, in blocks."""
        kernel = np.ones(2 * around + 1)
        wide = np.convolve(np.pad(self.near.looked_at.astype(np.float64), around), kernel, mode="valid") > 0.5
        return [
            slice(start, min(start + block_frames, run.stop))
            for run in find_runs(wide)
            for start in range(run.start, run.stop, block_frames)
        ]

    def _hands(self) -> list[int]:
        """Return the hands that the character has, with skin."""
        return [number for number, hand in enumerate(HANDS) if hand in self.character.parts and self.skin.hands[number]]

    def _middle(self, number: int, pose: Pose) -> np.ndarray:
        part = self.character.parts[HANDS[number]]
        return pose.point(part.joints[0], part.offsets[0])

    def _hand_move(self, number: int, frames: slice, pose: Pose) -> np.ndarray:
        """Return how far a hand has to be raised (F,) to be as high above the floor as the source's, metres."""
        height, character = self.near.hands[number, frames], self.character
        low, weight, soft = lowest(self.skin.hands[number], pose), touching(height), _SOFT_LEGS * character.leg_m
        free = np.where(low > soft, low, np.maximum(low + soft, 0.0) ** 2 / (4.0 * soft))
        move: np.ndarray = weight * character.size * resting_height(height) + (1.0 - weight) * free - low
        return move

    def _hand_weight(self, number: int, frames: slice, move: np.ndarray) -> np.ndarray:
        """Return how firmly a hand is brought to its place (F,): where it touches, or must *move* (F,) by much."""
        far = np.clip(np.abs(move) / (_SOFT_LEGS * self.character.leg_m), 0.0, 1.0)
        weight: np.ndarray = 1.0 - (1.0 - touching(self.near.hands[number, frames])) * (1.0 - far)
        return weight

    def _needed(self, frames: slice) -> tuple[np.ndarray, np.ndarray]:
        """Return the lift (F,) for the lowest part to be where the source's is, and the pitch (F,) for the hands.

        Where the source's body does not touch the floor, head and chest are kept above it by leaning back.
        """
        character, height = self.character, self.near.body[frames]
        above = set(character.tree.below(character.tree.chest))
        upper, lower = (
            [part for part in self.skin.body if (part.ankle in above) == is_upper] for is_upper in (True, False)
        )
        weight, resting = touching(height), character.size * resting_height(height)
        lift, pitch = np.zeros(len(height)), np.zeros(len(height))
        is_down = self.near.is_down(frames) > 0.0
        most = _MOST_LEGS * character.leg_m
        for _ in range(_ROUNDS):
            rotations, root = self.posed(frames, lift, pitch)
            pose = character.tree.pose(rotations, root)
            solve_arms(character, rotations, root, self._lifted_hands(frames, pose), self.hands)
            pose = character.tree.pose(rotations, root)
            low = lowest(upper, pose)
            ahead, least = self._ahead(pose)
            back = (1.0 - weight) * np.minimum(np.maximum(-low, 0.0) / np.maximum(ahead, least), _BACK_STEP_RAD)
            forward = np.where(pitch < 0.0, 0.0, self._missing_pitch(frames, pose))
            turned = np.clip(pitch + np.where(back > 0.0, -back, forward), -_MOST_BACK_RAD, _MOST_PITCH_RAD)
            low = np.minimum(lowest(lower, pose), low + np.maximum(pitch - turned, 0.0) * np.maximum(ahead, 0.0))
            pitch = turned
            change = weight * (resting - low) + (1.0 - weight) * np.maximum(-low, -np.maximum(lift, 0.0))
            change = np.where(low + change < 0.0, -low, change)
            lift = np.clip(lift + np.where(np.isfinite(low) & is_down, change, 0.0), -most, most)
        return lift, pitch

    def _lifted_hands(self, frames: slice, pose: Pose) -> list[FloorReach]:
        """Return the hands that have to be raised or lowered in *frames*."""
        found = []
        for number in self._hands():
            move = self._hand_move(number, frames, pose)
            weight = self._hand_weight(number, frames, move)
            chosen = np.flatnonzero(weight > _LEAST_WEIGHT)
            if len(chosen):
                places = self._middle(number, pose) + move * _UP
                found.append(FloorReach(HANDS[number], chosen, weight[chosen], places[:, chosen]))
        return found

    def _missing_pitch(self, frames: slice, pose: Pose) -> np.ndarray:
        """Return how far the trunk must lean forward (F,), radians, for hands to reach the floor that should."""
        gap = np.zeros(pose.positions.shape[-1])
        for number in self._hands():
            touches = touching(self.near.hands[number, frames])
            gap = np.maximum(gap, np.where(touches > 0.0, -self._hand_move(number, frames, pose), 0.0))
        ahead, least = self._ahead(pose)
        share = np.clip(ahead / least - 1.0, 0.0, 1.0)
        found: np.ndarray = self.hands * np.minimum(share * gap / np.maximum(ahead, least), _PITCH_STEP_RAD)
        return found

    def _ahead(self, pose: Pose) -> tuple[np.ndarray, np.ndarray]:
        """Return how far the shoulders are ahead of the hips (F,), and the least that pitching counts with (F,)."""
        index = self.character.tree.index
        hips, shoulders = (
            0.5 * sum(pose.positions[:, index[f"{side}_{role}"]] for side in SIDES) for role in ("thigh", "upper_arm")
        )
        trunk = shoulders - hips
        length = np.maximum(np.linalg.norm(trunk, axis=0), _LEAST_MOVE_M)
        return -cross(_level_side(pose.rotations), trunk)[1], _LEAST_LEAN * length

    def _with_hands_held(self, plan: FloorPlan, moves: np.ndarray, lows: np.ndarray, fade: int) -> FloorPlan:
        """Return the *plan*, whose hands are where the pose has them, with *moves* (2, F) upwards.

        Hands that stand on the source's floor stand still. None is below the floor, however fast: *lows* (2, F) are the
        heights of their lowest points before the moves.
        """
        places = plan.hands
        drift = self.step * (self.source.level @ self.source.drift.T)
        fps = self.source.motion.fps
        goals, weights, flat = places.copy(), np.zeros_like(moves), np.zeros_like(moves)
        for number in self._hands():
            path = (self.near.places[number] - self.source.level @ self.source.drift.T)[[0, 2]]
            speed = fps * np.linalg.norm(np.diff(path, axis=1, append=path[:, -1:]), axis=0)
            stands = (touching(self.near.hands[number]) > _STANDS) & (speed < _STILL_M_S) & self.near.looked_at
            held = np.zeros_like(places[number])
            for run in find_runs(stands):
                around = slice(max(run.start - 2 * fade, 0), run.stop + 2 * fade)
                middle = (places[number] - drift)[:, run].mean(axis=1, keepdims=True)
                held[:, around] = (middle + drift - places[number])[:, around]
            weight = smoothed(stands.astype(np.float64), fade)
            goals[number] += weight * held * np.array([[1.0], [0.0], [1.0]])
            goals[number, 1] += np.maximum(smoothed(moves[number], fade // 2), -lows[number])
            weights[number] = self._hand_weight(number, slice(None), moves[number]) * self.near.looked_at
            flat[number] = self.hands * held_up(weights[number], fade)
        return replace(plan, hands=goals, weights=weights, flat=flat)


def leaning(
    character: Character, rotations: np.ndarray, root: np.ndarray, pitch: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return rotations (3, 3, N, F) and root (3, F) with the trunk, arms and head leaning forward by *pitch* (F,)."""
    if not pitch.any():
        return rotations, root
    tree = character.tree
    legs = {joint for side in SIDES for joint in tree.below(tree.index[f"{side}_thigh"])}
    upper = [joint for joint in range(len(tree.names)) if joint not in legs]
    turn = from_rotation_vectors(pitch * _level_side(rotations))
    hips = root + apply(rotations[:, :, 0], character.hip_middle[:, None])
    turned = rotations.copy()
    turned[:, :, upper] = times(turn[:, :, None], rotations[:, :, upper])
    return turned, hips - apply(turned[:, :, 0], character.hip_middle[:, None])


def _level_side(rotations: np.ndarray) -> np.ndarray:
    """Return the level axis (3, F) to the left of the hips; none where they lie on their side."""
    side = rotations[:, 0, 0] * np.array([[1.0], [0.0], [1.0]])
    length = np.linalg.norm(side, axis=0)
    found: np.ndarray = side * np.minimum(length, 1.0) / np.maximum(length, _LEAST_MOVE_M)
    return found
