"""Test that the report counts measured points only, and is plain JSON."""

from __future__ import annotations

import json

import numpy as np
import pytest

from core.fit import FitReport, Flag, PointErrors
from core.fit.report import flags_of


def _report(errors: np.ndarray, **more) -> FitReport:
    values = {
        "point_names": ("left_hip", "right_hip", "nose"),
        "flags": (Flag("held", "left arm", 1, 2),),
        "betas": np.array([0.5, -1.25]),
        "stature_m": 1.71,
        "noise_mm": np.array([1.0, 2.0, 3.0]),
        "sigma_mm": 1.5,
        "timings_s": {"pose": 0.25},
        "notes": ("Read as BODY25.",),
    }
    return FitReport(point_error_mm=errors, **{**values, **more})


ERRORS = np.array([[1.0, 3.0, np.nan], [np.nan, np.nan, np.nan], [4.0, 8.0, 6.0]])


def test_means_ignore_missing_points():
    report = _report(ERRORS)
    np.testing.assert_array_equal(report.keypoint_error_mm, [2.0, np.nan, 6.0])
    assert report.mean_error_mm == pytest.approx((1 + 3 + 4 + 8 + 6) / 5)
    assert report.worst_frame == 2


def test_the_mean_of_no_points_is_nan():
    report = _report(np.full((2, 3), np.nan))
    assert np.isnan(report.mean_error_mm)
    assert np.isnan(report.keypoint_error_mm).all()
    assert report.to_dict()["mean_error_mm"] is None


def test_json_has_no_nan_and_keeps_the_values():
    text = json.dumps(_report(ERRORS, sigma_mm=float("nan")).to_dict(), allow_nan=False)
    read = json.loads(text)
    assert read["keypoint_error_mm"] == [2.0, None, 6.0]
    assert read["point_error_mm"] == [[1.0, 3.0, None], [None, None, None], [4.0, 8.0, 6.0]]
    assert read["frames"] == 3 and read["worst_frame"] == 2
    hip = {"mean_mm": 2.5, "worst_mm": 4.0, "seen": 2, "noise_mm": 1.0, "offset_mm": None}
    assert read["points"]["left_hip"] == hip
    assert read["points"]["nose"]["seen"] == 1
    assert read["flags"] == [{"kind": "held", "what": "left arm", "first": 1, "last": 2}]
    assert read["betas"] == [0.5, -1.25] and read["stature_m"] == 1.71
    assert read["sigma_mm"] is None
    assert read["timings_s"] == {"pose": 0.25} and read["notes"] == ["Read as BODY25."]
    assert read["version"] == 1


PARTS = PointErrors(white_mm=2.0, smooth_mm=8.25, constant_mm=4.0, offset_mm=np.array([3.0, 12.5, 0.0]))


def test_error_components_are_reported():
    report = _report(ERRORS, point_errors=PARTS)
    read = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert (read["white_error_mm"], read["smooth_error_mm"], read["constant_error_mm"]) == (2.0, 8.25, 4.0)
    assert [read["points"][name]["offset_mm"] for name in report.point_names] == [3.0, 12.5, 0.0]
    line = report.error_line()
    assert "2.0 mm white, 8.2 mm smooth in time, 4.0 mm constant" in line and "right_hip, 12.5 mm" in line


def test_unknown_error_components_are_null():
    read = _report(ERRORS).to_dict()
    assert [read[f"{part}_error_mm"] for part in ("white", "smooth", "constant")] == [None, None, None]
    assert _report(ERRORS).error_line() == ""


def test_a_point_that_is_always_missing_has_no_error():
    errors = ERRORS.copy()
    errors[:, 2] = np.nan
    assert _report(errors, point_errors=PARTS).to_dict()["points"]["nose"] == {
        "mean_mm": None,
        "worst_mm": None,
        "seen": 0,
        "noise_mm": 3.0,
        "offset_mm": None,
    }


@pytest.mark.parametrize("seed", range(5))
def test_flags_are_consecutive_runs(seed):
    marked = np.random.default_rng(seed).random(23) < 0.5
    expected, start = [], None
    for frame, here in enumerate([*marked, False]):
        if here and start is None:
            start = frame
        elif not here and start is not None:
            expected.append(Flag("held", "head", start, frame - 1))
            start = None
    assert flags_of("held", "head", marked) == expected


def test_flags_at_the_first_and_last_frame():
    assert flags_of("missing", "person", np.array([True])) == [Flag("missing", "person", 0, 0)]
    assert flags_of("missing", "person", np.ones(4, dtype=bool)) == [Flag("missing", "person", 0, 3)]
    assert flags_of("missing", "person", np.zeros(4, dtype=bool)) == []
