"""The fit of a recorded track as if it came in live: one frame after the other, never looking ahead."""

from __future__ import annotations

import time

import numpy as np

from ..body.data import BodyData
from ..motion import Motion
from ..track import KeypointTrack
from .conclusion import Found, conclude
from .holding import Evidence
from .options import FitOptions, Progress, report_progress
from .points import solver_points
from .report import FitReport
from .stream import FitStream
from .temporal import measure_noise

_PROGRESS_EVERY = 16


def fit_frames(
    track: KeypointTrack, body: BodyData, options: FitOptions, progress: Progress
) -> tuple[Motion, FitReport]:
    """Return the motion and the report of *track* on *body*; see `core.fit.fit_track`.

    The stream's shape settles over the first frames; the motion carries the last one found.
    """
    began = time.perf_counter()
    points = solver_points(track)
    stream = FitStream(track.layout, track.fps, body, options)
    poses = []
    for frame in range(track.num_frames):
        if frame % _PROGRESS_EVERY == 0:
            report_progress(progress, frame, track.num_frames, "Fitting frame by frame")
        poses.append(stream.push(track.positions[frame], track.confidence[frame]))
    report_progress(progress, track.num_frames, track.num_frames, "Fitting frame by frame")
    limbs = {limb: np.concatenate([pose.evidence.limbs[limb] for pose in poses]) for limb in poses[0].evidence.limbs}
    evidence = Evidence(
        np.concatenate([pose.evidence.unknown for pose in poses]),
        np.concatenate([pose.evidence.absent for pose in poses]),
        limbs,
    )
    found = Found(
        points.names,
        np.stack([pose.rotations for pose in poses]),
        np.stack([pose.trans for pose in poses]),
        poses[-1].betas,
        np.stack([pose.point_error_m for pose in poses]),
        np.stack([pose.jumps for pose in poses]),
        measure_noise(np.nan_to_num(points.positions), points.weights > 0),
        poses[-1].sigma_m,
        evidence,
    )
    return conclude(track, body, options, found, {"frames": time.perf_counter() - began})
