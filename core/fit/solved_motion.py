"""Take a motion that another tool solved, instead of fitting it. F frames."""

from __future__ import annotations

import numpy as np

from ..body.data import BodyData
from ..motion import Motion
from ..solved import SolvedPoses
from ..track import KeypointTrack
from .options import FitOptions
from .report import FitReport, flags_of


def take_solved(
    solved: SolvedPoses, track: KeypointTrack, body: BodyData, options: FitOptions
) -> tuple[Motion, FitReport]:
    """Return the motion *solved* on *body*, and a report without errors; frames without the person are flagged.

    Args:
        solved: the motion.
        track: its joints.
        body: the body.
        options: the shape, if it is given, and the frame rate are used.
    """
    options.check_length(track)
    motion = solved.motion_on(body, track.fps, options.betas)
    no_error = np.full(track.positions.shape[:2], np.nan)
    report = FitReport(
        point_names=track.layout.names,
        point_error_mm=no_error,
        flags=tuple(flags_of("missing", "person", ~solved.known)),
        betas=motion.betas,
        stature_m=body.stature(motion.betas),
        noise_mm=no_error[0],
        sigma_mm=float("nan"),
        timings_s={},
        notes=track.notes,
    )
    return motion if options.fps is None else motion.resampled(options.fps), report
