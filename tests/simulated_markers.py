"""Optical markers on the free body while it does the motion of the samples. F frames, K markers; metres, Y up.

A marker sits on the skin, where a ray from a place between two joints leaves the body; a point inside moves with the
skin around it. The joints themselves are known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.interpolate import CubicSpline

from core.body.data import BodyData
from core.body.free_body import load_free_body
from core.body.keypoints import KeypointModel
from core.body.landmarks import SOLVER_POINTS, landmark_regressor
from core.body.model import BodyModel
from training.samples.motion import sample_motion

NOISE_M = 0.0003
"""Standard deviation of the noise of an optical system on every coordinate."""


@dataclass(frozen=True)
class Place:
    """A place on the left half of the body, arms spread: X outwards, Y up, Z forward.

    Attributes:
        first, second: two solver points, without their side.
        share: how far from the first to the second joint the ray starts.
        towards: direction of the ray; None for the solver point itself.
        shift: of the ray's start, metres.
    """

    first: str
    second: str
    share: float
    towards: tuple[float, float, float] | None
    shift: tuple[float, float, float] = (0.0, 0.0, 0.0)


def _at(joint: str, *towards: float, shift: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Place:
    return Place(joint, joint, 0.0, (towards[0], towards[1], towards[2]) if towards else None, shift)


def _along(first: str, second: str, share: float, *towards: float) -> Place:
    return Place(first, second, share, (towards[0], towards[1], towards[2]))


PLACES: dict[str, Place] = {
    "asis": _at("hip", 0.2, 0.0, 1.0, shift=(0.025, 0.085, 0.0)),
    "psis": _at("hip", -0.1, 0.0, -1.0, shift=(-0.045, 0.085, 0.0)),
    "waist": _at("hip", 1.0, 0.0, 0.0, shift=(0.0, 0.085, 0.0)),
    "sacrum": _at("pelvis", 0.0, 0.0, -1.0),
    "hip": _at("hip"),
    "thigh outside": _along("hip", "knee", 0.6, 1.0, 0.0, 0.0),
    "thigh outside above": _along("hip", "knee", 0.4, 1.0, 0.0, 0.0),
    "thigh front": _along("hip", "knee", 0.6, 0.0, 0.0, 1.0),
    "thigh front above": _along("hip", "knee", 0.4, 0.0, 0.0, 1.0),
    "thigh oblique": _along("hip", "knee", 0.5, 0.7, 0.0, 0.7),
    "knee outside": _at("knee", 1.0, 0.0, 0.0),
    "knee inside": _at("knee", -1.0, 0.0, 0.0),
    "kneecap": _at("knee", 0.0, 0.0, 1.0),
    "shank outside": _along("knee", "ankle", 0.45, 1.0, 0.0, 0.0),
    "shank front": _along("knee", "ankle", 0.3, 0.3, 0.0, 1.0),
    "shank front below": _along("knee", "ankle", 0.6, 0.3, 0.0, 1.0),
    "ankle outside": _at("ankle", 1.0, 0.0, 0.0),
    "ankle inside": _at("ankle", -1.0, 0.0, 0.0),
    "heel": _at("ankle", 0.0, -0.55, -1.0),
    "toe": _at("foot", 0.0, 1.0, 0.0),
    "toe tip": _at("big_toe"),
    "instep inside": _along("ankle", "foot", 0.5, -1.0, 0.0, 0.0),
    "instep outside": _along("ankle", "foot", 0.5, 1.0, 0.0, 0.0),
    "first metatarsal": _at("foot", -1.0, 0.2, 0.0),
    "fifth metatarsal": _at("foot", 1.0, 0.2, 0.0),
    "shoulder": _at("shoulder", 0.0, 1.0, 0.0, shift=(-0.035, 0.0, 0.0)),
    "shoulder front": _at("shoulder", 0.0, 0.2, 1.0),
    "shoulder back": _at("shoulder", 0.0, 0.2, -1.0),
    "upper arm": _along("shoulder", "elbow", 0.55, 0.0, 0.4, -1.0),
    "elbow outside": _at("elbow", 0.0, 1.0, 0.0),
    "elbow inside": _at("elbow", 0.0, -1.0, 0.0),
    "forearm": _along("elbow", "wrist", 0.5, 0.0, 1.0, 0.0),
    "wrist thumb side": _at("wrist", 0.0, 0.0, 1.0),
    "wrist little finger side": _at("wrist", 0.0, 0.0, -1.0),
    "wrist": _at("wrist", 0.0, 1.0, 0.0),
    "index knuckle": _at("hand", 0.0, 1.0, 0.3),
    "little finger knuckle": _at("hand", 0.0, 1.0, -0.8),
    "head front": _at("head", 0.5, 0.0, 1.0, shift=(0.0, 0.08, 0.0)),
    "head back": _at("head", 0.5, 0.0, -1.0, shift=(0.0, 0.08, 0.0)),
    "head top": _at("head", 0.0, 1.0, 0.0, shift=(0.0, 0.08, 0.0)),
    "c7": _at("neck", 0.0, 0.0, -1.0),
    "t7": _at("spine3", 0.0, 0.0, -1.0),
    "t10": _at("spine2", 0.0, 0.0, -1.0),
    "manubrium": _along("neck", "spine3", 0.4, 0.0, 0.0, 1.0),
    "sternum": _at("spine3", 0.0, 0.0, 1.0),
    "chest": _along("collar", "spine3", 0.3, 0.0, 0.0, 1.0),
    "clavicle": _at("collar", 0.0, 0.3, 1.0),
}  # fmt: skip


def _row(body: BodyData, marker: str) -> np.ndarray:
    """Return the weights (V,) of a marker: "left heel", "right hip", "c7", or the solver point "left_heel"."""
    if marker in SOLVER_POINTS:
        return landmark_regressor(body, (marker,))[0]
    side, _, rest = marker.partition(" ")
    side, name = (side, rest) if side in ("left", "right") else ("", marker)
    place, mirror = PLACES[name], np.array([-1.0 if side == "right" else 1.0, 1.0, 1.0])
    rows = [landmark_regressor(body, (point if point in SOLVER_POINTS else f"{side}_{point}",))[0]
            for point in (place.first, place.second)]  # fmt: skip
    row = (1.0 - place.share) * rows[0] + place.share * rows[1]
    if place.towards is None:
        return row
    towards = mirror * place.towards / np.linalg.norm(place.towards)
    away = body.v_template - (row @ body.v_template + mirror * place.shift)
    along = away @ towards
    aside = np.linalg.norm(away - along[:, None] * towards, axis=1)
    chosen = np.zeros(len(body.v_template))
    chosen[np.argmax(np.where((aside < 0.04) & (along < 0.13), along - 2.0 * aside, -np.inf))] = 1.0
    return chosen


@cache
def _path(markers: tuple[str, ...] | None) -> CubicSpline:
    """Return the path over time, seconds, of the markers (K, 3) or, without any, of the body's joints (24, 3)."""
    motion, body = sample_motion(), load_free_body()
    rotations, betas, trans = (part.astype(np.float32) for part in (motion.rotations(), motion.betas, motion.trans))
    if markers is None:
        points = BodyModel(body).joints(rotations, betas, trans)
    else:
        regressor = np.stack([_row(body, marker) for marker in markers])
        points = KeypointModel(BodyModel(body), regressor).shaped(betas).points(rotations, trans)
    return CubicSpline(np.arange(len(points)) / motion.fps, points.astype(np.float64))


def simulated(
    markers: Sequence[str], fps: float, num_frames: int, *, start_s: float = 0.0, speed: float = 1.0, seed: int = 0
) -> np.ndarray:
    """Return what an optical system sees of the samples' motion (F, K, 3).

    Args:
        markers: names of `PLACES`, with their side ("left heel"), or solver points.
        fps: frames per second of the recording.
        num_frames: its length.
        start_s: where in the motion it begins.
        speed: how many times as fast the person moves.
        seed: of the noise.
    """
    seen = _path(tuple(markers))(start_s + speed * np.arange(num_frames) / fps)
    return np.asarray(seen + NOISE_M * np.random.default_rng(seed).standard_normal(seen.shape))


def true_joints(fps: float, num_frames: int, *, start_s: float = 0.0, speed: float = 1.0) -> np.ndarray:
    """Return the body's joints (F, 24, 3) in the frames of `simulated`."""
    return np.asarray(_path(None)(start_s + speed * np.arange(num_frames) / fps))
