"""Joints of fingers from markers on their backs. F frames; file units and file axes throughout.

A marker lies over its joint, on the skin of the finger's back. What is back is found from the hand: its side to the
thumb, and the direction of the finger at that joint, which turns with it. So a joint is as far below the marker in a
fist as in a flat hand.
"""

from __future__ import annotations

import numpy as np

from ..layouts import FINGERS
from ..smpl_skeleton import SIDES
from .legs import Points
from .vectors import mean_of, present_mean, unit

_DEPTH = (0.0024, 0.0024, 0.0018, 0.0018)
_THUMB_DEPTH = (0.0076, 0.0067, 0.0022, 0.0018)
_MARKER_RADIUS = 0.0018
"""How deep joints 1 to 3 and the tip lie below the skin of the back of a finger, on the free body, and the radius of a
marker for fingers (about 3 mm), as fractions of the stature."""
_TIP_AHEAD = 0.0029
"""The marker of a tip is on the nail, behind the end of the finger by this fraction of the stature."""
_THUMB_BACK = (-0.60, -0.78, 0.19)
"""The axis about which a left thumb stretches, along the palm, out of its back and to the thumb: on the free body."""
_KNUCKLES = {"index": "index_knuckle", "pinky": "little_finger_knuckle"}
_SHARES = {"index": 0.0, "middle": 0.35, "ring": 0.7, "pinky": 1.0}
"""How far the knuckles are from the index finger's to the little finger's."""


def finger_joints(points: Points, wrists: Points, stature: float, chirality: float) -> dict[str, np.ndarray]:
    """Return the joints and tips of fingers (F, 3) that markers show, "left_index2" and the like.

    Where the hand's direction is unknown in a frame, a joint is where its marker is.

    Args:
        points: (F, 3) of each role, with those of `finger_labels.FINGER_ROLES`.
        wrists: (F, 3) wrist centres, "left_wrist" and "right_wrist".
        stature: in file units.
        chirality: right-handed axes (1) or mirrored ones (-1).
    """
    found: dict[str, np.ndarray] = {}
    for side in SIDES:
        marked = {
            (finger, joint): points[role]
            for finger in FINGERS
            for joint in range(1, 5)
            if (role := f"{side}_{finger}{joint}") in points
        }
        if not marked:
            continue
        for finger, role in _KNUCKLES.items():
            if f"{side}_{role}" in points:
                marked.setdefault((finger, 1), points[f"{side}_{role}"])
        hand = _Hand(points, wrists, side, marked, chirality if side == "left" else -chirality)
        for (finger, joint), marker in marked.items():
            back, along = hand.back_and_along(finger, joint)
            depth = (_THUMB_DEPTH if finger == "thumb" else _DEPTH)[joint - 1] + _MARKER_RADIUS
            ahead = _TIP_AHEAD if joint == 4 else 0.0
            place = marker + stature * (ahead * along - depth * back)
            found[f"{side}_{finger}{joint}"] = np.where(np.isfinite(place), place, marker)
    return found


class _Hand:
    """The directions of a hand (F, 3), from all its markers."""

    def __init__(
        self,
        points: Points,
        wrists: Points,
        side: str,
        marked: dict[tuple[str, int], np.ndarray],
        turn: float,
    ) -> None:
        self.marked, self.turn = marked, turn
        some = next(iter(marked.values()))
        self.wrist = wrists.get(f"{side}_wrist", np.full_like(some, np.nan))
        self.knuckles = {finger: marked[finger, 1] for finger in FINGERS[1:] if (finger, 1) in marked}
        self.to_thumb = self._to_thumb(points, side)

    def _to_thumb(self, points: Points, side: str) -> np.ndarray:
        """Return the direction from the little finger's side to the thumb's: of knuckles, wrist, or the same joints."""
        pairs = [(points.get(f"{side}_{kind}_thumb_side"), points.get(f"{side}_{kind}_little_finger_side"))
                 for kind in ("wrist", "wrist_bar")]  # fmt: skip
        order = [finger for finger in FINGERS[1:] if finger in self.knuckles]
        if len(order) > 1:
            pairs.insert(0, (self.knuckles[order[0]], self.knuckles[order[-1]]))
        pairs += [(self.marked.get(("index", joint)), self.marked.get(("pinky", joint))) for joint in (2, 3)]
        direction = np.full_like(self.wrist, np.nan)
        for one, other in pairs:
            if one is not None and other is not None:
                direction = np.where(np.isfinite(direction), direction, unit(one - other))
        return direction

    def _root(self, finger: str) -> np.ndarray:
        """Return about where a finger begins."""
        index, pinky = self.knuckles.get("index"), self.knuckles.get("pinky")
        if finger == "thumb" or index is None or pinky is None:
            return self.knuckles.get(finger, self.wrist)
        return np.asarray(index + _SHARES[finger] * (pinky - index))

    def back_and_along(self, finger: str, joint: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the unit directions (F, 3) out of the finger's back, and along it, at a marker."""
        own = [number for number in range(1, 5) if (finger, number) in self.marked]
        before, after = [n for n in own if n < joint], [n for n in own if n > joint]
        if before:
            start = self.marked[finger, before[-1]]
        else:
            start = self._root(finger) if joint > 1 else self.wrist
        end = self.marked[finger, after[0]] if after else self.marked[finger, joint]
        along = unit(end - start)
        stretch = self._thumb_axis() if finger == "thumb" else self.to_thumb
        return self.turn * unit(np.cross(stretch, along)), along

    def _thumb_axis(self) -> np.ndarray:
        """Return the axis about which the thumb stretches."""
        middle = mean_of(*self.knuckles.values()) if self.knuckles else self._middle()
        ahead = unit(middle - self.wrist)
        back = self.turn * unit(np.cross(self.to_thumb, ahead))
        return np.asarray(
            sum(share * axis for share, axis in zip(_THUMB_BACK, (ahead, back, self.to_thumb), strict=True))
        )

    def _middle(self) -> np.ndarray:
        """Return the middle of the markers of the long fingers that are nearest to the palm."""
        first: dict[str, np.ndarray] = {}
        for (finger, _), place in sorted(self.marked.items(), key=lambda item: item[0][1]):
            if finger != "thumb":
                first.setdefault(finger, place)
        return present_mean(np.stack(list(first.values()))) if first else np.full_like(self.wrist, np.nan)
