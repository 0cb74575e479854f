"""Translations of the panels' texts.

Blender translates every label and tooltip itself; format strings are translated before their values are inserted.
"""

from __future__ import annotations

import bpy

from .german import GERMAN

CLASSES = ()

CONTEXT = "SMPLify"
"""Translation context for texts that Blender would otherwise translate in another sense, such as Fit."""

LANGUAGES: dict[str, dict[str, str]] = {"de": GERMAN}
"""Translations by language; "de" applies to German in every country."""


def _by_context(texts: dict[str, str]) -> dict[tuple[str, str], str]:
    """Return *texts* in Blender's format, for the default, the operator and our own context."""
    contexts = (bpy.app.translations.contexts.default, bpy.app.translations.contexts.operator_default, CONTEXT)
    return {(context, english): text for english, text in texts.items() for context in contexts}


def register() -> None:
    """Register the translations."""
    bpy.app.translations.register(__name__, {name: _by_context(texts) for name, texts in LANGUAGES.items()})


def unregister() -> None:
    """Unregister the translations."""
    bpy.app.translations.unregister(__name__)
