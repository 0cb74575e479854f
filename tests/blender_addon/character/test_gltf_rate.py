"""The frame rate of a glTF file is that of its keys; damage is named."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("bpy", reason="needs Blender's Python module")

from blender_addon.character.gltf_rate import gltf_rate  # noqa: E402

pytestmark = pytest.mark.main_blender


def scene(**times: object) -> dict[str, object]:
    accessor = {"count": 61, "min": [0.0], "max": [1.0], **times}
    return {"accessors": [accessor], "animations": [{"samplers": [{"input": 0}]}]}


@pytest.mark.parametrize(
    ("content", "rate"), [(scene(), 60.0), (scene(count=5), 30.0), ({}, 30.0), (scene(max=[0.0]), 30.0)]
)
def test_the_rate_is_that_of_the_densest_keys(tmp_path, content, rate):
    (tmp_path / "a.gltf").write_text(json.dumps(content))
    assert gltf_rate(tmp_path / "a.gltf") == rate


@pytest.mark.parametrize(
    "content",
    [
        scene(count=10**400),
        scene(count=1e12),
        scene(max=["x"]),
        scene(max=[]),
        [],
        {"animations": [3]},
        scene(min=None),
    ],
)
def test_damage_is_an_error_of_the_file(tmp_path, content):
    (tmp_path / "a.gltf").write_text(json.dumps(content))
    with pytest.raises(ValueError, match="its animation is damaged|more than 10000 a second"):
        gltf_rate(tmp_path / "a.gltf")
