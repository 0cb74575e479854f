"""Correct swapped left and right labels of legs, arms or whole sides where the swap is clear. F frames.

Each group of paired points (hips, legs, shoulders, arms, face) is straight or swapped in each frame. The evidence:
points move continuously, so a swapped group jumps onto its mirror group, all points at once; a bone keeps its length;
hips and shoulders face the same way; toes, knees and nose point forwards. The most likely states of all groups
together, over all frames at which a group may change, are found by dynamic programming (Viterbi, 1967). Legs that cross
do not jump, so crossing legs are not examined. K keypoints, P pairs of them, G groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...math.runs import find_runs
from ...smpl_skeleton import SIDES
from ..point_groups import FOOT
from .continuity import expected_places, usual_around
from .distances import usual_lengths

GROUPS: dict[str, tuple[str, ...]] = {
    "hips": ("hip", "asis", "psis"),
    "legs": ("knee", *FOOT),
    "shoulders": ("shoulder", "collar", "sternoclavicular"),
    "arms": ("elbow", "elbow_lateral", "elbow_medial", "wrist", "hand", "thumb_knuckle", "index_knuckle",
             "middle_knuckle", "ring_knuckle", "pinky_knuckle"),
    "face": ("eye", "ear"),
}  # fmt: skip
"""The groups, and their points without the side."""

_NAMES = tuple(GROUPS)
_HIPS, _LEGS, _SHOULDERS, _ARMS, _FACE = (1 << bit for bit in range(len(_NAMES)))
_STATES = np.arange(1 << len(_NAMES))
_SWAPPED: np.ndarray = (_STATES[:, None] >> np.arange(len(_NAMES)) & 1).astype(np.float64)
"""Which groups are swapped in each state (states, G)."""

_REACH_S, _MIN_REACH = 0.15, 3
"""For how long, and at least for how many frames, the path of a point that is not seen is extrapolated."""
_MIN_DEVIATION_M = 0.03
_MOST_COST = 16.0
"""The cost of leaving the extrapolated path is the squared deviation relative to the usual one (which is at least the
value above, metres), up to this per group."""
_CHANGE_COST, _EACH_COST = 4.0, 2.0
"""Cost of a change of state in a frame, and the additional cost of each group that changes."""
_CHANGE_COSTS = np.where(_STATES > 0, _CHANGE_COST + _EACH_COST * _SWAPPED.sum(axis=1), 0.0)
_SWAPPED_PER_S = 0.5
"""Cost per second of a swapped group, since most labels of a clip are right."""
_MAX_DEVIATION_M = 0.5
_IN_FRAME, _IN_SECTION = 0.5, 12.0
"""The largest cost of anatomy that contradicts a group's state, in one frame and in all frames between two changes."""
_BONE_M, _AHEAD_M, _ASIDE_M = 0.04, 0.05, 0.1
"""The errors that contradict fully: of a bone's length, of toes, knees or nose pointing backwards, and of knees or
elbows on the other side."""
_MOST_RUNS = 8


@dataclass(frozen=True, eq=False)
class LabelSwaps:
    """The groups of points whose left and right labels are swapped, and when.

    Attributes:
        frames: by group, (F,) bool; only groups that are ever swapped.
    """

    frames: dict[str, np.ndarray]

    def put_back(self, names: Sequence[str], values: np.ndarray) -> np.ndarray:
        """Return the points' values (F, K, ...) with swapped labels corrected."""
        put_back = values.copy()
        left, right, group = _pairs(names)
        for name, frames in self.frames.items():
            rows = np.flatnonzero(frames)[:, None]
            first, second = (side[group == _NAMES.index(name)] for side in (left, right))
            put_back[rows, first], put_back[rows, second] = values[rows, second], values[rows, first]
        return put_back

    def notes(self) -> tuple[str, ...]:
        """Return one sentence for each set of groups that are swapped in the same frames."""
        groups: dict[str, list[str]] = {}
        for name, frames in self.frames.items():
            groups.setdefault(_format_runs(frames), []).append(name)
        return tuple(
            f"Left and right of the {', '.join(names)} were swapped in frames {when}, counted from 0, and have been "
            "corrected."
            for when, names in groups.items()
        )


def find_label_swaps(names: Sequence[str], positions: np.ndarray, seen: np.ndarray, fps: float) -> LabelSwaps:
    """Return where left and right labels are clearly swapped.

    Args:
        names: (K,) the solver points.
        positions: (F, K, 3) metres, finite.
        seen: (F, K) bool.
        fps: frames per second.
    """
    left, right, group = _pairs(names)
    if len(left) == 0 or len(seen) < 3:
        return LabelSwaps({})
    straight, crossed = _path_costs(positions, seen, (left, right, group), max(_MIN_REACH, round(_REACH_S * fps)))
    changes = np.flatnonzero((straight > crossed).any(axis=1))
    if len(changes) == 0:
        return LabelSwaps({})
    # No state changes between two of these frames, so the frames in between form one section.
    edges = np.concatenate([[0], changes])
    parity, evidence = _anatomy_evidence(names, positions, seen)
    section_evidence = np.clip(np.add.reduceat(evidence, edges, axis=0), -_IN_SECTION, _IN_SECTION)
    lengths = np.diff([*edges, len(seen)])
    section_costs = np.maximum(section_evidence, 0.0) @ parity + np.maximum(-section_evidence, 0.0) @ (1.0 - parity)
    section_costs += _SWAPPED_PER_S / fps * np.outer(lengths, _SWAPPED.sum(axis=1))
    change_costs = straight[changes] @ (1.0 - _SWAPPED.T) + crossed[changes] @ _SWAPPED.T + _CHANGE_COSTS
    states = np.repeat(_likeliest_states(section_costs, change_costs), lengths)
    found = {name: (states >> bit & 1).astype(bool) for bit, name in enumerate(_NAMES)}
    return LabelSwaps({name: frames for name, frames in found.items() if frames.any() and not frames.all()})


def _pairs(names: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the indices (P,) of left points, of their right counterparts, and of each pair's group."""
    index = {name: number for number, name in enumerate(names)}
    pairs = [
        (index[f"left_{stem}"], index[f"right_{stem}"], number)
        for number, stems in enumerate(GROUPS.values())
        for stem in stems
        if index.keys() >= {f"left_{stem}", f"right_{stem}"}
    ]
    left, right, group = np.array(pairs, dtype=np.int64).reshape(-1, 3).T
    return left, right, group


def _path_costs(
    positions: np.ndarray, seen: np.ndarray, pairs: tuple[np.ndarray, np.ndarray, np.ndarray], reach: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the costs (F, G) of each group arriving at each frame straight, and swapped.

    They are measured forwards, from the frames before, and backwards, from the frames after. The smaller one counts,
    since a point leaves its path after an impact.
    """
    before = _path_deviations(positions, seen, pairs, reach)
    behind = _path_deviations(positions[::-1], seen[::-1], pairs, reach)
    straight, crossed = (
        np.fmin(came, np.concatenate([np.full_like(goes[:1], np.nan), goes[:0:-1]]))
        for came, goes in zip(before, behind, strict=True)
    )
    usual = np.maximum(usual_around(straight), _MIN_DEVIATION_M)
    known = np.isfinite(straight) & np.isfinite(crossed)
    costs = [np.where(known, np.minimum((off / usual) ** 2, _MOST_COST), 0.0) for off in (straight, crossed)]
    return costs[0], costs[1]


def _path_deviations(
    positions: np.ndarray, seen: np.ndarray, pairs: tuple[np.ndarray, np.ndarray, np.ndarray], reach: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return each group's root mean square deviation (F, G) from its extrapolated path, straight and crossed.

    Metres; NaN where unknown.
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
    deviations = []
    for to_left, to_right in ((left, right), (right, left)):
        squared = (
            _squared_deviation(positions[:, left], expected[:, to_left]) * seen_left
            + _squared_deviation(positions[:, right], expected[:, to_right]) * seen_right
        )
        mean = squared @ member / np.maximum(count, 1.0)
        deviations.append(np.where(count > 0, np.sqrt(mean), np.nan))
    return deviations[0], deviations[1]


def _squared_deviation(positions: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Return the squared distance (F, P), clipped so that a single wild point does not dominate."""
    return np.asarray(np.minimum(np.square(positions - expected).sum(axis=-1), _MAX_DEVIATION_M**2))


def _anatomy_evidence(names: Sequence[str], positions: np.ndarray, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the evidence of anatomy on the groups' states in each frame.

    Returns:
        For each of Q criteria, whether its sign flips in a state (Q, states), 0 or 1; and the evidence (F, Q): positive
        where the criterion's groups are all straight or all swapped, negative where only one of them is swapped.
    """
    body = _Body(names, positions, seen)
    up = body.middle("shoulder") - body.middle("hip")
    hips, shoulders = body.across("hip"), body.across("shoulder")
    ahead_of_hips, ahead_of_shoulders = _unit(np.cross(hips, up)), _unit(np.cross(shoulders, up))
    knees = body.middle("knee") - 0.5 * (body.middle("hip") + body.middle("ankle"))
    head = body.middle("ear")
    ahead_of_face = _unit(np.cross(body.across("ear"), head - body.middle("shoulder")))
    criteria = (
        (_HIPS | _LEGS, body.bone_evidence("hip", "knee")),
        (_SHOULDERS | _ARMS, body.bone_evidence("shoulder", "elbow")),
        (_HIPS | _LEGS, _dot(_unit(hips), body.across("knee")) / _ASIDE_M),
        (_SHOULDERS | _ARMS, _dot(_unit(shoulders), body.across("elbow")) / _ASIDE_M),
        (_HIPS | _SHOULDERS, 2.0 * _dot(_unit(hips), _unit(shoulders))),
        (_HIPS, _dot(ahead_of_hips, body.toes()) / _AHEAD_M),
        (_HIPS, _dot(ahead_of_hips, knees) / _AHEAD_M),
        (_SHOULDERS, _dot(ahead_of_shoulders, body.point("nose") - body.middle("shoulder")) / _AHEAD_M),
        (_FACE, _dot(ahead_of_face, body.point("nose") - head) / _AHEAD_M),
    )
    flips = np.array([[bin(state & groups).count("1") % 2 for state in _STATES] for groups, _ in criteria], dtype=float)
    evidence = np.clip(np.nan_to_num(np.stack([value for _, value in criteria], axis=1)), -1.0, 1.0)
    return flips, _IN_FRAME * evidence


class _Body:
    """The points by name; NaN where they are not seen."""

    def __init__(self, names: Sequence[str], positions: np.ndarray, seen: np.ndarray) -> None:
        self._index = {name: point for point, name in enumerate(names)}
        self._positions = np.where(seen[..., None], positions, np.nan)

    def point(self, name: str) -> np.ndarray:
        """Return a point (F, 3)."""
        if name not in self._index:
            return np.full_like(self._positions[:, 0], np.nan)
        return np.asarray(self._positions[:, self._index[name]])

    def middle(self, stem: str) -> np.ndarray:
        """Return the midpoint (F, 3) of left and right."""
        return np.asarray(0.5 * (self.point(f"left_{stem}") + self.point(f"right_{stem}")))

    def across(self, stem: str) -> np.ndarray:
        """Return the vector (F, 3) from right to left."""
        return np.asarray(self.point(f"left_{stem}") - self.point(f"right_{stem}"))

    def toes(self) -> np.ndarray:
        """Return the vector (F, 3) from ankles to toes, averaged over both feet."""
        big, other = self.middle("big_toe"), self.middle("foot")
        return np.asarray(np.where(np.isnan(big), other, big) - self.middle("ankle"))

    def bone_evidence(self, near: str, far: str) -> np.ndarray:
        """Return how much worse (F,), -1 to 1, two bones match their usual lengths when their far ends are swapped."""
        ends = [(f"{first}_{near}", f"{second}_{far}") for first in SIDES for second in SIDES]
        if any(name not in self._index for pair in ends for name in pair):
            return np.full(len(self._positions), np.nan)
        first, second = (np.array([self._index[pair[end]] for pair in ends]) for end in (0, 1))
        lengths = np.linalg.norm(self._positions[:, first] - self._positions[:, second], axis=-1)
        usual = usual_lengths(np.nan_to_num(self._positions), np.isfinite(self._positions[..., 0]), first, second)[0]
        own = usual[[0, 3]].mean()
        error = np.minimum(np.abs(lengths - own) / _BONE_M, 1.0)
        return np.asarray(0.5 * (error[:, 1] + error[:, 2] - error[:, 0] - error[:, 3]))


def _unit(vectors: np.ndarray) -> np.ndarray:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9))


def _dot(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.asarray(np.einsum("fc,fc->f", first, second))


def _likeliest_states(costs: np.ndarray, change_costs: np.ndarray) -> np.ndarray:
    """Return the most likely states (S,) of S sections.

    Args:
        costs: (S, states) cost of each state in each section.
        change_costs: (S - 1, states) cost of each set of groups changing between two sections.
    """
    between = _STATES[:, None] ^ _STATES
    total = costs[0] + _CHANGE_COSTS
    predecessors = np.empty((len(change_costs), len(_STATES)), dtype=np.int64)
    for section, change_cost in enumerate(change_costs):
        path_costs = total[:, None] + change_cost[between]
        predecessors[section] = path_costs.argmin(axis=0)
        total = path_costs.min(axis=0) + costs[section + 1]
    states = np.empty(len(costs), dtype=np.int64)
    states[-1] = total.argmin()
    for section in range(len(change_costs) - 1, -1, -1):
        states[section] = predecessors[section, states[section + 1]]
    return states


def _format_runs(marked: np.ndarray) -> str:
    """Return the marked frames (F,), counted from 0, as text such as "3-5, 9"; only the first few of many runs."""
    runs = [f"{run.start}-{run.stop - 1}" if run.stop - run.start > 1 else f"{run.start}" for run in find_runs(marked)]
    more = f" and {len(runs) - _MOST_RUNS} more stretches" if len(runs) > _MOST_RUNS else ""
    return ", ".join(runs[:_MOST_RUNS]) + more
