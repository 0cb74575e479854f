"""NumPy files are read as NumPy reads them; bad ones are a clear error before memory is allocated."""

from __future__ import annotations

import io
import tracemalloc
import zipfile

import numpy as np
import pytest

from core.errors import BodyError, InputMissingError
from core.io.npz import npz_headers, read_npy, read_npz, unpack_npz

ARRAYS = {
    "floats": np.linspace(0, 1, 12).reshape(3, 4),
    "columns": np.asfortranarray(np.arange(6, dtype=">i4").reshape(2, 3)),
    "text": np.array("neutral"),
    "none": np.zeros((0, 3)),
    "number": np.float32(30.0),
}


def test_arrays_equal_those_read_by_numpy(tmp_path):
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "a.npz", **ARRAYS)
        loaded = read_npz(tmp_path / "a.npz", [*ARRAYS, "absent"], error=BodyError)
        headers = npz_headers(tmp_path / "a.npz", error=BodyError)
        assert loaded.keys() == headers.keys() == ARRAYS.keys()
        for name, array in ARRAYS.items():
            np.testing.assert_array_equal(loaded[name], array)
            assert loaded[name].dtype == array.dtype
            assert headers[name].shape == array.shape
    np.save(tmp_path / "a.npy", ARRAYS["columns"])
    np.testing.assert_array_equal(read_npy(tmp_path / "a.npy", error=BodyError), ARRAYS["columns"])


def test_python_objects_are_rejected_if_requested(tmp_path):
    np.savez(tmp_path / "a.npz", good=np.ones(3), objects=np.array([{"a": 1}], dtype=object))
    np.testing.assert_array_equal(read_npz(tmp_path / "a.npz", ["good"], error=BodyError)["good"], np.ones(3))
    with pytest.raises(BodyError, match="Python objects are not loaded"):
        read_npz(tmp_path / "a.npz", ["objects"], error=BodyError)


def _npy(header: bytes, data: bytes = b"") -> bytes:
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + data


HUGE = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1250000000, 1), }\n"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"text, not an array",
        b"\x93NUMPY",
        b"\x93NUMPY\x09\x00\x04\x00abcd",
        _npy(HUGE, b"a" * 80),
        _npy(HUGE.replace(b"1250000000", b"1" * 200), b"a" * 80),
        _npy(HUGE.replace(b"1250000000", b"-1"), b"a" * 80),
        _npy(b"{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }\n", b"a" * 15),
        _npy(b"{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }\n", b"a" * 17),
        _npy(b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n", b"cos\nsystem\n(S'true'\ntR."),
        _npy(b"{'descr': '<f8', 'fortran_order': False, 'shape': (2,)"),
        _npy(b"(" * 5000),
        _npy(b"'\\N{" + b"x" * 50),
        _npy(b"{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,), }\n", b"a" * 8),
        np.lib.format.magic(2, 0) + (1 << 31).to_bytes(4, "little"),
    ],
)
def test_damaged_arrays_are_reported_without_using_memory(tmp_path, data):
    (tmp_path / "bad.npy").write_bytes(data)
    with zipfile.ZipFile(tmp_path / "bad.npz", "w") as archive:
        archive.writestr("bad.npy", data)
    tracemalloc.start()
    with pytest.raises(BodyError, match=r"bad\.npy"):
        read_npy(tmp_path / "bad.npy", error=BodyError)
    with pytest.raises(BodyError, match=r"bad\.npz"):
        read_npz(tmp_path / "bad.npz", ["bad"], error=BodyError)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 20


def test_damaged_archives_are_reported(tmp_path):
    buffer = io.BytesIO()
    np.savez_compressed(buffer, a=np.random.default_rng(0).normal(size=500))
    good = buffer.getvalue()
    broken = bytearray(good)
    broken[200:220] = bytes(20)
    for data in (b"", b"PK\x03\x04", good[:300], good[:-30], bytes(broken), b"\x93NUMPY"):
        path = tmp_path / "bad.npz"
        path.write_bytes(data)
        with pytest.raises(BodyError, match=r"bad\.npz"):
            read_npz(path, ["a"], error=BodyError)


def test_total_size_over_the_limit_is_rejected(tmp_path):
    np.savez_compressed(tmp_path / "bomb.npz", a=np.zeros(1000), b=np.zeros(1000))
    assert read_npz(tmp_path / "bomb.npz", "ab", error=BodyError, max_bytes=16_000).keys() == {"a", "b"}
    with pytest.raises(BodyError, match="too large"):
        read_npz(tmp_path / "bomb.npz", "ab", error=BodyError, max_bytes=15_999)


def test_missing_files_are_reported(tmp_path):
    for read in (read_npy, npz_headers, lambda path, error: read_npz(path, [], error=error)):
        with pytest.raises(InputMissingError, match="nowhere"):
            read(tmp_path / "nowhere", error=BodyError)


def test_archive_in_memory_is_read_like_a_file():
    stream = io.BytesIO()
    np.savez_compressed(stream, **ARRAYS)
    loaded = unpack_npz(stream.getvalue(), [*ARRAYS, "absent"], where="memory", error=BodyError)
    assert loaded.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(loaded[name], array)
    with pytest.raises(BodyError, match="damaged one .* in memory"):
        unpack_npz(stream.getvalue()[:-30], ARRAYS, where="memory", error=BodyError)
    with pytest.raises(BodyError, match=r"at most 95 are read.* in memory \(floats\)"):
        unpack_npz(stream.getvalue(), ["floats"], where="memory", error=BodyError, max_bytes=95)
