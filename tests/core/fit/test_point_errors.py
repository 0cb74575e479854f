"""What the report says of the points' errors is about what was put on them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.body.free_body import load_free_body
from core.body.model import world_rotations
from core.fit import FitOptions, FitReport, PointErrors, fit_track
from core.layouts import BODY25
from training.evaluation.realistic_errors import MIXED_ERRORS, ErrorModel, add_errors

from .scenes import Scene, acting, changed, keypoint_model, solver_names

pytestmark = pytest.mark.slow

HOLDERS = keypoint_model(solver_names()).holders


def _report(scene: Scene, errors: ErrorModel, **options) -> FitReport:
    track = scene.track(BODY25)
    disturbed = add_errors(track.positions, scene.rotations, HOLDERS, scene.fps, np.random.default_rng(0), errors)
    return fit_track(replace(track, positions=disturbed), load_free_body(), FitOptions(**options))[1]


def _parts(scene: Scene, errors: ErrorModel, **options) -> PointErrors:
    found = _report(scene, errors, **options).point_errors
    assert found is not None
    return found


def test_clean_points_have_hardly_any(act):
    found = _parts(act, ErrorModel())
    assert max(found.white_mm, found.smooth_mm, found.constant_mm) < 1.5
    assert found.offset_mm.max() < 1.0


@pytest.mark.parametrize(("mode", "num_frames"), [("clip", 60), ("frames", 120)])
def test_each_error_part_is_separated(mode, num_frames):
    """Frame by frame, a shape from 40 frames is known by frame 120."""
    scene = acting(num_frames)
    white = _parts(scene, ErrorModel(white_m=0.005), mode=mode)
    assert white.white_mm == pytest.approx(5.0, rel=0.15)
    assert max(white.smooth_mm, white.constant_mm) < 2.0
    smooth = _parts(scene, ErrorModel(smooth_m=0.010), mode=mode)
    assert smooth.smooth_mm == pytest.approx(10.0, rel=0.35)
    assert smooth.white_mm < 1.0 and smooth.constant_mm < 4.0


def test_constant_errors_are_separated(act):
    found = _parts(act, ErrorModel(constant_m=0.010))
    assert found.constant_mm == pytest.approx(10.0, rel=0.35)
    assert found.white_mm < 1.0 and found.smooth_mm < 2.0


@pytest.mark.parametrize("name", ["nose", "right_ear", "mid_hip"])
def test_a_point_that_lies_elsewhere_on_the_body_is_named(act, name):
    """By 30 mm, fixed to the segment that carries it."""
    index = solver_names().index(name)
    positions = act.points(BODY25)
    positions[:, index] += world_rotations(act.rotations)[:, HOLDERS[index]] @ np.array([0.02, 0.02, 0.01])
    _, report = fit_track(changed(act.track(BODY25), positions=positions), load_free_body())
    assert f"(largest offset: {name}, " in report.error_line()
    assert 8.0 < report.point_errors.offset_mm[index] < 31.0


def test_a_mix_is_taken_apart(act):
    found = _parts(act, MIXED_ERRORS)
    assert found.white_mm == pytest.approx(5.0, rel=0.15)
    assert found.smooth_mm == pytest.approx(10.0, rel=0.4)
    assert 2.0 < found.constant_mm < 10.0


@pytest.mark.parametrize("mode", ["clip", "frames"])
def test_a_track_that_is_too_short_or_too_slow_gives_no_estimate(act, mode):
    assert _report(act[:4], ErrorModel(), mode=mode).point_errors is None
    assert _report(replace(act[:12], fps=5.0), ErrorModel(), mode=mode).point_errors is None


def test_five_frames_tell():
    assert _report(acting(5), ErrorModel()).point_errors is not None
