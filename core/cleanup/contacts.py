"""When heels and toes stand: slow and low for long enough, with hysteresis. F frames.

A contact begins where a point is surely slow and low, and reaches as far as it is fairly so. Speeds and heights scale
with the length of the legs and durations are in seconds, so neither a child nor a frame rate changes what is found.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .feet import POINTS

_LEG_M = 0.82
"""The length of leg that the figures below are for."""
_SLOW_M_S = (0.22, 0.45)
_LOW_M = (0.035, 0.06)
"""Speed and height above (or below) the floor of a point that surely stands, and that may stand."""
_SPEED_WINDOW_S = 0.07
_MIN_CONTACT_S = 0.1
_MAX_BREAK_S, _SAME_PLACE_M = 0.2, 0.02
"""A point that is fast for no longer than that, at one place before, after and mostly between, stood all the time."""
_STEP_S = 0.2
"""A step to another place takes at least that; contacts that are closer together lose some of their ends."""
_STILL_M, _STILL_SPREADS = 0.012, 2.0
"""A contact ends where its point is farther than both from where it stands, the latter times the usual distance."""
_MAX_DRIFT_M = 0.035
"""A point that creeps farther than this from where it stands has made a step, however slowly."""
_END_STEPS = 0.25
"""A step counts so much at the ends of a stretch: one that creeps all the time is halved, not nibbled at."""


@dataclass(frozen=True)
class Contact:
    """A stretch of frames in which a point of a foot stands.

    Attributes:
        point: which, an index to `feet.POINTS`.
        first: first frame, counted from 0.
        last: last frame.
    """

    point: int
    first: int
    last: int

    @property
    def frames(self) -> slice:
        """The frames as a slice."""
        return slice(self.first, self.last + 1)

    @property
    def is_toe(self) -> bool:
        """Whether it is a toe joint that stands, not a heel."""
        return POINTS[self.point].endswith("toe")

    @property
    def num_frames(self) -> int:
        """How many frames."""
        return self.last - self.first + 1


def point_speeds(points: np.ndarray, fps: float) -> np.ndarray:
    """Return the velocities (F, 4, 3) of *points* (F, 4, 3), metres a second: the slope of a line over 0.14 s."""
    num_frames = len(points)
    if num_frames < 2:
        return np.zeros_like(points)
    reach = int(np.clip(round(_SPEED_WINDOW_S * fps), 1, num_frames - 1))
    padded = np.concatenate(
        [2.0 * points[:1] - points[reach:0:-1], points, 2.0 * points[-1:] - points[-2 : -reach - 2 : -1]]
    )
    steps = np.arange(-reach, reach + 1)
    slope = sum(step * padded[reach + step : reach + step + num_frames] for step in steps)
    return np.asarray(slope * (fps / float((steps**2).sum())))


def find_slow(points: np.ndarray, fps: float, leg_m: float) -> np.ndarray:
    """Return where (F, 4) bool the *points* (F, 4, 3) are surely slow."""
    speed = np.linalg.norm(point_speeds(points, fps), axis=-1)
    slow: np.ndarray = speed < _SLOW_M_S[0] * leg_m / _LEG_M
    return slow


def find_contacts(
    points: np.ndarray, heights: np.ndarray, fps: float, leg_m: float, guessed: np.ndarray | None = None
) -> tuple[Contact, ...]:
    """Return the contacts, ordered by point and time.

    Args:
        points: (F, 4, 3) contact points, metres, calm.
        heights: (F, 4) how high they are above where they would stand.
        fps: frames a second.
        leg_m: length of the legs.
        guessed: (F, 4) bool, points that nothing showed: they prolong a contact but make none. None for none.
    """
    scale = leg_m / _LEG_M
    speed = np.linalg.norm(point_speeds(points, fps), axis=-1)
    off = np.abs(heights)
    sure = (speed < _SLOW_M_S[0] * scale) & (off < _LOW_M[0] * scale)
    fair = (speed < _SLOW_M_S[1] * scale) & (off < _LOW_M[1] * scale)
    if guessed is not None:
        sure &= ~guessed
    shortest = max(2, round(_MIN_CONTACT_S * fps))
    contacts: list[Contact] = []
    for point in range(len(POINTS)):
        path = points[:, point]
        runs = [run for run in _runs(fair[:, point]) if sure[run[0] : run[1] + 1, point].any()]
        runs = _merged(runs, round(_MAX_BREAK_S * fps), path, _SAME_PLACE_M * scale)
        parts = [part for run in runs for part in _without_creeping(Contact(point, *run), path, _MAX_DRIFT_M * scale)]
        parts = [_trimmed(part, path, _STILL_M * scale) for part in parts]
        parts = _spaced([part for part in parts if part.num_frames >= shortest], round(_STEP_S * fps))
        contacts += [part for part in parts if part.num_frames >= shortest]
    return tuple(contacts)


def median_of(values: np.ndarray) -> np.ndarray:
    """Return the median (...) over the frames of *values* (F, ...): ``np.median``, but fast for a contact's few."""
    ordered = np.sort(values, axis=0)
    middle: np.ndarray = 0.5 * (ordered[(len(values) - 1) // 2] + ordered[len(values) // 2])
    return middle


def _runs(marked: np.ndarray) -> list[tuple[int, int]]:
    """Return first and last frame of each unbroken stretch of *marked* (F,)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], marked.astype(np.int8), [0]])))
    return [(int(first), int(end) - 1) for first, end in zip(edges[::2], edges[1::2], strict=True)]


def _merged(runs: list[tuple[int, int]], longest: int, point: np.ndarray, near: float) -> list[tuple[int, int]]:
    """Return *runs* with those joined that are no more than *longest* frames apart and at one place."""
    joined: list[tuple[int, int]] = []
    for first, last in runs:
        if joined and first - joined[-1][1] - 1 <= longest:
            between = median_of(point[joined[-1][1] + 1 : first])
            before = median_of(point[joined[-1][0] : joined[-1][1] + 1])
            after = median_of(point[first : last + 1])
            if max(np.linalg.norm(after - before), np.linalg.norm(between - before)) < near:
                joined[-1] = (joined[-1][0], last)
                continue
        joined.append((first, last))
    return joined


def _spaced(contacts: list[Contact], least: int) -> list[Contact]:
    """Return *contacts* of one point with at least so many frames between them, taken from the ends that face."""
    spaced = list(contacts)
    for number in range(len(spaced) - 1):
        before, after = spaced[number], spaced[number + 1]
        lacking = max(0, least - (after.first - before.last - 1))
        spaced[number] = Contact(before.point, before.first, before.last - lacking // 2)
        spaced[number + 1] = Contact(after.point, after.first + lacking - lacking // 2, after.last)
    return spaced


def _trimmed(contact: Contact, point: np.ndarray, near: float) -> Contact:
    """Return *contact* without the frames at its ends in which the point (F, 3) still comes or already goes."""
    path = point[contact.frames]
    off = np.linalg.norm(path - median_of(path), axis=-1)
    still = np.flatnonzero(off < max(near, _STILL_SPREADS * float(median_of(off))))
    return Contact(contact.point, contact.first + int(still[0]), contact.first + int(still[-1]))


def _without_creeping(contact: Contact, point: np.ndarray, farthest: float) -> list[Contact]:
    """Return *contact*, cut so that the point (F, 3) is never *farthest* from where it stands, but for lone frames."""
    pending, found = [contact], []
    while pending:
        part = pending.pop()
        path = point[part.frames]
        off = np.linalg.norm(path - median_of(path), axis=-1)
        if part.num_frames < 2 or np.minimum(off[1:], off[:-1]).max() <= farthest:
            found.append(part)
            continue
        step = np.linalg.norm(np.diff(path, axis=0), axis=-1)
        to_end = np.minimum(np.arange(1, part.num_frames), np.arange(part.num_frames - 1, 0, -1)) / part.num_frames
        cut = part.first + int((step * np.clip(4.0 * to_end, _END_STEPS, 1.0)).argmax())
        pending += [Contact(part.point, cut + 1, part.last), Contact(part.point, part.first, cut)]
    return found
