"""The error class of the Character box."""

from __future__ import annotations

from ..core_access import CoreError


class CharacterError(CoreError, ValueError):
    """A motion cannot be retargeted to a character."""
