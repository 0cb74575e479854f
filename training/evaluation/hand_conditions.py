"""Conditions of the finger evaluation: noise, other proportions, gaps and faults of the hands' points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.layouts import FINGERS, HAND_POINTS, Layout

from .hand_metrics import Disturb

_NOISE_M = 0.003
"""Noise of the rows with faults."""
_DRIFT_AR1, _DRIFT_M, _JITTER_M = 0.9, np.array([0.004, 0.004, 0.010]), np.array([0.003, 0.003, 0.006])
_JUMPS, _JUMP_M, _LOST = 0.02, 0.03, 0.05
"""A poor tracker: AR(1) coefficient of the drift, standard deviations of drift and jitter per axis; share and standard
deviation of jumps, and share of missing points."""
_LENGTH_STD, _PALM_STD_M = 0.08, 0.004


@dataclass(frozen=True)
class HandCondition:
    """The disturbance of the points in one row.

    Attributes:
        name: the row's name.
        disturb: disturbs the points.
        layout: the layout of the points.
        faulty: frames of the fault, as shares of the clip; empty without one.
        hidden: whether the left hand's pose is unobservable in these frames.
    """

    name: str
    disturb: Disturb
    layout: str = "wholebody133"
    faulty: tuple[float, float] | tuple[()] = ()
    hidden: bool = False


def clean(points: np.ndarray, layout: Layout, generator: np.random.Generator) -> np.ndarray:
    """Return the points unchanged."""
    return points


def noise(sigma_m: float) -> Disturb:
    """Return a disturbance by white noise with standard deviation *sigma_m* per axis."""

    def disturb(points: np.ndarray, layout: Layout, generator: np.random.Generator) -> np.ndarray:
        return points + sigma_m * generator.standard_normal(points.shape)

    return disturb


def missing(share: float) -> Disturb:
    """Return a disturbance by noise and randomly missing points."""

    def disturb(points: np.ndarray, layout: Layout, generator: np.random.Generator) -> np.ndarray:
        noisy = noise(_NOISE_M)(points, layout, generator)
        noisy[generator.random(points.shape[:2]) < share] = np.nan
        return noisy

    return disturb


def poor_tracker(points: np.ndarray, layout: Layout, generator: np.random.Generator) -> np.ndarray:
    """Return points with drift, mostly along one axis, jumps and gaps."""
    drift, shock = np.zeros_like(points), generator.standard_normal(points.shape)
    for frame in range(1, len(points)):
        drift[frame] = _DRIFT_AR1 * drift[frame - 1] + np.sqrt(1.0 - _DRIFT_AR1**2) * shock[frame]
    seen = points + _DRIFT_M * drift + _JITTER_M * generator.standard_normal(points.shape)
    jumps = generator.random(points.shape[:2]) < _JUMPS
    seen[jumps] += _JUMP_M * generator.standard_normal((jumps.sum(), 3))
    seen[generator.random(points.shape[:2]) < _LOST] = np.nan
    return seen


def other_bones(points: np.ndarray, layout: Layout, generator: np.random.Generator) -> np.ndarray:
    """Return noisy points of hands whose bones and knuckles differ from the body's."""
    changed = points.copy()
    factors = 1.0 + _LENGTH_STD * generator.standard_normal((len(FINGERS), 3))
    shifts = _PALM_STD_M * generator.standard_normal(len(FINGERS))
    for side in ("left", "right"):
        wrist = points[:, _columns(layout, side, ["wrist"])[0]]
        for finger, name in enumerate(FINGERS):
            chain = _columns(layout, side, [f"{name}{joint}" for joint in range(1, 5)])
            along = points[:, chain[0]] - wrist
            along = along / np.linalg.norm(along, axis=-1, keepdims=True)
            changed[:, chain[0]] = points[:, chain[0]] + shifts[finger] * along
            for joint in range(3):
                bone = points[:, chain[joint + 1]] - points[:, chain[joint]]
                changed[:, chain[joint + 1]] = changed[:, chain[joint]] + factors[finger, joint] * bone
    return noise(_NOISE_M)(changed, layout, generator)


def without(names: Sequence[str], frames: tuple[float, float] = (0.0, 1.0)) -> Disturb:
    """Return a disturbance that hides points of the left hand in *frames*, as shares of the clip."""

    def disturb(points: np.ndarray, layout: Layout, generator: np.random.Generator) -> np.ndarray:
        noisy = noise(_NOISE_M)(points, layout, generator)
        noisy[_frames(points, frames), np.array(_columns(layout, "left", names))[:, None]] = np.nan
        return noisy

    return disturb


def swapped(frames: tuple[float, float]) -> Disturb:
    """Return a disturbance that swaps the hands' points."""

    def disturb(points: np.ndarray, layout: Layout, generator: np.random.Generator) -> np.ndarray:
        noisy = noise(_NOISE_M)(points, layout, generator)
        left, right, at = *_both(layout), _frames(points, frames)[:, None]
        noisy[at, left], noisy[at, right] = noisy[at, right], noisy[at, left]
        return noisy

    return disturb


def on_other_hand(frames: tuple[float, float]) -> Disturb:
    """Return a disturbance that moves the left hand's points onto the right hand."""

    def disturb(points: np.ndarray, layout: Layout, generator: np.random.Generator) -> np.ndarray:
        noisy = noise(_NOISE_M)(points, layout, generator)
        left, right, at = *_both(layout), _frames(points, frames)[:, None]
        noisy[at, left] = noisy[at, right]
        return noisy

    return disturb


def moved(off_m: float, frames: tuple[float, float]) -> Disturb:
    """Return a disturbance that moves the left hand's points up, away from its wrist."""

    def disturb(points: np.ndarray, layout: Layout, generator: np.random.Generator) -> np.ndarray:
        noisy = noise(_NOISE_M)(points, layout, generator)
        noisy[_frames(points, frames)[:, None], _both(layout)[0], 1] += off_m
        return noisy

    return disturb


def collapsed(frames: tuple[float, float]) -> Disturb:
    """Return a disturbance that collapses the left hand's points onto its wrist."""

    def disturb(points: np.ndarray, layout: Layout, generator: np.random.Generator) -> np.ndarray:
        noisy = noise(_NOISE_M)(points, layout, generator)
        at, left = _frames(points, frames)[:, None], _both(layout)[0]
        noisy[at, left] = noisy[at, left[:1]]
        return noisy

    return disturb


def _frames(points: np.ndarray, shares: tuple[float, float]) -> np.ndarray:
    first, last = (round(share * len(points)) for share in shares)
    return np.arange(first, last)


def _columns(layout: Layout, side: str, names: Sequence[str]) -> list[int]:
    return [layout.finger_index[f"{side}_{name}"] for name in names]


def _both(layout: Layout) -> tuple[np.ndarray, np.ndarray]:
    """Return the columns of the left and of the right hand's points."""
    left, right = (np.array(_columns(layout, side, HAND_POINTS)) for side in ("left", "right"))
    return left, right


_FAULT, _MOMENT = (0.3, 0.5), (0.3, 0.32)
ROWS: tuple[HandCondition, ...] = (
    HandCondition("clean points", clean),
    HandCondition("3 mm noise", noise(0.003)),
    HandCondition("5 mm noise", noise(0.005)),
    HandCondition("10 mm noise", noise(0.010)),
    HandCondition("bones 8 %, palm 4 mm off, 3 mm noise", other_bones),
    HandCondition("a fifth missing, 3 mm noise", missing(0.2)),
    HandCondition("a poor tracker, 4 to 10 mm drift", poor_tracker),
    HandCondition("no index tip (20 of 21), 3 mm noise", without(["index4"])),
    HandCondition("MediaPipe 75, 3 mm noise", noise(0.003), "mediapipe75"),
    HandCondition("EasyMocap 67, 3 mm noise", noise(0.003), "body25_hands"),
    HandCondition("HALPE 136, 3 mm noise", noise(0.003), "halpe136"),
    HandCondition("MHR 70, 3 mm noise", noise(0.003), "mhr70"),
    HandCondition("SOMA 77, 3 mm noise", noise(0.003), "soma77"),
    HandCondition("SMPL-H 52 (no tips), 3 mm noise", noise(0.003), "smplh52"),
)
"""Conditions that apply to whole clips."""
FAULTS: tuple[HandCondition, ...] = (
    HandCondition("hands swapped", swapped(_FAULT), faulty=_FAULT),
    HandCondition("left points on the right hand", on_other_hand(_FAULT), faulty=_FAULT, hidden=True),
    HandCondition("left hand 12 cm off its wrist", moved(0.12, _FAULT), faulty=_FAULT),
    HandCondition("left hand 50 cm off its wrist", moved(0.5, _FAULT), faulty=_FAULT, hidden=True),
    HandCondition("left points in one place", collapsed(_FAULT), faulty=_FAULT, hidden=True),
    HandCondition("left hand hidden for a moment", without(HAND_POINTS, _MOMENT), faulty=_MOMENT, hidden=True),
    HandCondition("left hand hidden for long", without(HAND_POINTS, _FAULT), faulty=_FAULT, hidden=True),
)
"""Faults of the left hand, or of both, in some frames, with 3 mm noise."""
