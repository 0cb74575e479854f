"""How far a fitted motion is from an independent solution of the same trial. F frames.

Angles: root mean square error in degrees, raw, and bias-free: with one constant taken off each side's angle, since
OpenSim's zero is not SMPL's. Joints: millimetres after a rigid alignment of the 12 limb joints in each frame (PA).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.body.data import BodyData
from core.body.model import BodyModel
from core.cleanup import analyse_motion
from core.fit import FitReport
from core.math.rotations import nearest_rotation
from core.motion import Motion
from core.smpl_skeleton import JOINT_INDEX

from .evaluate_cleanup import slides_mm
from .joint_angles import ANGLES, LIMB_JOINTS, SIDES, Angles, smpl_angles
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
    """Root mean square error of an angle, the mean of both sides.

    Attributes:
        raw_deg: as it is.
        bias_free_deg: with each side's mean difference taken off.
    """

    raw_deg: float
    bias_free_deg: float


@dataclass(frozen=True)
class TrialFigures:
    """Figures of one trial; NaN where a solution does not say.

    Attributes:
        name: the trial's.
        kind: the trial's.
        frames: how many.
        angles: by `joint_angles.ANGLES`, those the solution has.
        pa_mm: the limbs' joints against the true ones, aligned in each frame.
        points_pa_mm: the track's own points against the true joints, in the same way.
        input_mm: the limbs' joints against the track's own points.
        reported_mm: mean keypoint error that the fit reports.
        stature_m: of the fitted body.
        bones_mm: fitted less true bone lengths, or less those between the track's points without true joints; mean of
            both sides, and hip to hip.
        jerk: mean jerk of the limbs' joints, m/s^3.
        points_jerk: that of the track's own points.
        slide_mm: how far a heel or toe moves on the floor while it stands, mean over contacts.
        lag_ms: how late the knees' bend is.
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


def trial_figures(trial: Trial, motion: Motion, data: BodyData, report: FitReport | None = None) -> TrialFigures:
    """Return the figures of *motion*, whose frames are the trial's; *report* is of the fit that made it."""
    body = BodyModel(data)
    shape = motion.betas.astype(np.float32)
    rotations = motion.rotations()
    everything = body.joints(rotations.astype(np.float32), shape, motion.trans.astype(np.float32))
    joints = everything[:, [JOINT_INDEX[name] for name in LIMB_JOINTS]].astype(np.float64)
    points = track_joints(trial)
    rest = body.rest_vertices(shape)[:, 1]
    angles = smpl_angles(rotations, everything)
    known = trial.joints if trial.joints is not None else points
    nan = float("nan")
    return TrialFigures(
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
    """Return the track's own points for `LIMB_JOINTS` (F, 12, 3), NaN where it has none."""
    positions, index = trial.track.positions, trial.track.layout.solver_index
    points = np.full((len(positions), len(LIMB_JOINTS), 3), np.nan)
    for place, name in enumerate(LIMB_JOINTS):
        if name in index:
            points[:, place] = positions[:, index[name]]
    return points


def angle_errors(found: Angles, true: Angles) -> dict[str, AngleError]:
    """Return the error of each angle that the *true* ones have, the mean of both sides."""
    errors = {}
    for angle in ANGLES:
        names = [f"{side}_{angle}" for side in SIDES if f"{side}_{angle}" in true]
        if names:
            off = [found[name] - true[name] for name in names]
            raw = [np.sqrt(np.nanmean(one**2)) for one in off]
            bias_free = [np.nanstd(one) for one in off]
            errors[angle] = AngleError(float(np.mean(raw)), float(np.mean(bias_free)))
    return errors


def aligned_mm(points: np.ndarray, true: np.ndarray) -> float:
    """Return the mean distance, mm, of *points* (F, K, 3) from *true* ones after a rigid alignment of each frame.

    Points that are missing (NaN) in either take no part.
    """
    seen = (np.isfinite(points) & np.isfinite(true)).all(-1)[..., None]
    first, second = np.where(seen, points, 0.0), np.where(seen, true, 0.0)
    count = np.maximum(seen.sum(axis=1, keepdims=True), 1)
    first, second = ((one - seen * one.sum(axis=1, keepdims=True) / count) * seen for one in (first, second))
    turn = nearest_rotation(np.swapaxes(second, -1, -2) @ first)
    off = np.linalg.norm(first @ np.swapaxes(turn, -1, -2) - second, axis=-1)
    return 1000.0 * float(off[seen[..., 0]].mean())


def bone_lengths(joints: np.ndarray) -> dict[str, float]:
    """Return the median lengths, m, of the bones between `LIMB_JOINTS` (F, 12, 3), the mean of both sides."""
    place = {name: joints[:, index] for index, name in enumerate(LIMB_JOINTS)}
    lengths = {
        bone: _mean([_median_distance(place[f"{side}_{top}"], place[f"{side}_{bottom}"]) for side in SIDES])
        for bone, (top, bottom) in BONES.items()
    }
    return {HIPS: _median_distance(place["left_hip"], place["right_hip"]), **lengths}


def jerk(joints: np.ndarray, fps: float) -> float:
    """Return the mean jerk, m/s^3, of *joints* (F, K, 3)."""
    return _mean(np.linalg.norm(np.diff(joints, n=3, axis=0), axis=-1)) * fps**3


def lag_ms(found: np.ndarray, true: np.ndarray, fps: float) -> float:
    """Return by how many milliseconds *found* (F,) is later than *true*: where their correlation is largest."""
    both = np.isfinite(found) & np.isfinite(true)
    first, second = found[both] - found[both].mean(), true[both] - true[both].mean()
    most = int(_MAX_LAG_S * fps)
    if len(first) <= 2 * most + 2:
        return float("nan")
    fits = []
    for lag in range(-most, most + 1):
        late, early = first[max(0, lag) : len(first) + min(0, lag)], second[max(0, -lag) : len(second) + min(0, -lag)]
        fits.append((late * early).sum() / np.sqrt((late**2).sum() * (early**2).sum() + _TINY))
    best, between = int(np.argmax(fits)), 0.0
    if 0 < best < len(fits) - 1:
        before, peak, after = fits[best - 1 : best + 2]
        between = 0.5 * (before - after) / (before - 2.0 * peak + after)
    return 1000.0 * (best - most + between) / fps


def foot_slide_mm(motion: Motion, data: BodyData) -> float:
    """Return how far heels and toes move on the floor while they stand, mm, mean over contacts; NaN without any."""
    return _mean(slides_mm(analyse_motion(motion, data), motion))


def mean_angles(figures: Sequence[TrialFigures]) -> dict[str, AngleError]:
    """Return the mean error of each angle over the trials that have it."""
    return {
        angle: AngleError(_mean([one.raw_deg for one in errors]), _mean([one.bias_free_deg for one in errors]))
        for angle in ANGLES
        if (errors := [trial.angles[angle] for trial in figures if angle in trial.angles])
    }


def mean_figures(kind: str, figures: Sequence[TrialFigures]) -> TrialFigures:
    """Return the means over trials of one kind; what a trial does not say takes no part."""
    own = ("name", "kind", "frames", "angles", "bones_mm")
    means = {
        name: _mean([getattr(trial, name) for trial in figures])
        for name in TrialFigures.__dataclass_fields__
        if name not in own
    }
    bones = {bone: _mean([trial.bones_mm[bone] for trial in figures]) for bone in (HIPS, *BONES)}
    frames = sum(trial.frames for trial in figures)
    return TrialFigures(f"mean of {len(figures)}", kind, frames, mean_angles(figures), bones_mm=bones, **means)


def _differences(found: Mapping[str, float], known: Mapping[str, float]) -> dict[str, float]:
    return {bone: 1000.0 * (length - known[bone]) for bone, length in found.items()}


def _median_distance(first: np.ndarray, second: np.ndarray) -> float:
    distance = np.linalg.norm(first - second, axis=-1)
    distance = distance[np.isfinite(distance)]
    return float(np.median(distance)) if distance.size else float("nan")


def _mean(values: np.ndarray | Sequence[float]) -> float:
    """Return the mean of the values that are numbers; NaN for none."""
    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    return float(known.mean()) if known.size else float("nan")
