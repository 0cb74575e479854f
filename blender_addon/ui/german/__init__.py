"""The German texts, by the boxes that show them. A text that two boxes show stands once."""

from __future__ import annotations

from . import character, export, fit, live, preferences, result, takes

GERMAN = fit.TEXTS | takes.TEXTS | result.TEXTS | export.TEXTS | character.TEXTS | live.TEXTS | preferences.TEXTS
