"""Options for reading a file: properties that the user gives instead of having them detected."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from ..errors import TrackError
from ..layouts import LAYOUTS
from .name_map import NameMap, read_name_map

UNITS_IN_METRES: dict[str, float] = {
    "m": 1.0,
    "cm": 0.01,
    "mm": 0.001,
    "in": 0.0254,
    "ft": 0.3048,
    "cmu": 0.0254 / 0.45,
}
"""Length in metres of each unit that a file or an option may name; cmu is that of CMU's skeletons, 56.44 mm."""
OWN_UNIT = "own"
"""A file's own unit, of no known length: the person is made `USUAL_STATURE_M` tall."""
UNIT_CHOICES = (*UNITS_IN_METRES, OWN_UNIT)
USUAL_STATURE_M = 1.7
MIN_STATURE_M, MAX_STATURE_M = 0.5, 2.5
_MAX_LISTED = 6
_HEIGHT_PER_BONES = 1.022
"""A person's height by the stature that the bones give: 1.020 to 1.023 in the mean over shapes of the free body, with a
standard deviation of 0.007 to 0.011, in any layout (`test_the_person_is_as_tall_as_given`)."""
_UNIT_NAMES: dict[str, str] = {
    "meter": "m", "meters": "m", "metre": "m", "metres": "m", "centimeter": "cm", "centimeters": "cm",
    "centimetre": "cm", "centimetres": "cm", "millimeter": "mm", "millimeters": "mm", "millimetre": "mm",
    "millimetres": "mm", "inch": "in", "inches": "in", "foot": "ft", "feet": "ft",
}  # fmt: skip
UP_AXES: tuple[str, ...] = ("+X", "-X", "+Y", "-Y", "+Z", "-Z")
HANDEDNESS: tuple[str, ...] = ("right", "left")


def parse_units(text: str) -> str | None:
    """Return the unit that *text* names ("mm", "Metres"), or None."""
    name = text.strip().lower()
    unit = _UNIT_NAMES.get(name, name)
    return unit if unit in UNIT_CHOICES else None


def unit_in_metres(unit: str, stature: float, height_m: float | None = None) -> float:
    """Return the length of *unit*, one of `UNIT_CHOICES`, in metres.

    Args:
        unit: the unit.
        stature: the person's stature in that unit, from the bone lengths.
        height_m: the person's height, metres, for a file's own unit; None for a person of `USUAL_STATURE_M`.
    """
    if unit != OWN_UNIT:
        return UNITS_IN_METRES[unit]
    return (USUAL_STATURE_M if height_m is None else height_m / _HEIGHT_PER_BONES) / stature


def parse_up(text: str) -> str | None:
    """Return the axis that *text* names ("z", "+Y", "-y") as sign and letter, or None."""
    axis = text.strip().upper()
    axis = axis if axis[:1] in ("+", "-") else f"+{axis}"
    return axis if axis in UP_AXES else None


def _choice(name: str, value: str | None, found: str | None, expected: str) -> str | None:
    if value is not None and found is None:
        raise TrackError(
            f"expected --{name} to be one of {expected}, got {value!r}; give one of these or omit it",
            options=(name,),
        )
    return found


@dataclass(frozen=True)
class ReadOptions:
    """Properties of a file that the user gives; those that are None are read from the file or detected.

    Attributes:
        layout: a name in `core.layouts.LAYOUTS`.
        units: one of `UNIT_CHOICES`.
        up: the file's up axis with its sign: "Y", "+Z", "-Y".
        fps: frames per second.
        person: label or number (from 1) of the only person to read.
        handedness: "right", or "left" if the file's axes are left-handed, so that the data are mirrored.
        swap_sides: whether left and right are swapped in the file's point names.
        stature: the person's height, metres, to which a file of a wrong or unknown scale is scaled; a tuple, or text
            with commas ("1.80, 1.65"), for a height of each person, in the order of the file.
        join: groups of identities that are one person each, as labels or numbers from 1 ("3+7").
        names: what the file's points are; a mapping of their names or indices to ours becomes a `NameMap`.
        static: path of a static trial of the same person, whose markers at joints are taken where the file lacks them.
        join_where_present: whether a file without the people of a group in *join* is read without joining them, with a
            note; for one of many files.
    """

    layout: str | None = None
    units: str | None = None
    up: str | None = None
    fps: float | None = None
    person: str | None = None
    handedness: str | None = None
    swap_sides: bool = False
    stature: float | tuple[float, ...] | str | None = None
    join: tuple[str, ...] = ()
    names: NameMap | None = None
    static: str | None = None
    join_where_present: bool = False

    def __post_init__(self) -> None:
        """Normalise all options; raise `TrackError` for an invalid value."""
        layout = self.layout.strip().lower() if self.layout else None
        layout = _choice("layout", layout, layout if layout in LAYOUTS else None, ", ".join(LAYOUTS))
        units = _choice("units", self.units, parse_units(self.units or ""), ", ".join(UNIT_CHOICES))
        up = _choice("up", self.up, parse_up(self.up or ""), ", ".join(UP_AXES))
        hand = self.handedness.strip().lower() if self.handedness else None
        hand = _choice("handedness", hand, hand if hand in HANDEDNESS else None, ", ".join(HANDEDNESS))
        if self.fps is not None and not 0.0 < self.fps <= 10_000.0:
            raise TrackError(
                f"expected --fps above 0 and up to 10000, got {self.fps:g}; give the frame rate in fps",
                options=("fps",),
            )
        heights = _heights(self.stature)
        if heights and units not in (None, OWN_UNIT):
            raise TrackError(
                f"expected --units or --stature, got both ({units} and {heights[0]:g} m); give --units where the "
                "file's scale is right, else --stature",
                options=("units", "stature"),
            )
        object.__setattr__(self, "stature", heights if len(heights) > 1 else next(iter(heights), None))
        object.__setattr__(self, "join", tuple(map(str, self.join)))
        names = None if self.names is None else NameMap.from_values(self.names, "the option names")
        object.__setattr__(self, "names", names)
        for name, value in (("layout", layout), ("units", units), ("up", up), ("handedness", hand)):
            object.__setattr__(self, name, value)

    @property
    def height_m(self) -> float | None:
        """The height of the only person, metres; None if it is not given, or if those of several people are."""
        return self.stature if isinstance(self.stature, float) else None

    def of_person(self, number: int, labels: Sequence[str], source: Path) -> ReadOptions:
        """Return the options for the person *number*, counted from 0, of those with *labels* in *source*.

        Raises:
            TrackError: there are not as many heights as people.
        """
        if not isinstance(self.stature, tuple):
            return self
        if len(self.stature) != len(labels):
            people = "person" if len(labels) == 1 else "people"
            raise TrackError(
                f"expected --stature with one height, or with one for each of the {len(labels)} {people} "
                f"({', '.join(label or 'unnamed' for label in labels[:_MAX_LISTED])}) in {source}, got "
                f"{len(self.stature)}; give as many, in this order",
                options=("stature",),
            )
        return replace(self, stature=self.stature[number])


def _heights(given: Any) -> tuple[float, ...]:
    """Return the heights of an option, metres: a number, several, or text with commas; empty for None.

    Raises:
        TrackError: they are no heights.
    """
    if given is None:
        return ()
    try:
        parts = given.split(",") if isinstance(given, str) else given if isinstance(given, (tuple, list)) else [given]
        heights = tuple(float(part) for part in parts)
    except (TypeError, ValueError):
        heights = ()
    if not heights or not all(MIN_STATURE_M <= height <= MAX_STATURE_M for height in heights):
        raise TrackError(
            f"expected --stature from {MIN_STATURE_M} to {MAX_STATURE_M}, got {str(given)[:60]}; give the person's "
            "height in metres, or a height for each person of the file with commas between (1.80,1.65)",
            options=("stature",),
        )
    return heights


def add_reading_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `ReadOptions` to a command-line parser."""
    group = parser.add_argument_group("reading", "properties that the file does not state, or states wrongly")
    group.add_argument("--layout", metavar="NAME", help="layout of the points: " + ", ".join(LAYOUTS))
    group.add_argument(
        "--units", metavar="UNIT", help=f"unit of length: {', '.join(UNITS_IN_METRES)}; or "
        f"{OWN_UNIT}, the unit in which the person is {USUAL_STATURE_M:.2f} m tall",
    )  # fmt: skip
    group.add_argument(
        "--stature", metavar="METRES",
        help="the person's height, to which the points are scaled where the file's scale is wrong; for several people "
        "a height for each, in their order (1.80,1.65)",
    )  # fmt: skip
    group.add_argument(
        "--static", metavar="FILE",
        help="static trial of the same person with the same markers and those on the inside of knees and ankles",
    )  # fmt: skip
    group.add_argument("--up", metavar="AXIS", help="up axis of the file, such as Y, Z or -Y")
    group.add_argument("--fps", type=float, metavar="RATE", help="frame rate in fps")
    group.add_argument("--person", metavar="LABEL", help="label or number (from 1) of the only person to read")
    group.add_argument("--handedness", choices=HANDEDNESS, help="handedness of the file's axes; left mirrors the data")
    group.add_argument("--swap-sides", action="store_true", help="swap left and right in the file's point names")
    group.add_argument(
        "--join", action="append", default=[], metavar="A+B",
        help="read identities that never overlap as one person, by label or number; can be given several times",
    )  # fmt: skip
    group.add_argument(
        "--names", type=Path, metavar="FILE.json",
        help="what the file's points are, for names that are not known; info --names-template writes a file to edit",
    )  # fmt: skip


def join_signed_axis(arguments: Sequence[str]) -> list[str]:
    """Return command-line *arguments* with ``--up -Y`` as ``--up=-Y``: argparse takes ``-Y`` alone for an option."""
    joined: list[str] = []
    for argument in arguments:
        if joined and joined[-1] == "--up" and parse_up(argument) is not None:
            joined[-1] += f"={argument}"
        else:
            joined.append(argument)
    return joined


def reading_options(args: argparse.Namespace) -> ReadOptions:
    """Return the options from the parsed arguments of `add_reading_arguments`.

    Raises:
        TrackError: an option has an invalid value.
        TrackFileError: the file of names cannot be read.
    """
    given: dict[str, Any] = {item.name: getattr(args, item.name, item.default) for item in fields(ReadOptions)}
    return ReadOptions(**{**given, "names": None if args.names is None else read_name_map(args.names)})
