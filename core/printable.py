"""Text from files, made safe to print: terminals obey control characters, and UTF-8 has no surrogates."""

from __future__ import annotations

import re
from typing import TextIO

_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, marks that turn the direction of a line around, and bytes of names that are not UTF-8."""

_MAX_WORD = 4096
_KEPT = 200
"""How much of the beginning and end of a longer word is printed."""


def printable(text: str) -> str:
    r"""Return *text* with an escape such as ``\x1b`` for each character that a terminal would obey.

    A word of more than 4096 characters, which is longer than any path can be, is shortened in its middle.
    """
    escaped = _UNSAFE.sub(lambda match: match.group().encode("unicode_escape").decode("ascii"), text)
    return re.sub(r"\S+", _shortened, escaped) if len(escaped) > _MAX_WORD else escaped


def _shortened(word: re.Match[str]) -> str:
    text = word.group()
    return text if len(text) <= _MAX_WORD else f"{text[:_KEPT]}...{text[-_KEPT:]}"


def printable_lines(text: str) -> str:
    """Return *text* as `printable` does, but with its line feeds."""
    return "\n".join(map(printable, text.split("\n")))


def say(text: str, file: TextIO | None = None) -> None:
    """Print *text* on one line of *file*, by default standard output, without control characters."""
    print(printable(text), file=file, flush=True)
