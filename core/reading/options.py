"""What a user may say about a file instead of having it detected."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from ..errors import TrackError
from ..layouts import LAYOUTS

UNITS_IN_METRES: dict[str, float] = {"m": 1.0, "cm": 0.01, "mm": 0.001, "in": 0.0254, "ft": 0.3048}
"""Length of each unit that a file or an option may name, in metres."""
_UNIT_WORDS: dict[str, str] = {
    "meter": "m", "meters": "m", "metre": "m", "metres": "m", "centimeter": "cm", "centimeters": "cm",
    "centimetre": "cm", "centimetres": "cm", "millimeter": "mm", "millimeters": "mm", "millimetre": "mm",
    "millimetres": "mm", "inch": "in", "inches": "in", "foot": "ft", "feet": "ft",
}  # fmt: skip
UP_AXES: tuple[str, ...] = ("+X", "-X", "+Y", "-Y", "+Z", "-Z")
HANDEDNESS: tuple[str, ...] = ("right", "left")


def parse_units(text: str) -> str | None:
    """Return the unit that *text* names ("mm", "Metres"), or None."""
    word = text.strip().lower()
    word = _UNIT_WORDS.get(word, word)
    return word if word in UNITS_IN_METRES else None


def parse_up(text: str) -> str | None:
    """Return the axis that *text* names ("z", "+Y", "-y") as sign and letter, or None."""
    word = text.strip().upper()
    word = word if word[:1] in ("+", "-") else f"+{word}"
    return word if word in UP_AXES else None


def _choice(name: str, value: str | None, found: str | None, expected: str) -> str | None:
    if value is not None and found is None:
        raise TrackError(
            f"expected --{name} to be one of {expected}, got {value!r}; give one of these or leave it out",
            options=(name,),
        )
    return found


@dataclass(frozen=True)
class ReadOptions:
    """What the user says about a file; None leaves a property to the file and its data.

    Attributes:
        layout: a name in `core.layouts.LAYOUTS`.
        units: "m", "cm", "mm", "in" or "ft".
        up: the file's axis that points up, with its sign: "Y", "+Z", "-Y".
        fps: frames a second.
        person: label or number (from 1) of the one person to read.
        handedness: "right", or "left" when the file's axes are left-handed and the data are to be mirrored back.
        swap_sides: the file names left points right and right points left.
    """

    layout: str | None = None
    units: str | None = None
    up: str | None = None
    fps: float | None = None
    person: str | None = None
    handedness: str | None = None
    swap_sides: bool = False

    def __post_init__(self) -> None:
        """Bring every option to its one form; raise `TrackError` for a value that is none."""
        layout = self.layout.strip().lower() if self.layout else None
        layout = _choice("layout", layout, layout if layout in LAYOUTS else None, ", ".join(LAYOUTS))
        units = _choice("units", self.units, parse_units(self.units or ""), ", ".join(UNITS_IN_METRES))
        up = _choice("up", self.up, parse_up(self.up or ""), ", ".join(UP_AXES))
        hand = self.handedness.strip().lower() if self.handedness else None
        hand = _choice("handedness", hand, hand if hand in HANDEDNESS else None, ", ".join(HANDEDNESS))
        if self.fps is not None and not 0.0 < self.fps <= 10_000.0:
            raise TrackError(
                f"expected --fps above 0 and up to 10000, got {self.fps:g}; give the frame rate in fps",
                options=("fps",),
            )
        for name, value in (("layout", layout), ("units", units), ("up", up), ("handedness", hand)):
            object.__setattr__(self, name, value)


def add_reading_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `ReadOptions` to a command line."""
    group = parser.add_argument_group("reading", "what the file does not say, or says wrongly")
    group.add_argument("--layout", metavar="NAME", help="which points these are: " + ", ".join(LAYOUTS))
    group.add_argument("--units", metavar="UNIT", help="unit of length: " + ", ".join(UNITS_IN_METRES))
    group.add_argument("--up", metavar="AXIS", help="axis that points up, such as Y, Z or -Y (write --up=-Y)")
    group.add_argument("--fps", type=float, metavar="RATE", help="frame rate in fps")
    group.add_argument("--person", metavar="LABEL", help="label or number (from 1) of the one person to read")
    group.add_argument("--handedness", choices=HANDEDNESS, help="left mirrors data with left-handed axes back")
    group.add_argument("--swap-sides", action="store_true", help="the file names left points right and the reverse")


def reading_options(args: argparse.Namespace) -> ReadOptions:
    """Return what the user gave for the arguments of `add_reading_arguments`.

    Raises:
        TrackError: a value is none of those an option may have.
    """
    return ReadOptions(
        layout=args.layout,
        units=args.units,
        up=args.up,
        fps=args.fps,
        person=args.person,
        handedness=args.handedness,
        swap_sides=args.swap_sides,
    )
