"""The command that starts a worker: the same Blender, or the same Python."""

from __future__ import annotations

import sys
from types import SimpleNamespace

from blender_addon.batch import worker_process


def test_workers_are_the_same_blender(monkeypatch):
    program = SimpleNamespace(app=SimpleNamespace(binary_path="/opt/blender/blender"))
    monkeypatch.setitem(sys.modules, "bpy", program)
    command, folder = worker_process.worker_command()
    assert folder == worker_process.SCRIPT.parent, "not the user's, where modules and programs may lie"
    assert command[:3] == ["/opt/blender/blender", "--background", "--factory-startup"]
    assert command[-2:] == ["--", "--worker"]
    monkeypatch.setattr(worker_process, "VENDORED", True)
    monkeypatch.setattr(worker_process, "_PACKAGE", "bl_ext.user_default.learnable_smplify")
    command, _ = worker_process.worker_command()
    expected = ["--addons", "bl_ext.user_default.learnable_smplify", "--command", "smplify", "--worker"]
    assert command[-5:] == expected


def test_workers_of_the_module_are_the_same_python(monkeypatch):
    monkeypatch.setitem(sys.modules, "bpy", SimpleNamespace(app=SimpleNamespace(binary_path="")))
    command, folder = worker_process.worker_command()
    assert command == [sys.executable, "-m", "blender_addon", "--worker"]
    assert (folder / "blender_addon" / "__main__.py").is_file()
