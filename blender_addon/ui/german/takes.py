"""German texts of boxes 1, 3 and 4 about several people and several takes."""

from __future__ import annotations

TEXTS = {
    "Person's Height": "Körpergröße",
    "Join People": "Personen verbinden",
    "Join {:s}": "{:s} verbinden",
    "Join": "Verbinden",
    "People": "Personen",
    "{:d} people": "{:d} Personen",
    "There is no person {!r} in this file": "Eine Person {!r} gibt es in dieser Datei nicht",
    "Heights of People": "Körpergrößen der Personen",
    "Takes": "Aufnahmen",
    "Takes: {:s}": "Aufnahmen: {:s}",
    "Take": "Aufnahme",
    "Choose Take": "Aufnahme wählen",
    "One Figure": "Eine Figur",
    "One Each": "Je eine",
    "NLA Strips": "NLA-Streifen",
    "Added {:s}: {:d} takes": "{:s} hinzugefügt: {:d} Aufnahmen",
    "{:s}, mean keypoint error {:.1f} mm": "{:s}, mittlerer Punktfehler {:.1f} mm",
    "Not fitted: {:s}.": "Nicht angepasst: {:s}.",
    "And {:d} more doubts.": "Und {:d} weitere Zweifel.",
}
