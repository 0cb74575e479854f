"""Plausibility checks of a track in metres, Y up: errors, and doubts that do not stop a fit. F frames, K keypoints."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..body_jumps import find_body_jumps
from ..errors import TrackError
from ..markers.vectors import dot, lengths, median, unit
from ..smpl_skeleton import SIDES
from .anatomy import Figure, anatomy_faults, faults_of_many, spread, stature, usual_frames
from .named_frames import named_frames

MAX_ROOT_SPEED = 15.0
"""Metres per second; the fastest sprinters reach 12.4."""
MAX_POINT_SPEED = 30.0
"""Metres per second away and back within two frames; no limb is that fast."""
_MEDIAN_WINDOW = 5
_MAJORITY = 0.5
_MIN_SIDE_DISTANCE = 0.04
"""Left and right that are closer sideways (7 cm) are not compared: the feet may be close, and points have errors."""
_MIN_USABLE_FRAMES = 0.1
"""Fraction of the frames that must be usable for the check of sides or of the pelvis' speed."""
_REVERSED_COSINE = -0.6
"""Median cosine to the hip line below which shoulders or knees are reversed farther than a body can turn."""
_MIN_VARIATION, _SWAPPED_VARIATION = 0.15, 0.5
"""Ankles are swapped if the shanks' lengths vary by more than the first fraction, and with the ankles swapped by less
than the second fraction of that."""

_MIN_FIXED_FRAMES, _FIXED = 5, 1e-5
"""A root is fixed if in so many frames or more it moves by less than this fraction of the stature (0.02 mm)."""


@dataclass
class CheckResult:
    """Results of the checks.

    Attributes:
        passed: checks that passed, one sentence each.
        doubts: what is unusual but possible, one sentence each.
    """

    passed: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)


def _check_bones(figure: Figure, source: Path, result: CheckResult) -> None:
    faults = anatomy_faults(figure)
    texts = [fault.text for fault in faults]
    if len(faults) >= 3 and faults_of_many(faults) >= 2:
        raise TrackError(
            f"expected the proportions of a body, but in {source} {'; '.join(texts[:4])}: the points are "
            "misidentified, or left and right are mixed up; check their names, or give --layout NAME",
            options=("layout",),
        )
    if faults:
        result.doubts.extend(texts)
    else:
        result.passed.append("Bone lengths are constant, left and right are equal, and the proportions are human.")


def check_sides(figure: Figure, size: float, source: Path, *, layout_is_known: bool) -> list[str]:
    """Check that hips, shoulders, knees and ankles agree on which side is left; any unit, any axes.

    Frames in which left and right are close together, or a bone has an unusual length, are not used. Legs may be
    crossed throughout.

    Args:
        figure: the person.
        size: the person's stature in the figure's unit.
        source: the file, for messages.
        layout_is_known: whether the user or the file names the layout; it is then trusted.

    Returns:
        What is unusual but possible, one sentence each.

    Raises:
        TrackError: the sides are swapped in a way that no body can be, and the layout was only detected.
    """
    doubts: list[str] = []
    hips = figure.side_line("hip")
    if hips is None:
        return doubts
    for stem in ("shoulder", "knee", "ankle"):
        line = figure.side_line(stem)
        if line is None:
            continue
        apart = np.minimum(lengths(hips), np.abs(dot(unit(hips), line)[:, 0])) > _MIN_SIDE_DISTANCE * size
        apart &= usual_frames(figure, "hip", size) & usual_frames(figure, stem, size)
        cosine = dot(unit(hips), unit(line))[apart, 0]
        if len(cosine) < max(1.0, _MIN_USABLE_FRAMES * figure.num_frames) or np.mean(cosine < 0.0) <= _MAJORITY:
            continue
        share = f"{np.mean(cosine < 0.0):.0%} of the usable frames"
        swapped = _ankles_are_swapped(figure) if stem == "ankle" else float(np.median(cosine)) < _REVERSED_COSINE
        if swapped and not layout_is_known:
            raise TrackError(
                f"expected left and right of the {stem}s to agree with the hips, but they are reversed in {share} of "
                f"{source}; correct the names of these points, or give the right order with --layout NAME",
                options=("layout",),
            )
        doubts.append(f"left and right of the {stem}s are reversed relative to the hips in {share}")
    return doubts


def _ankles_are_swapped(figure: Figure) -> bool:
    """Return whether the shanks' lengths are much more constant with left and right ankle swapped.

    If the ankles are only crossed, the lengths are constant without a swap.
    """
    names = [f"{side}_{stem}" for stem in ("knee", "ankle") for side in SIDES]
    if not figure.points.keys() >= set(names):
        return False
    left_knee, right_knee, left_ankle, right_ankle = (figure.points[name] for name in names)
    own = max(spread(lengths(left_knee - left_ankle)), spread(lengths(right_knee - right_ankle)))
    other = max(spread(lengths(left_knee - right_ankle)), spread(lengths(right_knee - left_ankle)))
    return own > _MIN_VARIATION and other < _SWAPPED_VARIATION * own


def _check_upright(figure: Figure, result: CheckResult) -> None:
    top, bottom = figure.first("nose", "head_top", "head"), figure.hips
    top = top if top is not None else figure.shoulders
    if top is None or bottom is None:
        return
    height = (top - bottom)[:, 1]
    height = height[np.isfinite(height)]
    if height.size and np.mean(height > 0.0) > _MAJORITY:
        result.passed.append(f"The head is above the pelvis in {np.mean(height > 0.0):.0%} of the frames.")
    elif height.size:
        result.doubts.append(f"the head is below the pelvis in {np.mean(height <= 0.0):.0%} of the frames")


def _median_filtered(path: np.ndarray) -> np.ndarray:
    """Return the running median over five frames of *path* (F, 3); shorter paths are returned unchanged."""
    if len(path) < _MEDIAN_WINDOW:
        return path
    return np.asarray(np.median(np.lib.stride_tricks.sliding_window_view(path, _MEDIAN_WINDOW, axis=0), axis=-1))


def _check_root_speed(figure: Figure, size: float, fps: float, source: Path, result: CheckResult) -> None:
    if figure.hips is None:
        return
    steady = usual_frames(figure, "hip", size)
    path = np.where(steady[:, None], figure.hips, np.nan)
    speeds = lengths(np.diff(_median_filtered(path), axis=0)) * fps
    speeds = speeds[np.isfinite(speeds)]
    if speeds.size < max(1.0, _MIN_USABLE_FRAMES * figure.num_frames):
        return
    fast = float(np.percentile(speeds, 95))
    if fast > MAX_ROOT_SPEED:
        raise TrackError(
            f"expected the pelvis to move at up to {MAX_ROOT_SPEED:g} m/s, found {fast:.3g} m/s in {source} at "
            f"{fps:g} fps; check the rate and the unit, and give --fps or --units",
            options=("fps", "units"),
        )
    result.passed.append(f"The pelvis moves at up to {fast:.2f} m/s.")


def jumps(positions: np.ndarray, fps: float) -> np.ndarray:
    """Return where (F, K) a point jumps away and back within two frames, faster than a limb can move."""
    found = np.zeros(positions.shape[:2], dtype=bool)
    if len(positions) < 3:
        return found
    steps = lengths(np.diff(positions, axis=0)) * fps
    across_two = lengths(positions[2:] - positions[:-2]) * fps
    found[1:-1] = np.minimum(steps[:-1], steps[1:]) > np.maximum(MAX_POINT_SPEED, 2.0 * across_two)
    return found


def swapped_frames(figure: Figure) -> np.ndarray:
    """Return the frames (F,) at which left and right legs swap places relative to the previous frame."""
    num_frames = figure.num_frames
    direct_sum, crossed_sum = np.zeros(num_frames), np.zeros(num_frames)
    for stem in ("hip", "knee", "ankle"):
        left, right = (figure.points.get(f"{side}_{stem}") for side in ("left", "right"))
        if left is None or right is None:
            continue
        direct = lengths(left[1:] - left[:-1]) + lengths(right[1:] - right[:-1])
        crossed = lengths(left[1:] - right[:-1]) + lengths(right[1:] - left[:-1])
        known = np.isfinite(direct) & np.isfinite(crossed)
        direct_sum[1:] += np.where(known, direct, 0.0)
        crossed_sum[1:] += np.where(known, crossed, 0.0)
    return np.asarray((direct_sum > 0.3) & (crossed_sum < 0.4 * direct_sum))


def _check_frames(figure: Figure, positions: np.ndarray, fps: float, result: CheckResult) -> None:
    jumping = jumps(positions, fps)
    if jumping.any():
        result.doubts.append(
            f"single-frame jumps of points: {int(jumping.sum())}, in {int(jumping.any(1).sum())} frames"
        )
    else:
        result.passed.append("No point jumps away and back within two frames.")
    seen = np.isfinite(positions).all(-1)
    elsewhere = np.flatnonzero(find_body_jumps(np.where(seen[..., None], positions, 0.0), seen, fps).any(axis=1))
    if elsewhere.size:
        result.doubts.append(
            f"the whole person jumps elsewhere at frames {named_frames(elsewhere)} (counted from 0): if another person "
            "or another take begins there, split the file"
        )
    swapped = np.flatnonzero(swapped_frames(figure))
    if swapped.size:
        frames = named_frames(swapped)
        result.doubts.append(f"left and right legs seem to swap places at frames {frames} (counted from 0)")
    else:
        result.passed.append("Left and right legs never swap places between frames.")


def check_track(
    figure: Figure, measured: np.ndarray, fps: float, source: Path, *, layout_is_known: bool
) -> CheckResult:
    """Check a track in metres, Y up.

    Args:
        figure: the person.
        measured: (F, K, 3) all points in metres, any axes, including those that are left out.
        fps: frames per second.
        source: the file, for messages.
        layout_is_known: whether the user or the file names the layout.

    Raises:
        TrackError: the data, as interpreted, cannot be human motion.
    """
    size = stature(figure)
    result = CheckResult(doubts=check_sides(figure, size, source, layout_is_known=layout_is_known))
    if not result.doubts:
        result.passed.append("Hips, shoulders, knees and ankles agree on which side is left.")
    _check_bones(figure, source, result)
    _check_upright(figure, result)
    _check_root_speed(figure, size, fps, source, result)
    _check_frames(figure, measured, fps, result)
    return result


def is_root_relative(figure: Figure, size: float) -> bool:
    """Return whether the hips are at one place in every frame, so that global translation is unknown.

    Near the origin they may move a little, since a file's root need not be the middle of the hips; elsewhere they must
    not move at all, which no measured person does. Frames in which a bone at a hip has an unusual length are not used.
    """
    hips = figure.hips
    root = figure.first("pelvis", "mid_hip")
    if hips is None:
        return False
    distance = lengths(hips)
    distance = distance[np.isfinite(distance) & usual_frames(figure, "hip", size)]
    if distance.size and median(distance) < 0.01 * size and float(distance.max()) < 0.05 * size:
        return True
    return any(_is_fixed(points, size) for points in (root, hips) if points is not None)


def _is_fixed(points: np.ndarray, size: float) -> bool:
    """Return whether a point (F, 3) is at the same place in every frame, to the digits that files have."""
    seen = points[np.isfinite(points).all(-1)]
    return len(seen) >= _MIN_FIXED_FRAMES and float(np.ptp(seen, axis=0).max()) < _FIXED * size
