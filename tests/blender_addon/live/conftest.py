"""Fixtures of the tests of live sessions."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def user(tmp_path, monkeypatch):
    """A user folder of this test's own."""
    monkeypatch.setenv("BLENDER_USER_DATAFILES", str(tmp_path))
    return tmp_path / "learnable_smplify"
