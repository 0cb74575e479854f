"""What must hold for a track in metres, Y up, and what is merely odd. F frames, K keypoints."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..errors import TrackError
from ..markers.vectors import dot, lengths, median, unit
from .anatomy import SIDES, Figure, anatomy_faults, faults_of_many, spread, stature, usual_frames

MAX_ROOT_SPEED = 15.0
"""Metres a second; the fastest sprinters reach 12.4."""
MAX_POINT_SPEED = 30.0
"""Metres a second to a place and back within two frames: no limb does that."""
_MEDIAN_WINDOW = 5
_MOST = 0.5
_APART_OF_STATURE = 0.04
"""Left and right that are less far apart sideways (7 cm) do not tell which is which: a close stance, and errors."""
_FEWEST_TELLING = 0.1
"""Share of the frames that must tell sides, or how fast the pelvis moves, for that to count."""
_OPPOSITE = -0.6
"""Median cosine to the hips' line from which shoulders and knees are the other way round beyond what a body can do."""
_WANDERS, _STEADIER = 0.15, 0.5
"""Shanks that vary so much, and less than half so much with the ankles exchanged, have the other side's ankle."""


@dataclass
class CheckResult:
    """What the checks say.

    Attributes:
        passed: what held, one sentence each.
        doubts: what is odd but possible, one sentence each.
    """

    passed: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)


def _check_bones(figure: Figure, source: Path, result: CheckResult) -> None:
    faults = anatomy_faults(figure)
    texts = [fault.text for fault in faults]
    if len(faults) >= 3 and faults_of_many(faults) >= 2:
        raise TrackError(
            f"expected the bones of a body, but in {source} {'; '.join(texts[:4])}: the points are not what they are "
            "taken for, or their sides are mixed up; check their names, or give --layout NAME",
            options=("layout",),
        )
    if faults:
        result.doubts.extend(texts)
    else:
        result.passed.append("The bones keep their length, both sides are equal, and their proportions are human.")


def check_sides(figure: Figure, size: float, source: Path, *, layout_is_known: bool) -> list[str]:
    """Check that hips, shoulders, knees and ankles agree on which side is left; any unit, any axes.

    Frames in which left and right are close together, or a point is off its bone, do not count. Legs may be crossed,
    for as long as one likes.

    Args:
        figure: the person.
        size: the person's stature in the figure's unit.
        source: the file, for messages.
        layout_is_known: the user or the file names the layout: it is believed, whatever speaks against it.

    Returns:
        What is odd but possible, one sentence each.

    Raises:
        TrackError: the sides are the other way round as in no body, and the layout is only detected.
    """
    doubts: list[str] = []
    hips = figure.side_line("hip")
    if hips is None:
        return doubts
    for stem in ("shoulder", "knee", "ankle"):
        line = figure.side_line(stem)
        if line is None:
            continue
        apart = np.minimum(lengths(hips), np.abs(dot(unit(hips), line)[:, 0])) > _APART_OF_STATURE * size
        apart &= usual_frames(figure, "hip", size) & usual_frames(figure, stem, size)
        cosine = dot(unit(hips), unit(line))[apart, 0]
        if len(cosine) < max(1.0, _FEWEST_TELLING * figure.num_frames) or np.mean(cosine < 0.0) <= _MOST:
            continue
        found = f"the other way round in {np.mean(cosine < 0.0):.0%} of the frames that tell"
        exchanged = _ankles_are_exchanged(figure) if stem == "ankle" else float(np.median(cosine)) < _OPPOSITE
        if exchanged and not layout_is_known:
            raise TrackError(
                f"expected left and right of the {stem}s as of the hips, but they are {found} in {source}; correct the "
                "names of these points, or give the right order with --layout NAME",
                options=("layout",),
            )
        doubts.append(f"left and right of the {stem}s are {found}, seen from the hips")
    return doubts


def _ankles_are_exchanged(figure: Figure) -> bool:
    """Return whether the shanks keep their lengths much better with left and right ankle exchanged.

    Where ankles are only crossed, both shanks keep their lengths as they are.
    """
    names = [f"{side}_{stem}" for stem in ("knee", "ankle") for side in SIDES]
    if not figure.points.keys() >= set(names):
        return False
    left_knee, right_knee, left_ankle, right_ankle = (figure.points[name] for name in names)
    own = max(spread(lengths(left_knee - left_ankle)), spread(lengths(right_knee - right_ankle)))
    other = max(spread(lengths(left_knee - right_ankle)), spread(lengths(right_knee - left_ankle)))
    return own > _WANDERS and other < _STEADIER * own


def _check_upright(figure: Figure, result: CheckResult) -> None:
    top, bottom = figure.first("nose", "head_top", "head"), figure.hips
    top = top if top is not None else figure.shoulders
    if top is None or bottom is None:
        return
    height = (top - bottom)[:, 1]
    height = height[np.isfinite(height)]
    if height.size and np.mean(height > 0.0) > _MOST:
        result.passed.append(f"The head is above the pelvis in {np.mean(height > 0.0):.0%} of the frames.")
    elif height.size:
        result.doubts.append(f"the head is below the pelvis in {np.mean(height <= 0.0):.0%} of the frames")


def _median_filtered(path: np.ndarray) -> np.ndarray:
    """Running median over five frames of (F, 3); shorter paths stay."""
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
    if speeds.size < max(1.0, _FEWEST_TELLING * figure.num_frames):
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
    """Return (F, K) bool: a point goes off and comes back within two frames, faster than a limb can."""
    found = np.zeros(positions.shape[:2], dtype=bool)
    if len(positions) < 3:
        return found
    steps = lengths(np.diff(positions, axis=0)) * fps
    across_two = lengths(positions[2:] - positions[:-2]) * fps
    found[1:-1] = np.minimum(steps[:-1], steps[1:]) > np.maximum(MAX_POINT_SPEED, 2.0 * across_two)
    return found


def swapped_frames(figure: Figure) -> np.ndarray:
    """Return (F,) bool: frames at which left and right legs trade places against the frame before."""
    num_frames = figure.num_frames
    stay, trade = np.zeros(num_frames), np.zeros(num_frames)
    for stem in ("hip", "knee", "ankle"):
        left, right = (figure.points.get(f"{side}_{stem}") for side in ("left", "right"))
        if left is None or right is None:
            continue
        direct = lengths(left[1:] - left[:-1]) + lengths(right[1:] - right[:-1])
        crossed = lengths(left[1:] - right[:-1]) + lengths(right[1:] - left[:-1])
        known = np.isfinite(direct) & np.isfinite(crossed)
        stay[1:] += np.where(known, direct, 0.0)
        trade[1:] += np.where(known, crossed, 0.0)
    return np.asarray((stay > 0.3) & (trade < 0.4 * stay))


def _check_frames(figure: Figure, positions: np.ndarray, fps: float, result: CheckResult) -> None:
    jumping = jumps(positions, fps)
    if jumping.any():
        result.doubts.append(
            f"{int(jumping.sum())} times a point jumps away for one frame, on {int(jumping.any(1).sum())} frames"
        )
    else:
        result.passed.append("No point jumps away for a single frame.")
    swapped = np.flatnonzero(swapped_frames(figure))
    if swapped.size:
        frames = ", ".join(str(frame) for frame in swapped[:8]) + (" ..." if swapped.size > 8 else "")
        result.doubts.append(f"left and right legs seem to trade places at frames {frames} (counted from 0)")
    else:
        result.passed.append("Left and right legs never trade places between frames.")


def check_track(
    figure: Figure, measured: np.ndarray, fps: float, source: Path, *, layout_is_known: bool
) -> CheckResult:
    """Check a track in metres, Y up.

    Args:
        figure: the person.
        measured: (F, K, 3) all points in metres, any axes, those that are left out too.
        fps: frames a second.
        source: the file, for messages.
        layout_is_known: the user or the file names the layout.

    Raises:
        TrackError: the data are no human motion as they are taken.
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
    """Return whether the hips sit at the origin in every frame, so that the place in the room is not known.

    Frames in which a hip is off its bone do not count.
    """
    if figure.hips is None:
        return False
    distance = lengths(figure.hips)
    distance = distance[np.isfinite(distance) & usual_frames(figure, "hip", size)]
    return bool(distance.size) and median(distance) < 0.01 * size and float(distance.max()) < 0.05 * size
