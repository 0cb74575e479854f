"""The stated accuracy, on motion capture of people outside the training data. No initial pose is given."""

from __future__ import annotations

import numpy as np
import pytest

from core.body.free_body import load_free_body
from core.fit import FitOptions, fit_track

from .conftest import CLIPS
from .scenes import Scene, captured, pve_mm

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def captures(clips) -> list[Scene]:
    return [captured(clips, *name.split("_"))[frames] for name, frames in sorted(CLIPS.items())]


@pytest.mark.parametrize(
    ("disturbed", "know_betas", "pve_limit_mm", "point_limit_mm"),
    [
        ({}, True, 13.0, 3.0),
        ({}, False, 15.0, 3.0),
        ({"noise_m": 0.01}, True, 19.0, None),
        ({"missing": 0.2}, True, 15.0, None),
    ],
    ids=["clean", "betas estimated", "10 mm noise", "a fifth missing"],
)
def test_vertex_error_stays_within_the_stated_limits(captures, disturbed, know_betas, pve_limit_mm, point_limit_mm):
    pve, points = [], []
    for scene in captures:
        options = FitOptions(betas=scene.known_betas() if know_betas else None, workers=1)
        motion, report = fit_track(scene.track(**disturbed), load_free_body(), options)
        pve.append(pve_mm(scene, motion))
        points.append(report.mean_error_mm)
    assert np.mean(pve) <= pve_limit_mm
    if point_limit_mm is not None:
        assert max(points) <= point_limit_mm
