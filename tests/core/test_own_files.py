"""Own files are recognised for as long as nobody changed them."""

from __future__ import annotations

import json
import zipfile

import numpy as np
import pytest

from core.errors import OutputError
from core.io.own_files import check_replaceable, is_own, write_own_json, write_own_npz

ARRAYS = {"a": np.arange(3), "name": np.array("walk")}


def test_a_written_archive_is_own_until_it_is_saved_otherwise(tmp_path):
    path = tmp_path / "a.npz"
    write_own_npz(path, ARRAYS)
    with np.load(path) as arrays:
        read = dict(arrays)
    assert list(read) == list(ARRAYS) and all(np.array_equal(read[name], ARRAYS[name]) for name in ARRAYS)
    assert is_own(path)
    comment = zipfile.ZipFile(path).comment
    np.savez_compressed(path, **ARRAYS)
    assert not is_own(path)
    np.savez_compressed(path, **{**ARRAYS, "a": np.arange(3) + 1})
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = comment
    assert not is_own(path)


def test_a_written_object_is_own_until_it_is_changed(tmp_path):
    path = tmp_path / "a.json"
    write_own_json(path, {"b": [1, 2.5, None], "a": {3: (4, "ü")}})
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content.pop("unchanged").startswith("learnable-smplify ")
    assert content == {"b": [1, 2.5, None], "a": {"3": [4, "ü"]}}
    assert is_own(path)
    path.write_text(path.read_text(encoding="utf-8").replace("2.5", "2.6"), encoding="utf-8")
    assert not is_own(path)


@pytest.mark.parametrize("content", [b"{", b"[]", b"null", b"{}", b"PK\x05\x06", b"\xff\xfe", b"{" * 100_000, b"text"])
def test_other_files_are_not_own_and_not_replaced(tmp_path, content):
    path = tmp_path / "a.npz"
    path.write_bytes(content)
    assert not is_own(path)
    with pytest.raises(OutputError, match="give --overwrite to replace it"):
        check_replaceable([tmp_path / "none.npz", path])


def test_no_file_and_an_empty_one_may_be_replaced_but_no_link_to_nowhere(tmp_path):
    (tmp_path / "empty.npz").touch()
    check_replaceable([tmp_path / "none.npz", tmp_path / "empty.npz"])
    try:
        (tmp_path / "link.npz").symlink_to(tmp_path / "gone.npz")
    except OSError:
        pytest.skip("links cannot be made here")
    with pytest.raises(OutputError, match=r"link\.npz"):
        check_replaceable([tmp_path / "link.npz"])
