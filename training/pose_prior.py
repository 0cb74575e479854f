"""Make the conditional pose prior that the fit leans on, from motion capture.

    python -m training.pose_prior MOTION_FOLDER [--output core/fit/assets/pose_prior.npz]

Every clip is put on a body of random shape, its keypoints are masked to each depth and lightly disturbed, the analytic
start is run, and a ridge regression learns what the start leaves. Strength of the ridge and what remains come from
leaving one subject out at a time, so the prior is as sure of itself as it may be about a new person. What remains is
told apart into each clip's mean, a person's habit, and the rest.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.body.free_body import load_free_body
from core.body.keypoints import KeypointModel
from core.body.landmarks import landmark_regressor
from core.body.model import BodyModel
from core.exit_codes import exit_code_of
from core.files import atomic_path
from core.fit.analytic import analytic_start
from core.fit.pose_prior import (
    ASSET,
    ASSET_VERSION,
    FIELDS,
    PART_CHAINS,
    PART_JOINTS,
    PartModel,
    mirrored,
    part_features,
)
from core.fit.refine import Targets
from core.layouts import BODY25
from core.rotations import matrix_to_axis_angle
from core.skeletons import JOINT_INDEX

from .motion_folder import Clip, read_clips

HELD_OUT_SUBJECTS = ("16", "35", "05")
"""Never trained on: figures are measured on these."""
_NOISE_M = 0.006
_RIDGES = (1e-3, 1e-2, 1e-1, 1.0, 10.0, 1e4, np.inf)
"""Strengths to choose from; the last but one leaves the mean alone, the last the analytic start itself."""
_FLOOR_RAD = np.deg2rad(2.0)
_HABIT_FLOOR_RAD = np.deg2rad(1.0)
_FRAME_STEP = 2


def _samples(clips: Sequence[Clip], part: str, level: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return features (N, P) and left-over turns (N, 3 J) of each clip and, next to it, of the same in a mirror.

    The part is seen to *level*.
    """
    names = tuple(point.solver for point in BODY25.points if point.solver)
    data = load_free_body()
    model = KeypointModel(BodyModel(data), landmark_regressor(data, names))
    hidden = {name for group in PART_CHAINS[part][level:] for name in group}
    both_sides = {name.replace("left", "right") for name in hidden} if part != "trunk" else set()
    shown = np.array([name not in hidden | both_sides for name in names], dtype=np.float32)
    generator = np.random.default_rng(0)
    samples = []
    for clip in clips:
        truth = clip.rotations[::_FRAME_STEP]
        keypoints = model.shaped(clip.drawn_betas())
        points = keypoints.points(truth, clip.trans[::_FRAME_STEP])
        scale = _NOISE_M * generator.uniform(size=(len(points), 1, 1))
        points = points + (generator.normal(size=points.shape) * scale).astype(np.float32)
        targets = Targets(points, np.broadcast_to(shown, points.shape[:2]))
        start, _ = analytic_start(names, keypoints, targets)
        for view, true_view in ((start, truth), (mirrored(start), mirrored(truth))):
            joints = [JOINT_INDEX[name] for name in PART_JOINTS[part]]
            left = np.swapaxes(view[:, joints], -1, -2) @ true_view[:, joints]
            turns = matrix_to_axis_angle(left).reshape(len(left), -1)
            samples.append((part_features(part, view).astype(np.float64), turns.astype(np.float64)))
    return samples


def _solve(gram: np.ndarray, moment: np.ndarray, count: int, ridge: float) -> np.ndarray:
    """Return ridge regression coefficients; the first feature is the constant 1 and is not held back."""
    if np.isinf(ridge):
        return np.zeros_like(moment)
    penalty = np.diag(gram) / count * ridge + 1e-9
    penalty[0] = 0.0
    return np.linalg.solve(gram / count + np.diag(penalty), moment / count)


def _left_over(samples: list[tuple[np.ndarray, np.ndarray]], subjects: Sequence[str], ridge: float) -> list[np.ndarray]:
    """Return what models that never saw the subject leave of each sample's turns (N, 3 J), radians."""
    products = [(x.T @ x, x.T @ y, len(x)) for x, y in samples]
    coefficients = {}
    for subject in dict.fromkeys(subjects):
        kept = [product for product, other in zip(products, subjects, strict=True) if other != subject]
        coefficients[subject] = _solve(*(sum(parts) for parts in zip(*kept, strict=True)), ridge)
    return [y - x @ coefficients[subject] for (x, y), subject in zip(samples, subjects, strict=True)]


def _covariances(rest: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return the covariances (3 J, 3 J) of what comes and goes, and of what stays, from each sample's rest (N, 3 J)."""
    means = np.stack([turns.mean(axis=0) for turns in rest])
    away = np.concatenate([turns - mean for turns, mean in zip(rest, means, strict=True)])
    eye = np.eye(means.shape[1])
    return (
        away.T @ away / len(away) + _FLOOR_RAD**2 * eye,
        means.T @ means / len(means) + _HABIT_FLOOR_RAD**2 * eye,
    )


def fit_part(clips: Sequence[Clip], part: str, level: int) -> PartModel:
    """Return the model of a *part* seen to *level*, learned from *clips* with subjects left out in turn."""
    samples = _samples(clips, part, level)
    subjects = [clip.subject for clip in clips for _ in range(2)]
    left = {ridge: _left_over(samples, subjects, ridge) for ridge in _RIDGES}
    gram, moment = sum(x.T @ x for x, _ in samples), sum(x.T @ y for x, y in samples)
    turns = np.concatenate([y for _, y in samples])
    columns, rests = [], []
    for joint, name in enumerate(PART_JOINTS[part]):
        own = slice(3 * joint, 3 * joint + 3)
        errors = {ridge: float(np.mean(np.concatenate(rest)[:, own] ** 2)) for ridge, rest in left.items()}
        best = min(_RIDGES, key=lambda ridge, errors=errors: errors[ridge])
        columns.append(_solve(gram, moment, len(turns), best)[:, own])
        rests.append([rest[:, own] for rest in left[best]])
        before, after = (np.rad2deg(np.sqrt(3.0 * error)) for error in (np.mean(turns[:, own] ** 2), errors[best]))
        print(f"{part} seen to {level}, {name}: {before:.1f} -> {after:.1f} degrees (ridge {best:g})")
    covariance, habit_covariance = _covariances([np.concatenate(parts, axis=1) for parts in zip(*rests, strict=True)])
    lengths = np.linalg.norm(turns.reshape(len(turns), -1, 3), axis=-1)
    reach = np.quantile(lengths, 0.999, axis=0)
    return PartModel(np.concatenate(columns, axis=1), covariance, habit_covariance, reach)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m training.pose_prior", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="motion clips in AMASS layout, Y up (CMU_SUBJECT_CLIP_poses.npz)")
    parser.add_argument("--output", type=Path, default=ASSET)
    options = parser.parse_args(arguments)
    return exit_code_of(parser.prog, lambda: _run(options))


def _run(options: argparse.Namespace) -> None:
    clips = [clip for clip in read_clips(options.folder) if clip.subject not in HELD_OUT_SUBJECTS]
    arrays: dict[str, np.ndarray] = {"version": np.array(ASSET_VERSION)}
    for part in PART_JOINTS:
        for level in range(len(PART_CHAINS[part]) + 1):
            model = fit_part(clips, part, level)
            for field in FIELDS:
                arrays[f"{part}_{level}_{field}"] = getattr(model, field).astype(np.float32)
    with atomic_path(options.output) as path:
        np.savez_compressed(path, **arrays)
    print(f"wrote {options.output}: {options.output.stat().st_size} bytes, from {len(clips)} clips")


if __name__ == "__main__":
    sys.exit(main())
