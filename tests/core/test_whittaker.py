"""The Whittaker smoother against dense and banded solvers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import solveh_banded

from core.math.whittaker import whittaker


@pytest.mark.parametrize("num_curves", [1, 4])
@pytest.mark.parametrize("num_frames", [3, 4, 5, 17, 40])
def test_solution_equals_the_dense_one(num_frames, num_curves):
    generator = np.random.default_rng(num_frames)
    observed = generator.normal(size=(num_frames, num_curves, 3))
    weights = (generator.random((num_frames, num_curves)) < 0.7) * generator.uniform(0.5, 1.0, (num_frames, num_curves))
    weights[[0, -1]] = 1.0
    stiffness = 10.0 ** generator.uniform(-4, 4, (num_frames, num_curves))
    smooth = whittaker(observed, weights, stiffness)
    second = np.diff(np.eye(num_frames), n=2, axis=0)
    for point in range(num_curves):
        normal = np.diag(weights[:, point]) + second.T @ np.diag(stiffness[1:-1, point]) @ second
        expected = np.linalg.solve(normal + 1e-9 * np.eye(num_frames), weights[:, point, None] * observed[:, point])
        np.testing.assert_allclose(smooth[:, point], expected, atol=1e-6)


def test_long_track_with_a_long_gap_equals_scipys_banded_solution():
    num_frames = 1501
    generator = np.random.default_rng(7)
    observed = 0.01 * np.cumsum(generator.normal(size=(num_frames, 3, 2)), axis=0)
    weights = np.ones((num_frames, 3))
    weights[400:900, 1] = 0.0
    stiffness = 10.0 ** generator.uniform(-3, 3, (num_frames, 3))
    smooth = whittaker(observed, weights, stiffness)
    for point in range(3):
        bands = np.zeros((3, num_frames))
        bands[2] = weights[:, point] + 1e-9
        for place, share in enumerate((1.0, -2.0, 1.0)):
            bands[2, place : num_frames - 2 + place] += share**2 * stiffness[1:-1, point]
        for place in (0, 1):
            bands[1, 1 + place : num_frames - 1 + place] -= 2.0 * stiffness[1:-1, point]
        bands[0, 2:] = stiffness[1:-1, point]
        expected = solveh_banded(bands, weights[:, point, None] * observed[:, point])
        np.testing.assert_allclose(smooth[:, point], expected, atol=5e-5)
