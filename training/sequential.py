"""Sequential inference: each frame's start is the frame before as predicted. F frames, N clips side by side.

Two protocols. "published": betas, every frame's translation and the first frame's pose are given, as in the paper.
"honest": nothing is given but keypoints; betas and the first pose come from the project's own fit of the first second,
and each frame is placed by its keypoints. In both, after frame 60 the pair (first frame, this frame) and the previous
pose unchanged are tried too, and whichever explains the keypoints best is kept.
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

from .training_body import ShownBody

PROTOCOLS = ("published", "honest")
FALLBACK_AFTER = 60
_FIRST_FIT_S = 1.0

Predictor = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
"""From start points, target points (N, 25, 3), start rotations (N, 24, 3, 3), betas (N, 10) to rotations."""


@dataclass(frozen=True, eq=False)
class TrueClip:
    """A clip whose motion is known.

    Attributes:
        name: its name.
        rotations: (F, 24, 3, 3) local rotations, on the CPU.
        trans: (F, 3) metres.
        betas: (10,).
        fps: frames a second.
    """

    name: str
    rotations: Tensor
    trans: Tensor
    betas: Tensor
    fps: float

    def points(self, body: ShownBody) -> Tensor:
        """Return the BODY25 keypoints (F, 25, 3), metres, on the body's device."""
        rotations, trans, betas = (part.to(body.device) for part in (self.rotations, self.trans, self.betas))
        return body.keypoints(rotations, betas.expand(len(rotations), -1), trans)


@dataclass(frozen=True, eq=False)
class TrackedClip:
    """What was predicted of a clip.

    Attributes:
        rotations: (F, 24, 3, 3), on the CPU.
        trans: (F, 3) metres.
        betas: (10,).
        fallbacks: frames in which another candidate than the network's next pose was kept.
        seconds: time it took, the clip's share where clips ran side by side.
    """

    rotations: Tensor
    trans: Tensor
    betas: Tensor
    fallbacks: int
    seconds: float


@dataclass(frozen=True, eq=False)
class _Given:
    """What a protocol gives of clips, longest first: points (F, N, 25, 3), betas (N, 10), first rotations, trans."""

    points: Tensor
    lengths: Sequence[int]
    betas: Tensor
    first: Tensor
    trans: Tensor | None


@torch.no_grad()
def track_clips(predictor: Predictor, clips: Sequence[TrueClip], body: ShownBody, protocol: str) -> list[TrackedClip]:
    """Return what is predicted of *clips* under a protocol, in their order."""
    if protocol not in PROTOCOLS:
        raise ValueError(f"expected a protocol out of {PROTOCOLS}, got {protocol!r}")
    order = sorted(range(len(clips)), key=lambda index: -len(clips[index].trans))
    began = time.perf_counter()
    given = _given([clips[index] for index in order], body, protocol)
    rotations, trans, fallbacks = _run(predictor, given, body)
    seconds = time.perf_counter() - began
    total = sum(given.lengths)
    tracked: dict[int, TrackedClip] = {}
    for column, index in enumerate(order):
        length = given.lengths[column]
        tracked[index] = TrackedClip(
            rotations[:length, column].cpu(),
            trans[:length, column].cpu(),
            given.betas[column].cpu(),
            int(fallbacks[column]),
            seconds * length / total,
        )
    return [tracked[index] for index in range(len(clips))]


def _given(clips: Sequence[TrueClip], body: ShownBody, protocol: str) -> _Given:
    lengths = [len(clip.trans) for clip in clips]
    points = torch.zeros(lengths[0], len(clips), 25, 3, device=body.device)
    trans = torch.zeros(lengths[0], len(clips), 3, device=body.device)
    betas, first = [], []
    for column, clip in enumerate(clips):
        own = clip.points(body)
        points[: lengths[column], column] = own
        trans[: lengths[column], column] = clip.trans.to(body.device)
        found = (clip.betas, clip.rotations[0]) if protocol == "published" else fit_first(own, clip.fps, body)
        betas.append(found[0].to(body.device))
        first.append(found[1].to(body.device))
    given_trans = trans if protocol == "published" else None
    return _Given(points, lengths, torch.stack(betas), torch.stack(first), given_trans)


def fit_first(points: Tensor, fps: float, body: ShownBody) -> tuple[Tensor, Tensor]:
    """Return betas (10,) and the first frame's rotations (24, 3, 3) from the keypoints (F, 25, 3) alone.

    Raises:
        TrackError: the points do not show enough of a person.
    """
    seen = points[: max(2, round(_FIRST_FIT_S * fps))].cpu().numpy().astype(np.float64)
    track = KeypointTrack(seen, np.ones(seen.shape[:2]), fps, BODY25)
    motion, _ = fit_track(track, body.data, FitOptions(workers=1))
    rotations = torch.as_tensor(motion.rotations()[0], dtype=torch.float32)
    return torch.as_tensor(motion.betas, dtype=torch.float32), rotations


def _run(predictor: Predictor, given: _Given, body: ShownBody) -> tuple[Tensor, Tensor, Tensor]:
    """Return rotations (F, N, 24, 3, 3), trans (F, N, 3) and fallbacks (N,)."""
    num_frames, num_clips = given.points.shape[:2]
    rotations = given.first.expand(num_frames, -1, -1, -1, -1).clone()
    trans = torch.zeros(num_frames, num_clips, 3, device=body.device)
    fallbacks = torch.zeros(num_clips, dtype=torch.long, device=body.device)
    own_points, trans[0], _ = _place(given, 0, num_clips, rotations[0], body)
    first_points = own_points
    for frame in range(1, num_frames):
        count = sum(length > frame for length in given.lengths)
        betas, target, previous = given.betas[:count], given.points[frame, :count], rotations[frame - 1, :count]
        candidates = [predictor(own_points[:count], target, previous, betas)]
        if frame > FALLBACK_AFTER:
            candidates.append(predictor(first_points[:count], target, given.first[:count], betas))
            candidates.append(previous)
        placed = [_place(given, frame, count, candidate, body) for candidate in candidates]
        best = torch.stack([error for _, _, error in placed]).argmin(dim=0)
        clips = torch.arange(count, device=body.device)
        rotations[frame, :count] = torch.stack(candidates)[best, clips]
        own_points = torch.stack([points for points, _, _ in placed])[best, clips]
        trans[frame, :count] = torch.stack([place for _, place, _ in placed])[best, clips]
        fallbacks[:count] += best > 0
    return rotations, trans, fallbacks


def _place(given: _Given, frame: int, count: int, rotations: Tensor, body: ShownBody) -> tuple[Tensor, Tensor, Tensor]:
    """Return keypoints (n, 25, 3), trans (n, 3) and mean keypoint error (n,) of poses in a frame."""
    target = given.points[frame, :count]
    zero = torch.zeros(count, 3, device=body.device)
    at_origin = body.keypoints(rotations, given.betas[:count], zero)
    trans = given.trans[frame, :count] if given.trans is not None else (target - at_origin).mean(dim=1)
    points = at_origin + trans[:, None]
    return points, trans, torch.linalg.vector_norm(points - target, dim=-1).mean(dim=-1)
