"""Detect foot contacts: heels and toes that are slow and low for long enough, with hysteresis. F frames.

Every contact contains a frame in which the point is certainly slow and low, and extends over the frames in which it
possibly is. Speeds and heights scale with leg length and durations are in seconds, so that neither body size nor frame
rate changes the contacts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..math.smoothstep import smoothstep

_LEG_M = 0.82
"""The leg length that the thresholds below are for."""
_SLOW_M_S = (0.22, 0.45)
_LOW_M = (0.035, 0.06)
"""Limits of speed, and of height above or below the floor, for a certain and for a possible contact."""
_RAISED_M = 0.03
"""A heel this far above its ball is raised: it is not in contact while the ball is."""
_BALLS_FIRST = (1, 0, 3, 2)
_SPEED_WINDOW_S = 0.07
_MIN_CONTACT_S = 0.1
_MAX_BREAK_S, _SAME_PLACE_M = 0.2, 0.02
"""A contact continues through a fast interval of at most this length if the point's median positions before, during and
after it are at most this far apart."""
_STEP_S = 0.2
"""Minimum time of a step to another place; contacts that are closer together are shortened."""
_STILL_M, _STILL_SPREADS = 0.012, 2.0
"""A contact ends where its point is farther from its median position than both the first and the second times the
median distance."""
_MAX_DRIFT_M = 0.035
"""A point that drifts farther than this from its median position has made a step, however slowly."""
_END_STEPS = 0.25
"""Weight of a movement at the ends of a contact, so that one that drifts steadily is cut in half, not trimmed."""


@dataclass(frozen=True)
class Contact:
    """A run of frames in which one point of a foot is on the floor.

    Attributes:
        point: index into `feet.POINTS`.
        first: first frame, counted from 0.
        last: last frame, inclusive.
    """

    point: int
    first: int
    last: int

    @property
    def frames(self) -> slice:
        """The frames as a slice."""
        return slice(self.first, self.last + 1)

    @property
    def num_frames(self) -> int:
        """Number of frames."""
        return self.last - self.first + 1


def point_speeds(points: np.ndarray, fps: float) -> np.ndarray:
    """Return the velocities (F, 4, 3) in m/s of *points* (F, 4, 3): the slope of a line fitted over 0.14 s."""
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
    """Return a mask (F, 4) of where the *points* (F, 4, 3) are certainly slow."""
    speed = np.linalg.norm(point_speeds(points, fps), axis=-1)
    slow: np.ndarray = speed < _SLOW_M_S[0] * leg_m / _LEG_M
    return slow


def contact_certainty(speed: np.ndarray, height: np.ndarray, leg_m: float) -> np.ndarray:
    """Return 1 where a point is certainly slow and low, 0 where it is not even possibly so, and a passage between.

    Args:
        speed: (...) its speed, metres per second.
        height: (...) its height above its height when planted, metres; below the floor it is low.
        leg_m: leg length.
    """
    scale = leg_m / _LEG_M
    certainty = np.ones(np.broadcast(speed, height).shape)
    for value, (certain, possible) in ((speed, _SLOW_M_S), (height, _LOW_M)):
        certainty *= smoothstep((possible - value / scale) / (possible - certain))
    return certainty


def find_contacts(
    points: np.ndarray, heights: np.ndarray, fps: float, leg_m: float, unobserved: np.ndarray | None = None
) -> tuple[Contact, ...]:
    """Find the contacts, ordered by point and time.

    Args:
        points: (F, 4, 3) contact points of the smoothed motion, metres.
        heights: (F, 4) height of each point above its height when planted, metres.
        fps: frames per second.
        leg_m: leg length.
        unobserved: (F, 4) bool, points that no keypoint determines: they can extend a contact but not start one. None
            if there are none.
    """
    scale = leg_m / _LEG_M
    speed = np.linalg.norm(point_speeds(points, fps), axis=-1)
    distance = np.abs(heights)
    certain = (speed < _SLOW_M_S[0] * scale) & (distance < _LOW_M[0] * scale)
    possible = (speed < _SLOW_M_S[1] * scale) & (distance < _LOW_M[1] * scale)
    if unobserved is not None:
        certain &= ~unobserved
    shortest = max(2, round(_MIN_CONTACT_S * fps))
    contacts: list[Contact] = []
    for point in _BALLS_FIRST:
        path = points[:, point]
        for ball in (contact for contact in contacts if contact.point == point + 1):
            rise = heights[ball.frames, point] - heights[ball.frames, ball.point]
            possible[ball.frames, point] &= rise < _RAISED_M * scale
        runs = [run for run in _runs(possible[:, point]) if certain[run[0] : run[1] + 1, point].any()]
        runs = _merge_runs(runs, round(_MAX_BREAK_S * fps), path, _SAME_PLACE_M * scale)
        parts = [part for run in runs for part in _split_at_drift(Contact(point, *run), path, _MAX_DRIFT_M * scale)]
        parts = [_trim_ends(part, path, _STILL_M * scale) for part in parts]
        parts = _keep_apart([part for part in parts if part.num_frames >= shortest], round(_STEP_S * fps))
        contacts += [part for part in parts if part.num_frames >= shortest]
    return tuple(sorted(contacts, key=lambda contact: (contact.point, contact.first)))


def median_of(values: np.ndarray) -> np.ndarray:
    """Return the median (...) of *values* (F, ...) over the frames: ``np.median``, but faster for few frames."""
    ordered = np.sort(values, axis=0)
    middle: np.ndarray = 0.5 * (ordered[(len(values) - 1) // 2] + ordered[len(values) // 2])
    return middle


def _runs(marked: np.ndarray) -> list[tuple[int, int]]:
    """Return the first and last frame of each unbroken run of *marked* (F,)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], marked.astype(np.int8), [0]])))
    return [(int(first), int(end) - 1) for first, end in zip(edges[::2], edges[1::2], strict=True)]


def _merge_runs(runs: list[tuple[int, int]], longest: int, point: np.ndarray, near: float) -> list[tuple[int, int]]:
    """Join runs that are at most *longest* frames apart and in one place."""
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


def _keep_apart(contacts: list[Contact], least: int) -> list[Contact]:
    """Shorten *contacts* of one point so that at least *least* frames lie between them."""
    spaced = list(contacts)
    for number in range(len(spaced) - 1):
        before, after = spaced[number], spaced[number + 1]
        lacking = max(0, least - (after.first - before.last - 1))
        spaced[number] = Contact(before.point, before.first, before.last - lacking // 2)
        spaced[number + 1] = Contact(after.point, after.first + lacking - lacking // 2, after.last)
    return spaced


def _trim_ends(contact: Contact, point: np.ndarray, near: float) -> Contact:
    """Return *contact* without the frames at its ends in which the point (F, 3) still arrives or already leaves."""
    path = point[contact.frames]
    distance = np.linalg.norm(path - median_of(path), axis=-1)
    still = np.flatnonzero(distance < max(near, _STILL_SPREADS * float(median_of(distance))))
    return Contact(contact.point, contact.first + int(still[0]), contact.first + int(still[-1]))


def _split_at_drift(contact: Contact, point: np.ndarray, farthest: float) -> list[Contact]:
    """Split *contact* until the point (F, 3) stays within *farthest* of its median position, single frames aside."""
    pending, found = [contact], []
    while pending:
        part = pending.pop()
        path = point[part.frames]
        distance = np.linalg.norm(path - median_of(path), axis=-1)
        if part.num_frames < 2 or np.minimum(distance[1:], distance[:-1]).max() <= farthest:
            found.append(part)
            continue
        step = np.linalg.norm(np.diff(path, axis=0), axis=-1)
        to_end = np.minimum(np.arange(1, part.num_frames), np.arange(part.num_frames - 1, 0, -1)) / part.num_frames
        cut = part.first + int((step * np.clip(4.0 * to_end, _END_STEPS, 1.0)).argmax())
        pending += [Contact(part.point, cut + 1, part.last), Contact(part.point, part.first, cut)]
    return found
