"""Per-frame errors of a predicted motion, and their drift over time. F frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ..data.training_body import TrainingBody
from .metrics import mesh_errors_mm
from .sequential import TrackedClip, TrueClip

NUM_PARTS = 10
_BLOCK = 256


@dataclass(frozen=True, eq=False)
class FrameErrors:
    """Errors of a clip's frames, without the first frame, which may be given.

    Attributes:
        mpve_mm: (F - 1,) mean vertex error with the pelvis joints aligned.
        mpapve_mm: (F - 1,) mean vertex error after a similarity alignment.
        fps: frames per second.
        mpve_at_ankle_mm: (F - 1,) mean vertex error with the right ankles aligned, as published.
    """

    mpve_mm: np.ndarray
    mpapve_mm: np.ndarray
    fps: float
    mpve_at_ankle_mm: np.ndarray


@torch.no_grad()
def measure(true: TrueClip, tracked: TrackedClip, body: TrainingBody) -> FrameErrors:
    """Return the errors of a predicted clip."""
    parts: list[dict[str, torch.Tensor]] = []
    for first in range(1, len(tracked.trans), _BLOCK):
        frames = slice(first, min(first + _BLOCK, len(tracked.trans)))
        vertices, joints = [], []
        for clip in (tracked, true):
            rotations, trans = clip.rotations[frames].to(body.device), clip.trans[frames].to(body.device)
            betas = clip.betas.to(body.device).expand(len(trans), -1)
            joints.append(body.joints(rotations, betas, trans))
            vertices.append(body.vertices(rotations, betas, trans))
        parts.append(mesh_errors_mm(vertices, joints))
    plain, aligned, at_ankle = (
        torch.cat([part[name] for part in parts]).cpu().numpy() for name in ("mpve_mm", "mpapve_mm", "mpve_at_ankle_mm")
    )
    return FrameErrors(plain, aligned, true.fps, at_ankle)


def summarise(errors: Sequence[FrameErrors]) -> dict[str, object]:
    """Return the metrics over clips: means over all frames, and the error over time.

    "drift_mm" is the mean error in the last tenth of each clip minus that in its first tenth, averaged over the clips;
    "by_tenth_mm" is the mean of each tenth over the clips, "by_second_mm" the mean over all frames of each second.
    """
    long = [clip.mpve_mm for clip in errors if len(clip.mpve_mm) >= NUM_PARTS]
    tenths = np.array([[part.mean() for part in np.array_split(clip, NUM_PARTS)] for clip in long])
    seconds: dict[int, list[float]] = {}
    for clip in errors:
        for index, value in enumerate(clip.mpve_mm.tolist(), 1):
            seconds.setdefault(int(index / clip.fps), []).append(value)
    return {
        "clips": len(errors),
        "frames": int(sum(len(clip.mpve_mm) for clip in errors)),
        "mpve_mm": float(np.concatenate([clip.mpve_mm for clip in errors]).mean()),
        "mpve_at_ankle_mm": float(np.concatenate([clip.mpve_at_ankle_mm for clip in errors]).mean()),
        "mpapve_mm": float(np.concatenate([clip.mpapve_mm for clip in errors]).mean()),
        "drift_mm": float((tenths[:, -1] - tenths[:, 0]).mean()) if len(long) else None,
        "by_tenth_mm": tenths.mean(axis=0).tolist() if len(long) else None,
        "by_second_mm": [float(np.mean(seconds[second])) for second in sorted(seconds)],
    }
