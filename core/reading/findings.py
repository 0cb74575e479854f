"""What was found out about a recording, how, and with what doubts."""

from __future__ import annotations

from dataclasses import dataclass

from ..track import KeypointTrack


@dataclass(frozen=True)
class Finding:
    """One property of a recording.

    Attributes:
        subject: "layout", "units", "up axis", "handedness", "frame rate", "person" or "facing".
        value: what it is, for a reader.
        reason: how that is known.
        doubts: what speaks against it, one sentence each.
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
    """A recording, interpreted.

    Attributes:
        track: the keypoints in metres, Y up.
        kind: what sort of file it came from.
        findings: what was found out, in the order layout, units, up axis, handedness, frame rate, person, facing.
        matched: names in the file of the points that are used, in the layout's order.
        absent: names of the layout's points that the file does not have.
        ignored: names in the file of the points that no layout point is made from.
        stature_m: estimated from the bone lengths, metres.
        checks: what was checked and held, one sentence each.
        doubts: what is odd but does not stop the fit, one sentence each.
        left_out: what the file has and is not read since it cannot be right, one sentence each.
        remarks: what was met and decided while the file was read, one sentence each.
        people_left_out: who else is in the file and cannot be read, and why, one sentence each; also in the remarks.
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

    def finding(self, subject: str) -> Finding:
        """Return the finding about *subject*."""
        return next(finding for finding in self.findings if finding.subject == subject)
