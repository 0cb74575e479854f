"""Key the error of each frame on a custom property of the armature, for the graph editor and for drivers."""

from __future__ import annotations

import bpy
import numpy as np

from ..figure.fcurves import Channels
from ..figure.record import FigureRecord

ERROR_PROPERTY = "fit_error_mm"
ERROR_PATH = f'["{ERROR_PROPERTY}"]'
_GROUP = "Fit"


def key_errors(armature: bpy.types.Object, record: FigureRecord) -> None:
    """Key the mean error of each frame on *armature*; frames without measured points get no key.

    A motion that was not fitted gets no keys.
    """
    channels = Channels(armature, name=armature.name)
    channels.remove(ERROR_PATH)
    if record.report is None:
        armature.pop(ERROR_PROPERTY, None)
        return
    errors = record.error_mm()
    known = np.flatnonzero(np.isfinite(errors))
    armature[ERROR_PROPERTY] = float(errors[known[0]]) if len(known) else 0.0
    settings = armature.id_properties_ui(ERROR_PROPERTY)
    settings.update(min=0.0, precision=1, description="Mean distance from the measured points, millimetres")
    if len(known):
        channels.write(ERROR_PATH, record.first_frame + known, errors[known, None], group=_GROUP)
