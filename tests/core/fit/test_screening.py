"""Wrong points do not affect other frames: clip fits around outlier runs."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from core.body.free_body import load_free_body
from core.errors import TrackError
from core.fit import FitOptions, Flag, fit_track
from core.fit.observations import solver_points
from core.fit.screening.label_swaps import GROUPS
from core.fit.screening.screen import screen
from core.layouts import BODY25
from core.track import KeypointTrack

from .scenes import body_model, motion_joints, walking

pytestmark = pytest.mark.slow

BODY = load_free_body()


def _track() -> KeypointTrack:
    return walking()[20:110].track(noise_m=0.002)


def _fit(track: KeypointTrack):
    return fit_track(track, BODY, FitOptions(workers=1))


@cache
def _clean():
    return _fit(_track())


def _vertices(motion) -> np.ndarray:
    """Return a subset of the vertices (F, V, 3) relative to the pelvis."""
    pose = motion.rotations().astype(np.float32), motion.betas.astype(np.float32), 0.0 * motion.trans.astype(np.float32)
    return body_model().vertices(*pose)[:, ::30] - body_model().joints(*pose)[:, :1]


def _away_mm(motion, other) -> np.ndarray:
    return 1000.0 * np.linalg.norm(_vertices(motion) - _vertices(other), axis=-1).mean(axis=1)


@pytest.mark.parametrize("off_m", [0.3, 5.0, 1e5])
@pytest.mark.parametrize(("point", "frames"), [("right_ankle", (30, 50)), ("left_wrist", (70, 90)), ("nose", (40, 43))])
def test_frames_outside_an_outlier_run_do_not_change(off_m, point, frames):
    track, run = _track(), slice(*frames)
    positions = track.positions.copy()
    positions[run, BODY25.names.index(point)] += off_m * np.array([0.6, -0.64, 0.48])
    motion, report = _fit(replace(track, positions=positions))
    away = _away_mm(motion, _clean()[0])
    outside = np.ones(len(away), dtype=bool)
    outside[run] = False
    assert away[outside].mean() < 0.3
    flags = [flag for flag in report.flags if flag.kind == "implausible"]
    assert flags == [Flag("implausible", point, frames[0], frames[1] - 1)]
    assert np.isnan(report.point_error_mm[run, report.point_names.index(point)]).all()
    assert report.mean_error_mm < 10.0


@pytest.mark.parametrize("groups", [("legs",), ("arms",), tuple(GROUPS)], ids=["legs", "arms", "both sides"])
def test_swapped_sides_are_corrected_and_reported(groups):
    track, run = _track(), slice(40, 55)
    positions = track.positions.copy()
    for left, right in BODY25.sides:
        if any(BODY25.names[left][5:] in GROUPS[group] for group in groups):
            positions[run, left], positions[run, right] = track.positions[run, right], track.positions[run, left]
    motion, report = _fit(replace(track, positions=positions))
    joints = [motion_joints(found) for found in (motion, _clean()[0])]
    assert np.linalg.norm(joints[0] - joints[1], axis=-1).max() < 1e-4
    flags = [flag for flag in report.flags if flag.kind == "swapped"]
    assert flags == [Flag("swapped", group, 40, 54) for group in sorted(groups)]
    assert report.notes == (
        f"Left and right of the {', '.join(groups)} were swapped in frames 40-54, counted from 0, and have been "
        "corrected.",
    )


def test_motion_100_km_from_the_origin_is_the_same():
    track, far = _track(), np.array([1e5, 0.0, -1e5])
    motion, report = _fit(replace(track, positions=track.positions + far))
    near, near_report = _clean()
    assert _away_mm(motion, near).max() < 0.01
    np.testing.assert_allclose(motion.trans - far, near.trans, atol=1e-4)
    assert report.flags == near_report.flags


def test_points_are_centred_and_outliers_are_missing():
    track = _track()
    positions = track.positions + [50.0, 0.0, 0.0]
    positions[10:30, BODY25.names.index("left_knee")] = 9999.0
    points = solver_points(replace(track, positions=positions))
    screened = screen(points, track.fps)
    knee = points.names.index("left_knee")
    assert np.argwhere(screened.outliers).tolist() == [[frame, knee] for frame in range(10, 30)]
    assert (screened.points.weights[10:30, knee] == 0).all() and np.isnan(screened.points.positions[10:30, knee]).all()
    kept = screened.points.weights > 0
    np.testing.assert_allclose((screened.points.positions + screened.origin[:, None])[kept], positions[kept], atol=1e-9)
    assert np.abs(np.median(screened.points.positions[kept], axis=0)).max() < 0.05


def test_a_hip_that_is_wild_in_every_frame_is_reported():
    track = _track()
    positions = track.positions.copy()
    positions[:, BODY25.names.index("left_hip")] = np.random.default_rng(0).normal(0.0, 1e3, (track.num_frames, 3))
    with pytest.raises(TrackError, match="left_hip never is"):
        _fit(replace(track, positions=positions))


def test_random_points_give_a_finite_motion():
    track = _track()
    motion, _ = _fit(replace(track, positions=np.random.default_rng(0).normal(0.0, 1e4, track.positions.shape)))
    assert np.isfinite(motion.poses).all() and np.isfinite(motion.trans).all()


def test_confidence_stays_with_its_measured_point():
    track = _track()
    positions, confidence = track.positions.copy(), track.confidence.copy()
    for stem in GROUPS["legs"]:
        if f"left_{stem}" in BODY25.names:
            pair = [BODY25.names.index(f"{side}_{stem}") for side in ("left", "right")]
            positions[40:55, pair] = track.positions[40:55, pair[::-1]]
    confidence[40:55, BODY25.names.index("left_ankle")] = 0.5
    points = screen(solver_points(replace(track, positions=positions, confidence=confidence)), track.fps).points
    assert (points.weights[40:55, points.names.index("right_ankle")] == 0.5).all()
    assert (points.weights[40:55, points.names.index("left_ankle")] == 1.0).all()
