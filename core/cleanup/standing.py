"""Where each contact holds its point, and how the hold fades around it. F frames.

Heel and toe joint of a foot are a fixed length apart. Where both stand at once their places are found together, as far
apart as they are in that time; so a foot that stands flat is held as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .contacts import Contact, median_of
from .feet import POINTS
from .ground import Ground

_FADE_S = 0.12
_PLAY_M = 0.006
"""A point so far above or below the floor stands well enough, and is held at its height."""


@dataclass(frozen=True, eq=False)
class Holds:
    """For each frame and contact point, the contact nearest in time.

    Attributes:
        share: (F, 4) 1 where the point stands, fading to 0 around that without a kink.
        target: (F, 4, 3) where the point is held, metres.
        floor: (F, 4) height of the floor below it, metres.
        nearest: (F, 4) the frame of the contact nearest in time: the frame itself where the point stands.
    """

    share: np.ndarray
    target: np.ndarray
    floor: np.ndarray
    nearest: np.ndarray


def plan_holds(
    contacts: Sequence[Contact], points: np.ndarray, heights: np.ndarray, ground: Ground, fps: float
) -> Holds:
    """Return how *contacts* hold their points.

    Args:
        contacts: when which point stands, ordered by point and time.
        points: (F, 4, 3) contact points, metres, calm.
        heights: (4,) how high each is above the floor when it stands.
        ground: the floor.
        fps: frames a second.
    """
    num_frames = len(points)
    share = np.zeros((num_frames, len(POINTS)))
    target = points.copy()
    nearest = np.broadcast_to(np.arange(num_frames)[:, None], share.shape).copy()
    places = _places(contacts, points, heights, ground)
    fade = max(1.0, _FADE_S * fps)
    for point in range(len(POINTS)):
        own = [(contact, place) for contact, place in zip(contacts, places, strict=True) if contact.point == point]
        for number, (contact, place) in enumerate(own):
            start = 0 if number == 0 else (own[number - 1][0].last + contact.first + 1) // 2
            end = num_frames if number + 1 == len(own) else (contact.last + own[number + 1][0].first + 1) // 2
            frames = np.arange(start, end)
            before = np.maximum(contact.first - frames, 0)
            after = np.maximum(frames - contact.last, 0)
            reach_before = fade if number == 0 else min(fade, contact.first - start + 0.5)
            reach_after = fade if number + 1 == len(own) else min(fade, end - contact.last - 0.5)
            far = np.clip(np.maximum(before / reach_before, after / reach_after), 0.0, 1.0)
            share[frames, point] = 1.0 - far**2 * (3.0 - 2.0 * far)
            target[frames, point] = place
            nearest[frames, point] = np.clip(frames, contact.first, contact.last)
    return Holds(share, target, ground.heights_at(target), nearest)


def _places(contacts: Sequence[Contact], points: np.ndarray, heights: np.ndarray, ground: Ground) -> list[np.ndarray]:
    """Return where each contact (ordered by point and time) holds its point (3,)."""
    places: list[np.ndarray] = []
    for contact in contacts:
        place = median_of(points[contact.frames, contact.point])
        floor = ground.heights_at(place) + heights[contact.point]
        place[1] = floor + np.clip(place[1] - floor, -_PLAY_M, _PLAY_M)
        places.append(place)
    placed: set[int] = set()
    for heel, toe, frames in sorted(_flat_stances(contacts), key=lambda stance: stance[2].start):
        if heel in placed and toe in placed:
            continue
        feet = points[frames, contacts[toe].point] - points[frames, contacts[heel].point]
        foot = _flat(feet, places[toe][1] - places[heel][1])
        if heel in placed:
            places[toe][[0, 2]] = places[heel][[0, 2]] + foot
        else:
            places[heel][[0, 2]] = places[toe][[0, 2]] - foot
        placed |= {heel, toe}
    return places


def _flat(feet: np.ndarray, rise: float) -> np.ndarray:
    """Return the way (2,) along x and z from heel to toe of a foot that stands, as long as the foot makes it.

    A foot that still comes down, or already rolls off, spans less of the floor than when it stands.

    Args:
        feet: (F, 3) from heel to toe, of one length, while both are said to stand.
        rise: how much higher the toe is held than the heel, metres.
    """
    way = median_of(feet)[[0, 2]]
    length = float(np.linalg.norm(feet[0]))
    span = np.sqrt(max(length**2 - rise**2, 0.0))
    return np.asarray(way * (span / max(float(np.linalg.norm(way)), 1e-9)))


def _flat_stances(contacts: Sequence[Contact]) -> list[tuple[int, int, slice]]:
    """Return which heel's contact and which toe's are at the same time on one foot, and in which frames."""
    stances = []
    for heel_point in range(0, len(POINTS), 2):
        heels, toes = (
            [number for number, contact in enumerate(contacts) if contact.point == point]
            for point in (heel_point, heel_point + 1)
        )
        while heels and toes:
            heel, toe = contacts[heels[0]], contacts[toes[0]]
            start, end = max(heel.first, toe.first), min(heel.last, toe.last)
            if start <= end:
                stances.append((heels[0], toes[0], slice(start, end + 1)))
            (heels if heel.last < toe.last else toes).pop(0)
    return stances
