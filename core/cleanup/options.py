"""Options of the clean-up."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..errors import CoreError

GROUNDS = ("keep", "contacts")
ROOTS = ("world", "in_place", "treadmill", "on_ground")
_MAX_HEIGHT_M = 10_000.0


class CleanupOptionError(CoreError, ValueError):
    """A clean-up option has an invalid value."""


@dataclass(frozen=True)
class CleanupOptions:
    """Settings of the clean-up; the defaults change nothing.

    Attributes:
        smoothing: 0 leaves the motion as it is; 0.5 smooths it according to its own noise, which does not alter a
            noise-free motion; 1 smooths it as if it were noisy.
        foot_lock: 0 leaves the feet as they are, 1 keeps planted feet in place.
        ground: "keep" leaves the height as recorded; "contacts" moves the whole clip so that the floor under the feet
            is level and at height 0, or, if no foot is ever planted, the clip's lowest vertex is at height 0.
        height_m: height to raise the clip by afterwards, metres.
        root: "world" keeps the path through the room; "in_place" keeps the pelvis over one spot; "treadmill" removes
            only the path, so that the body still sways; "on_ground" moves every frame vertically so that the lower
            foot is on the floor, for motions whose height is unknown.
    """

    smoothing: float = 0.0
    foot_lock: float = 0.0
    ground: str = "keep"
    height_m: float = 0.0
    root: str = "world"

    def without_place(self) -> CleanupOptions:
        """Return the options for the motion of a root-relative track, which has no position in the world."""
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
        if not abs(self.height_m) <= _MAX_HEIGHT_M:
            faults.append(f"expected a height in metres of at most {_MAX_HEIGHT_M:g}, got {self.height_m}")
        if faults:
            raise CleanupOptionError("; ".join(faults))


PLANTED = CleanupOptions(foot_lock=1.0, ground="contacts")
"""The clean-up that a fit in Blender starts with, in the window and in a batch, and a character's source: sliding feet
are rarely wanted."""
