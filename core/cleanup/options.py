"""What a clean-up may be told."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..errors import CoreError

GROUNDS = ("keep", "contacts")
ROOTS = ("world", "in_place", "treadmill", "on_ground")


class CleanupOptionError(CoreError, ValueError):
    """An option of the clean-up has a value that it cannot have."""


@dataclass(frozen=True)
class CleanupOptions:
    """Settings of a clean-up; the defaults change nothing.

    Attributes:
        smoothing: 0 leaves the motion as it is; 0.5 calms it as much as its own noise calls for, which costs a clean
            motion nothing; 1 calms it as if it were noisy.
        foot_lock: 0 leaves the feet where they are, 1 keeps each foot where it stands.
        ground: "keep" leaves the motion's height; "contacts" moves the whole clip so that the floor that the feet
            stand on is at height 0, and level; where no foot ever stands, the lowest vertex of the clip is.
        height_m: how far to lift the clip after that, metres.
        root: "world" walks through the room; "in_place" holds the pelvis over one spot; "treadmill" does so with the
            way only, so that the body still sways; "on_ground" moves every frame up or down so that the lower foot
            stands, for motions that do not know their height.
    """

    smoothing: float = 0.0
    foot_lock: float = 0.0
    ground: str = "keep"
    height_m: float = 0.0
    root: str = "world"

    def without_place(self) -> CleanupOptions:
        """Return the options for a motion of a track that holds the pelvis in place: it is not in any world."""
        return replace(self, root="on_ground") if self.root == "world" else self

    def __post_init__(self) -> None:
        """Check the values; raise `CleanupOptionError` with all faults at once."""
        faults = []
        for name in ("smoothing", "foot_lock"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                faults.append(f"expected {name} from 0 to 1, got {getattr(self, name)}")
        for name, choices in (("ground", GROUNDS), ("root", ROOTS)):
            if getattr(self, name) not in choices:
                faults.append(f"expected {name} out of {', '.join(choices)}; got {getattr(self, name)!r}")
        if not np.isfinite(self.height_m):
            faults.append(f"expected a finite height in metres, got {self.height_m}")
        if faults:
            raise CleanupOptionError("; ".join(faults))
