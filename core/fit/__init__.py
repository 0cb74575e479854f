"""Fit SMPL pose, shape and translation to 3D keypoint tracks."""

from __future__ import annotations

from contextlib import nullcontext

from ..body.data import BodyData
from ..math.arrays import one_blas_thread
from ..motion import Motion
from ..track import KeypointTrack
from .clip import fit_clip
from .frame_by_frame.recorded import fit_frames
from .frame_by_frame.stream import FitStream, StreamPose
from .options import FitOptions, Progress
from .report import FitReport, Flag, PointErrors

__all__ = ["FitOptions", "FitReport", "FitStream", "Flag", "PointErrors", "Progress", "StreamPose", "fit_track"]


def _ignore_progress(done: int, total: int, what: str) -> bool:
    return True


def fit_track(
    track: KeypointTrack, body: BodyData, options: FitOptions | None = None, progress: Progress | None = None
) -> tuple[Motion, FitReport]:
    """Return the SMPL motion that fits a track best, and a report on its accuracy.

    Args:
        track: the keypoints, metres, Y up.
        body: the body to fit.
        options: settings; the defaults fit the whole clip at once and estimate the shape.
        progress: called several times a second on the calling thread with the completed work in frames, the number of
            all frames, and the step's name; returning False cancels the fit.

    Raises:
        TrackError: the track does not show enough of a person.
        BodyError: betas or regressor do not match the body.
        SkeletonError: the body has other joints than SMPL's 24.
        DeviceError: the device is not available.
        FitOptionError: the motion would have too many frames at the requested frame rate.
        FitCancelled: *progress* returned False.
    """
    options = options or FitOptions()
    options.check_length(track)
    fit = fit_clip if options.mode == "clip" else fit_frames
    with one_blas_thread() if options.device == "numpy" else nullcontext():
        return fit(track, options.fitted_body(body), options, progress or _ignore_progress)
