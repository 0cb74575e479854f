"""What the user can have done, one module a subject; each names its classes in ``CLASSES``."""

from __future__ import annotations

from . import acceleration, export, figure, fit, menu, motion, refit, result, track

MODULES = (acceleration, track, fit, figure, result, refit, export, motion, menu)
