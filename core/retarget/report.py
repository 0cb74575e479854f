"""Measure the quality of a retargeted motion. F frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arms import KeptTouch
from .character import Character
from .fingers import relaxed_fingers
from .options import RetargetOptions
from .retargeted import RetargetReport
from .source import RetargetSource
from .touch import FloorReach
from .tree import Pose

TOUCHES_FROM = 0.5
"""Weight from which a touch counts."""
_KEPT_LEGS = 0.03 / 0.8
"""A touch is kept if the hand is this near its goal, as a share of the leg's length."""
_OFF_LEGS = 0.01 / 0.8
"""A foot farther from its goal than this share of the leg's length cannot reach it."""
_LARGE_STEPS = 1.15
"""Steps longer than this factor of those that fit the legs are worth a doubt."""


@dataclass(frozen=True, eq=False)
class Measurements:
    """What is measured while the frames are solved, in the floor's axes.

    Attributes:
        source_points: (F, 4, 3) contact points of the source.
        points: (F, 4, 3) the same on the character.
        lowest: (F,) height of the lowest point of the soles.
        leg_gaps: (F,) distance of the farther ankle from its goal.
        touches: (F,) number of touches.
        kept: (F,) how many of them the character keeps.
        out_of_reach: (F,) bool, whether a hand cannot reach what it should touch.
    """

    source_points: np.ndarray
    points: np.ndarray
    lowest: np.ndarray
    leg_gaps: np.ndarray
    touches: np.ndarray
    kept: np.ndarray
    out_of_reach: np.ndarray

    @classmethod
    def empty(cls, source: RetargetSource) -> Measurements:
        """Return room for all frames."""
        count = source.num_frames
        return cls(
            source_points=np.zeros((count, 4, 3)),
            points=np.zeros((count, 4, 3)),
            lowest=np.zeros(count),
            leg_gaps=np.zeros(count),
            touches=np.zeros(count, dtype=np.int64),
            kept=np.zeros(count, dtype=np.int64),
            out_of_reach=np.zeros(count, dtype=bool),
        )

    def add_source(self, frames: slice, source: RetargetSource, pose: Pose) -> None:
        """Measure the source's pose in *frames*."""
        self.source_points[frames] = source.contact_points(pose)

    def add_touches(self, frames: slice, character: Character, kept_touches: list[KeptTouch]) -> None:
        """Take what `solve_arms` returns for *frames*.

        Hands that do not get to the floor, or that stay below it, are out of reach; they are not counted as touches.
        """
        for kept in kept_touches:
            touches = kept.touch.weight >= TOUCHES_FROM
            near = kept.off_m <= _KEPT_LEGS * character.leg_m
            at = frames.start + kept.touch.frames
            if isinstance(kept.touch, FloorReach):
                self.out_of_reach[at] |= touches & ~near
                continue
            self.touches[at] += touches
            self.kept[at] += touches & near
            self.out_of_reach[at] |= touches & ~near & ~kept.in_reach

    def add_feet(self, frames: slice, character: Character, pose: Pose) -> None:
        """Measure the feet of the character's pose in *frames*."""
        for number, foot in enumerate(character.feet):
            for part, point in enumerate((foot.heel, foot.ball)):
                self.points[frames, 2 * number + part] = pose.point(foot.ankle, point).T
        self.lowest[frames] = np.minimum(*(foot.support.lowest(pose) for foot in character.feet))


def make_report(
    source: RetargetSource, character: Character, options: RetargetOptions, step: float, measured: Measurements
) -> RetargetReport:
    """Return the report of a finished motion."""
    drift = source.drift @ source.level.T
    slides = _slides(source, measured.points - step * drift[:, None])
    source_slides = step * _slides(source, measured.source_points - drift[:, None])
    out_of_reach = measured.out_of_reach | (measured.leg_gaps > _OFF_LEGS * character.leg_m)
    return RetargetReport(
        leg_m=character.leg_m,
        size=step,
        source_slide_m=float(source_slides.mean()) if len(slides) else 0.0,
        slide_m=float(slides.mean()) if len(slides) else 0.0,
        worst_slide_m=float(slides.max(initial=0.0)),
        lowest_m=float(measured.lowest.min()) if all(foot.has_skin for foot in character.feet) else float("nan"),
        contacts=int(measured.touches.sum()),
        contacts_kept=int(measured.kept.sum()),
        out_of_reach=np.flatnonzero(out_of_reach),
        doubts=_doubts(source, character, options, step, out_of_reach),
    )


def _slides(source: RetargetSource, points: np.ndarray) -> np.ndarray:
    """Return the extent (C,) over the floor of each contact's point, metres."""
    paths = [points[contact.frames, contact.point] for contact in source.contacts]
    return np.array([np.linalg.norm(np.ptp(path[:, [0, 2]], axis=0)) for path in paths])


def _doubts(
    source: RetargetSource, character: Character, options: RetargetOptions, step: float, out_of_reach: np.ndarray
) -> tuple[str, ...]:
    """Return what the user should know."""
    found = []
    doubtful = character.bone_map.doubtful
    if doubtful:
        found.append(f"Check the bones of {', '.join(doubtful)}: they were found with little confidence.")
    if character.tree.loose:
        bones = [character.tree.bones[character.tree.index[name]] for name in character.tree.loose]
        names = ", ".join(character.rig.names[bone] for bone in bones)
        found.append(f"In the armature, {names} are not children of the limb that they belong to.")
    if not source.contacts:
        found.append("The motion shows no foot contacts, so no foot is planted.")
    follow = options.fingers == "follow" and source.hands is not None and source.hands.moves
    if (follow or options.fingers == "relaxed") and not relaxed_fingers(character.rig, character.bone_map):
        found.append("No hand with a thumb and fingers was found, so no fingers are bent.")
    if step > _LARGE_STEPS * character.size:
        found.append(f"The steps are {step / character.size:.1f} times as long as suits the legs.")
    if out_of_reach.any():
        found.append(f"In {int(out_of_reach.sum())} frames a hand or a foot cannot reach its goal.")
    return tuple(found)
