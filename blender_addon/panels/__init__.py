"""What the user sees in the SMPLify tab of the 3D viewport's sidebar, one module a box; they read top to bottom."""

from __future__ import annotations

from . import body, export, fit, result, track

MODULES = (track, body, fit, result, export)
