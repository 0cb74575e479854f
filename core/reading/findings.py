"""Results of interpreting a recording: properties, how they were determined, and doubts."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..solved import SolvedPoses
from ..track import KeypointTrack


@dataclass(frozen=True)
class Finding:
    """One property of a recording.

    Attributes:
        subject: "layout", "units", "up axis", "handedness", "frame rate", "person" or "facing".
        value: the value, as text for people.
        reason: how it was determined.
        doubts: evidence against it, one sentence each.
    """

    subject: str
    value: str
    reason: str
    doubts: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The finding as one line of text."""
        doubts = "".join(f" Doubt: {doubt}." for doubt in self.doubts)
        return f"{self.subject[:1].upper()}{self.subject[1:]}: {self.value}, {self.reason}.{doubts}"


@dataclass(frozen=True, eq=False)
class Reading:
    """An interpreted recording.

    Attributes:
        track: the keypoints in metres, Y up.
        kind: format of the file.
        findings: properties, in the order layout, units, up axis, handedness, frame rate, person, facing.
        matched: names in the file of the points that are used, in the layout's order.
        absent: names of the layout's points that the file does not have.
        ignored: names in the file of points that are not used.
        stature_m: stature estimated from the bone lengths, metres.
        checks: checks that passed, one sentence each.
        doubts: what is unusual but does not stop a fit, one sentence each.
        left_out: points of the file that are implausible and so not used, one sentence each.
        remarks: what was noticed and decided while reading the file, one sentence each.
        people_left_out: other people in the file who cannot be read, and why, one sentence each; also in `remarks`.
        placement: (3, 3) matrix that turns and scales the file's coordinates to those of the track.
        solved: the motion that another tool solved, whose joints the track is; None for measured points.
    """

    track: KeypointTrack
    kind: str
    findings: tuple[Finding, ...]
    matched: tuple[str, ...]
    absent: tuple[str, ...]
    ignored: tuple[str, ...]
    stature_m: float
    checks: tuple[str, ...]
    doubts: tuple[str, ...]
    left_out: tuple[str, ...]
    remarks: tuple[str, ...]
    people_left_out: tuple[str, ...] = ()
    placement: np.ndarray = field(default_factory=lambda: np.eye(3))
    solved: SolvedPoses | None = None

    def finding(self, subject: str) -> Finding:
        """Return the finding about *subject*."""
        return next(finding for finding in self.findings if finding.subject == subject)
