"""The weights file: written weights are read back; damaged, foreign or hostile files are a clear error."""

from __future__ import annotations

import dataclasses
import json
import tracemalloc
import zipfile

import numpy as np
import pytest

from core.errors import InputMissingError
from core.network import NetworkError, NetworkInfo, NetworkWeights, ResidualNetwork, read_weights, write_weights

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def stored(published_weights, tmp_path_factory):
    """Return a file and its arrays."""
    path = tmp_path_factory.mktemp("weights") / "weights.npz"
    write_weights(path, published_weights, precision="float16")
    with np.load(path, allow_pickle=False) as held:
        return path, {name: held[name] for name in held.files}


def test_float32_is_read_back_exactly(published_weights, tmp_path):
    path = tmp_path / "weights.npz"
    write_weights(path, published_weights)
    loaded = read_weights(path)
    assert loaded.info == published_weights.info
    assert loaded.arrays.keys() == published_weights.arrays.keys()
    for name, array in published_weights.arrays.items():
        assert np.array_equal(loaded.arrays[name], array)
    assert path.stat().st_size < 11e6


def test_float16_is_half_as_large_and_correctly_rounded(stored, published_weights):
    path, _ = stored
    loaded = read_weights(path)
    assert path.stat().st_size < 5.5e6
    rounded = published_weights.as_stored("float16")
    for name, array in published_weights.arrays.items():
        assert loaded.arrays[name].dtype == np.float32
        assert np.array_equal(loaded.arrays[name], rounded.arrays[name])
        np.testing.assert_allclose(loaded.arrays[name], array, rtol=2**-11, atol=6e-8)
    assert ResidualNetwork(loaded).info.metrics == {"mpve_mm": 1.5}


def rewritten(stored, tmp_path, **changes):
    path = tmp_path / "changed.npz"
    arrays = {name: array for name, array in (stored[1] | changes).items() if array is not None}
    np.savez(path, **arrays)
    return path


def info_with(**changes) -> np.ndarray:
    info = dataclasses.asdict(NetworkInfo("body25", "free_body", "motion"))
    return np.array(json.dumps({name: value for name, value in (info | changes).items() if value is not None}))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"layer3.mix": None, "turns": None}, "layer3.mix is missing; turns is missing"),
        ({"layer3.mix": np.zeros((3, 64, 65), np.float16)}, r"layer3.mix has shape \(3, 64, 65\)"),
        ({"turns_bias": np.zeros((22, 1, 6))}, "turns_bias has type float64"),
        ({"more": np.zeros(3)}, "more is unknown"),
        ({"features_bias": np.full(256, np.nan, np.float32)}, "features_bias holds numbers that are not finite"),
        ({"format_version": np.array(2)}, "format version 1, found 2"),
        ({"format_version": np.array("1")}, "format_version has type"),
        ({"info": np.array("{")}, "as JSON"),
        ({"info": np.array("[" * 19_000)}, "as JSON"),
        ({"info": np.array("x" * 20_001)}, "info has type"),
        ({"info": info_with(graph=None)}, "expected the entries architecture, body, graph"),
        ({"info": info_with(extra="")}, "expected the entries"),
        ({"info": info_with(body=3)}, "texts and finite figures"),
        ({"info": info_with(metrics={"mpve_mm": float("nan")})}, "texts and finite figures"),
        ({"info": info_with(metrics=[1])}, "texts and finite figures"),
        ({"info": info_with(architecture="transformer")}, "found 'transformer'"),
        ({"info": info_with(graph="coco")}, "published, body25; got 'coco'"),
    ],
)
def test_invalid_content_is_reported(stored, tmp_path, changes, words):
    path = rewritten(stored, tmp_path, **changes)
    with pytest.raises(NetworkError, match=words):
        read_weights(path)


def test_unchanged_file_is_valid(stored, tmp_path):
    assert read_weights(rewritten(stored, tmp_path, info=info_with())).info.body == "free_body"


def test_array_that_claims_to_be_huge_uses_no_memory(stored, tmp_path):
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (335, 10000000), }\n"
    path = rewritten(stored, tmp_path, features=None)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("features.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + b"a" * 90)
    tracemalloc.start()
    with pytest.raises(NetworkError, match=r"features has shape \(335, 10000000\)"):
        read_weights(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 20


def test_truncated_and_missing_files_are_reported(stored, tmp_path):
    path = tmp_path / "cut.npz"
    path.write_bytes(stored[0].read_bytes()[:-2000])
    with pytest.raises(NetworkError, match=r"cut\.npz"):
        read_weights(path)
    with pytest.raises(InputMissingError, match=r"nowhere\.npz"):
        read_weights(tmp_path / "nowhere.npz")


def test_invalid_weights_are_not_written(published_weights, tmp_path):
    path = tmp_path / "weights.npz"
    large = NetworkWeights(
        {**published_weights.arrays, "features_bias": np.full(256, 1e5, np.float32)}, published_weights.info
    )
    with pytest.raises(NetworkError, match="features_bias holds numbers that are not finite"):
        write_weights(path, large, precision="float16")
    with pytest.raises(ValueError, match="float16, float32; got 'int8'"):
        write_weights(path, published_weights, precision="int8")
    wordy = dataclasses.replace(published_weights.info, training_data="x" * 20_000)
    with pytest.raises(NetworkError, match="20000 characters"):
        write_weights(path, NetworkWeights(published_weights.arrays, wordy))
    assert not path.exists()
