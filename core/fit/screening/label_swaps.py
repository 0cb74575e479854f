"""Left and right exchanged for some frames, of legs, arms or whole sides, put back where that is clear. F frames.

Each group of paired points (hips, legs, shoulders, arms, face) is straight or exchanged in each frame. What tells:
points go on as they came, so a group that is exchanged jumps onto its mirror twin, all points at once; a bone keeps its
length; hips and shoulders face the same way; toes, knees and nose are in front. The likeliest states of all groups
together, over all moments at which a group may have been exchanged, are found by dynamic programming (Viterbi, 1967).
Legs that cross do not jump, so nothing is asked there. K keypoints, P pairs of them, G groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .continuity import expected_places, usual_around
from .distances import usual_lengths

GROUPS: dict[str, tuple[str, ...]] = {
    "hips": ("hip",),
    "legs": ("knee", "ankle", "heel", "big_toe", "small_toe", "foot"),
    "shoulders": ("shoulder", "collar"),
    "arms": ("elbow", "wrist", "hand", "thumb_knuckle", "index_knuckle", "middle_knuckle", "ring_knuckle",
             "pinky_knuckle"),
    "face": ("eye", "ear"),
}  # fmt: skip
"""The groups, and their points without their side."""

_SIDES = ("left", "right")
_NAMES = tuple(GROUPS)
_HIPS, _LEGS, _SHOULDERS, _ARMS, _FACE = (1 << place for place in range(len(_NAMES)))
_STATES = np.arange(1 << len(_NAMES))
_EXCHANGED: np.ndarray = (_STATES[:, None] >> np.arange(len(_NAMES)) & 1).astype(np.float64)
"""For each state, which groups are exchanged."""

_REACH_S, _MIN_REACH = 0.15, 3
"""For how long, and how many frames at least, a point that is not seen goes on as it came."""
_LEAST_OFF_M = 0.03
_MOST_COST = 16.0
"""Being off the way costs the square of how far, in usual distances, and no more than this for a group."""
_TURN_COST, _EACH_COST = 4.0, 2.0
"""What it costs that groups are exchanged or put back at a moment, and what each of them adds."""
_TURN_COSTS = np.where(_STATES > 0, _TURN_COST + _EACH_COST * _EXCHANGED.sum(axis=1), 0.0)
_EXCHANGED_PER_S = 0.5
"""What it costs a group to be exchanged for a second: the labels of most of the clip are right."""
_MOST_OFF_M = 0.5
_IN_FRAME, _IN_STRETCH = 0.5, 12.0
"""What it costs at most that the body contradicts a group's state in a frame, and in all frames between two moments."""
_BONE_M, _AHEAD_M, _ASIDE_M = 0.04, 0.05, 0.1
"""How far a bone is off its usual length, toes, knees and nose are behind, and knees or elbows are on the other side,
where they contradict fully."""
_MOST_RUNS = 8


@dataclass(frozen=True, eq=False)
class LabelSwaps:
    """Which groups of points were exchanged left for right, and when.

    Attributes:
        frames: by group, (F,) bool; without those that never were.
    """

    frames: dict[str, np.ndarray]

    def put_back(self, names: Sequence[str], values: np.ndarray) -> np.ndarray:
        """Return the points' values (F, K, ...) with left and right put back."""
        put_back = values.copy()
        left, right, group = _pairs(names)
        for name, frames in self.frames.items():
            rows = np.flatnonzero(frames)[:, None]
            first, second = (side[group == _NAMES.index(name)] for side in (left, right))
            put_back[rows, first], put_back[rows, second] = values[rows, second], values[rows, first]
        return put_back

    def notes(self) -> tuple[str, ...]:
        """Return a sentence for each set of groups that were exchanged together."""
        groups: dict[str, list[str]] = {}
        for name, frames in self.frames.items():
            groups.setdefault(_runs_in_words(frames), []).append(name)
        return tuple(
            f"Left and right of the {', '.join(names)} were exchanged in frames {when} and are put back."
            for when, names in groups.items()
        )


def find_label_swaps(names: Sequence[str], positions: np.ndarray, seen: np.ndarray, fps: float) -> LabelSwaps:
    """Return where left and right are clearly exchanged.

    Args:
        names: (K,) the solver points.
        positions: (F, K, 3) metres, finite.
        seen: (F, K) bool.
        fps: frames a second.
    """
    left, right, group = _pairs(names)
    if len(left) == 0 or len(seen) < 3:
        return LabelSwaps({})
    straight, crossed = _way_costs(positions, seen, (left, right, group), max(_MIN_REACH, round(_REACH_S * fps)))
    moments = np.flatnonzero((straight > crossed).any(axis=1))
    if len(moments) == 0:
        return LabelSwaps({})
    # Between two moments nothing changes, so the frames there are taken together.
    edges = np.concatenate([[0], moments])
    odd, says = _body_says(names, positions, seen)
    told = np.clip(np.add.reduceat(says, edges, axis=0), -_IN_STRETCH, _IN_STRETCH)
    lengths = np.diff([*edges, len(seen)])
    stretches = np.maximum(told, 0.0) @ odd + np.maximum(-told, 0.0) @ (1.0 - odd)
    stretches += _EXCHANGED_PER_S / fps * np.outer(lengths, _EXCHANGED.sum(axis=1))
    turns = straight[moments] @ (1.0 - _EXCHANGED.T) + crossed[moments] @ _EXCHANGED.T + _TURN_COSTS
    states = np.repeat(_likeliest_states(stretches, turns), lengths)
    found = {name: (states >> place & 1).astype(bool) for place, name in enumerate(_NAMES)}
    return LabelSwaps({name: frames for name, frames in found.items() if frames.any() and not frames.all()})


def _pairs(names: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the places (P,) of left points, of their right twins, and the group of each pair."""
    index = {name: place for place, name in enumerate(names)}
    pairs = [
        (index[f"left_{stem}"], index[f"right_{stem}"], place)
        for place, stems in enumerate(GROUPS.values())
        for stem in stems
        if index.keys() >= {f"left_{stem}", f"right_{stem}"}
    ]
    left, right, group = np.array(pairs, dtype=np.int64).reshape(-1, 3).T
    return left, right, group


def _way_costs(
    positions: np.ndarray, seen: np.ndarray, pairs: tuple[np.ndarray, np.ndarray, np.ndarray], reach: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return what it costs (F, G) that each group comes into each frame straight, and exchanged.

    It is measured both ways, into the frame from those before it and out of it from those behind, and the lesser
    counts: after a blow a point goes another way than it came.
    """
    before = _off_the_way(positions, seen, pairs, reach)
    behind = _off_the_way(positions[::-1], seen[::-1], pairs, reach)
    straight, crossed = (
        np.fmin(came, np.concatenate([np.full_like(goes[:1], np.nan), goes[:0:-1]]))
        for came, goes in zip(before, behind, strict=True)
    )
    usual = np.maximum(usual_around(straight), _LEAST_OFF_M)
    known = np.isfinite(straight) & np.isfinite(crossed)
    costs = [np.where(known, np.minimum((off / usual) ** 2, _MOST_COST), 0.0) for off in (straight, crossed)]
    return costs[0], costs[1]


def _off_the_way(
    positions: np.ndarray, seen: np.ndarray, pairs: tuple[np.ndarray, np.ndarray, np.ndarray], reach: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return how far (F, G) the points of each group are off where they came, root mean square, straight and crossed.

    Metres; NaN where it is not known.
    """
    left, right, group = pairs
    columns = np.concatenate([left, right])
    positions, seen = positions[:, columns], seen[:, columns]
    left, right = np.arange(len(left)), np.arange(len(left), len(columns))
    expected, known = expected_places(positions, seen, reach)
    both = known[:, left] & known[:, right]
    seen_left, seen_right = seen[:, left] & both, seen[:, right] & both
    member = (group[:, None] == np.arange(len(_NAMES))).astype(np.float64)
    count = (seen_left.astype(np.float64) + seen_right) @ member
    found = []
    for to_left, to_right in ((left, right), (right, left)):
        off = (
            _squared_off(positions[:, left], expected[:, to_left]) * seen_left
            + _squared_off(positions[:, right], expected[:, to_right]) * seen_right
        )
        mean = off @ member / np.maximum(count, 1.0)
        found.append(np.where(count > 0, np.sqrt(mean), np.nan))
    return found[0], found[1]


def _squared_off(places: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Return the squared distance (F, P), which no single wild point makes too large."""
    return np.asarray(np.minimum(np.square(places - expected).sum(axis=-1), _MOST_OFF_M**2))


def _body_says(names: Sequence[str], positions: np.ndarray, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what each frame's body says of the states of its groups.

    Returns:
        For each question whether it changes its answer in a state (Q, states), 0 or 1; and the answers (F, Q): above 0
        where the groups are rather straight, or exchanged together, below where one of them is exchanged.
    """
    body = _Body(names, positions, seen)
    up = body.middle("shoulder") - body.middle("hip")
    hips, shoulders = body.across("hip"), body.across("shoulder")
    ahead_of_hips, ahead_of_shoulders = _unit(np.cross(hips, up)), _unit(np.cross(shoulders, up))
    knees = body.middle("knee") - 0.5 * (body.middle("hip") + body.middle("ankle"))
    head = body.middle("ear")
    ahead_of_face = _unit(np.cross(body.across("ear"), head - body.middle("shoulder")))
    questions = (
        (_HIPS | _LEGS, body.bones_say("hip", "knee")),
        (_SHOULDERS | _ARMS, body.bones_say("shoulder", "elbow")),
        (_HIPS | _LEGS, _dot(_unit(hips), body.across("knee")) / _ASIDE_M),
        (_SHOULDERS | _ARMS, _dot(_unit(shoulders), body.across("elbow")) / _ASIDE_M),
        (_HIPS | _SHOULDERS, 2.0 * _dot(_unit(hips), _unit(shoulders))),
        (_HIPS, _dot(ahead_of_hips, body.toes()) / _AHEAD_M),
        (_HIPS, _dot(ahead_of_hips, knees) / _AHEAD_M),
        (_SHOULDERS, _dot(ahead_of_shoulders, body.place("nose") - body.middle("shoulder")) / _AHEAD_M),
        (_FACE, _dot(ahead_of_face, body.place("nose") - head) / _AHEAD_M),
    )
    odd = np.array([[bin(state & groups).count("1") % 2 for state in _STATES] for groups, _ in questions], dtype=float)
    says = np.clip(np.nan_to_num(np.stack([answer for _, answer in questions], axis=1)), -1.0, 1.0)
    return odd, _IN_FRAME * says


class _Body:
    """The points by name; NaN where they are not seen."""

    def __init__(self, names: Sequence[str], positions: np.ndarray, seen: np.ndarray) -> None:
        self._index = {name: place for place, name in enumerate(names)}
        self._places = np.where(seen[..., None], positions, np.nan)

    def place(self, name: str) -> np.ndarray:
        """Return a point (F, 3)."""
        if name not in self._index:
            return np.full_like(self._places[:, 0], np.nan)
        return np.asarray(self._places[:, self._index[name]])

    def middle(self, stem: str) -> np.ndarray:
        """Return the middle (F, 3) of left and right."""
        return np.asarray(0.5 * (self.place(f"left_{stem}") + self.place(f"right_{stem}")))

    def across(self, stem: str) -> np.ndarray:
        """Return the way (F, 3) from right to left."""
        return np.asarray(self.place(f"left_{stem}") - self.place(f"right_{stem}"))

    def toes(self) -> np.ndarray:
        """Return how far toes are from ankles (F, 3), both feet's mean."""
        big, other = self.middle("big_toe"), self.middle("foot")
        return np.asarray(np.where(np.isnan(big), other, big) - self.middle("ankle"))

    def bones_say(self, near: str, far: str) -> np.ndarray:
        """Return how much worse (F,) two bones have their lengths when their far ends are exchanged, -1 to 1."""
        ends = [(f"{first}_{near}", f"{second}_{far}") for first in _SIDES for second in _SIDES]
        if any(name not in self._index for pair in ends for name in pair):
            return np.full(len(self._places), np.nan)
        first, second = (np.array([self._index[pair[end]] for pair in ends]) for end in (0, 1))
        lengths = np.linalg.norm(self._places[:, first] - self._places[:, second], axis=-1)
        usual = usual_lengths(np.nan_to_num(self._places), np.isfinite(self._places[..., 0]), first, second)[0]
        own = usual[[0, 3]].mean()
        off = np.minimum(np.abs(lengths - own) / _BONE_M, 1.0)
        return np.asarray(0.5 * (off[:, 1] + off[:, 2] - off[:, 0] - off[:, 3]))


def _unit(vectors: np.ndarray) -> np.ndarray:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9))


def _dot(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.asarray(np.einsum("fc,fc->f", first, second))


def _likeliest_states(costs: np.ndarray, turns: np.ndarray) -> np.ndarray:
    """Return the likeliest states (S,) of stretches.

    Args:
        costs: (S, states) what each state costs in a stretch.
        turns: (S - 1, states) what it costs at each moment between two that these groups are exchanged or put back.
    """
    between = _STATES[:, None] ^ _STATES
    total = costs[0] + _TURN_COSTS
    came = np.empty((len(turns), len(_STATES)), dtype=np.int64)
    for stretch, turn in enumerate(turns):
        ways = total[:, None] + turn[between]
        came[stretch] = ways.argmin(axis=0)
        total = ways.min(axis=0) + costs[stretch + 1]
    states = np.empty(len(costs), dtype=np.int64)
    states[-1] = total.argmin()
    for stretch in range(len(turns) - 1, -1, -1):
        states[stretch] = came[stretch, states[stretch + 1]]
    return states


def _runs_in_words(marked: np.ndarray) -> str:
    """Return "3-5, 9" for marked frames (F,), counted from 0; the first few of many."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], marked.astype(np.int8), [0]])))
    runs = [f"{first}-{end - 1}" if end - first > 1 else f"{first}" for first, end in edges.reshape(-1, 2)]
    more = f" and {len(runs) - _MOST_RUNS} more stretches" if len(runs) > _MOST_RUNS else ""
    return ", ".join(runs[:_MOST_RUNS]) + more
