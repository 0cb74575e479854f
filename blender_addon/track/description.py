"""The description of a track in box 1. Needs no Blender."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..ui.message_terms import in_panel_words

if TYPE_CHECKING:
    from ..core_access import Reading

SETTINGS: tuple[tuple[str, str], ...] = (
    ("layout", "layout"),
    ("units", "units"),
    ("up", "up axis"),
    ("frame_rate", "frame rate"),
    ("handedness", "handedness"),
)
"""The settings of box 1, each with the core's name of the property it overrides."""

_MOST_NAMES = 12

Translate = Callable[[str], str]


@dataclass(frozen=True)
class Detected:
    """A detected property of a track.

    Attributes:
        setting: the setting that overrides it.
        value: the detected value.
        reason: how it was detected.
        is_doubtful: whether there are doubts about it.
    """

    setting: str
    value: str
    reason: str
    is_doubtful: bool = False


def detected(reading: Reading) -> list[Detected]:
    """Return the detected properties, in the panel's order."""
    found = []
    for setting, subject in SETTINGS:
        finding = reading.finding(subject)
        value = reading.track.layout.title if setting == "layout" else finding.value
        reason = finding.reason if setting != "layout" else f"{finding.value}: {finding.reason}"
        found.append(Detected(setting, value, in_panel_words(reason), bool(finding.doubts)))
    return found


def doubts(reading: Reading) -> list[str]:
    """Return the doubts about a track, and who and what was left out, one sentence each."""
    return [in_panel_words(doubt) for doubt in (*reading.doubts, *reading.left_out, *reading.people_left_out)]


def measures(reading: Reading, translate: Translate = str) -> Iterator[str]:
    """Yield the length of the track and the stature of the person; *translate* translates for the user."""
    track = reading.track
    yield translate("{:d} frames at {:g} fps, {:.2f} s").format(track.num_frames, track.fps, track.duration_s)
    yield translate("{:.2f} m tall, by the bones").format(reading.stature_m)
    if track.start_s:
        yield translate("Begins at {:.2f} s of its recording").format(track.start_s)
    if track.root_relative:
        yield translate("No global translation: the hips stay in place")


def points(reading: Reading, translate: Translate = str) -> Iterator[str]:
    """Yield the used points and how often points are missing; *translate* as for `measures`."""
    from ..core_access import missing_shares

    yield translate("{:d} points of the file are used").format(len(reading.matched))
    if reading.absent:
        yield translate("Not in the file: {:s}").format(_listed(reading.absent))
    if reading.ignored:
        yield translate("Not used: {:s}").format(_listed(reading.ignored))
    shares = sorted(missing_shares(reading).items(), key=lambda item: -item[1])
    gaps = [f"{name} {share:.0%}" if share >= 0.01 else f"{name} <1%" for name, share in shares if share > 0.0]
    if gaps:
        yield translate("Missing in part of the frames: {:s}").format(_listed(gaps))
    else:
        yield translate("No point is missing in any frame")


def _listed(names: list[str] | tuple[str, ...]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
