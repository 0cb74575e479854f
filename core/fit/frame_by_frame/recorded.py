"""The fit of a recorded track as if it came in live: one frame after the other, never looking ahead."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from ...body.data import BodyData
from ...motion import Motion
from ...track import KeypointTrack
from ..observations import solver_points
from ..options import FitOptions, Progress, report_progress
from ..report import FitReport
from ..result import Offsets, RawFit, build_result
from ..temporal.keypoint_smoothing import measure_noise
from ..temporal.visibility import Visibility, find_visibility
from .stream import FitStream, StreamPose

_PROGRESS_EVERY = 4


def fit_frames(
    track: KeypointTrack, body: BodyData, options: FitOptions, progress: Progress
) -> tuple[Motion, FitReport]:
    """Return the motion and the report of *track* on *body*; see `core.fit.fit_track`.

    The stream's shape converges over the first frames; the motion has the final one. Until the person is seen for the
    first time, the body has the pose of that frame.
    """
    began = time.perf_counter()
    points = solver_points(track)
    stream = FitStream(track.layout, track.fps, body, options)
    poses: list[StreamPose] = []
    first = int(np.argmin(find_visibility(points.names, points.weights).absent))
    for frame in range(first, track.num_frames):
        if frame % _PROGRESS_EVERY == 0:
            report_progress(progress, frame, track.num_frames, "Fitting frame by frame")
        poses.append(stream.push(track.positions[frame], track.confidence[frame]))
    report_progress(progress, track.num_frames, track.num_frames, "Fitting frame by frame")
    poses = [_unseen(poses[0])] * first + poses
    raw = RawFit(
        point_names=points.names,
        rotations=np.stack([pose.rotations for pose in poses]),
        trans=np.stack([pose.trans for pose in poses]),
        betas=poses[-1].betas,
        point_error_m=np.stack([pose.point_error_m for pose in poses]),
        jumps=np.stack([pose.jumps for pose in poses]),
        noise_m=measure_noise(np.nan_to_num(points.positions), points.weights > 0),
        sigma_m=poses[-1].sigma_m,
        visibility=Visibility.joined([pose.visibility for pose in poses]),
        offsets=Offsets.of(stream.shape),
    )
    return build_result(track, body, options, raw, {"frames": time.perf_counter() - began})


def _unseen(pose: StreamPose) -> StreamPose:
    """Return *pose* for a frame in which the person is not seen."""
    visibility = Visibility(
        np.ones_like(pose.visibility.unknown),
        np.ones_like(pose.visibility.absent),
        {limb: np.zeros_like(marked) for limb, marked in pose.visibility.limbs.items()},
    )
    nothing = np.full_like(pose.point_error_m, np.nan)
    return replace(pose, point_error_m=nothing, jumps=np.zeros_like(pose.jumps), visibility=visibility)
