"""Files appear whole or not at all."""

import pytest

from core.errors import InputMissingError
from core.files import atomic_path


def test_written_file_takes_the_place_of_the_old_one(tmp_path):
    target = tmp_path / "new" / "clip.npz"
    for text in ("first", "second"):
        with atomic_path(target) as temporary:
            assert temporary.suffix == ".npz"
            temporary.write_text(text)
        assert target.read_text() == text
    assert [p.name for p in target.parent.iterdir()] == ["clip.npz"]


def test_failure_keeps_the_old_file_and_leaves_nothing_beside_it(tmp_path):
    target = tmp_path / "clip.npz"
    target.write_text("old")
    with pytest.raises(ZeroDivisionError), atomic_path(target) as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["clip.npz"]


def test_nothing_written_is_an_error(tmp_path):
    with pytest.raises(InputMissingError, match=r"clip\.npz"), atomic_path(tmp_path / "clip.npz"):
        pass
    assert list(tmp_path.iterdir()) == []
