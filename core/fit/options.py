"""The options of a fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..body.data import BodyData
from ..errors import FitCancelled, FitOptionError
from ..motion import MAX_FRAMES, resampled_frames
from ..track import MAX_FPS, KeypointTrack
from .priors.pose_predictor import MAX_PASSES, NETWORK_JOINTS, PosePredictor, read_pose_network
from .priors.prior_file import read_prior
from .quality import QUALITIES

MODES = ("clip", "frames")

_MAX_BETA = 1e3
"""In standard deviations; far beyond any body, and far below float32's limits."""

Progress = Callable[[int, int, str], bool | None]
"""Called with the completed work in frames, the number of all frames, and the step's name; returning False cancels."""


def _are_betas(betas: np.ndarray) -> bool:
    """Return whether *betas* are usable shape parameters (B,)."""
    array = np.asarray(betas)
    return array.ndim == 1 and array.dtype.kind in "fiu" and bool((np.abs(array) <= _MAX_BETA).all())


def report_progress(progress: Progress, done: int, total: int, what: str) -> None:
    """Call *progress*; raise `FitCancelled` if it returns False."""
    if progress(done, total, what) is False:
        raise FitCancelled("the fit was cancelled; nothing was changed")


@dataclass(frozen=True, eq=False)
class FitOptions:
    """Settings of a fit.

    Attributes:
        mode: "clip" fits all frames at once; "frames" fits one frame after the other and never looks ahead.
        betas: (B,) known shape, or None to estimate it from the track.
        regressor: (K, V) rows for the layout's points, in the layout's order, that replace the built-in regressor; or
            None.
        smoothing: 1 smooths as much as the track's own noise requires, 0 not at all.
        quality: "fast", "balanced" or "best": how much work goes into each frame; see `core.fit.quality`.
        fps: frame rate of the motion, or None for the track's own.
        device: "numpy", or a torch device: "cpu", "cuda", "mps". The mode "frames" always uses NumPy, since one frame
            is too little work for a torch device.
        workers: number of threads on NumPy; None for one per core.
        network: weights file of the user's own pose network; None for the one that ships with the project.
        network_joints: the joints that the network predicts: "arms", "all" or "none". Regressions on poses of real
            people predict the other joints of trunk and legs; other arm joints are expected as in the initial pose,
            which follows from the arm's bend. "all" suits a network that was trained on many people.
        network_passes: number of times the network is applied, each time to its last prediction.
        fingers: whether fingers are fitted too where the points show them, after the body, which `fit_track` fits
            alone; see `core.fit.fingers`.
        pose_correctives: whether the fitted body's skin changes with the pose as its pose blend shapes say. Without, it
            is plain linear blend skinning of the shaped template.
        prior: file of the user's own regressions, as written by `training.pose_prior`; None for those that ship with
            the project.
    """

    mode: str = "clip"
    betas: np.ndarray | None = None
    regressor: np.ndarray | None = None
    smoothing: float = 1.0
    quality: str = "balanced"
    fps: float | None = None
    device: str = "numpy"
    workers: int | None = None
    network: Path | str | None = None
    network_joints: str = "arms"
    network_passes: int = 1
    fingers: bool = True
    pose_correctives: bool = True
    prior: Path | str | None = None

    def __post_init__(self) -> None:
        """Validate the values."""
        if self.mode not in MODES:
            raise FitOptionError(f"expected mode out of {', '.join(MODES)}; got {self.mode!r}")
        if not 0.0 <= self.smoothing <= 1.0:
            raise FitOptionError(f"expected smoothing from 0 to 1, got {self.smoothing}")
        if self.quality not in QUALITIES:
            raise FitOptionError(f"expected a quality out of {', '.join(QUALITIES)}; got {self.quality!r}")
        if self.betas is not None and not _are_betas(self.betas):
            raise FitOptionError(
                f"expected betas with one axis and finite values of up to {_MAX_BETA:g}, got shape "
                f"{np.shape(self.betas)}"
            )
        if self.fps is not None and not 0.0 < self.fps <= MAX_FPS:
            raise FitOptionError(f"expected a frame rate above 0 and up to {MAX_FPS:g} for the motion, got {self.fps}")
        if self.workers is not None and self.workers < 1:
            raise FitOptionError(f"expected 1 worker or more, got {self.workers}")
        if self.network_joints not in NETWORK_JOINTS:
            raise FitOptionError(
                f"expected network joints out of {', '.join(NETWORK_JOINTS)}; got {self.network_joints!r}"
            )
        if not 1 <= self.network_passes <= MAX_PASSES:
            raise FitOptionError(f"expected 1 to {MAX_PASSES} passes of the network, got {self.network_passes}")

    def check_length(self, track: KeypointTrack) -> None:
        """Check before the fit that the motion of *track* has an allowed length at the requested frame rate.

        Raises:
            FitOptionError: the motion would have too many frames, or one frame of several.
        """
        if self.fps is None:
            return
        num_frames = resampled_frames(track.num_frames, track.fps, self.fps)
        if num_frames < 2 <= track.num_frames:
            raise FitOptionError(
                f"expected a motion of 2 frames or more, but the {track.num_frames} frames of the keypoints at "
                f"{track.fps:g} fps become 1 at {self.fps:g} fps; give a higher frame rate for the motion"
            )
        if num_frames > max(MAX_FRAMES, track.num_frames):
            raise FitOptionError(
                f"expected a motion of up to {MAX_FRAMES} frames, but the {track.num_frames} frames of the keypoints "
                f"at {track.fps:g} fps become {num_frames} at {self.fps:g} fps; give a lower frame rate for the "
                "motion, or the right one for the keypoints"
            )

    def fitted_body(self, body: BodyData) -> BodyData:
        """Return *body* as it is fitted: with or without its pose correctives."""
        return body if self.pose_correctives else body.without_pose_correctives()

    def predictor(self, device: str) -> PosePredictor:
        """Return the pose predictor on a device.

        Raises:
            InputMissingError: the file of the network or of the prior does not exist.
            NetworkError: the network's file does not hold a pose network.
            FitOptionError: the prior's file does not hold a prior.
        """
        network = None if self.network is None else read_pose_network(self.network, device)
        prior = None if self.prior is None else read_prior(self.prior)
        return PosePredictor(network, self.network_joints, self.network_passes, prior)
