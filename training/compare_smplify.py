"""Compare accuracy and speed of the fit and of a plain SMPLify-3D on the same frames in one run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from core.fit import FitOptions, fit_track
from core.math.rotations import matrix_to_axis_angle
from core.motion import Motion

from .data.motion_folder import Clip
from .data.training_body import TrainingBody
from .evaluation.fit_conditions import Condition
from .evaluation.fit_metrics import Evaluation, summarise
from .evaluation.smplify import Smplify, SmplifyOptions, SmplifyResult, fit_prior

_FRAMES_EACH = 60
_PRIOR_STEP = 2
METHODS = (SmplifyOptions(), SmplifyOptions(optimizer="lbfgs"), SmplifyOptions(optimizer="lbfgs", full_forward=True))
CLEAN = Condition("clean, true betas")


@dataclass(frozen=True)
class MethodRow:
    """Results of one fitting method.

    Attributes:
        name: the method.
        pve_mm: per-vertex error with the pelvis joints aligned.
        ms_per_frame: time per frame, milliseconds.
        times_slower: time relative to this project's fit, by the fit's quality.
    """

    name: str
    pve_mm: float
    ms_per_frame: float
    times_slower: dict[str, float]


def compare(
    clips: Sequence[Clip],
    prior_clips: Sequence[Clip],
    num_frames: int,
    fit_ms: Mapping[str, float],
    methods: Sequence[SmplifyOptions] = METHODS,
    options: FitOptions | None = None,
) -> list[MethodRow]:
    """Return a row for each quality of this project's fit and for each SMPLify variant.

    All use clean points and true betas; only the times of this project's fit include estimating the betas.

    Args:
        clips: clips of held-out subjects.
        prior_clips: clips that SMPLify's pose prior is fitted to: those of the subjects this fit was trained on.
        num_frames: approximate number of frames to fit: the first ones of evenly spaced clips.
        fit_ms: time per frame of this project's fit of a long clip in the same run, milliseconds, by quality.
        methods: SMPLify's variants.
        options: options of this project's fits, apart from the quality.
    """
    count = max(1, min(len(clips), round(num_frames / _FRAMES_EACH)))
    length = min(num_frames, _FRAMES_EACH)
    selected = [clips[index] for index in np.linspace(0, len(clips) - 1, count).round().astype(int)]
    cut_clips = [_cut(clip, length) for clip in selected]
    rows = []
    for quality, milliseconds in fit_ms.items():
        evaluation = Evaluation(replace(options or FitOptions(), quality=quality))
        fits = [
            fit_track(
                evaluation.track(clip, CLEAN), evaluation.data, replace(evaluation.options, betas=clip.drawn_betas())
            )
            for clip in selected
        ]
        pve_mm = _pve_mm(evaluation, cut_clips, [motion for motion, _ in fits])
        rows.append(MethodRow(f"this fit, {quality}", pve_mm, milliseconds, _ratios(milliseconds, fit_ms)))
    poses = np.concatenate([_vectors(clip.rotations[::_PRIOR_STEP]) for clip in prior_clips])
    evaluation = Evaluation()
    body, prior = TrainingBody(evaluation.data, "cpu"), fit_prior(poses[:, :66])
    for method in methods:
        smplify = Smplify(body, prior, method)
        results = [
            smplify.fit(
                torch.as_tensor(evaluation.track(clip, CLEAN).positions, dtype=torch.float32),
                torch.as_tensor(clip.drawn_betas()),
            )
            for clip in cut_clips
        ]
        milliseconds = 1000.0 * sum(result.seconds for result in results) / sum(len(r.trans) for r in results)
        motions = [_motion(clip, result) for clip, result in zip(cut_clips, results, strict=True)]
        pve_mm = _pve_mm(evaluation, cut_clips, motions)
        rows.append(MethodRow(method.title, pve_mm, milliseconds, _ratios(milliseconds, fit_ms)))
    return rows


def _ratios(milliseconds: float, fit_ms: Mapping[str, float]) -> dict[str, float]:
    return {quality: milliseconds / this_fit_ms for quality, this_fit_ms in fit_ms.items()}


def _cut(clip: Clip, length: int) -> Clip:
    return replace(clip, rotations=clip.rotations[:length], trans=clip.trans[:length])


def _vectors(rotations: np.ndarray) -> np.ndarray:
    vectors: np.ndarray = matrix_to_axis_angle(rotations.astype(np.float64)).reshape(len(rotations), -1)
    return vectors


def _motion(clip: Clip, result: SmplifyResult) -> Motion:
    return Motion(_vectors(result.rotations.numpy()), clip.drawn_betas(), result.trans.numpy(), clip.fps)


def _pve_mm(evaluation: Evaluation, clips: Sequence[Clip], motions: Sequence[Motion]) -> float:
    """Return the mean PVE over *clips*, whose frames are the first ones of *motions*."""
    rows = []
    for clip, motion in zip(clips, motions, strict=True):
        length = len(clip.trans)
        first = replace(motion, poses=motion.poses[:length], trans=motion.trans[:length])
        rows.append(evaluation.compare(clip, CLEAN, first))
    return summarise(rows).pve_mm
