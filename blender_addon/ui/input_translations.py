"""German texts of several people and several files."""

from __future__ import annotations

CLASSES = ()

GERMAN_INPUT = {
    "Person's Height": "Körpergröße",
    "Join People": "Personen verbinden",
    "Join {:s}": "{:s} verbinden",
    "Join": "Verbinden",
    "People": "Personen",
    "{:d} people": "{:d} Personen",
    "There is no person {!r} in this file": "Eine Person {!r} gibt es in dieser Datei nicht",
    "Heights of People": "Körpergrößen der Personen",
}
"""German texts of boxes 1, 3 and 4 about several people and several takes."""
