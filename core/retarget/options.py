"""Options of the retargeting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import CoreError

STEPS = ("leg", "same")
FINGERS = ("follow", "leave", "relaxed")
ROOT_MOTIONS = ("hips", "bone", "object")
_MAX_FACTOR = 1000.0


class RetargetOptionError(CoreError, ValueError):
    """A retargeting option has an invalid value."""


@dataclass(frozen=True, eq=False)
class RetargetOptions:
    """Settings of the retargeting; the defaults keep the contacts of feet and hands.

    Attributes:
        feet: 0 leaves the feet where the rotations put them; 1 plants them and puts the soles on the floor, and a body
            that kneels, sits or lies.
        hands: 0 leaves the hands where the rotations put them; 1 keeps their contacts with the body and the floor.
        steps: length of the steps: "leg" scales them by leg length, "same" keeps their length in metres, a number
            multiplies it. Heights always scale by leg length.
        rest_pose: (B, 3, 3) world rotations of all bones in a pose in which the character stands like SMPL's rest pose,
            facing any direction; None aligns its rest pose automatically, limb by limb.
        fingers: "follow" moves the fingers as the source's, and relaxes them if it has none; "leave" keeps them as at
            rest, "relaxed" bends them slightly.
        root_motion: what carries the path over the floor: the "hips" bone, a "bone" above it, or the "object". With the
            last two the result has a `Carrier`.
    """

    feet: float = 1.0
    hands: float = 1.0
    steps: str | float = "leg"
    rest_pose: np.ndarray | None = None
    fingers: str = "follow"
    root_motion: str = "hips"

    def __post_init__(self) -> None:
        """Check the values; raise `RetargetOptionError` with all faults at once."""
        faults = [
            f"expected {name} from 0 to 1, got {getattr(self, name)}"
            for name in ("feet", "hands")
            if not 0.0 <= getattr(self, name) <= 1.0
        ]
        is_word = isinstance(self.steps, str)
        if (is_word and self.steps not in STEPS) or (not is_word and not 0.0 < float(self.steps) <= _MAX_FACTOR):
            faults.append(f"expected steps out of {', '.join(STEPS)} or a factor above 0; got {self.steps!r}")
        for name, choices in (("fingers", FINGERS), ("root_motion", ROOT_MOTIONS)):
            if getattr(self, name) not in choices:
                faults.append(f"expected {name} out of {', '.join(choices)}; got {getattr(self, name)!r}")
        if self.rest_pose is not None and not _are_rotations(self.rest_pose):
            faults.append("expected rest_pose (bones, 3, 3) of rotations")
        if faults:
            raise RetargetOptionError("; ".join(faults))


def _are_rotations(matrices: np.ndarray) -> bool:
    if matrices.ndim != 3 or matrices.shape[1:] != (3, 3) or not np.isfinite(matrices).all():
        return False
    return bool(np.abs(np.swapaxes(matrices, 1, 2) @ matrices - np.eye(3)).max() < 1e-3)
