"""The fit against a plain SMPLify-3D, on the same frames, in one run: accuracy and speed side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from core.fit import FitOptions, fit_track
from core.motion import Motion
from core.rotations import matrix_to_axis_angle

from .fit_figures import Condition, Evaluation, summarise
from .motion_folder import Clip
from .shown_body import ShownBody
from .smplify import Smplify, SmplifyOptions, SmplifyResult, fit_prior

_FRAMES_EACH = 60
_PRIOR_STEP = 2
WAYS = (SmplifyOptions(), SmplifyOptions(optimizer="lbfgs"), SmplifyOptions(optimizer="lbfgs", full_forward=True))
_CLEAN = Condition("clean, true betas")


@dataclass(frozen=True)
class WayRow:
    """A way to fit.

    Attributes:
        name: which.
        pve_mm: vertices, pelvis joints together.
        ms_per_frame: time.
        times_slower: than this project's fit.
    """

    name: str
    pve_mm: float
    ms_per_frame: float
    times_slower: float


def compare(
    evaluation: Evaluation, clips: Sequence[Clip], prior_clips: Sequence[Clip], num_frames: int, fit_ms: float
) -> list[WayRow]:
    """Return a row for this project's fit and one for each of SMPLify's ways, on clean points with true betas.

    Args:
        evaluation: measures.
        clips: of people whom nothing has learned from.
        prior_clips: what SMPLify's pose prior is made of: the people that the fit has learned from.
        num_frames: about how many frames to fit: the first ones of clips spread over all.
        fit_ms: what this project's fit takes a frame, over a long clip, in the same run.
    """
    count = max(1, min(len(clips), round(num_frames / _FRAMES_EACH)))
    chosen = [clips[index] for index in np.linspace(0, len(clips) - 1, count).round().astype(int)]
    poses = np.concatenate([_vectors(clip.rotations[::_PRIOR_STEP]) for clip in prior_clips])
    body, prior = ShownBody(evaluation.data, "cpu"), fit_prior(poses[:, :66])
    ours = [
        fit_track(evaluation.track(clip, _CLEAN), evaluation.data, FitOptions(betas=clip.drawn_betas()))
        for clip in chosen
    ]
    rows = [WayRow("this fit", _pve_mm(evaluation, chosen, [motion for motion, _ in ours]), fit_ms, 1.0)]
    for options in WAYS:
        smplify, results = Smplify(body, prior, options), []
        for clip in map(_cut, chosen):
            points = torch.as_tensor(evaluation.track(clip, _CLEAN).positions, dtype=torch.float32)
            results.append(smplify.fit(points, torch.as_tensor(clip.drawn_betas())))
        milliseconds = 1000.0 * sum(result.seconds for result in results) / sum(len(r.trans) for r in results)
        motions = [_motion(clip, result) for clip, result in zip(chosen, results, strict=True)]
        pve_mm = _pve_mm(evaluation, chosen, motions)
        rows.append(WayRow(options.title, pve_mm, milliseconds, milliseconds / fit_ms))
    return rows


def _cut(clip: Clip) -> Clip:
    return replace(clip, rotations=clip.rotations[:_FRAMES_EACH], trans=clip.trans[:_FRAMES_EACH])


def _vectors(rotations: np.ndarray) -> np.ndarray:
    vectors: np.ndarray = matrix_to_axis_angle(rotations.astype(np.float64)).reshape(len(rotations), -1)
    return vectors


def _motion(clip: Clip, result: SmplifyResult) -> Motion:
    return Motion(_vectors(result.rotations.numpy()), clip.drawn_betas(), result.trans.numpy(), clip.fps)


def _pve_mm(evaluation: Evaluation, clips: Sequence[Clip], motions: Sequence[Motion]) -> float:
    """Return the mean PVE of the clips' first frames."""
    rows = []
    for clip, motion in zip(clips, motions, strict=True):
        first = replace(motion, poses=motion.poses[:_FRAMES_EACH], trans=motion.trans[:_FRAMES_EACH])
        rows.append(evaluation.compare(_cut(clip), _CLEAN, first))
    return summarise(rows).pve_mm
