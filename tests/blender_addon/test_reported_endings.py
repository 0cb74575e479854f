"""No operator ends before its work is done, unless something else will report how that went."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

from blender_addon.registration import MODULES  # noqa: E402
from blender_addon.ui.box_errors import Box  # noqa: E402
from tests.conftest import REPOSITORY  # noqa: E402

FOLDER = REPOSITORY / "blender_addon"
BEGINNINGS = {"read_soon", "Task", "Thread", "Timer", "register", "start"}
"""Calls that begin work which goes on after an operator has returned."""
REPORTED = {
    "read_soon(report=True)",  # the timer of the track's reader announces how it went
    "self._run_task",  # the timer of the set-up of PyTorch does
    "SETUP.start",  # the same
    "self._task.start()",  # the modal operator that runs a fit ends with it
    "LIVE.start",  # the timer of a live session announces its end
}


def operators_of(module: ast.Module) -> Iterator[ast.ClassDef]:
    """Yield the classes of a module that are operators, or that operators are made of."""
    for node in module.body:
        if isinstance(node, ast.ClassDef) and not any(ast.unparse(base).endswith("Menu") for base in node.bases):
            yield node


def unreported(source: str) -> list[str]:
    """Return the calls in the operators of *source* that begin work whose outcome nobody reports."""
    found = []
    for operator in operators_of(ast.parse(source)):
        calls = [node for node in ast.walk(operator) if isinstance(node, ast.Call)]
        handed_on = [
            inner for call in calls if ast.unparse(call.func) in REPORTED for inner in ast.walk(call) if inner != call
        ]
        for call in calls:
            name = ast.unparse(call.func)
            is_reported = ast.unparse(call) in REPORTED or name in REPORTED or call in handed_on
            if name.rpartition(".")[2] in BEGINNINGS and not is_reported:
                found.append(f"{operator.name}: {ast.unparse(call)}")
    return found


def sources() -> dict[str, str]:
    """Return the source of each module with operators, by its path."""
    names = {
        base.__module__
        for module in MODULES
        for cls in module.CLASSES
        if issubclass(cls, bpy.types.Operator)
        for base in cls.__mro__
        if base.__module__.startswith("blender_addon.")
    }
    paths = [REPOSITORY / f"{name.replace('.', '/')}.py" for name in sorted(names)]
    return {path.relative_to(FOLDER).as_posix(): path.read_text(encoding="utf-8") for path in paths}


@pytest.mark.main_blender
def test_no_operator_begins_work_that_nobody_reports(addon):
    found = {name: unreported(source) for name, source in sources().items()}
    assert len(found) > 10 and "background/modal_operator.py" in found
    # It takes up the fit on a thread, and the task that it begins is its own.
    assert found.pop("background/modal_operator.py") == ["RunsFit: Task(work, listener)"]
    assert not any(found.values()), found


@pytest.mark.parametrize(
    "line",
    ["read_soon()", "read_soon(report=False)", "Task(work).start()", "threading.Thread(target=work).start()",
     "bpy.app.timers.register(work)"],
)  # fmt: skip
def test_work_that_nobody_reports_is_detected(line):
    assert unreported(f"class A(bpy.types.Operator):\n    def execute(self, context):\n        {line}\n")


def boxes_and_buttons() -> Iterator[tuple[str, Box, str]]:
    """Yield each button that a panel draws: the panel's file, the box whose errors it draws, and the operator."""
    for path in sorted(FOLDER.glob("*/*panel.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        boxes = {
            Box[ast.unparse(argument).removeprefix("Box.")]
            for call in calls
            if ast.unparse(call.func) == "draw_error"
            for argument in call.args
            if ast.unparse(argument).startswith("Box.")
        }
        for call in calls:
            if ast.unparse(call.func).endswith(".operator") and call.args:
                name = ast.unparse(call.args[0])
                if name.startswith("SMPLIFY_OT_") and len(boxes) == 1:
                    yield path.name, next(iter(boxes)), name.removesuffix(".bl_idname")


@pytest.mark.main_blender
def test_every_button_is_in_the_box_that_shows_its_errors(addon):
    found = list(boxes_and_buttons())
    assert len(found) > 25
    assert [(path, box, name) for path, box, name in found if getattr(bpy.types, name).box is not box] == []


def test_names_that_are_detected_again_end_in_a_warning_if_the_file_cannot_be_read(addon, tmp_path, capfd):
    np.save(tmp_path / "points.npy", np.zeros(3))
    settings = addon.smplify.track
    settings.filepath, settings.point_names = str(tmp_path / "points.npy"), '{"points": []}'
    assert bpy.ops.smplify.detect_points() == {"FINISHED"} and settings.point_names == ""
    assert "Warning: expected" in "".join(capfd.readouterr())


def test_no_file_of_names_discards_no_names(addon):
    addon.smplify.track.point_names = '{"points": []}'
    with pytest.raises(RuntimeError, match="Expected a JSON file with names of points, got none"):
        bpy.ops.smplify.load_points()
    assert addon.smplify.track.point_names == '{"points": []}'
