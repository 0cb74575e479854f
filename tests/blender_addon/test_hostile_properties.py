"""A .blend comes from anyone: whatever its custom properties hold gives a result or an error of ours."""

from __future__ import annotations

import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

from blender_addon.figure.armature import SKELETON_KEY  # noqa: E402
from blender_addon.figure.custom_properties import RECORD_KEY  # noqa: E402
from blender_addon.result.panel import SMPLIFY_PT_result  # noqa: E402
from tests.blender_addon.drawing import draw  # noqa: E402
from tests.blender_addon.test_changed_figures import ON_A_FIGURE, outcome  # noqa: E402

VALUES = {
    "a number": 7,
    "text": "[" * 5000,
    "JSON": '{"a": [null]}',
    "numbers": [float("nan")] * 5,
    "bytes": b"\xff\x00PK",
    "a group": {"a": {"b": 1}},
}
FURTHER = ("smplify_file", "smplify_pose_before_live", "smplify_live", "smplify_takes", "smplify_present_take")
"""What figures and characters have besides, at times."""


def spoil(owner: bpy.types.ID, value: object, more: tuple[str, ...] = ()) -> set[str]:
    """Put *value* into each of the add-on's custom properties of *owner*; return their names.

    Record and skeleton have tests of their own, and would end what follows first.
    """
    keys = {key for key in (*owner.keys(), *more) if key.startswith("smplify_")} - {RECORD_KEY, SKELETON_KEY}
    for key in keys:
        if key in owner:
            del owner[key]
        owner[key] = value
    return keys


def use(armature: bpy.types.Object, tmp_path, name: str) -> None:
    """Do what can be done with a figure; exceptions of handlers and of settings' callbacks are only printed."""
    draw(SMPLIFY_PT_result)
    armature.smplify.foot_lock = 0.5
    for operator in ON_A_FIGURE:
        if operator != "fit_again":
            outcome(getattr(bpy.ops.smplify, operator))
    armature.smplify.color_by_error = not armature.smplify.color_by_error
    for suffix in ("npz", "bvh", "blend"):
        outcome(lambda suffix=suffix: bpy.ops.smplify.export(filepath=str(tmp_path / f"{name}.{suffix}")))
    draw(SMPLIFY_PT_result)


@pytest.mark.parametrize("what", ["armature", "joints", "mesh"])
@pytest.mark.parametrize("value", VALUES)
def test_hostile_custom_properties_give_no_traceback(fitted_walk, tmp_path, capfd, value, what):
    armature = fitted_walk
    if what == "mesh":
        armature.smplify.color_by_error = True
    owners = {"armature": [armature], "joints": [armature.data], "mesh": [armature.children[0], *bpy.data.screens]}
    keys = set().union(*(spoil(owner, VALUES[value], FURTHER if what == "armature" else ()) for owner in owners[what]))
    assert len(keys) > 1
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "spoiled.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "spoiled.blend"))
    bpy.context.view_layer.objects.active = bpy.data.objects["walk"]
    use(bpy.data.objects["walk"], tmp_path, "written")
    said = "".join(capfd.readouterr())
    assert "Traceback" not in said, said
