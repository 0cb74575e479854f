"""Read a file that a test makes up."""

from __future__ import annotations

import pytest

from core.formats import read_recordings


@pytest.fixture
def read(tmp_path):
    """Return the recordings of a file of this name and content, text or bytes."""

    def read(name: str, content: str | bytes):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_recordings(path)

    return read
