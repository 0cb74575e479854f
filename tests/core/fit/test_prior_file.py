"""Pose priors of the user's own: read as they were written, refused with the reason, used by a fit."""

from __future__ import annotations

import numpy as np
import pytest

from core.body.free_body import load_free_body
from core.errors import FitOptionError, InputMissingError
from core.fit import FitOptions, fit_track
from core.fit.priors.prior_file import SHIPPED_PRIOR, load_prior, read_prior


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    with np.load(SHIPPED_PRIOR, allow_pickle=False) as shipped:
        return {name: shipped[name] for name in shipped.files}


def test_a_prior_is_read_as_it_was_written(arrays):
    for (part, level), model in read_prior(SHIPPED_PRIOR).models.items():
        for field, value in vars(model).items():
            np.testing.assert_array_equal(value, arrays[f"{part}_{level}_{field}"].astype(np.float64))


def _without(name):
    return lambda arrays: arrays.pop(name)


def _with(name, value):
    return lambda arrays: arrays.update({name: value(arrays[name]) if callable(value) else value})


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_without("leg_1_reach_rad"), ("25 arrays", "1 missing", "leg_1_reach_rad", "training.pose_prior")),
        (_with("leg_1_reach_rad", np.ones(4)), ("leg_1_reach_rad", "another shape")),
        (_with("leg_1_reach_rad", np.array(["far", "far", "far"])), ("leg_1_reach_rad",)),
        (_with("more", np.ones(1)), ("more", "unknown")),
        (_with("version", np.array(2)), ("version 3", "found 2")),
        (_with("trunk_0_coefficients", lambda array: array * np.nan), ("finite", "trunk_0_coefficients")),
        (_with("leg_2_covariance", lambda array: -array), ("positive definite", "leg_2_covariance")),
    ],
)
def test_another_file_is_an_error_that_names_what_is_wrong(arrays, spoil, words, tmp_path):
    spoil(arrays)
    path = tmp_path / "prior.npz"
    np.savez(path, **arrays)
    with pytest.raises(FitOptionError) as caught:
        read_prior(path)
    for word in (*words, str(path)):
        assert word in str(caught.value)


def test_a_missing_or_damaged_file_is_an_error(tmp_path):
    with pytest.raises(InputMissingError, match=r"none\.npz"):
        read_prior(tmp_path / "none.npz")
    damaged = tmp_path / "damaged.npz"
    damaged.write_bytes(SHIPPED_PRIOR.read_bytes()[:3000])
    with pytest.raises(FitOptionError, match=r"damaged\.npz"):
        read_prior(damaged)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["clip", "frames"])
def test_a_fit_uses_the_given_prior(act, arrays, mode, tmp_path):
    """The shipped prior from a copy gives the same poses; one that expects a bent back gives others."""
    copy, own = tmp_path / "copy.npz", tmp_path / "own.npz"
    copy.write_bytes(SHIPPED_PRIOR.read_bytes())
    for level in range(2):
        arrays[f"trunk_{level}_coefficients"][0, 3] += 0.3
    np.savez(own, **arrays)
    track = act[:12].track()
    plain, same, bent = (
        fit_track(track, load_free_body(), FitOptions(mode=mode, betas=act.known_betas(), workers=1, prior=prior))[0]
        for prior in (None, copy, str(own))
    )
    np.testing.assert_array_equal(same.poses, plain.poses)
    assert np.abs(bent.poses - plain.poses).max() > 0.02
    assert load_prior().models["trunk", 0].coefficients[0, 3] != pytest.approx(arrays["trunk_0_coefficients"][0, 3])
