"""An error stands in the box whose button was pressed, until an operator of that box succeeds."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

from blender_addon.character.panel import SMPLIFY_PT_character  # noqa: E402
from blender_addon.export.panel import SMPLIFY_PT_export  # noqa: E402
from blender_addon.fit.panel import SMPLIFY_PT_fit  # noqa: E402
from blender_addon.live.panel import SMPLIFY_PT_live  # noqa: E402
from blender_addon.result.panel import SMPLIFY_PT_result  # noqa: E402
from blender_addon.track.panel import SMPLIFY_PT_track  # noqa: E402
from blender_addon.ui.box_errors import Box, error_in  # noqa: E402
from tests.blender_addon.drawing import draw  # noqa: E402
from tests.conftest import REPOSITORY  # noqa: E402
from tests.ports import free_port  # noqa: E402

PANELS = {
    Box.TRACK: SMPLIFY_PT_track,
    Box.FIT: SMPLIFY_PT_fit,
    Box.RESULT: SMPLIFY_PT_result,
    Box.CHARACTER: SMPLIFY_PT_character,
    Box.EXPORT: SMPLIFY_PT_export,
    Box.LIVE: SMPLIFY_PT_live,
}
ENDINGS = {"ui/operator_mixin.py", "ui/announcing.py"}
"""Where operators end."""


def endings(source: str) -> Iterator[tuple[int, str]]:
    """Yield each line of *source* that ends an operator by itself, with what stands there."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Return) and node.value is not None and ast.unparse(node.value) == "{'FINISHED'}":
            yield node.lineno, ast.unparse(node)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".report"):
            if node.args and ast.unparse(node.args[0]) == "{'ERROR'}":
                yield node.lineno, ast.unparse(node)


@pytest.mark.main_blender
def test_operators_report_only_through_the_mixin():
    folder = REPOSITORY / "blender_addon"
    found = [
        f"{path.relative_to(folder).as_posix()}:{line} {text}"
        for path in sorted(folder.rglob("*.py"))
        if path.relative_to(folder).as_posix() not in ENDINGS
        for line, text in endings(path.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize("line", ["return {'FINISHED'}", "self.report({'ERROR'}, str(error))"])
def test_an_operator_that_reports_by_itself_is_detected(line):
    assert len(list(endings(f"def execute(self):\n    {line}"))) == 1


def test_every_operator_has_a_box(addon):
    operators = [getattr(bpy.types, name) for name in dir(bpy.types) if name.startswith("SMPLIFY_OT_")]
    boxes = {cls.bl_idname: getattr(cls, "box", None) for cls in operators if cls.bl_idname != "smplify.announce"}
    assert len(boxes) > 25 and all(isinstance(box, Box) for box in boxes.values()), boxes
    assert set(boxes.values()) == set(Box)


@pytest.fixture
def project(fitted_walk, tmp_path) -> Path:
    """A folder beside a track that is read and fitted; the figure is active, and a character is chosen."""
    bpy.ops.smplify.read_track()
    data = bpy.data.armatures.new("rig")
    rig = bpy.data.objects.new("rig", data)
    bpy.context.collection.objects.link(rig)
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    data.edit_bones.new("bone").tail = (0.0, 0.0, 1.0)
    bpy.ops.object.mode_set(mode="OBJECT")
    bpy.context.scene.smplify_character.armature = rig
    bpy.context.view_layer.objects.active = fitted_walk
    return tmp_path


def fail(box: Box, folder: Path) -> None:
    """Press a button of *box* that cannot do its work."""
    settings = bpy.context.scene.smplify
    if box is Box.TRACK:
        bpy.ops.smplify.choose_person(person="Nobody")
    elif box is Box.FIT:
        settings.body.betas = "FILE"
        bpy.ops.smplify.fit()
    elif box is Box.RESULT:
        bpy.ops.smplify.fit_again(first=1, last=6, filepath=str(folder / "nowhere.npz"))
    elif box is Box.CHARACTER:
        bpy.ops.smplify.load_bones(filepath=str(folder / "nowhere.json"))
    elif box is Box.EXPORT:
        bpy.ops.smplify.export(filepath=str(folder / "walk.doc"))
    elif box is Box.LIVE:
        settings.body.kind = "SMPL"
        bpy.ops.smplify.start_live()


def succeed(box: Box, folder: Path) -> None:
    """Press a button of *box* that does its work."""
    settings = bpy.context.scene.smplify
    if box is Box.TRACK:
        bpy.ops.smplify.choose_person(person="")
    elif box is Box.FIT:
        settings.body.betas = "TRACK"
        bpy.ops.smplify.fit()
    elif box is Box.RESULT:
        bpy.ops.smplify.go_to_worst()
    elif box is Box.CHARACTER:
        bpy.ops.smplify.open_character(filepath=str(folder / "character.glb"))
    elif box is Box.EXPORT:
        bpy.ops.smplify.export(filepath=str(folder / "walk.bvh"))
    elif box is Box.LIVE:
        settings.body.kind, bpy.context.scene.smplify_live.port = "FREE", free_port()
        bpy.ops.smplify.start_live()
        bpy.ops.smplify.stop_live()


def boxes_with(message: str) -> list[Box]:
    """Return the boxes that show *message*, which may be broken into lines."""
    wanted = "".join(message.split())
    return [box for box, panel in PANELS.items() if wanted in "".join(draw(panel).text.split())]


@pytest.mark.parametrize("box", PANELS)
def test_an_error_is_shown_in_the_box_of_its_button_until_it_succeeds(project, box):
    if box is Box.CHARACTER:
        for item in bpy.data.objects:
            item.select_set(item.name == "rig")
        bpy.ops.export_scene.gltf(filepath=str(project / "character.glb"), use_selection=True)
    with pytest.raises(RuntimeError) as raised:
        fail(box, project)
    message = str(raised.value).strip().removeprefix("Error: ")
    assert message == error_in(box) and boxes_with(message) == [box]
    succeed(box, project)
    assert error_in(box) == "" and boxes_with(message) == []


def test_errors_are_cleared_by_a_new_blend_file(project):
    with pytest.raises(RuntimeError):
        fail(Box.EXPORT, project)
    bpy.ops.wm.read_homefile(use_empty=True)
    assert error_in(Box.EXPORT) == ""


def test_a_read_error_is_shown_once(addon, tmp_path):
    np.save(tmp_path / "points.npy", np.zeros(3))
    with pytest.raises(RuntimeError):
        bpy.ops.smplify.open_track(filepath=str(tmp_path / "points.npy"))
    assert draw(SMPLIFY_PT_track).labels.count("points.npy") <= 1 and error_in(Box.TRACK) == ""
    assert draw(SMPLIFY_PT_track).alerts
