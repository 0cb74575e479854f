"""The command that starts a worker: the same Blender, or the same Python."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from blender_addon.batch import worker_process
from core.batch.workers import WorkerDied
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.main_blender


def test_workers_run_in_the_same_blender(monkeypatch):
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


def test_workers_of_an_extension_from_a_repository_of_its_own_are_loaded_by_their_path(monkeypatch):
    """Without the user's preferences Blender does not know that repository, nor the command of its extension."""
    program = SimpleNamespace(app=SimpleNamespace(binary_path="/opt/blender/blender"))
    monkeypatch.setitem(sys.modules, "bpy", program)
    monkeypatch.setattr(worker_process, "VENDORED", True)
    monkeypatch.setattr(worker_process, "_PACKAGE", "bl_ext.smplify_org.learnable_smplify")
    command, _ = worker_process.worker_command()
    assert command[-4:] == ["--python", str(worker_process.SCRIPT), "--", "--worker"]


def test_workers_of_the_module_run_in_the_same_python(monkeypatch):
    monkeypatch.setitem(sys.modules, "bpy", SimpleNamespace(app=SimpleNamespace(binary_path="")))
    command, folder = worker_process.worker_command()
    assert command == [sys.executable, "-m", "blender_addon", "--worker"]
    assert (folder / "blender_addon" / "__main__.py").is_file()


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ("channel.send(Message('progress', {'share': '1', 'what': 'x'}))", "expected share of type float"),
        ("channel.send(Message('answer', {'outputs': []}))", "expected answer of type dict"),
        ("channel._outgoing.write(b'Blender quit, and more than twenty letters')", "found b'Blender quit"),
    ],
)
def test_an_invalid_answer_of_a_worker_fails_one_input(monkeypatch, answer, fault):
    code = (
        "from blender_addon.background.messages import Channel, Message; channel = Channel(); "
        f"channel.send(Message('ready')); channel.receive(); {answer}; channel._outgoing.flush(); channel.receive()"
    )
    monkeypatch.setattr(worker_process, "worker_command", lambda: ([sys.executable, "-c", code], REPOSITORY))
    worker = worker_process.WorkerProcess()
    worker.wait_until_ready()
    with pytest.raises(WorkerDied, match=f"sent an invalid answer: .*{fault}"):
        worker.convert({"folder": "x"}, lambda share, what: None)
    worker.end()
    worker.close()
