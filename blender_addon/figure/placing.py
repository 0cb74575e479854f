"""A person's motion as a scene takes it: at the scene's rate, its feet on the floor. Needs no Blender data.

The floor is where the feet stand in most of their contacts, so a noisy frame or a foot that a fit pushed too low does
not lift the clip. In a clip without contacts (a jump, somebody who hangs) it is the lowest vertex of all frames. The
whole clip is moved by one offset, so jumps and steps stay as they were recorded.

Finding the floor of a long clip takes seconds, so a fit does it on its own thread, and what it finds is kept: the live
settings of the Result box start from the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..core_access import NUM_BETAS, BodyData, BodyModel, CleanupSource, Flag, Motion, analyse_motion, held_joints

_SAME_RATE = 1e-4


@dataclass(frozen=True)
class Place:
    """Where people will be put.

    Attributes:
        rate: frames a second of the scene; None for a scene that takes the rate of the first person.
        floor: stand them on the floor.
    """

    rate: float | None = None
    floor: bool = True


@dataclass(frozen=True, eq=False)
class Person:
    """One person to put into the scene.

    Attributes:
        name: for the objects and the action.
        motion: what the person does.
        body: the body model that the motion's betas belong to.
        flags: the doubtful stretches of the fit, in frames of its track: limbs that nothing showed tell no floor.
        track_fps: frames a second of that track; 0 for a motion that was not fitted.
        placed: the motion made ready beforehand.
    """

    name: str
    motion: Motion
    body: BodyData
    flags: tuple[Flag, ...] = ()
    track_fps: float = 0.0
    placed: PlacedMotion | None = None

    def placed_at(self, place: Place) -> PlacedMotion:
        """Return the motion as *place* takes it: what was made ready if that fits, else made now."""
        if self.placed is not None and self.placed.suits(place):
            return self.placed
        return place_motion(self, place)


@dataclass(frozen=True, eq=False)
class PlacedMotion:
    """A motion as a scene takes it.

    Attributes:
        motion: at the scene's rate, with ten betas.
        place: what it was made for.
        source: the same prepared for the clean-up; None where no floor was asked for.
    """

    motion: Motion
    place: Place
    source: CleanupSource | None

    def suits(self, place: Place) -> bool:
        """Return whether *place* takes the motion like this."""
        rate = self.motion.fps if place.rate is None else place.rate
        return self.place.floor == place.floor and same_rate(self.motion.fps, rate)


def same_rate(first_fps: float, second_fps: float) -> bool:
    """Return whether two frame rates are the same for all that anybody sees."""
    return abs(first_fps / second_fps - 1.0) <= _SAME_RATE


def shape_of(motion: Motion) -> np.ndarray:
    """Return the first ten betas (10,) float32 of *motion*, filled with zeros where it has fewer."""
    betas = np.zeros(NUM_BETAS, dtype=np.float32)
    given = np.asarray(motion.betas)[:NUM_BETAS]
    betas[: len(given)] = given
    return betas


def place_motion(person: Person, place: Place) -> PlacedMotion:
    """Return the motion of *person* as *place* takes it. The slow part; runs on any thread."""
    motion = replace(person.motion, betas=shape_of(person.motion).astype(np.float64))
    if place.rate is not None and not same_rate(motion.fps, place.rate):
        motion = motion.resampled(place.rate)
    if not place.floor:
        return PlacedMotion(motion, place, None)
    held = held_joints(person.flags, motion, person.track_fps) if person.track_fps > 0.0 else None
    source = analyse_motion(motion, BodyModel(person.body), held)
    source = source.lifted(-source.floor_height_m)
    return PlacedMotion(source.motion, place, source)
