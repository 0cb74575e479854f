"""Settings of a retargeting, and measures of its quality. Needs no Blender."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..core_access import RetargetOptions, RetargetReport

CONTROLS = ("fk", "ik")
_MAX_LISTED = 10_000
_MAX_BONES = 5_000
_LAST_FRAME = 1_048_574
"""Blender's own limit."""


@dataclass(frozen=True)
class CharacterSettings:
    """The options of the Character box.

    Attributes:
        feet: 0 leaves the feet where the pose puts them, 1 plants them.
        hands: 0 leaves the hands where the pose puts them, 1 keeps what they touch.
        steps: "leg", "same", or a factor.
        fingers: "follow", "leave" or "relaxed".
        root_motion: "hips", "bone" or "object".
        rest_pose: the world rotations of all bones, row by row, in the pose that stands like SMPL's rest pose; empty to
            align the rest pose automatically.
        controls: whether the limbs of a control rig follow its "fk" or its "ik" controls; both are keyed.
    """

    feet: float = 1.0
    hands: float = 1.0
    steps: str | float = "leg"
    fingers: str = "follow"
    root_motion: str = "hips"
    rest_pose: tuple[float, ...] = ()
    controls: str = "fk"

    def options(self) -> RetargetOptions:
        """Return the core's options.

        Raises:
            RetargetOptionError: a value is out of range.
        """
        pose = np.array(self.rest_pose).reshape(-1, 3, 3) if self.rest_pose else None
        return RetargetOptions(
            feet=self.feet,
            hands=self.hands,
            steps=self.steps,
            fingers=self.fingers,
            root_motion=self.root_motion,
            rest_pose=pose,
        )

    @classmethod
    def from_dict(cls, about: Mapping[str, Any]) -> CharacterSettings:
        """Return the settings in *about*, as `dataclasses.asdict` gives them; raise `ValueError` or `TypeError`.

        Settings that an earlier version did not have are as at first.
        """
        about = {**asdict(cls()), **about}
        steps, pose = about["steps"], about["rest_pose"]
        if len(pose) > 9 * _MAX_BONES or len(pose) % 9:
            raise ValueError(f"{len(pose)} values of a rest pose")
        settings = cls(
            feet=float(about["feet"]),
            hands=float(about["hands"]),
            steps=steps if isinstance(steps, str) else float(steps),
            fingers=str(about["fingers"]),
            root_motion=str(about["root_motion"]),
            rest_pose=tuple(float(value) for value in pose),
            controls=str(about["controls"]),
        )
        settings.options()  # checks the values
        if settings.controls not in CONTROLS:
            raise ValueError(f"controls {settings.controls[:40]!r}")
        return settings


@dataclass(frozen=True)
class Facts:
    """What the box says about the result; lengths in millimetres on the character.

    Attributes:
        slide_before_mm: mean slide of the feet in their contacts, in the source, scaled to the character.
        slide_mm: the same on the character.
        lowest_mm: height of the lowest vertex of the feet; None without a skin.
        contacts: frames in which a hand touches something in the source.
        contacts_kept: in how many of these it does on the character.
        out_of_reach: scene frames in which a hand or foot cannot reach its goal.
        notes: what the user should know.
        ik_limbs: how many limbs of a control rig have IK controls.
    """

    slide_before_mm: float
    slide_mm: float
    lowest_mm: float | None
    contacts: int
    contacts_kept: int
    out_of_reach: tuple[int, ...]
    notes: tuple[str, ...]
    ik_limbs: int = 0

    @classmethod
    def from_report(
        cls, report: RetargetReport, first_frame: int, notes: tuple[str, ...], *, ik_limbs: int = 0
    ) -> Facts:
        """Return the facts of *report* for a motion that begins at the scene frame *first_frame*."""
        return cls(
            slide_before_mm=1000.0 * report.source_slide_m,
            slide_mm=1000.0 * report.slide_m,
            lowest_mm=1000.0 * report.lowest_m if math.isfinite(report.lowest_m) else None,
            contacts=int(report.contacts),
            contacts_kept=int(report.contacts_kept),
            out_of_reach=tuple(first_frame + int(frame) for frame in report.out_of_reach[:_MAX_LISTED]),
            notes=(*report.doubts, *notes),
            ik_limbs=ik_limbs,
        )

    @classmethod
    def from_dict(cls, about: Mapping[str, Any]) -> Facts:
        """Return the facts in *about*, as `dataclasses.asdict` gives them; raise `ValueError` or `TypeError`."""
        lowest = about["lowest_mm"]
        return cls(
            slide_before_mm=float(about["slide_before_mm"]),
            slide_mm=float(about["slide_mm"]),
            lowest_mm=None if lowest is None else float(lowest),
            contacts=int(about["contacts"]),
            contacts_kept=int(about["contacts_kept"]),
            out_of_reach=tuple(_frame(frame) for frame in about["out_of_reach"][:_MAX_LISTED]),
            notes=tuple(str(note)[:500] for note in about["notes"][:20]),
            ik_limbs=int(about.get("ik_limbs", 0)),  # earlier versions had none
        )


def _frame(value: Any) -> int:
    """Return *value* as a frame; raise `ValueError` if Blender has no such frame."""
    if abs(int(value)) > _LAST_FRAME:
        raise ValueError(f"frame {value}")
    return int(value)
