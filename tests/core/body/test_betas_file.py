"""Betas from a file: one row of finite numbers, or a clear error."""

from __future__ import annotations

import numpy as np
import pytest

from core.body.betas_file import read_betas
from core.errors import BodyError, InputMissingError


@pytest.mark.parametrize(
    "array",
    [
        np.array([0.5, -1.25, 3.0, *[0.0] * 7]),
        np.arange(10, dtype=np.float32)[None] / 8,
        np.arange(16, dtype=np.int16),
        np.zeros(300),
        np.asfortranarray(np.ones((1, 10))),
    ],
)
def test_one_row_is_read(tmp_path, array):
    np.save(tmp_path / "betas.npy", array)
    betas = read_betas(str(tmp_path / "betas.npy"))
    np.testing.assert_array_equal(betas, array.reshape(-1))
    assert betas.dtype == np.float64 and betas.ndim == 1


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((2, 10)), "(2, 10)"),
        (np.zeros((10, 1)), "(10, 1)"),
        (np.zeros(()), "()"),
        (np.zeros(0), "(0,)"),
        (np.zeros(9), "(9,)"),
        (np.zeros(301), "(301,)"),
        (np.array(["a"] * 10), "<U1"),
        (np.ones(10, dtype=complex), "complex"),
        (np.ones(10, dtype=bool), "bool"),
        (np.array([0.0] * 9 + [np.nan]), "finite"),
        (np.array([np.inf] * 10), "finite"),
    ],
)
def test_anything_else_is_rejected(tmp_path, array, words):
    path = tmp_path / "betas.npy"
    np.save(path, array)
    with pytest.raises(BodyError) as caught:
        read_betas(path)
    assert words in str(caught.value) and str(path) in str(caught.value)


def test_python_objects_are_not_loaded(tmp_path):
    path = tmp_path / "betas.npy"
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(BodyError):
        read_betas(path)


@pytest.mark.parametrize("content", [b"", b"not an array", b"\x93NUMPY\x01\x00"])
def test_damaged_files_are_rejected(tmp_path, content):
    path = tmp_path / "betas.npy"
    path.write_bytes(content)
    with pytest.raises(BodyError, match=str(path)):
        read_betas(path)


def test_missing_file_names_the_option(tmp_path):
    with pytest.raises(InputMissingError, match="--betas"):
        read_betas(tmp_path / "none.npy")
    with pytest.raises(InputMissingError):
        read_betas(tmp_path)
