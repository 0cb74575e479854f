"""The preferences: kept by Blender under the add-on's name, absent where the add-on is not enabled."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

import addon_utils  # noqa: E402

from blender_addon.package import addon_preferences, body_file  # noqa: E402
from tests.conftest import REPOSITORY  # noqa: E402


@pytest.fixture
def enabled(scene, monkeypatch):
    """The add-on, enabled the way Blender does it."""
    monkeypatch.syspath_prepend(str(REPOSITORY))
    assert addon_utils.enable("blender_addon", default_set=True) is sys.modules["blender_addon"]
    yield addon_preferences(bpy.context)
    addon_utils.disable("blender_addon", default_set=True)


def test_preferences_are_none_if_the_addon_is_disabled(scene):
    assert addon_preferences(bpy.context) is None
    assert body_file(None) == ""


@pytest.mark.filterwarnings("ignore:.*blend relative")
def test_the_body_file_is_returned_as_an_absolute_path(enabled, tmp_path):
    assert body_file(enabled) == ""
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    enabled.body_file = "//SMPL_NEUTRAL.pkl"
    assert Path(body_file(addon_preferences(bpy.context))) == tmp_path / "SMPL_NEUTRAL.pkl"
