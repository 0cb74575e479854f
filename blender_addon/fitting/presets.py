"""What each quality of box 3 sets. Needs neither Blender nor the core."""

from __future__ import annotations

from dataclasses import dataclass

CUSTOM = "CUSTOM"


@dataclass(frozen=True)
class Quality:
    """The settings of a fit that trade time for accuracy.

    Attributes:
        iterations: Gauss-Newton steps a frame.
        smoothing: 0 to 1.
    """

    iterations: int
    smoothing: float


PRESETS: dict[str, Quality] = {
    "FAST": Quality(2, 1.0),
    "BALANCED": Quality(5, 1.0),
    "BEST": Quality(12, 1.0),
}


def preset_of(iterations: int, smoothing: float) -> str:
    """Return the name of the preset that sets these values, or `CUSTOM`."""
    for name, quality in PRESETS.items():
        if quality.iterations == iterations and abs(quality.smoothing - smoothing) < 1e-6:
            return name
    return CUSTOM
