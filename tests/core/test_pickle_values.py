"""Values, arrays and matrices in pickles are read as Python and NumPy would read them."""

from __future__ import annotations

import collections
import io
import pickle

import numpy as np
import pytest
import scipy.sparse

from core.io.pickle.load import load_pickle
from core.io.pickle.plain_types import Standin
from core.io.pickle.standins import as_array

RNG = np.random.default_rng(5)


def _load(data: bytes, **options):
    return load_pickle(io.BytesIO(data), **options)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_values_equal_those_read_by_pickle(protocol):
    value = {
        "texts": ["", "café", "名前", "a\nb\\'\"", b"\x00\xff\n", bytearray(b"ab")],
        "numbers": [0, 1, -1, 255, 65535, -70000, 2**40, -(2**80), 1.5, -0.0, 1e300, float("inf"), 2 - 3j],
        "others": (None, True, False, (), (1,), (1, 2), (1, 2, 3), tuple(range(9)), set(), {1, 2}, frozenset({"a"})),
        7: collections.OrderedDict([("z", 1), ("a", [])]),
        (1, "k"): collections.defaultdict(list, {"x": [1]}),
    }
    value["again"] = value["texts"]
    data = pickle.dumps(value, protocol)
    loaded = _load(data)
    assert loaded == pickle.loads(data)
    assert loaded["again"] is loaded["texts"]
    assert list(loaded[7]) == ["z", "a"]
    assert type(loaded["others"][1]) is bool


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("dtype", ["<f8", ">f4", "f2", "i8", ">u2", "?", "c16", "U5", "S3"])
def test_arrays_equal_those_read_by_pickle(protocol, dtype):
    array = RNG.integers(0, 2, (4, 3, 2)).astype(dtype)
    for variant in (array, np.asfortranarray(array), array[:0], array[:, ::2]):
        loaded = _load(pickle.dumps(variant, protocol))
        np.testing.assert_array_equal(loaded, variant)
        assert loaded.dtype.newbyteorder("=") == variant.dtype.newbyteorder("=")
    number = _load(pickle.dumps(array[0, 0, 0], protocol))
    assert number == array[0, 0, 0]
    assert type(number) is type(array[0, 0, 0])


def test_object_arrays_have_harmless_items():
    array = np.empty(2, dtype=object)
    array[:] = [{"S1": np.arange(3.0)}, [1, 2]]
    loaded = _load(pickle.dumps(array))
    np.testing.assert_array_equal(loaded[0]["S1"], [0.0, 1.0, 2.0])
    assert loaded[1] == [1, 2]


def test_pickles_of_numpy_2_are_read():
    data = pickle.dumps(np.arange(4.0), 2).replace(b"numpy.core.multiarray", b"numpy._core.multiarray")
    np.testing.assert_array_equal(_load(data), np.arange(4.0))


@pytest.mark.parametrize("protocol", [0, 2])
def test_python_2_strings_and_arrays(python2_pickle, protocol):
    value = {"bs_type": b"lrotmin", "caf\xe9": np.linspace(0, 1, 12).reshape(4, 3), "kintree": np.array([[2**32 - 1]])}
    loaded = _load(python2_pickle(value, protocol))
    assert loaded["bs_type"] == "lrotmin"
    np.testing.assert_array_equal(loaded["café"], value["caf\xe9"])
    np.testing.assert_array_equal(loaded["kintree"], value["kintree"])


def test_text_pickles_after_a_text_mode_transfer_are_read(python2_pickle):
    array = RNG.normal(size=(5, 7))
    damaged = python2_pickle({"x": array}, 0).replace(b"\n", b"\r\n")
    np.testing.assert_array_equal(_load(damaged)["x"], array)


@pytest.mark.parametrize("protocol", [0, 1, 2, 4])
def test_chumpy_arrays_and_selections(chumpy, protocol):
    array = RNG.normal(size=(5, 3, 6))
    chosen = np.arange(array.size).reshape(array.shape)[..., :4]
    whole = chumpy.Ch(x=array)
    part = chumpy.Select(a=whole, idxs=chosen.ravel(), preferred_shape=chosen.shape)
    loaded = _load(pickle.dumps({"whole": whole, "part": part}, protocol))
    assert isinstance(loaded["whole"], Standin)
    np.testing.assert_array_equal(as_array(loaded["whole"]), array)
    np.testing.assert_array_equal(as_array(loaded["part"]), array[..., :4])


@pytest.mark.parametrize("form", ["csc", "csr", "coo"])
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_sparse_matrices_become_dense(form, protocol):
    dense = RNG.normal(size=(6, 9)) * (RNG.random((6, 9)) < 0.3)
    for make in (getattr(scipy.sparse, f"{form}_matrix"), getattr(scipy.sparse, f"{form}_array")):
        np.testing.assert_array_equal(as_array(_load(pickle.dumps(make(dense), protocol))), dense)
    old = pickle.dumps(getattr(scipy.sparse, f"{form}_matrix")(dense), 2)
    old = old.replace(f"scipy.sparse._{form}".encode(), f"scipy.sparse.{form}".encode())
    np.testing.assert_array_equal(as_array(_load(old)), dense)


@pytest.mark.parametrize(
    "change",
    [
        {"indices": np.array([0, 99])},
        {"indices": np.array([-1, 0])},
        {"indptr": np.array([0, 5, 2])},
        {"indptr": np.array([0, 1, 1])},
        {"data": np.array([1.0])},
        {"data": np.array(["a", "b"])},
        {"_shape": (1 << 20, 1 << 20)},
        {"_shape": (-3, 2)},
        {"_shape": None},
    ],
)
def test_inconsistent_sparse_parts_are_rejected(change):
    matrix = Standin("scipy.sparse.csc", "csc_matrix")
    matrix.state = {"data": np.ones(2), "indices": np.array([0, 1]), "indptr": np.array([0, 1, 2]), "_shape": (3, 2)}
    assert as_array(matrix).sum() == 2.0
    matrix.state |= change
    with pytest.raises(ValueError, match=r"expected|matrix"):
        as_array(matrix)
