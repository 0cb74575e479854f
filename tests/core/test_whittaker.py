"""The smoother against a dense solve."""

from __future__ import annotations

import numpy as np
import pytest

from core.whittaker import whittaker


@pytest.mark.parametrize("num_curves", [1, 4])
@pytest.mark.parametrize("num_frames", [3, 4, 5, 17, 40])
def test_the_banded_solve_equals_the_dense_one(num_frames, num_curves):
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
