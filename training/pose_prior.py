"""Train the fit's regression prior on motion capture.

    python -m training.pose_prior MOTION_FOLDER [--held-out 16 35 05] [--output core/fit/priors/assets/pose_prior.npz]

Clips are cut into tracks, each on a body of random shape with its own tracker errors; in every other track the hips
follow the pelvis instead of the skin. With the points of each limb visible up to each level, the analytic start is
computed, and a ridge regression learns the remaining rotation. Subjects with longer recordings weigh less per frame.
The ridge's strength and the residuals come from leave-one-subject-out cross-validation, so that the prior's confidence
holds for a new person. The residuals are split into each track's mean, the subject-specific pose offset, and the rest.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from core.body.data import NUM_BETAS
from core.body.free_body import FREE_BODY_PATH, load_free_body
from core.body.model import BodyModel
from core.cli.exit_codes import exit_code_of
from core.fit.observations import keypoint_model
from core.fit.priors.prior_file import FIELDS, PRIOR_VERSION, SHIPPED_PRIOR, array_name, models
from core.fit.priors.regression_prior import (
    PART_CHAINS,
    PART_JOINTS,
    PartModel,
    mirrored,
    part_features,
)
from core.fit.solver.gauss_newton import Targets
from core.fit.solver.initial_pose import analytic_start
from core.io.own_files import OVERWRITE_HELP, write_own_npz
from core.layouts import BODY25
from core.math.rotations import matrix_to_axis_angle
from core.smpl_skeleton import JOINT_INDEX

from .data.motion_folder import BETAS_STD, Clip, clip_files, read_clips
from .evaluation.realistic_errors import ErrorModel, add_errors
from .outputs import check_files

HELD_OUT_SUBJECTS = ("16", "35", "05")
"""Never trained on: metrics are measured on these subjects."""
_ERRORS = ErrorModel(constant_m=0.012, white_m=0.007)
"""Errors of a video tracker's points: errors constant through a track, and errors that vary. Chosen on held-out CMU
clips with `training.evaluation.realistic_errors.MIXED_ERRORS` and on OpenCap's squat."""
_TRACK_FRAMES = 200
"""Clips are cut into tracks of about this length, each with its own errors and body."""
_FRAMES_PER_SUBJECT = 500
"""Frames of subjects with more than this weigh less; otherwise one subject would make up two thirds of the data."""
_RIDGES = (1e-3, 1e-2, 1e-1, 1.0, 10.0, 1e4, np.inf)
"""Candidate strengths; the last but one predicts only the mean, the last leaves the analytic start unchanged."""
_FLOOR_RAD = np.deg2rad(2.0)
_OFFSET_FLOOR_RAD = np.deg2rad(1.0)
_FRAME_STEP = 2
_SIZES = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
"""Sizes of predicted turns between which the errors are compared, in standard deviations of the errors."""


@dataclass(frozen=True, eq=False)
class Sample:
    """Training sample: one track, or its mirror image. N frames.

    Attributes:
        subject: the recorded subject.
        features: (N, P) inputs of the regression.
        turns: (N, 3 J) rotation vectors from the analytic start to the true pose, radians.
        weight: weight of each frame.
    """

    subject: str
    features: np.ndarray
    turns: np.ndarray
    weight: float

    @cached_property
    def products(self) -> tuple[np.ndarray, np.ndarray, float]:
        """Weighted sums: features times features (P, P), features times turns (P, 3 J), number of frames."""
        weighted = self.weight * self.features.T
        return weighted @ self.features, weighted @ self.turns, self.weight * len(self.turns)


def _tracks(clips: Sequence[Clip]) -> list[tuple[Clip, np.ndarray]]:
    """Cut clips into tracks of about equal length; return each track's clip and frames."""
    tracks = []
    for clip in clips:
        frames = np.arange(len(clip.trans))
        tracks += [
            (clip, frames_of_track)
            for frames_of_track in np.array_split(frames, max(1, round(len(frames) / _TRACK_FRAMES)))
        ]
    return tracks


def _samples(clips: Sequence[Clip], part: str, level: int) -> list[Sample]:
    """Return the samples of *clips* for a part visible to *level*, each followed by its mirror image."""
    names = tuple(point.solver for point in BODY25.points if point.solver)
    model = keypoint_model(BODY25, BodyModel(load_free_body()), None)
    by_hips = [model.with_shares([share, 0.0]) for share in (0.0, 1.0)]
    hidden = {name for group in PART_CHAINS[part][level:] for name in group}
    both_sides = {name.replace("left", "right") for name in hidden} if part != "trunk" else set()
    visible = np.array([name not in hidden | both_sides for name in names], dtype=np.float32)
    joints = [JOINT_INDEX[name] for name in PART_JOINTS[part]]
    frames_of = Counter[str]()
    for clip in clips:
        frames_of[clip.subject] += len(clip.trans)
    generator = np.random.default_rng(0)
    samples = []
    for number, (clip, frames) in enumerate(_tracks(clips)):
        truth = clip.rotations[frames]
        keypoints = by_hips[number % 2].shaped(generator.normal(0.0, BETAS_STD, NUM_BETAS).astype(np.float32))
        points = keypoints.points(truth, clip.trans[frames])
        points = add_errors(points, truth, model.holders, clip.fps, generator, _ERRORS)[::_FRAME_STEP]
        truth = truth[::_FRAME_STEP]
        targets = Targets(points.astype(np.float32), np.broadcast_to(visible, points.shape[:2]))
        start, _ = analytic_start(names, keypoints, targets)
        weight = min(1.0, _FRAMES_PER_SUBJECT / frames_of[clip.subject])
        for view, true_view in ((start, truth), (mirrored(start), mirrored(truth))):
            remaining = np.swapaxes(view[:, joints], -1, -2) @ true_view[:, joints]
            turns = matrix_to_axis_angle(remaining).reshape(len(remaining), -1).astype(np.float64)
            samples.append(Sample(clip.subject, part_features(part, view).astype(np.float64), turns, weight))
    return samples


def _solve(gram: np.ndarray, moment: np.ndarray, count: float, ridge: float) -> np.ndarray:
    """Return ridge regression coefficients; the first feature is the constant 1 and is not penalised."""
    if np.isinf(ridge):
        return np.zeros_like(moment)
    penalty = np.diag(gram) / count * ridge + 1e-9
    penalty[0] = 0.0
    return np.linalg.solve(gram / count + np.diag(penalty), moment / count)


def _sum_products(samples: Iterable[Sample]) -> tuple[np.ndarray, np.ndarray, float]:
    """Return the sums of the samples' products."""
    grams, moments, counts = zip(*(sample.products for sample in samples), strict=True)
    nothing = np.zeros(())
    return sum(grams, nothing), sum(moments, nothing), sum(counts)


def _residuals(samples: Sequence[Sample], ridge: float) -> list[np.ndarray]:
    """Return each sample's residuals (N, 3 J), radians, of models trained without its subject."""
    whole = _sum_products(samples)
    coefficients = {}
    for subject in dict.fromkeys(sample.subject for sample in samples):
        own = _sum_products(sample for sample in samples if sample.subject == subject)
        coefficients[subject] = _solve(whole[0] - own[0], whole[1] - own[1], whole[2] - own[2], ridge)
    return [sample.turns - sample.features @ coefficients[sample.subject] for sample in samples]


def _covariances(residuals: Sequence[np.ndarray], weights: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Return the covariances (3 J, 3 J) of the residuals within tracks, and of the tracks' means.

    Args:
        residuals: (N, 3 J) of each sample.
        weights: weight of each sample's frames.
    """
    frame_weights = np.concatenate(
        [np.full(len(turns), weight) for turns, weight in zip(residuals, weights, strict=True)]
    )[:, None]
    means = np.concatenate([np.broadcast_to(turns.mean(axis=0), turns.shape) for turns in residuals])
    deviations = np.concatenate(residuals) - means
    eye = np.eye(means.shape[1])
    return (
        (frame_weights * deviations).T @ deviations / frame_weights.sum() + _FLOOR_RAD**2 * eye,
        (frame_weights * means).T @ means / frame_weights.sum() + _OFFSET_FLOOR_RAD**2 * eye,
    )


def _error_growth(
    turns: Sequence[np.ndarray], residuals: Sequence[np.ndarray], weights: Sequence[float], covariance: np.ndarray
) -> str:
    """Return the variance of the residuals by the size of the prediction, both relative to *covariance*, as text.

    Args:
        turns: (N, 3 J) of each sample.
        residuals: (N, 3 J) of each sample.
        weights: weight of each sample's frames.
        covariance: (3 J, 3 J) of the residuals within tracks.
    """
    frame_weights = np.concatenate([np.full(len(one), weight) for one, weight in zip(turns, weights, strict=True)])
    predicted = np.concatenate(turns) - np.concatenate(residuals)
    varying = np.concatenate([one - one.mean(axis=0) for one in residuals])
    inverse = np.linalg.inv(covariance)
    size = np.sqrt(((predicted @ inverse) * predicted).mean(axis=1))
    variance = ((varying @ inverse) * varying).mean(axis=1)
    parts = []
    for first, last in zip(_SIZES, _SIZES[1:], strict=False):
        inside = (size >= first) & (size < last)
        if inside.any():
            parts.append(f"{np.average(variance[inside], weights=frame_weights[inside]):.1f} at {first:g} to {last:g}")
    return ", ".join(parts)


def _mean_square(turns: Sequence[np.ndarray], weights: Sequence[float]) -> float:
    """Return the weighted mean square of the samples' turns (N, 3)."""
    total = sum(weight * float((vectors**2).sum()) for vectors, weight in zip(turns, weights, strict=True))
    return total / sum(weight * vectors.size for vectors, weight in zip(turns, weights, strict=True))


def fit_part(clips: Sequence[Clip], part: str, level: int) -> PartModel:
    """Train the model of a *part* visible to *level* on *clips*, with leave-one-subject-out cross-validation."""
    samples = _samples(clips, part, level)
    weights = [sample.weight for sample in samples]
    remaining = {ridge: _residuals(samples, ridge) for ridge in _RIDGES}
    whole = _sum_products(samples)
    columns, rests = [], []
    for joint, name in enumerate(PART_JOINTS[part]):
        columns_of_joint = slice(3 * joint, 3 * joint + 3)
        errors = {
            ridge: _mean_square([turns[:, columns_of_joint] for turns in residuals], weights)
            for ridge, residuals in remaining.items()
        }
        best = min(_RIDGES, key=errors.__getitem__)
        columns.append(_solve(*whole, best)[:, columns_of_joint])
        rests.append([residuals[:, columns_of_joint] for residuals in remaining[best]])
        start = _mean_square([sample.turns[:, columns_of_joint] for sample in samples], weights)
        before, after = (np.rad2deg(np.sqrt(3.0 * error)) for error in (start, errors[best]))
        print(f"{part} visible to {level}, {name}: {before:.1f} -> {after:.1f} degrees (ridge {best:g})")
    residuals = [np.concatenate(parts, axis=1) for parts in zip(*rests, strict=True)]
    lengths = np.linalg.norm(np.concatenate([sample.turns for sample in samples]).reshape(-1, len(rests), 3), axis=-1)
    reach = np.quantile(lengths, 0.999, axis=0)
    within, between = _covariances(residuals, weights)
    growth = _error_growth([sample.turns for sample in samples], residuals, weights, within)
    print(f"{part} visible to {level}: variance of the errors by the size of the turns: {growth}")
    return PartModel(np.concatenate(columns, axis=1), within, between, reach)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m training.pose_prior", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="motion clips in AMASS layout, Y up (CMU_SUBJECT_CLIP_poses.npz)")
    parser.add_argument(
        "--held-out", nargs="*", default=list(HELD_OUT_SUBJECTS), metavar="SUBJECT",
        help="subjects to exclude, for measuring the fit on them; the shipped asset excludes none",
    )  # fmt: skip
    parser.add_argument("--output", type=Path, default=SHIPPED_PRIOR)
    parser.add_argument("--overwrite", action="store_true", help=OVERWRITE_HELP)
    options = parser.parse_args(arguments)
    return exit_code_of(parser.prog, lambda: _run(options))


def _run(options: argparse.Namespace) -> None:
    read = {"the clips": clip_files(options.folder), "the body": [FREE_BODY_PATH]}
    check_files({"the prior": options.output}, read, own_data=False, overwrite=options.overwrite)
    clips = [clip for clip in read_clips(options.folder) if clip.subject not in options.held_out]
    arrays: dict[str, np.ndarray] = {"version": np.array(PRIOR_VERSION)}
    for part, level in models():
        model = fit_part(clips, part, level)
        for field in FIELDS:
            arrays[array_name(part, level, field)] = getattr(model, field).astype(np.float32)
    write_own_npz(options.output, arrays)
    print(f"wrote {options.output}: {options.output.stat().st_size} bytes, from {len(clips)} clips")


if __name__ == "__main__":
    sys.exit(main())
