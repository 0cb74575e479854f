"""Metrics of a fitted motion against an independent solution of the same trial. F frames.

Angles: root mean square error in degrees, raw, and bias-free, i.e. with one constant removed from each side's angle,
since OpenSim's zero differs from SMPL's. Joints: millimetres after a rigid alignment of the 12 limb joints in each
frame (PA).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.body.data import BodyData
from core.body.model import BodyModel
from core.cleanup import analyse_motion
from core.fit import FitReport
from core.joint_angles import ANGLES, LIMB_JOINTS, Angles, smpl_angles
from core.math.rotations import nearest_rotation
from core.motion import Motion
from core.smpl_skeleton import JOINT_INDEX, SIDES

from ..evaluate_cleanup import slides_mm
from .real_trials import Trial

BONES: dict[str, tuple[str, str]] = {
    "thigh": ("hip", "knee"),
    "shank": ("knee", "ankle"),
    "upper arm": ("shoulder", "elbow"),
    "forearm": ("elbow", "wrist"),
}
HIPS = "hips"
_MAX_LAG_S = 0.25
_TINY = 1e-12


@dataclass(frozen=True)
class AngleError:
    """Root mean square error of an angle, averaged over both sides.

    Attributes:
        raw_deg: error of the angle itself.
        bias_free_deg: error with each side's mean difference removed.
    """

    raw_deg: float
    bias_free_deg: float


@dataclass(frozen=True)
class TrialMetrics:
    """Metrics of one trial; NaN where the solution lacks the data.

    Attributes:
        name: name of the trial.
        kind: kind of the trial.
        frames: number of frames.
        angles: errors by `core.joint_angles.ANGLES`, of the angles that the solution has.
        pa_mm: error of the limb joints against the true ones, aligned in each frame.
        points_pa_mm: error of the track's own points against the true joints, aligned likewise.
        input_mm: distance of the limb joints from the track's own points.
        reported_mm: mean keypoint error reported by the fit.
        stature_m: height of the fitted body.
        bones_mm: fitted minus true bone lengths, averaged over both sides, and hip to hip; without true joints, the
            distances between the track's points are taken as true.
        jerk: mean jerk of the limb joints, m/s^3.
        points_jerk: mean jerk of the track's own points, m/s^3.
        slide_mm: mean slide of heels and toes on the floor over contacts.
        lag_ms: delay of the knee bend.
    """

    name: str
    kind: str
    frames: int
    angles: dict[str, AngleError]
    pa_mm: float
    points_pa_mm: float
    input_mm: float
    reported_mm: float
    stature_m: float
    bones_mm: dict[str, float]
    jerk: float
    points_jerk: float
    slide_mm: float
    lag_ms: float


def trial_metrics(trial: Trial, motion: Motion, data: BodyData, report: FitReport | None = None) -> TrialMetrics:
    """Return the metrics of *motion*, which has the trial's frames; *report* is the report of its fit."""
    body = BodyModel(data)
    shape = motion.betas.astype(np.float32)
    rotations = motion.rotations()
    all_joints = body.joints(rotations.astype(np.float32), shape, motion.trans.astype(np.float32))
    joints = all_joints[:, [JOINT_INDEX[name] for name in LIMB_JOINTS]].astype(np.float64)
    points = track_joints(trial)
    rest = body.rest_vertices(shape)[:, 1]
    angles = smpl_angles(rotations, all_joints)
    known = trial.joints if trial.joints is not None else points
    nan = float("nan")
    return TrialMetrics(
        trial.name,
        trial.kind,
        len(joints),
        angle_errors(angles, trial.angles),
        pa_mm=nan if trial.joints is None else aligned_mm(joints, trial.joints),
        points_pa_mm=nan if trial.joints is None else aligned_mm(points, trial.joints),
        input_mm=1000.0 * _mean(np.linalg.norm(joints - points, axis=-1)),
        reported_mm=nan if report is None else report.mean_error_mm,
        stature_m=float(rest.max() - rest.min()),
        bones_mm=_differences(bone_lengths(joints), bone_lengths(known)),
        jerk=jerk(joints, motion.fps),
        points_jerk=jerk(points, motion.fps),
        slide_mm=foot_slide_mm(motion, data),
        lag_ms=_mean([lag_ms(angles[f"{side}_knee"], trial.angles[f"{side}_knee"], motion.fps) for side in SIDES]),
    )


def track_joints(trial: Trial) -> np.ndarray:
    """Return the track's own points for `LIMB_JOINTS` (F, 12, 3), NaN where they are missing."""
    positions, index = trial.track.positions, trial.track.layout.solver_index
    points = np.full((len(positions), len(LIMB_JOINTS), 3), np.nan)
    for column, name in enumerate(LIMB_JOINTS):
        if name in index:
            points[:, column] = positions[:, index[name]]
    return points


def angle_errors(found: Angles, true: Angles) -> dict[str, AngleError]:
    """Return the error of each angle in *true*, averaged over both sides."""
    errors = {}
    for angle in ANGLES:
        names = [f"{side}_{angle}" for side in SIDES if f"{side}_{angle}" in true]
        if names:
            distance = [found[name] - true[name] for name in names]
            raw = [np.sqrt(np.nanmean(one**2)) for one in distance]
            bias_free = [np.nanstd(one) for one in distance]
            errors[angle] = AngleError(float(np.mean(raw)), float(np.mean(bias_free)))
    return errors


def aligned_mm(points: np.ndarray, true: np.ndarray) -> float:
    """Return the mean distance, mm, of *points* (F, K, 3) from *true* points after a rigid alignment of each frame.

    Points missing (NaN) in either are ignored.
    """
    seen = (np.isfinite(points) & np.isfinite(true)).all(-1)[..., None]
    first, second = np.where(seen, points, 0.0), np.where(seen, true, 0.0)
    count = np.maximum(seen.sum(axis=1, keepdims=True), 1)
    first, second = ((one - seen * one.sum(axis=1, keepdims=True) / count) * seen for one in (first, second))
    rotation = nearest_rotation(np.swapaxes(second, -1, -2) @ first)
    distance = np.linalg.norm(first @ np.swapaxes(rotation, -1, -2) - second, axis=-1)
    return 1000.0 * float(distance[seen[..., 0]].mean())


def bone_lengths(joints: np.ndarray) -> dict[str, float]:
    """Return the median bone lengths, m, between `LIMB_JOINTS` (F, 12, 3), averaged over both sides."""
    column = {name: joints[:, index] for index, name in enumerate(LIMB_JOINTS)}
    lengths = {
        bone: _mean([_median_distance(column[f"{side}_{top}"], column[f"{side}_{bottom}"]) for side in SIDES])
        for bone, (top, bottom) in BONES.items()
    }
    return {HIPS: _median_distance(column["left_hip"], column["right_hip"]), **lengths}


def jerk(joints: np.ndarray, fps: float) -> float:
    """Return the mean jerk, m/s^3, of *joints* (F, K, 3)."""
    return _mean(np.linalg.norm(np.diff(joints, n=3, axis=0), axis=-1)) * fps**3


def lag_ms(found: np.ndarray, true: np.ndarray, fps: float) -> float:
    """Return the delay, ms, of *found* (F,) against *true* that maximises their correlation."""
    both = np.isfinite(found) & np.isfinite(true)
    first, second = found[both] - found[both].mean(), true[both] - true[both].mean()
    max_lag = int(_MAX_LAG_S * fps)
    if len(first) <= 2 * max_lag + 2:
        return float("nan")
    correlations = []
    for lag in range(-max_lag, max_lag + 1):
        late, early = first[max(0, lag) : len(first) + min(0, lag)], second[max(0, -lag) : len(second) + min(0, -lag)]
        correlations.append((late * early).sum() / np.sqrt((late**2).sum() * (early**2).sum() + _TINY))
    best, fraction = int(np.argmax(correlations)), 0.0
    if 0 < best < len(correlations) - 1:
        before, peak, after = correlations[best - 1 : best + 2]
        fraction = 0.5 * (before - after) / (before - 2.0 * peak + after)
    return 1000.0 * (best - max_lag + fraction) / fps


def foot_slide_mm(motion: Motion, data: BodyData) -> float:
    """Return the mean slide, mm, of heels and toes on the floor over contacts; NaN without contacts."""
    return _mean(slides_mm(analyse_motion(motion, data), motion))


def mean_angles(metrics: Sequence[TrialMetrics]) -> dict[str, AngleError]:
    """Return each angle's mean error over the trials that have it."""
    return {
        angle: AngleError(_mean([one.raw_deg for one in errors]), _mean([one.bias_free_deg for one in errors]))
        for angle in ANGLES
        if (errors := [trial.angles[angle] for trial in metrics if angle in trial.angles])
    }


def mean_metrics(kind: str, metrics: Sequence[TrialMetrics]) -> TrialMetrics:
    """Return the means over trials of one kind, ignoring values that a trial lacks."""
    own = ("name", "kind", "frames", "angles", "bones_mm")
    means = {
        name: _mean([getattr(trial, name) for trial in metrics])
        for name in TrialMetrics.__dataclass_fields__
        if name not in own
    }
    bones = {bone: _mean([trial.bones_mm[bone] for trial in metrics]) for bone in (HIPS, *BONES)}
    frames = sum(trial.frames for trial in metrics)
    return TrialMetrics(f"mean of {len(metrics)}", kind, frames, mean_angles(metrics), bones_mm=bones, **means)


def _differences(found: Mapping[str, float], known: Mapping[str, float]) -> dict[str, float]:
    return {bone: 1000.0 * (length - known[bone]) for bone, length in found.items()}


def _median_distance(first: np.ndarray, second: np.ndarray) -> float:
    distance = np.linalg.norm(first - second, axis=-1)
    distance = distance[np.isfinite(distance)]
    return float(np.median(distance)) if distance.size else float("nan")


def _mean(values: np.ndarray | Sequence[float]) -> float:
    """Return the mean of the finite values; NaN if there are none."""
    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    return float(known.mean()) if known.size else float("nan")
