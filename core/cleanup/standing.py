"""Where each contact holds its point, and how the hold fades in and out. F frames.

Heel and toe joint of a foot are a fixed distance apart. Where both are in contact at once, their positions are found
together, that distance apart, so a flat foot is held as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..math.smoothstep import smoothstep
from .contacts import Contact, median_of
from .feet import POINTS
from .ground import Ground

_FADE_S = 0.12
_PLAY_M = 0.006
"""A point within this distance above or below the floor is held at its own height."""


@dataclass(frozen=True, eq=False)
class Holds:
    """For each frame and contact point, the hold of the contact nearest in time.

    Attributes:
        share: (F, 4) weight of the hold: 1 during the contact, fading smoothly to 0 around it.
        target: (F, 4, 3) where the point is held, metres.
        nearest: (F, 4) the contact's frame nearest in time; during the contact, the frame itself.
        contact: (F, 4) number of the contact; their count where the point has none.
        inside: (F, 4) bool, whether the contact lasts.
        ground: the floor.
    """

    share: np.ndarray
    target: np.ndarray
    nearest: np.ndarray
    contact: np.ndarray
    inside: np.ndarray
    ground: Ground


def plan_holds(
    contacts: Sequence[Contact], points: np.ndarray, heights: np.ndarray, ground: Ground, fps: float
) -> Holds:
    """Plan where and how strongly *contacts* hold their points.

    Args:
        contacts: the contacts, ordered by point and time.
        points: (F, 4, 3) contact points of the smoothed motion, metres.
        heights: (4,) height of each point above the floor when planted.
        ground: the floor.
        fps: frames per second.
    """
    num_frames = len(points)
    share = np.zeros((num_frames, len(POINTS)))
    target = points.copy()
    nearest = np.broadcast_to(np.arange(num_frames)[:, None], share.shape).copy()
    of_contact, inside = np.full(share.shape, len(contacts)), np.zeros(share.shape, dtype=bool)
    positions = _hold_positions(contacts, points, heights, ground)
    fade = max(1.0, _FADE_S * fps)
    for point in range(len(POINTS)):
        own = [number for number, contact in enumerate(contacts) if contact.point == point]
        point_contacts = [(contacts[number], positions[number]) for number in own]
        for number, (contact, position) in enumerate(point_contacts):
            is_last = number + 1 == len(point_contacts)
            start = 0 if number == 0 else (point_contacts[number - 1][0].last + contact.first + 1) // 2
            end = num_frames if is_last else (contact.last + point_contacts[number + 1][0].first + 1) // 2
            frames = np.arange(start, end)
            before = np.maximum(contact.first - frames, 0)
            after = np.maximum(frames - contact.last, 0)
            reach_before = fade if number == 0 else min(fade, contact.first - start + 0.5)
            reach_after = fade if is_last else min(fade, end - contact.last - 0.5)
            share[frames, point] = 1.0 - smoothstep(np.maximum(before / reach_before, after / reach_after))
            target[frames, point] = position
            nearest[frames, point] = np.clip(frames, contact.first, contact.last)
            of_contact[frames, point] = own[number]
            inside[contact.frames, point] = True
    return Holds(share, target, nearest, of_contact, inside, ground)


def _hold_positions(
    contacts: Sequence[Contact], points: np.ndarray, heights: np.ndarray, ground: Ground
) -> list[np.ndarray]:
    """Return the position (3,) at which each contact (ordered by point and time) holds its point."""
    positions: list[np.ndarray] = []
    for contact in contacts:
        position = median_of(points[contact.frames, contact.point])
        floor = ground.heights_at(position) + heights[contact.point]
        position[1] = floor + np.clip(position[1] - floor, -_PLAY_M, _PLAY_M)
        positions.append(position)
    done: set[int] = set()
    for heel, toe, frames in sorted(_flat_stances(contacts), key=lambda stance: stance[2].start):
        if heel in done and toe in done:
            continue
        feet = points[frames, contacts[toe].point] - points[frames, contacts[heel].point]
        foot = _foot_vector(feet, positions[toe][1] - positions[heel][1])
        if heel in done:
            positions[toe][[0, 2]] = positions[heel][[0, 2]] + foot
        else:
            positions[heel][[0, 2]] = positions[toe][[0, 2]] - foot
        done |= {heel, toe}
    return positions


def _foot_vector(feet: np.ndarray, rise: float) -> np.ndarray:
    """Return the vector (2,) along x and z from heel to toe of a planted foot, scaled to the foot's true length.

    A foot that is still coming down, or already rolling off, spans less of the floor than when planted.

    Args:
        feet: (F, 3) vectors from heel to toe, all of one length, while both are in contact.
        rise: height of the held toe above the held heel, metres.
    """
    direction = median_of(feet)[[0, 2]]
    length = float(np.linalg.norm(feet[0]))
    span = np.sqrt(max(length**2 - rise**2, 0.0))
    return np.asarray(direction * (span / max(float(np.linalg.norm(direction)), 1e-9)))


def _flat_stances(contacts: Sequence[Contact]) -> list[tuple[int, int, slice]]:
    """Return the pairs of heel and toe contacts of one foot that overlap in time, with their common frames."""
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
