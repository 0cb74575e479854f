"""Prepare a person's motion for a scene: at the scene's rate, with its feet on the floor.

The floor height is that of most foot contacts, so a noisy frame or a foot that the fit placed too low does not lift the
clip. In a clip without contacts (jumping, hanging) it is the lowest vertex of all frames. The whole clip is moved by
one offset, so jumps and steps stay as recorded.

Detecting the floor of a long clip takes seconds, so a fit does it on its own thread. The analysis is stored, because
the live settings of the Result box start from it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .body.data import NUM_BETAS, BodyData
from .body.model import BodyModel
from .cleanup import CleanupSource, analyse_motion, held_joints
from .fit import Flag
from .motion import Motion

_SAME_RATE = 1e-4
AS_RECORDED = "recording"
"""In place of a first frame: a motion begins as late as its track begins in its recording."""


@dataclass(frozen=True)
class Place:
    """How people are placed in a scene.

    Attributes:
        rate: frame rate of the scene, frames per second; None for a scene that takes the rate of the first person.
        floor: place them on the floor.
    """

    rate: float | None = None
    floor: bool = True


@dataclass(frozen=True, eq=False)
class Person:
    """One person to add to the scene.

    Attributes:
        name: name of the objects and the action.
        motion: the person's motion.
        body: the body model that the motion's betas belong to.
        flags: the doubtful stretches of the fit, in frames of its track; unobserved limbs are ignored when the floor is
            detected.
        track_fps: frame rate of the track, frames per second; 0 for a motion that was not fitted.
        placed: the motion prepared in advance, or None.
        start_s: time of the motion's first frame in its recording, seconds.
    """

    name: str
    motion: Motion
    body: BodyData
    flags: tuple[Flag, ...] = ()
    track_fps: float = 0.0
    placed: PlacedMotion | None = None
    start_s: float = 0.0

    def placed_at(self, place: Place) -> PlacedMotion:
        """Return the motion for *place*: the one prepared in advance if it matches, else a new one."""
        if self.placed is not None and self.placed.matches(place):
            return self.placed
        return place_motion(self, place)


@dataclass(frozen=True, eq=False)
class PlacedMotion:
    """A motion prepared for a scene.

    Attributes:
        motion: the motion at the scene's rate, with ten betas.
        place: the placing it was prepared for.
        source: the clean-up's analysis of the motion; None if no floor was requested.
    """

    motion: Motion
    place: Place
    source: CleanupSource | None

    def matches(self, place: Place) -> bool:
        """Return whether the motion can be used for *place*."""
        rate = self.motion.fps if place.rate is None else place.rate
        return self.place.floor == place.floor and same_rate(self.motion.fps, rate)


def same_rate(first_fps: float, second_fps: float) -> bool:
    """Return whether two frame rates are equal within a tolerance that is not visible."""
    return abs(first_fps / second_fps - 1.0) <= _SAME_RATE


def shape_of(motion: Motion) -> np.ndarray:
    """Return the first ten betas (10,) float32 of *motion*, filled with zeros where it has fewer."""
    betas = np.zeros(NUM_BETAS, dtype=np.float32)
    given = np.asarray(motion.betas)[:NUM_BETAS]
    betas[: len(given)] = given
    return betas


def place_motion(person: Person, place: Place) -> PlacedMotion:
    """Prepare the motion of *person* for *place*. This is the slow part; it runs on any thread."""
    motion = replace(person.motion, betas=shape_of(person.motion).astype(np.float64))
    if place.rate is not None and not same_rate(motion.fps, place.rate):
        motion = motion.resampled(place.rate)
    if not place.floor:
        return PlacedMotion(motion, place, None)
    held = held_joints(person.flags, motion, person.track_fps) if person.track_fps > 0.0 else None
    source = analyse_motion(motion, BodyModel(person.body), held)
    source = source.lifted(-source.floor_height_m)
    return PlacedMotion(source.motion, place, source)
