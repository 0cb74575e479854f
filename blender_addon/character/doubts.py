"""Doubts about a retargeted motion, translated to the language of the interface.

They are sentences, kept with the character in English as the core writes them; here each is found again by its
template, and the template is translated. A sentence of no template is shown as it is. Needs no core.
"""

from __future__ import annotations

import re
from collections.abc import Callable

TEMPLATES = (
    "Check the bones of {:s}: they were found with little confidence.",
    "In the armature, {:s} are not children of the limb that they belong to.",
    "The motion shows no foot contacts, so no foot is planted.",
    "No hand with a thumb and fingers was found, so no fingers are bent.",
    "The steps are {:s} times as long as suits the legs.",
    "In {:s} frames a hand or a foot cannot reach its goal.",
    "Locked against turning by hand, but keyed: {:s}",
    "Control rig: {:s} controls are keyed",
    "Control rig: {:s} controls are keyed, and {:s} of IK",
    "Control rig: {:s} controls are keyed, none of IK was found",
    "switched over: {:s}",
    "follow no control: {:s}",
)
"""The doubts of `core.retarget.report`, and the notes of this package; {:s} stands for what varies."""

_PATTERNS = {
    template: re.compile(re.escape(template).replace(re.escape("{:s}"), "(.+?)") + r"\Z", re.DOTALL)
    for template in TEMPLATES
}


def in_language(sentence: str, translate: Callable[[str], str]) -> str:
    """Return *sentence*, or each of its parts between semicolons, with its template translated by *translate*."""
    found = _whole(sentence, translate)
    return "; ".join(_whole(part, translate) or part for part in sentence.split("; ")) if found is None else found


def _whole(sentence: str, translate: Callable[[str], str]) -> str | None:
    for template, pattern in _PATTERNS.items():
        match = pattern.match(sentence)
        if match is not None:
            return translate(template).format(*match.groups())
    return None
