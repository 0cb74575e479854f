"""What box 1 tells of a track that is read. Needs no Blender."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .wording import in_panel_words

if TYPE_CHECKING:
    from ..core_access import Reading

SETTINGS: tuple[tuple[str, str], ...] = (
    ("layout", "layout"),
    ("units", "units"),
    ("up", "up axis"),
    ("frame_rate", "frame rate"),
    ("handedness", "handedness"),
)
"""The settings of box 1, and the core's word for what each overrides."""

_MOST_NAMES = 12


@dataclass(frozen=True)
class Detected:
    """A property of a track.

    Attributes:
        setting: the setting that overrides it.
        value: what it is.
        reason: how that is known.
    """

    setting: str
    value: str
    reason: str


def detected(reading: Reading) -> list[Detected]:
    """Return what was found out, in the panel's order."""
    found = []
    for setting, subject in SETTINGS:
        finding = reading.finding(subject)
        value = reading.track.layout.title if setting == "layout" else finding.value
        reason = finding.reason if setting != "layout" else f"{finding.value}: {finding.reason}"
        found.append(Detected(setting, value, in_panel_words(reason)))
    return found


def doubts(reading: Reading) -> list[str]:
    """Return what is odd about a track, one sentence each."""
    notes = [note for note in reading.track.notes if note.startswith("Left out ")]
    return [in_panel_words(doubt) for doubt in (*reading.doubts, *notes)]


def measures(reading: Reading) -> Iterator[str]:
    """Yield how long the track and how tall the person is."""
    track = reading.track
    frames = "1 frame" if track.num_frames == 1 else f"{track.num_frames} frames"
    yield f"{frames} at {track.fps:g} fps, {track.duration_s:.2f} s"
    yield f"{reading.stature_m:.2f} m tall, by the bones"
    if track.root_relative:
        yield "Without a place in the room: the hips stay where they are"


def points(reading: Reading) -> Iterator[str]:
    """Yield which points there are and which are missing how often."""
    from ..core_access import missing_shares

    yield f"{len(reading.matched)} points of the file are used"
    for title, names in (("Not in the file", reading.absent), ("Not used", reading.ignored)):
        if names:
            yield f"{title}: {_listed(names)}"
    shares = sorted(missing_shares(reading).items(), key=lambda item: -item[1])
    gaps = [f"{name} {share:.0%}" if share >= 0.01 else f"{name} below 1%" for name, share in shares if share > 0.0]
    yield f"Missing at times: {_listed(gaps)}" if gaps else "No point is missing in any frame"


def _listed(names: list[str] | tuple[str, ...]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
