"""Find limbs without names: pairs of branches that are alike, and in each the three joints of an arm or a leg.

Only lengths within the skeleton and angles between its bones are used, so neither the facing nor the axes of the bones
matter.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from .bone_tree import BoneTree

MAX_JOINTS = 16
"""Most joints of a limb that are looked at, with its collar, its twist bones and one finger."""
_MAX_PAIRS = 32
"""Most pairs that are compared as legs and arms, the longest ones."""
_NEIGHBOURS = 4
"""Siblings of similar length that each branch is compared with."""
_MOST_UNLIKE = 0.35
"""Largest difference of the bones of a pair, relative to its length; what only one side has counts half."""
_SHORTEST_SEGMENT = 0.06
"""Shortest upper arm, forearm, thigh or shin, relative to the limb with hand or foot."""
_SHORTEST_PAIR = 0.25
"""Shortest pair that can be arms or legs, relative to the longest."""
_ARM_CHOICES = 3
"""Choices of shoulder, elbow and wrist of each pair that are tried in a whole body."""
_NOISE = 0.05
"""Distance of a twist bone from the line of its segment, relative to its length, that is no bend."""
_TINY = 1e-9


@dataclass(frozen=True, eq=False)
class Pair:
    """Two like branches.

    Attributes:
        parent: the bone that both hang from, -1 for none.
        sides: the longest path (n,) of bones in each of the two, equally many.
        points: the heads (2, n, 3) of these bones.
        length: mean length of the two paths.
        unlikeness: difference of the lengths of their bones, relative to *length*.
        neighbours_rise: how high the parent's other branches rise above the parent.
    """

    parent: int
    sides: tuple[list[int], list[int]]
    points: np.ndarray
    length: float
    unlikeness: float
    neighbours_rise: float

    @property
    def normal(self) -> np.ndarray:
        """The mean direction (3,) from the first to the second side; shorter than 1 if the pair is not symmetric."""
        gaps = self.points[1] - self.points[0]
        lengths = np.linalg.norm(gaps, axis=1)
        mean: np.ndarray = gaps.sum(axis=0) / max(lengths.sum(), _TINY)
        return mean


@dataclass(frozen=True, eq=False)
class Limb:
    """A pair as two arms or two legs.

    Attributes:
        pair: the two branches.
        joints: where on both paths the first joint (shoulder, hip), the middle one and the end (wrist, ankle) are.
        score: how well the joints fit.
    """

    pair: Pair
    joints: tuple[int, int, int]
    score: float

    @property
    def points(self) -> np.ndarray:
        """The three joints (2, 3, 3) of each side."""
        taken: np.ndarray = self.pair.points[:, list(self.joints)]
        return taken

    @property
    def length(self) -> float:
        """Length of both segments together, mean of the sides."""
        return float(np.linalg.norm(np.diff(self.points, axis=1), axis=2).sum(axis=1).mean())

    def mirrored(self) -> Limb:
        """Return the same with its sides exchanged."""
        pair = self.pair
        swapped = replace(pair, sides=pair.sides[::-1], points=pair.points[::-1])
        return Limb(swapped, self.joints, self.score)


def find_pairs(tree: BoneTree) -> list[Pair]:
    """Return the pairs of like branches with at least three joints, at most `_MAX_PAIRS`, the longest first."""
    pairs = []
    for parent, siblings in [(-1, tree.roots), *enumerate(tree.children)]:
        branches = [bone for bone in siblings if tree.reach[bone] > 0.0]
        branches.sort(key=lambda bone: -tree.reach[bone])
        highest = sorted(siblings, key=lambda bone: -tree.tops[bone])[:3]
        for number, first in enumerate(branches):
            for second in branches[number + 1 : number + 1 + _NEIGHBOURS]:
                others = [float(tree.tops[bone]) for bone in highest if bone not in (first, second)]
                rise = others[0] - float(tree.heads[parent, 1]) if others and parent >= 0 else 0.0
                pair = _pair(tree, parent, (first, second), rise)
                if pair is not None:
                    pairs.append(pair)
    pairs.sort(key=lambda pair: -pair.length * (1.0 - pair.unlikeness))
    return [pair for pair in pairs[:_MAX_PAIRS] if pair.length > _SHORTEST_PAIR * pairs[0].length]


def _pair(tree: BoneTree, parent: int, branches: tuple[int, int], neighbours_rise: float) -> Pair | None:
    """Return the pair of two *branches*, None if they are not alike."""
    paths = [tree.longest_path(bone, MAX_JOINTS) for bone in branches]
    count = min(len(paths[0]), len(paths[1]))
    if count < 3:
        return None
    lengths = [np.linalg.norm(np.diff(tree.heads[path], axis=0), axis=1) for path in paths]
    mean = (lengths[0].sum() + lengths[1].sum()) / 2.0
    difference = np.abs(lengths[0][: count - 1] - lengths[1][: count - 1]).sum()
    difference += 0.5 * (lengths[0][count - 1 :].sum() + lengths[1][count - 1 :].sum())
    if mean <= 0.0 or difference > _MOST_UNLIKE * mean:
        return None
    sides = (paths[0][:count], paths[1][:count])
    return Pair(parent, sides, tree.heads[np.array(sides)], float(mean), float(difference / mean), neighbours_rise)


def fit_legs(pair: Pair) -> list[Limb]:
    """Return *pair* as two legs: the best choice of hip, knee and ankle, if there is one.

    A leg starts with its first joint that is off the middle of the body, and the foot turns away from the shin.
    """
    found = _Triples.of(pair)
    if found is None:
        return []
    score = found.score(late=0.8, apart=0.12) - 0.15 * found.first + 0.6 * found.turn_after()
    return found.best(score, 1)


def fit_arms(tree: BoneTree, pair: Pair) -> list[Limb]:
    """Return *pair* as two arms: the best choices of shoulder, elbow and wrist.

    Fingers start at the wrist, and the shoulders are apart: joints near the middle of the body are collar bones.
    """
    found = _Triples.of(pair)
    if found is None:
        return []
    forks = _forks(tree, pair)
    passed = np.concatenate(([0], np.cumsum(forks)))
    inside = passed[found.last] - passed[found.first + 1]
    return found.best(found.score(late=0.65, apart=0.45) + 0.5 * forks[found.last] - 1.0 * inside, _ARM_CHOICES)


def _forks(tree: BoneTree, pair: Pair) -> np.ndarray:
    """Return at which joints (n,) of *pair* three or more chains start, on either side: at a hand."""
    counts = [[sum(tree.reach[child] > 0.0 for child in tree.children[bone]) for bone in side] for side in pair.sides]
    return np.asarray(np.max(counts, axis=0) >= 3)


@cache
def _triples(count: int) -> np.ndarray:
    """Return all (3, T) choices of three out of *count* joints, in order."""
    numbers = np.arange(count)
    chosen: np.ndarray = np.stack(np.meshgrid(numbers, numbers, numbers, indexing="ij")).reshape(3, -1)
    return chosen[:, (chosen[0] < chosen[1]) & (chosen[1] < chosen[2])]


@dataclass(frozen=True, eq=False)
class _Triples:
    """All choices of three joints of a pair, T of them, measured on the mean of its sides."""

    pair: Pair
    first: np.ndarray
    middle: np.ndarray
    last: np.ndarray
    upper: np.ndarray
    lower: np.ndarray
    along: np.ndarray

    @classmethod
    def of(cls, pair: Pair) -> _Triples | None:
        """Return the choices whose two segments are long enough; None if there are none."""
        first, middle, last = _triples(len(pair.sides[0]))
        steps = np.linalg.norm(np.diff(pair.points, axis=1), axis=2).mean(axis=0)
        along = np.concatenate(([0.0], np.cumsum(steps)))
        upper, lower = _chord(pair, first, middle), _chord(pair, middle, last)
        long = np.minimum(upper, lower) > _SHORTEST_SEGMENT * along[-1]
        if not long.any():
            return None
        first, middle, last = first[long], middle[long], last[long]
        return cls(pair, first, middle, last, upper[long], lower[long], along)

    @property
    def length(self) -> np.ndarray:
        """Length (T,) of both segments together."""
        total: np.ndarray = self.upper + self.lower
        return total

    def score(self, late: float, apart: float) -> np.ndarray:
        """Return how well each choice (T,) fits an arm or a leg.

        The first joints are at least *apart* times the limb's length from each other. The two segments are about
        equally long, they are most of the limb, they do not bend at a joint that is passed over (twist bones lie on
        the line), and no joint beyond the share *late* of the second one is passed over: it would be the wrist or
        ankle, and the last joint a knuckle.
        """
        off = _off_line(self.pair.points)
        off = np.maximum(off - _NOISE, 0.0) ** 2
        bend = off[self.first, self.middle] + off[self.middle, self.last]
        passed = self.along[self.last - 1] - self.along[self.middle]
        is_late = (self.last - self.middle > 1) & (passed > late * self.lower)
        gap = np.linalg.norm(self.pair.points[1] - self.pair.points[0], axis=1)[self.first] / self.length
        score: np.ndarray = (
            1.5 * self.length / self.along[-1]
            - np.abs(np.log(self.upper / self.lower))
            - 100.0 * bend
            - 0.6 * is_late
            - 0.06 * (self.last - self.first - 2)
            + 0.5 * self._straight()
            - 2.0 * self.pair.unlikeness
            - 2.0 * np.maximum(apart - gap, 0.0)
        )
        return score

    def turn_after(self) -> np.ndarray:
        """Return the sine (T,) of the angle between the second segment and what follows it; 0.5 if nothing does."""
        points = self.pair.points
        ends = np.minimum(self.last + 1, points.shape[1] - 1)
        cosine = _cosine(points[:, self.last] - points[:, self.middle], points[:, ends] - points[:, self.last])
        return np.where(ends == self.last, 0.5, np.sqrt(np.clip(1.0 - cosine**2, 0.0, 1.0)))

    def best(self, score: np.ndarray, count: int) -> list[Limb]:
        """Return the *count* choices with the highest *score* (T,), the best one first."""
        return [
            Limb(self.pair, (int(self.first[number]), int(self.middle[number]), int(self.last[number])), score[number])
            for number in np.argsort(-score, kind="stable")[:count]
        ]

    def _straight(self) -> np.ndarray:
        """Return the cosine (T,) of the bend at the middle joint."""
        points = self.pair.points
        return _cosine(points[:, self.middle] - points[:, self.first], points[:, self.last] - points[:, self.middle])


def _off_line(points: np.ndarray) -> np.ndarray:
    """Return how far, relative to its length, joints lie off the line between any two joints (n, n) that pass them.

    The largest distance of a joint that is passed over, mean of the sides of *points* (2, n, 3).
    """
    count = points.shape[1]
    chords = points[:, None, :] - points[:, :, None]
    lengths = np.maximum(np.linalg.norm(chords, axis=3), _TINY)
    steps = points[:, None, None, :, :] - points[:, :, None, None, :]
    off = np.linalg.norm(np.cross(steps, (chords / lengths[..., None])[:, :, :, None, :]), axis=4) / lengths[..., None]
    start, end, joint = np.meshgrid(*3 * [np.arange(count)], indexing="ij")
    off = np.where((start < joint) & (joint < end), off, 0.0)
    largest: np.ndarray = off.max(axis=3).mean(axis=0)
    return largest


def _chord(pair: Pair, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return the distances (T,) between joints of *pair*, mean of the sides."""
    mean: np.ndarray = np.linalg.norm(pair.points[:, end] - pair.points[:, start], axis=2).mean(axis=0)
    return mean


def _cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the cosine (T,) between vectors (2, T, 3), mean of the sides."""
    sizes = np.maximum(np.linalg.norm(a, axis=2) * np.linalg.norm(b, axis=2), _TINY)
    mean: np.ndarray = ((a * b).sum(axis=2) / sizes).mean(axis=0)
    return mean
