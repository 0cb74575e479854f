"""Preserve the contacts of hands with the body, by chest, shoulders and elbows. F frames.

The root does not move: a head out of reach must not lift the feet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np

from ..math.frames_last import cross, from_rotation_vectors, times
from ..smpl_skeleton import SIDES
from .character import Character
from .solver import NormalEquations, hinge_axis, lever, missing_bend
from .surfaces import HANDS, Part
from .touch import FloorReach, Touch
from .tree import Pose

_STEPS, _FURTHER_STEPS = 6, 12
_UNFINISHED_RAD = 0.002
"""Frames whose last step is longer take further steps, as for an arm that has to turn by half a circle. It is so short
that the motion does not show where they begin."""
_WEIGHT = 8.0
_CHEST, _SHOULDER, _ELBOW = 3.0, (0.3, 0.6, 0.3), 0.15
"""Damping per radian and leg length of the chest, the shoulders about world axes, and the elbows."""
_CAUTION, _FLOOR_CAUTION = 0.6, 0.3
"""Damping of each step, per radian and leg length: an almost straight arm would swing to and fro about its goal. The
second is for hands on the floor alone, which have farther to go."""
_WHOLE = 0.99
"""Share of the way from which a hand goes all of it."""
_LEAST_BEND_RAD = 0.1
"""Bend that the elbow of a hand on the floor begins with."""
_STRETCHED, _STRETCH = 0.98, 0.014
"""Share of the arm's length from which a hand on the floor is drawn nearer, and at most so much beyond it."""
_UNKNOWNS = 11
_REACH = 0.995
_BEYOND = 0.1
"""To a touch beyond `_REACH` of the arm's length a hand goes only a part of the way: a third of it, if it is this share
of the arm's length beyond."""


@dataclass(frozen=True, eq=False)
class _Arms:
    """The unknowns: which joints rotate, and which rotate with them.

    Attributes:
        chest: the joint that carries the shoulders.
        limbs: shoulder, elbow and hand of each arm; None for an arm without a hand.
        below: for each turning joint, the joints that turn with it.
    """

    chest: int
    limbs: tuple[tuple[int, int, int] | None, ...]
    below: dict[int, frozenset[int]]

    @classmethod
    def of(cls, character: Character) -> _Arms:
        tree = character.tree
        limbs: list[tuple[int, int, int] | None] = []
        for side in SIDES:
            names = [f"{side}_{role}" for role in ("upper_arm", "forearm", "hand")]
            has_hand = names[2] in tree.index
            limbs.append((tree.index[names[0]], tree.index[names[1]], tree.index[names[2]]) if has_hand else None)
        turning = [tree.chest, *(joint for limb in limbs if limb for joint in limb[:2])]
        return cls(tree.chest, tuple(limbs), {joint: frozenset(tree.below(joint)) for joint in turning})

    def jacobian(self, joint: int, point: np.ndarray, positions: np.ndarray, axes: dict[int, np.ndarray]) -> np.ndarray:
        """Return how the unknowns move a *point* (3, T) that is fixed to *joint*: (3, 11, T).

        Args:
            joint: the joint.
            point: its position.
            positions: (3, N, T) of all joints.
            axes: (3, T) the axis of each arm's elbow.
        """
        found = np.zeros((3, _UNKNOWNS, point.shape[-1]))
        if self.chest > 0 and joint in self.below[self.chest]:
            found[:, :3] = lever(point - positions[:, self.chest])
        for number, limb in enumerate(self.limbs):
            if limb is not None and joint in self.below[limb[0]]:
                first = 3 + 4 * number
                found[:, first : first + 3] = lever(point - positions[:, limb[0]])
                if joint in self.below[limb[1]]:
                    found[:, first + 3] = cross(axes[number], point - positions[:, limb[1]])
        return found


@dataclass(frozen=True, eq=False)
class KeptTouch:
    """How well a character keeps a touch.

    Attributes:
        touch: the touch on the source, or the hand that is brought to the floor.
        off_m: (T,) how far the hand is from where it should be, metres.
        in_reach: (T,) bool, whether the arm is long enough, where the shoulder was and where it is.
    """

    touch: Touch | FloorReach
    off_m: np.ndarray
    in_reach: np.ndarray


def solve_arms(
    character: Character,
    rotations: np.ndarray,
    root: np.ndarray,
    touches: Sequence[Touch | FloorReach],
    strength: float,
    tips: Mapping[str, np.ndarray] | None = None,
) -> list[KeptTouch]:
    """Turn chest and arms in *rotations* so that the hands touch what they touch on the source.

    Args:
        character: the character.
        rotations: (3, 3, N, F) world rotations, changed in place; those of the hands stay.
        root: (3, F) position of the hips.
        touches: the touches of the source, and hands to bring to the floor.
        strength: 0 keeps the arms as they are, 1 keeps the touches.
        tips: (3, P - 1, F) finger tips of the character by the name of the hand, those that the touches were found
            with, relative to the hand's joint, in its rest axes.

    Returns:
        How well each touch is kept.
    """
    active = np.zeros(root.shape[-1], dtype=bool)
    for touch in touches:
        active[touch.frames] = True
    frames = np.flatnonzero(active)
    if len(frames) == 0:
        return []
    place = np.cumsum(active) - 1
    places = [place[touch.frames] for touch in touches]
    known = {hand: points[..., frames] for hand, points in (tips or {}).items()}
    solver = _Solver(character, rotations[..., frames], root[:, frames], touches, places, known)
    if strength > 0.0:
        solver.run(strength)
        rotations[..., frames] = solver.pose.rotations
    return solver.kept()


class _Solver:
    """The arms of a character in A frames that touch; T of them in each touch."""

    def __init__(
        self,
        character: Character,
        rotations: np.ndarray,
        root: np.ndarray,
        touches: Sequence[Touch | FloorReach],
        frames: list[np.ndarray],
        tips: Mapping[str, np.ndarray],
    ) -> None:
        """Take the transferred pose, the place of each touch's frames in it, and the finger tips in it."""
        self.character, self.touches, self.frames, self.tips = character, touches, frames, tips
        self.arms = _Arms.of(character)
        self.root = root
        self.pose = character.tree.pose(rotations, root)
        floor = [number for number, touch in enumerate(touches) if isinstance(touch, FloorReach)]
        self.floor_goals = {number: self._floor_goal(number) for number in floor}
        self.start = [self._hand(number) - self._anchor(number) for number in range(len(touches))]
        self.shares = [self._in_reach(number) for number in range(len(touches))]

    def run(self, strength: float) -> None:
        """Take all Gauss-Newton steps."""
        hands = {limb[2]: self.pose.rotations[:, :, limb[2]].copy() for limb in self.arms.limbs if limb}
        leg = self.character.leg_m
        damping = leg * np.array([*[_CHEST] * 3, *[*_SHOULDER, _ELBOW] * 2])
        self._bend_straight_arms(strength, hands)
        caution = np.full(self.root.shape[-1], _FLOOR_CAUTION)
        for touch, frames in zip(self.touches, self.frames, strict=True):
            if not isinstance(touch, FloorReach):
                caution[frames] = _CAUTION
        so_far = np.zeros((_UNKNOWNS, self.root.shape[-1]))
        for _ in range(_STEPS):
            step = self._step(strength, damping, leg * caution, so_far, hands)
        late = np.flatnonzero(np.abs(step).max(axis=0) > _UNFINISHED_RAD)
        if len(late):
            rest, so_far = self._at(late), so_far[:, late]
            hands = {joint: rotation[..., late] for joint, rotation in hands.items()}
            for _ in range(_FURTHER_STEPS):
                rest._step(strength, damping, leg * caution[late], so_far, hands)
            self.pose.rotations[..., late], self.pose.positions[..., late] = rest.pose.rotations, rest.pose.positions

    def _step(
        self,
        strength: float,
        damping: np.ndarray,
        caution: np.ndarray,
        so_far: np.ndarray,
        hands: dict[int, np.ndarray],
    ) -> np.ndarray:
        """Take a Gauss-Newton step (11, A), add it to *so_far*, and return it."""
        equations, columns = NormalEquations(damping, so_far), list(range(_UNKNOWNS))
        axes = self._hinges()
        for number, touch in enumerate(self.touches):
            share = strength * self.shares[number]
            goal = (1.0 - share) * self.start[number] + share * self._goal(number)
            hand, anchor = self._hand(number), self._anchor(number)
            jacobian = self._jacobian(number, anchor, goal, axes)
            missing = goal - hand + anchor
            weight = _WEIGHT * touch.weight * self.shares[number]  # what is out of reach holds off nothing in reach
            equations.add(columns, jacobian, missing, weight, self.frames[number])
        equations.shorten(caution)
        step = equations.solve(slice(None))
        so_far += step
        self._turn(step, axes, hands)
        return step

    def _at(self, chosen: np.ndarray) -> _Solver:
        """Return a solver of the *chosen* frames alone, as far as this one is."""
        inside = [np.isin(frames, chosen) for frames in self.frames]
        other = copy(self)
        other.touches = [touch.at(mask) for touch, mask in zip(self.touches, inside, strict=True)]
        other.frames = [np.searchsorted(chosen, frames[mask]) for frames, mask in zip(self.frames, inside, strict=True)]
        other.tips = {hand: points[..., chosen] for hand, points in self.tips.items()}
        other.root = self.root[:, chosen]
        other.pose = Pose(self.pose.rotations[..., chosen], self.pose.positions[..., chosen])
        other.floor_goals = {number: goal[:, inside[number]] for number, goal in self.floor_goals.items()}
        other.start = [start[:, mask] for start, mask in zip(self.start, inside, strict=True)]
        other.shares = [shares[mask] for shares, mask in zip(self.shares, inside, strict=True)]
        return other

    def _bend_straight_arms(self, strength: float, hands: dict[int, np.ndarray]) -> None:
        """Bend straight arms whose hands are brought to the floor a little, as elbows bend."""
        for number, limb in enumerate(self.arms.limbs):
            weight = np.zeros(self.root.shape[-1])
            for touch, frames in zip(self.touches, self.frames, strict=True):
                if isinstance(touch, FloorReach) and touch.hand == HANDS[number]:
                    weight[frames] = touch.weight
            if limb is None or not weight.any():
                continue
            shoulder, elbow, wrist = (self.pose.positions[:, joint] for joint in limb)
            straight = self._straight(number, limb)
            angle = missing_bend(elbow - shoulder, wrist - elbow, straight, _LEAST_BEND_RAD)
            self._turn_below(limb[1], from_rotation_vectors(strength * weight * angle * straight))
        for joint, rotation in hands.items():
            self.pose.rotations[:, :, joint] = rotation
        self.pose = self.character.tree.pose(self.pose.rotations, self.root)

    def _straight(self, number: int, limb: tuple[int, int, int]) -> np.ndarray:
        """Return the axis (3, A) of a straight arm, about the vertical of its rest pose."""
        axis: np.ndarray = (-1.0 if number == 0 else 1.0) * self.pose.rotations[:, 1, limb[0]]
        return axis

    def kept(self) -> list[KeptTouch]:
        """Return how well the present pose keeps each touch."""
        found = []
        for number, touch in enumerate(self.touches):
            goal = touch.places if isinstance(touch, FloorReach) else self._goal(number)
            off = self._hand(number) - self._anchor(number) - goal
            in_reach = (self._beyond(number) <= 0.0) & (self.shares[number] > _WHOLE)
            found.append(KeptTouch(touch, np.linalg.norm(off, axis=0), in_reach))
        return found

    def _hinges(self) -> dict[int, np.ndarray]:
        """Return the axis (3, A) of each elbow. A straight arm bends forward about the vertical of its rest pose."""
        axes = {}
        for number, limb in enumerate(self.arms.limbs):
            if limb is not None:
                shoulder, elbow, wrist = (self.pose.positions[:, joint] for joint in limb)
                axes[number] = hinge_axis(elbow - shoulder, wrist - elbow, self._straight(number, limb))
        return axes

    def _turn(self, step: np.ndarray, axes: dict[int, np.ndarray], hands: dict[int, np.ndarray]) -> None:
        """Apply a step (11, A); the hands keep their world rotations."""
        rotations = self.pose.rotations
        if self.arms.chest > 0:
            self._turn_below(self.arms.chest, from_rotation_vectors(step[:3]))
        for number, limb in enumerate(self.arms.limbs):
            if limb is not None:
                own = step[3 + 4 * number : 7 + 4 * number]
                self._turn_below(limb[1], from_rotation_vectors(axes[number] * own[3]))
                self._turn_below(limb[0], from_rotation_vectors(own[:3]))
        for joint, rotation in hands.items():
            rotations[:, :, joint] = rotation
        self.pose = self.character.tree.pose(rotations, self.root)

    def _turn_below(self, joint: int, turn: np.ndarray) -> None:
        for other in self.arms.below[joint]:
            self.pose.rotations[:, :, other] = times(turn, self.pose.rotations[:, :, other])

    def _hand(self, number: int) -> np.ndarray:
        """Return the point (3, T) of the hand that touches."""
        touch, frames = self.touches[number], self.frames[number]
        part = self._part(touch.hand)
        return self.pose.point(part.joints[0], touch.offset(part.offsets[0], self._tips(touch.hand, frames)), frames)

    def _anchor(self, number: int) -> np.ndarray:
        touch, frames = self.touches[number], self.frames[number]
        return touch.anchor(self.character.parts, self.pose, frames, self._tips(touch.part, frames))

    def _tips(self, name: str, frames: np.ndarray) -> np.ndarray:
        """Return the finger tips (3, P - 1, T) of the part called *name*; none if it is not a hand with known tips."""
        found: np.ndarray = self.tips.get(name, np.zeros((3, 0, self.root.shape[-1])))[..., frames]
        return found

    def _floor_goal(self, number: int) -> np.ndarray:
        """Return the place on the floor (3, T) of a hand, drawn smoothly within the arm's length from the shoulder.

        An arm that is stretched fully and bends again would do so in one jump.
        """
        touch, frames = self.touches[number], self.frames[number]
        places = touch.goal(self.character.parts, self.pose, frames, self.character.reach)
        limb = self.arms.limbs[HANDS.index(touch.hand)]
        if limb is None:
            return places
        shoulder, wrist = (self.pose.positions[:, joint][:, frames] for joint in (limb[0], limb[2]))
        away = places - self._hand(number) + wrist - shoulder
        distance = np.linalg.norm(away, axis=0) / self.character.arm_m
        near = _STRETCHED + _STRETCH * np.tanh((distance - _STRETCHED) / _STRETCH)
        shorter = np.where(distance > _STRETCHED, near / np.maximum(distance, _STRETCHED), 1.0)
        drawn: np.ndarray = places + (shorter - 1.0) * away
        return drawn

    def _goal(self, number: int) -> np.ndarray:
        """Return where the hand of a touch should be relative to the anchor (3, T)."""
        if number in self.floor_goals:
            return self.floor_goals[number]
        character = self.character
        return self.touches[number].goal(character.parts, self.pose, self.frames[number], character.reach)

    def _part(self, name: str) -> Part:
        return self.character.parts[name]

    def _jacobian(self, number: int, anchor: np.ndarray, goal: np.ndarray, axes: dict[int, np.ndarray]) -> np.ndarray:
        """Return how the unknowns move the hand of a touch away from its goal: (3, 11, T).

        Hands keep their world rotations, so all of their points move as their wrists do. The goal is at the anchor,
        which lies between the part's two joints, and turns with the first of them.
        """
        touch, frames = self.touches[number], self.frames[number]
        positions = self.pose.positions[..., frames]
        own_axes = {side: axis[:, frames] for side, axis in axes.items()}
        wrist = self._part(touch.hand).joints[0]
        jacobian = self.arms.jacobian(wrist, positions[:, wrist], positions, own_axes)
        if isinstance(touch, FloorReach):
            return jacobian
        first, second = self._part(touch.part).joints
        touched = positions[:, first] if touch.part in HANDS else anchor + goal
        jacobian -= self.arms.jacobian(first, touched, positions, own_axes)
        if first != second:
            at_first, at_second = (self.arms.jacobian(joint, anchor, positions, own_axes) for joint in (first, second))
            jacobian += touch.share * (at_first - at_second)
        return jacobian

    def _beyond(self, number: int) -> np.ndarray:
        """Return how far a touch is beyond the arm's length (T,), as a share of it.

        Two hands can meet anywhere between their shoulders: both arms together must be long enough.
        """
        touch, frames = self.touches[number], self.frames[number]
        missing = self._anchor(number) + self._goal(number) - self._hand(number)
        hands = [hand for hand in (touch.hand, touch.part) if hand in HANDS]
        limbs = [limb for hand in hands if (limb := self.arms.limbs[HANDS.index(hand)]) is not None]
        wrists, shoulders = ([self.pose.positions[:, limb[place]][:, frames] for limb in limbs] for place in (2, 0))
        needed = missing + wrists[0] - shoulders[0]
        if len(limbs) > 1:
            needed = 0.5 * (needed - wrists[1] + shoulders[1])
        beyond: np.ndarray = np.linalg.norm(needed, axis=0) / self.character.arm_m - _REACH
        return np.maximum(beyond, 0.0)

    def _in_reach(self, number: int) -> np.ndarray:
        """Return how far the hand goes to its goal (T,), 0 to 1."""
        if number in self.floor_goals:
            return np.ones(len(self.frames[number]))
        share: np.ndarray = np.exp(-((self._beyond(number) / _BEYOND) ** 2))
        return share
