"""Test that hidden markers of a rigid group are reconstructed from the visible ones."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from core.markers.rigid_clusters import completed

SHAPE = {
    "front": np.array([100.0, 0.0, 10.0]),
    "back": np.array([-120.0, 20.0, 0.0]),
    "left": np.array([0.0, 140.0, -30.0]),
    "right": np.array([10.0, -150.0, 0.0]),
}


def _moving(num_frames: int = 30) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(3)
    turns = Rotation.from_rotvec(np.cumsum(generator.normal(0.0, 0.1, (num_frames, 3)), axis=0)).as_matrix()
    places = np.cumsum(generator.normal(0.0, 20.0, (num_frames, 3)), axis=0)
    return {name: turns @ place + places for name, place in SHAPE.items()}


def test_a_hidden_marker_is_reconstructed_from_the_others():
    complete = _moving()
    shown = {name: place.copy() for name, place in complete.items()}
    shown["front"][8:20] = np.nan
    shown["left"][25:] = np.nan
    filled = completed(shown)
    for name, place in complete.items():
        assert filled[name] == pytest.approx(place, abs=1e-6), name


def test_a_marker_that_moves_within_the_group_does_not_jump_when_hidden():
    shown = {name: place.copy() for name, place in _moving(40).items()}
    shown["front"] = np.tile(SHAPE["front"], (40, 1))
    for name in ("back", "left", "right"):
        shown[name] = np.tile(SHAPE[name], (40, 1))
    shown["front"][15:25] += [0.0, 0.0, 25.0]
    expected = shown["front"].copy()
    shown["front"][18:22] = np.nan
    assert completed(shown)["front"] == pytest.approx(expected, abs=1e-6)


def test_two_or_collinear_markers_fill_no_gaps():
    complete = _moving()
    two = {name: place.copy() for name, place in complete.items()}
    two["front"][5] = two["left"][5] = np.nan
    assert np.isnan(completed(two)["front"][5]).all()
    line = {f"m{index}": np.tile([[index * 50.0, 0.0, 0.0]], (4, 1)) for index in range(3)}
    line["off"] = np.tile([[0.0, 80.0, 0.0]], (4, 1))
    line["off"][2] = np.nan
    assert np.isnan(completed(line)["off"][2]).all()


def test_a_group_that_is_never_complete_is_unchanged():
    shown = _moving()
    shown["front"][:15] = np.nan
    shown["back"][15:] = np.nan
    for name, place in completed(shown).items():
        assert np.array_equal(place, shown[name], equal_nan=True)
