"""Add realistic tracker errors to true points. F frames, K points.

Against markers, the joints of video trackers have errors of 19 to 27 mm per axis: 12 to 23 mm constant, the rest smooth
in time with correlation times of 0.1 to 0.4 s, and hardly any white noise. An error here has three parts:

- constant: an offset fixed to the body segment that carries the point; it rotates with the segment;
- smooth: Gaussian noise whose autocorrelation is ``exp(-t^2 / (2 tau^2))``;
- white: independent in every frame.

Each is normally distributed with a standard deviation per axis. Other errors are runs of outliers, hidden points and
swapped sides.

Convention: metres, Y up; all randomness comes from the given generator. Missing points are NaN and stay NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.body.model import world_rotations

_KERNEL_REACH = 4.0
"""The smoothing kernel is truncated at this number of standard deviations."""


@dataclass(frozen=True)
class ErrorModel:
    """Magnitudes of the components of a tracker's error.

    Attributes:
        constant_m: standard deviation per axis of the offsets fixed to body segments, metres.
        smooth_m: standard deviation per axis of the noise that is smooth in time, metres.
        tau_s: the smooth noise's correlation time, seconds.
        white_m: standard deviation per axis of the white noise, metres.
    """

    constant_m: float = 0.0
    smooth_m: float = 0.0
    tau_s: float = 0.3
    white_m: float = 0.0


MIXED_ERRORS = ErrorModel(constant_m=0.010, smooth_m=0.010, tau_s=0.3, white_m=0.005)
"""Approximate errors of a good video tracker."""


def add_errors(
    points: np.ndarray,
    rotations: np.ndarray,
    holders: Sequence[int],
    fps: float,
    generator: np.random.Generator,
    model: ErrorModel = MIXED_ERRORS,
) -> np.ndarray:
    """Return *points* (F, K, 3) float64 with the errors of *model*.

    Args:
        points: (F, K, 3) true points.
        rotations: (F, 24, 3, 3) local rotations of the body.
        holders: (K,) the joint that carries each point (`core.body.keypoints.KeypointModel.holders`).
        fps: frames per second.
        generator: draws the errors.
        model: magnitude of each part.
    """
    errors = constant_errors(rotations, holders, generator, std_m=model.constant_m)
    errors += smooth_errors(points.shape, fps, generator, std_m=model.smooth_m, tau_s=model.tau_s)
    errors += generator.normal(0.0, 1.0, points.shape) * model.white_m
    return np.asarray(points + errors)


def constant_errors(
    rotations: np.ndarray, holders: Sequence[int], generator: np.random.Generator, *, std_m: float
) -> np.ndarray:
    """Draw errors (F, K, 3), metres, that are constant in the axes of the segments carrying the points.

    Args:
        rotations: (F, 24, 3, 3) local rotations.
        holders: (K,) the joint that carries each point.
        generator: draws the offsets.
        std_m: their standard deviation per axis, metres.
    """
    offsets = generator.normal(0.0, 1.0, (len(holders), 3)) * std_m
    segment_rotations = np.asarray(world_rotations(rotations), dtype=np.float64)[:, list(holders)]
    return np.asarray(np.einsum("fkij,kj->fki", segment_rotations, offsets))


def smooth_errors(
    shape: tuple[int, ...], fps: float, generator: np.random.Generator, *, std_m: float, tau_s: float
) -> np.ndarray:
    """Draw errors of *shape* (F, ...), metres: stationary Gaussian noise, smooth along the first axis.

    White noise is convolved with a Gaussian of ``tau_s * fps / sqrt(2)`` frames, which gives the autocorrelation
    ``exp(-t^2 / (2 tau_s^2))``, and scaled to *std_m*.

    Args:
        shape: shape of the errors.
        fps: frames per second.
        generator: draws the white noise.
        std_m: standard deviation of each value, metres.
        tau_s: correlation time, seconds; 0 leaves the noise white.
    """
    spread = tau_s * fps / np.sqrt(2.0)
    reach = int(np.ceil(_KERNEL_REACH * spread))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / max(spread, np.finfo(float).tiny)) ** 2)
    kernel *= std_m / np.linalg.norm(kernel)
    white = generator.normal(0.0, 1.0, (shape[0] + 2 * reach, *shape[1:]))
    size = len(white) + len(kernel) - 1
    spectrum = np.fft.rfft(white, size, axis=0) * np.fft.rfft(kernel, size).reshape(-1, *[1] * (len(shape) - 1))
    return np.asarray(np.fft.irfft(spectrum, size, axis=0)[2 * reach : 2 * reach + shape[0]])


def add_outlier_run(
    points: np.ndarray, columns: int | slice, frames: slice, distance_m: float, generator: np.random.Generator
) -> np.ndarray:
    """Return *points* (F, K, 3) with the *columns* offset by one constant vector of *distance_m* in *frames*."""
    direction = generator.normal(0.0, 1.0, 3)
    moved = np.array(points, dtype=np.float64)
    moved[frames, columns] += distance_m * direction / np.linalg.norm(direction)
    return moved


def hide_points(points: np.ndarray, columns: Sequence[int], frames: slice) -> np.ndarray:
    """Return *points* (F, K, 3) with the *columns* missing (NaN) in *frames*."""
    hidden = np.array(points, dtype=np.float64)
    hidden[frames, list(columns)] = np.nan
    return hidden


def swap_points(points: np.ndarray, pairs: Sequence[tuple[int, int]], frames: slice) -> np.ndarray:
    """Return *points* (F, K, 3) with the columns of each pair swapped in *frames*."""
    order = np.arange(points.shape[1])
    for first, second in pairs:
        order[[first, second]] = second, first
    swapped = np.array(points, dtype=np.float64)
    swapped[frames] = swapped[frames][:, order]
    return swapped
