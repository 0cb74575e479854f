"""Fit the fingers of a person after the body, in the same mode, if the points show any. F frames."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..body.data import BodyData
from ..fingers import RELAXED_HANDS, has_fingers
from ..motion import Motion
from ..track import KeypointTrack
from .frame_by_frame.recorded_hands import fit_hands_live
from .hands.fit import fit_hands
from .hands.observations import has_hands
from .options import FitOptions
from .report import FitReport


def fits_fingers(track: KeypointTrack, body: BodyData, options: FitOptions) -> bool:
    """Return whether a fit has fingers: *track* shows them, *body* has them, and *options* request them."""
    return options.fingers and has_fingers(body.skeleton) and has_hands(track)


def add_fingers(
    track: KeypointTrack,
    fitted: tuple[Motion, FitReport],
    body: BodyData,
    options: FitOptions,
    *,
    unseen: np.ndarray = RELAXED_HANDS,
) -> tuple[Motion, FitReport]:
    """Return a fit with fingers: the motion on SMPL-H's joints, at the frame rate of *options*, and all flags.

    Args:
        track: the keypoints.
        fitted: the motion of the body, at the track's frame rate, and its report.
        body: the body with SMPL-H's joints.
        options: the fit options.
        unseen: (2, 15, 3) axis-angle of the fingers of hands that are not seen.
    """
    motion, report = fitted
    fit = fit_hands if options.mode == "clip" else fit_hands_live
    hands = fit(track, motion, body, smoothing=options.smoothing, unseen=unseen)
    flags = sorted((*report.flags, *hands.flags), key=lambda flag: (flag.first, flag.kind, flag.what))
    motion = hands.motion if options.fps is None else hands.motion.resampled(options.fps)
    return motion, replace(report, flags=tuple(flags))
