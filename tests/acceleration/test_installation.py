"""The private environment appears whole or not at all, can be stopped at any moment, and goes without a trace."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from blender_addon.background.task import Progress, Task, TaskCancelled, TaskState
from blender_addon.torch_backend import environment, installation
from blender_addon.torch_backend.builds import CPU_LINUX, Build
from blender_addon.torch_backend.environment import (
    EnvironmentFault,
    base_python,
    environment_python,
    has_environment,
    of_any_length,
    python_of,
    remove,
)
from blender_addon.torch_backend.installation import Installation, Plan
from blender_addon.torch_backend.probe import ProbeError
from tests.acceleration.stand_ins import write_quick_python, write_stand_ins
from tests.processes import is_running
from tests.waiting import PATIENCE_S, poll

SMALL = Build("processor", "torch==2.13.0", "", 1, 1)
pytestmark = [
    pytest.mark.skipif(
        subprocess.run([sys.executable, "-c", "import ensurepip"], capture_output=True, check=False).returncode != 0,
        reason="this Python cannot make environments",
    ),
    pytest.mark.skipif(os.name == "nt", reason="needs shell scripts"),
]


@pytest.fixture
def plan(tmp_path, wheels, made_environment) -> Plan:
    """A plan whose Python is quick at making environments."""
    base = write_quick_python(tmp_path / "quick", made_environment)
    return Plan(base=base, build=SMALL, user_folder=tmp_path / "user")


def installing(plan: Plan, listener: Progress | None = None) -> Task:
    return Task(lambda progress: Installation(plan, progress).run(), listener)


def install(plan: Plan, listener: Progress | None = None) -> Task:
    task = installing(plan, listener)
    task.run()
    return task


def error_of(task: Task) -> str:
    assert isinstance(task.error, (EnvironmentFault, ProbeError)), task.error
    return str(task.error)


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def test_it_is_made_used_made_again_and_removed(plan):
    task = install(replace(plan, base=base_python()))
    assert task.error is None and (task.status.share, task.status.what) == (1.0, "Done")
    python = environment_python(plan.user_folder)
    assert task.result.path == str(python) and task.result.torch == "2.13.0"
    assert [device.name for device in task.result.usable_devices] == ["Test GPU 0"]
    assert left_in(plan.user_folder) == ["pytorch", "pytorch.lock"]
    assert not (plan.user_folder / "pytorch" / "tmp").exists()
    code = "import sys, torch; print(sys.prefix); print(torch.__version__)"
    said = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert said == [str(plan.user_folder / "pytorch"), "2.13.0"]

    mark = plan.user_folder / "pytorch" / "mark"
    mark.touch()
    assert install(plan).error is None  # made by copying, which is quicker
    assert not mark.exists() and environment_python(plan.user_folder) is not None

    remove(plan.user_folder)
    assert left_in(plan.user_folder) == ["pytorch.lock"]
    assert environment_python(plan.user_folder) is None


def test_where_paths_are_short_pip_is_given_the_folder_in_the_form_that_may_be_long(plan, monkeypatch):
    """What it installs lies where it lies otherwise; the form itself is Windows's alone, so here it is a detour."""
    monkeypatch.setattr(installation, "short_paths_only", lambda: True)
    asked = []
    monkeypatch.setattr(installation, "of_any_length", lambda path: asked.append(path) or f"{path}/./")
    task = install(plan)
    assert task.error is None and len(asked) == 1
    assert Path(asked[0]).parent == plan.user_folder and Path(asked[0]).is_absolute()
    python = environment_python(plan.user_folder)
    said = subprocess.run(
        [python, "-c", "import torch; print(torch.__file__)"], capture_output=True, text=True, check=True
    )
    assert Path(said.stdout.strip()).is_relative_to(plan.user_folder / "pytorch")


@pytest.mark.parametrize(
    ("path", "long"),
    [
        (r"C:\Users\me\pytorch", r"\\?\C:\Users\me\pytorch"),
        (r"\\server\share\me", r"\\?\UNC\server\share\me"),
        (r"\\?\C:\Users", r"\\?\C:\Users"),
    ],
)
def test_paths_of_any_length(path, long):
    assert of_any_length(path) == long


def test_a_failure_is_reported_and_keeps_the_old_environment(plan, wheels, made_environment):
    shutil.copytree(made_environment, plan.user_folder / "pytorch", symlinks=True)
    next(wheels.glob("torch-*")).unlink()
    task = install(plan)
    assert "-m pip install failed" in error_of(task) and "torch==2.13.0" in error_of(task)
    assert task.result is None
    assert environment_python(plan.user_folder) is not None
    assert left_in(plan.user_folder) == ["pytorch", "pytorch.lock"]


def test_one_whose_torch_does_not_work_is_not_kept(plan, wheels):
    write_stand_ins(wheels, torch="raise OSError('libcudart.so.13: cannot open shared object file')")
    task = install(plan)
    assert "cannot import PyTorch" in error_of(task) and "libcudart" in error_of(task)
    assert left_in(plan.user_folder) == ["pytorch.lock"]


@pytest.mark.parametrize("step", ["Creating the environment", "Looking for torch", "Unpacking", "Testing PyTorch"])
def test_it_can_be_cancelled_at_any_step(plan, step):
    task = install(plan, lambda share, what: what != step)
    assert task.state is TaskState.CANCELLED and task.result is None
    assert isinstance(task.error, TaskCancelled) and task.status.what == step
    assert left_in(plan.user_folder) == ["pytorch.lock"]


def test_cancelling_ends_all_that_was_started(plan, tmp_path):
    base = tmp_path / "slow_python"
    base.write_text(f"#!/bin/sh\nsleep 600 &\necho $! > {tmp_path}/child\nwait\n", encoding="utf-8")
    base.chmod(0o755)
    task = installing(replace(plan, base=base))
    task.start()
    poll(lambda: (tmp_path / "child").exists() and (tmp_path / "child").read_text(), PATIENCE_S, "a process to start")
    task.cancel()
    task.wait()
    child = int((tmp_path / "child").read_text())
    poll(lambda: not is_running(child), PATIENCE_S, "it to end")
    assert left_in(plan.user_folder) == ["pytorch.lock"]


def test_modules_in_the_working_directory_and_variables_of_pip_redirect_nothing(plan, tmp_path, monkeypatch):
    """What lay in Blender's working directory under the name of a module was run."""
    folder = tmp_path / "working directory"
    folder.mkdir()
    for name in ("venv", "pip", "sysconfig", "json"):
        (folder / f"{name}.py").write_text(f"raise SystemExit('{name}.py was run')", encoding="utf-8")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.setenv("PYTHONUSERBASE", str(folder))
    monkeypatch.setenv("PIP_TARGET", str(tmp_path / "target"))
    task = install(replace(plan, base=base_python()))
    assert task.error is None and task.result.torch == "2.13.0"
    assert not (tmp_path / "target").exists()


def test_too_little_space_is_reported_before_any_work(plan):
    error = error_of(install(replace(plan, build=replace(SMALL, disk_mb=10**9))))
    assert "of free space for" in error and "make room" in error
    assert left_in(plan.user_folder) == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("echo 3 8", r"expected one of Python 3\.11, .* is 3\.8\."),
        (
            'if [ "$1" = -c ]; then echo 3 11; else echo "ensurepip is not available"; exit 1; fi',
            "lacks Python's venv and ensurepip.*apt-get install python3-venv",
        ),
        (
            'if [ "$1" = -c ]; then echo 3 11; else echo "No module named venv" >&2; exit 1; fi',
            "lacks Python's venv and ensurepip",
        ),
        ('if [ "$1" = -c ]; then echo 3 11; else echo "disk full" >&2; exit 1; fi', r"(?s)-m venv .*failed.*disk full"),
    ],
)
def test_a_python_that_cannot_make_environments_is_reported(plan, tmp_path, text, fault):
    base = tmp_path / "base"
    base.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    base.chmod(0o755)
    error = error_of(install(replace(plan, base=base)))
    assert re.search(fault, error), error
    assert left_in(plan.user_folder) == ["pytorch.lock"]


def test_two_blenders_do_not_make_it_at_once(plan):
    with environment.unfinished_environment(plan.user_folder):
        assert "another Blender" in error_of(install(plan))
        with pytest.raises(EnvironmentFault, match="another Blender"):
            remove(plan.user_folder)
    assert install(plan).error is None


def test_what_a_crash_left_behind_is_removed(plan):
    for name in ("pytorch.unfinished-abc", "pytorch.discarded-abc"):
        (plan.user_folder / name / "lib").mkdir(parents=True)
    remove(plan.user_folder)
    assert left_in(plan.user_folder) == ["pytorch.lock"]


def test_one_whose_python_is_gone_is_seen_as_such(tmp_path):
    python = python_of(tmp_path / "pytorch")
    python.parent.mkdir(parents=True)
    python.symlink_to(tmp_path / "blender-4.5" / "python")
    assert has_environment(tmp_path) and environment_python(tmp_path) is None


def test_the_index_is_asked_besides_pips_own():
    plan = Plan(Path("python"), CPU_LINUX, Path("user"))
    assert plan.pip_arguments == ["torch==2.13.0+cpu", "numpy", "--extra-index-url", CPU_LINUX.extra_index]
    own = replace(plan, index_url="https://mirror.example/simple")
    assert own.pip_arguments == ["torch==2.13.0", "numpy", "--extra-index-url", "https://mirror.example/simple"]
    assert replace(plan, build=SMALL).pip_arguments == ["torch==2.13.0", "numpy"]


def test_the_base_is_a_python_that_runs(monkeypatch, tmp_path):
    said = subprocess.run(
        [base_python(), "-c", "import sys; print(*sys.version_info[:2])"], capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == [str(part) for part in sys.version_info[:2]]
    monkeypatch.setattr(sys, "executable", str(tmp_path / "blender"))
    assert base_python().name.startswith("python")
    for name in ("prefix", "base_prefix"):
        monkeypatch.setattr(sys, name, str(tmp_path))
    with pytest.raises(EnvironmentFault, match="choose a Python of your own"):
        base_python()
