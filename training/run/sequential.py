"""Sequential inference: each frame starts from the prediction of the previous one. F frames, N clips in a batch.

Two protocols. "published": betas, every frame's translation and the first frame's pose are given, as in the paper.
"honest": only keypoints are given; betas and the first pose come from the project's own fit of the first second, and
the translation of each frame comes from its keypoints. In both, from frame 62 on, as published, the pair (first frame,
this frame) and the unchanged previous pose are further candidates, and the candidate with the smallest keypoint error
is kept. As published, the translation between the two frames is removed from that pair, since the network was trained
on frames close to each other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from core.fit import FitOptions, fit_track
from core.layouts import BODY25
from core.track import KeypointTrack

from ..data.training_body import TrainingBody

PROTOCOLS = ("published", "honest")
FALLBACK_AFTER = 61
_FIRST_FIT_S = 1.0

Predictor = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
"""Maps start points, target points (N, 25, 3), start rotations (N, 24, 3, 3) and betas (N, 10) to rotations."""


@dataclass(frozen=True, eq=False)
class TrueClip:
    """A clip with known motion.

    Attributes:
        name: name of the clip.
        rotations: (F, 24, 3, 3) local rotations, on the CPU.
        trans: (F, 3) metres.
        betas: (10,) shape.
        fps: frames per second.
    """

    name: str
    rotations: Tensor
    trans: Tensor
    betas: Tensor
    fps: float

    def points(self, body: TrainingBody) -> Tensor:
        """Return the BODY25 keypoints (F, 25, 3), metres, on the body's device."""
        rotations, trans, betas = (part.to(body.device) for part in (self.rotations, self.trans, self.betas))
        return body.keypoints(rotations, betas.expand(len(rotations), -1), trans)


@dataclass(frozen=True, eq=False)
class TrackedClip:
    """The prediction for a clip.

    Attributes:
        rotations: (F, 24, 3, 3) local rotations, on the CPU.
        trans: (F, 3) metres.
        betas: (10,) shape.
        fallbacks: number of frames in which another candidate than the prediction from the previous frame was kept.
        seconds: run time; the clip's share if clips ran in a batch.
    """

    rotations: Tensor
    trans: Tensor
    betas: Tensor
    fallbacks: int
    seconds: float


@dataclass(frozen=True, eq=False)
class _Inputs:
    """Inputs that a protocol gives, longest clip first: points (F, N, 25, 3), betas (N, 10), first rotations, trans."""

    points: Tensor
    lengths: Sequence[int]
    betas: Tensor
    first: Tensor
    trans: Tensor | None


@torch.no_grad()
def track_clips(
    predictor: Predictor, clips: Sequence[TrueClip], body: TrainingBody, protocol: str
) -> list[TrackedClip]:
    """Predict *clips* under a protocol; return the predictions in the same order."""
    if protocol not in PROTOCOLS:
        raise ValueError(f"expected one of the protocols {PROTOCOLS}, got {protocol!r}")
    order = sorted(range(len(clips)), key=lambda index: -len(clips[index].trans))
    start = time.perf_counter()
    inputs = _make_inputs([clips[index] for index in order], body, protocol)
    rotations, trans, fallbacks = _run(predictor, inputs, body)
    seconds = time.perf_counter() - start
    total = sum(inputs.lengths)
    tracked: dict[int, TrackedClip] = {}
    for column, index in enumerate(order):
        length = inputs.lengths[column]
        tracked[index] = TrackedClip(
            rotations[:length, column].cpu(),
            trans[:length, column].cpu(),
            inputs.betas[column].cpu(),
            int(fallbacks[column]),
            seconds * length / total,
        )
    return [tracked[index] for index in range(len(clips))]


def _make_inputs(clips: Sequence[TrueClip], body: TrainingBody, protocol: str) -> _Inputs:
    lengths = [len(clip.trans) for clip in clips]
    points = torch.zeros(lengths[0], len(clips), 25, 3, device=body.device)
    trans = torch.zeros(lengths[0], len(clips), 3, device=body.device)
    betas, first = [], []
    for column, clip in enumerate(clips):
        clip_points = clip.points(body)
        points[: lengths[column], column] = clip_points
        trans[: lengths[column], column] = clip.trans.to(body.device)
        initial = (clip.betas, clip.rotations[0]) if protocol == "published" else fit_start(clip_points, clip.fps, body)
        betas.append(initial[0].to(body.device))
        first.append(initial[1].to(body.device))
    given_trans = trans if protocol == "published" else None
    return _Inputs(points, lengths, torch.stack(betas), torch.stack(first), given_trans)


def fit_start(points: Tensor, fps: float, body: TrainingBody) -> tuple[Tensor, Tensor]:
    """Estimate betas (10,) and the first frame's rotations (24, 3, 3) from keypoints (F, 25, 3) alone.

    Raises:
        TrackError: too few points are visible.
    """
    seen = points[: max(2, round(_FIRST_FIT_S * fps))].cpu().numpy().astype(np.float64)
    track = KeypointTrack(seen, np.ones(seen.shape[:2]), fps, BODY25)
    motion, _ = fit_track(track, body.data, FitOptions(workers=1))
    rotations = torch.as_tensor(motion.rotations()[0], dtype=torch.float32)
    return torch.as_tensor(motion.betas, dtype=torch.float32), rotations


def _run(predictor: Predictor, inputs: _Inputs, body: TrainingBody) -> tuple[Tensor, Tensor, Tensor]:
    """Return rotations (F, N, 24, 3, 3), trans (F, N, 3) and fallbacks (N,)."""
    num_frames, num_clips = inputs.points.shape[:2]
    rotations = inputs.first.expand(num_frames, -1, -1, -1, -1).clone()
    trans = torch.zeros(num_frames, num_clips, 3, device=body.device)
    fallbacks = torch.zeros(num_clips, dtype=torch.long, device=body.device)
    own_points, trans[0], _ = _place(inputs, 0, num_clips, rotations[0], body)
    first_points, first_trans = own_points, trans[0].clone()
    for frame in range(1, num_frames):
        count = sum(length > frame for length in inputs.lengths)
        betas, target, previous = inputs.betas[:count], inputs.points[frame, :count], rotations[frame - 1, :count]
        candidates = [predictor(own_points[:count], target, previous, betas)]
        if frame > FALLBACK_AFTER:
            moved = first_points[:count] + _shift(inputs, frame, first_points[:count], first_trans[:count])
            candidates.append(predictor(moved, target, inputs.first[:count], betas))
            candidates.append(previous)
        placed = [_place(inputs, frame, count, candidate, body) for candidate in candidates]
        best = torch.stack([error for _, _, error in placed]).argmin(dim=0)
        clips = torch.arange(count, device=body.device)
        rotations[frame, :count] = torch.stack(candidates)[best, clips]
        own_points = torch.stack([points for points, _, _ in placed])[best, clips]
        trans[frame, :count] = torch.stack([place for _, place, _ in placed])[best, clips]
        fallbacks[:count] += best > 0
    return rotations, trans, fallbacks


def _shift(inputs: _Inputs, frame: int, points: Tensor, trans: Tensor) -> Tensor:
    """Return the translation (n, 1, 3) from *points* (n, 25, 3) of a frame at *trans* (n, 3) to those of *frame*."""
    count = len(points)
    if inputs.trans is not None:
        return (inputs.trans[frame, :count] - trans)[:, None]
    return (inputs.points[frame, :count] - points).mean(dim=1, keepdim=True)


def _place(
    inputs: _Inputs, frame: int, count: int, rotations: Tensor, body: TrainingBody
) -> tuple[Tensor, Tensor, Tensor]:
    """Place poses in a frame; return keypoints (n, 25, 3), trans (n, 3) and mean keypoint error (n,)."""
    target = inputs.points[frame, :count]
    zero = torch.zeros(count, 3, device=body.device)
    at_origin = body.keypoints(rotations, inputs.betas[:count], zero)
    trans = inputs.trans[frame, :count] if inputs.trans is not None else (target - at_origin).mean(dim=1)
    points = at_origin + trans[:, None]
    return points, trans, torch.linalg.vector_norm(points - target, dim=-1).mean(dim=-1)
