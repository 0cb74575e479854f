"""Change settings without triggering their update callbacks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import bpy


@contextmanager
def quiet(settings: bpy.types.PropertyGroup) -> Iterator[None]:
    """Set `quiet` of *settings* within the context: their updates read it, and do nothing while it is set."""
    before, settings.quiet = settings.quiet, True
    try:
        yield
    finally:
        settings.quiet = before
