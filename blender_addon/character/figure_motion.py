"""A figure's motion as the source of the retargeting."""

from __future__ import annotations

import bpy

from ..core_access import RetargetSource
from ..result.live_settings import keyed_source


def source_of(figure: bpy.types.Object) -> RetargetSource:
    """Return the motion that is keyed on *figure*, with the contacts of its feet.

    Raises:
        CoreError: it is not a figure of this add-on, or its body cannot be read.
    """
    analysis, options = keyed_source(figure)
    return RetargetSource.of(analysis, options)
