"""Replace the command-line options in the core's messages by the names of the panel's menus."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

OPTION_NAMES: dict[str, str] = {
    "layout": "Layout",
    "units": "Units",
    "stature": "Person's Height",
    "static": "Static Trial",
    "up": "Up Axis",
    "fps": "Frame Rate",
    "handedness": "Handedness",
    "swap-sides": "Swap Left and Right",
    "person": "Person",
    "body": "Body File",
    "betas": "Betas File",
    "device": "Device",
    "names": "Point Names",
    "join": "Join",
}
"""The panel's name of each command-line option."""

_SETTINGS = {
    "layout": "layout",
    "units": "units",
    "stature": "stature",
    "static": "static",
    "up": "up",
    "fps": "frame_rate",
    "handedness": "handedness",
    "swap_sides": "swap_sides",
    "join": "join",
}
"""The setting of box 1 for each of the core's reading options; the person is chosen after reading."""

_OPTION = re.compile(
    rf"(?P<verb>\b[Gg]ive (?:another )?|\bgiven by )?--(?P<option>{'|'.join(OPTION_NAMES)})\b"
    r"(?P<placeholder> (?:NAME|FILE\.json)\b)?"
)
_VERBS = {"give ": "set ", "Give ": "Set ", "give another ": "set another ", "given by ": "set in ", None: ""}


def in_panel_words(message: str, translate: Callable[[str], str] = str) -> str:
    """Return *message* with command-line options replaced by the panel's names.

    Args:
        message: a message of the core.
        translate: translates a name for the user.
    """

    def panel_name(match: re.Match[str]) -> str:
        return _VERBS[match["verb"]] + translate(OPTION_NAMES[match["option"]])

    return _OPTION.sub(panel_name, message)


def settings_for(options: Iterable[str]) -> tuple[str, ...]:
    """Return the settings of box 1 for the core's reading *options*, in the panel's order."""
    asked = set(options)
    return tuple(setting for option, setting in _SETTINGS.items() if option in asked)
