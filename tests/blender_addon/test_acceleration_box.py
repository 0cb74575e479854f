"""The preferences' box "GPU Acceleration": each state is drawn, each operator does what it says."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

import addon_utils  # noqa: E402

from blender_addon.figure.animation import read_motion  # noqa: E402
from blender_addon.package import addon_preferences, user_folder  # noqa: E402
from blender_addon.torch_backend import fitting, settings, setup_session  # noqa: E402
from blender_addon.torch_backend import operators as operators  # noqa: E402
from blender_addon.torch_backend import preferences_box as box  # noqa: E402
from blender_addon.torch_backend.builds import Build  # noqa: E402
from blender_addon.torch_backend.environment import base_python  # noqa: E402
from blender_addon.torch_backend.settings import fit_devices, fit_python, known_info  # noqa: E402
from blender_addon.torch_backend.setup_session import SETUP  # noqa: E402
from tests.acceleration.stand_ins import write_quick_python, write_stand_ins  # noqa: E402
from tests.blender_addon.drawing import Drawn, Layout  # noqa: E402
from tests.conftest import REPOSITORY  # noqa: E402
from tests.processes import is_running  # noqa: E402
from tests.waiting import PATIENCE_S, poll  # noqa: E402

SMALL = Build("processor", "torch==2.13.0", "", 1, 1, has_gpu=False)
posix = pytest.mark.skipif(os.name == "nt", reason="needs shell scripts")


@pytest.fixture
def preferences(scene, monkeypatch, tmp_path):
    """The preferences of the enabled add-on, with a user folder and pip settings of this test's own."""
    monkeypatch.syspath_prepend(str(REPOSITORY))
    assert addon_utils.enable("blender_addon", default_set=True) is sys.modules["blender_addon"]
    for module in (operators, box, settings):
        if hasattr(module, "user_folder"):
            monkeypatch.setattr(module, "user_folder", lambda: tmp_path / "user")
        if hasattr(module, "build_for_this_computer"):
            monkeypatch.setattr(module, "build_for_this_computer", lambda: SMALL)
    monkeypatch.setattr(settings, "blender_has_torch", lambda: False)
    monkeypatch.setattr(box, "blender_has_torch", lambda: False)
    allowed = bpy.context.preferences.system.use_online_access
    yield addon_preferences(bpy.context)
    bpy.context.preferences.system.use_online_access = allowed
    addon_utils.disable("blender_addon", default_set=True)
    assert not SETUP.busy


def drawn(preferences: object) -> Drawn:
    """What the whole page shows."""
    result = Drawn()
    box.draw_acceleration(Layout(result), bpy.context, preferences)
    return result


def write_program(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def fake_torch(path: Path, version: str = "2.13.0") -> str:
    """A program that answers like a Python with PyTorch."""
    said = (
        f'@smplify {{"version": "3.11.9", "numpy": "1.26.4", "torch": "{version}", "fault": "", "devices": '
        '[["cuda:0", "Big GPU", ""], ["cuda:1", "Old GPU", "no kernel image"]]}'
    )
    return write_program(path, f"echo '{said}'")


def test_fits_run_on_numpy_by_default_and_nothing_is_installed_into_blender(preferences):
    shown = drawn(preferences)
    assert shown.props == ["fit_place"] and shown.operators == []
    assert "Blender's own Python has no PyTorch" in shown.text
    assert fit_python(preferences) is None and fit_devices(preferences) == ()


def test_torch_in_blenders_python_is_used_once_checked(preferences, monkeypatch, tmp_path):
    for module in (settings, box):
        monkeypatch.setattr(module, "blender_has_torch", lambda: True)
    assert "Not checked yet" in drawn(preferences).text
    monkeypatch.setattr(settings.sys, "executable", fake_torch(tmp_path / "python"))
    assert bpy.ops.smplify.check_python() == {"FINISHED"}
    assert fit_python(preferences) is None
    assert [device.id for device in fit_devices(preferences)] == ["cuda:0"]


@posix
def test_a_chosen_python_is_checked_and_remembered(preferences, tmp_path):
    preferences.fit_place = "CHOSEN"
    assert "Choose the Python" in drawn(preferences).text
    with pytest.raises(RuntimeError, match="Choose a Python first"):
        bpy.ops.smplify.check_python()
    preferences.python_file = fake_torch(tmp_path / "python")
    shown = drawn(preferences)
    assert "Not checked yet" in shown.text and shown.operators == ["smplify.check_python"]
    assert fit_python(preferences) is None, "one that was not checked is not used"
    assert bpy.ops.smplify.check_python() == {"FINISHED"}
    assert fit_python(preferences) == tmp_path / "python"
    assert [device.name for device in fit_devices(preferences)] == ["Big GPU"]
    shown = drawn(preferences)
    assert "PyTorch 2.13.0" in shown.text and "Old GPU (cuda:1): no kernel image" in shown.text
    assert bpy.context.preferences.is_dirty

    preferences.python_file = fake_torch(tmp_path / "other", version="2.9.0")
    assert known_info(preferences) is None, "what was found out about one Python is not used for another"


@posix
def test_an_unsuitable_python_is_reported_and_not_used(preferences, tmp_path):
    preferences.fit_place = "CHOSEN"
    preferences.python_file = write_program(tmp_path / "python", "echo no licence >&2; exit 3")
    with pytest.raises(RuntimeError, match="no licence"):
        bpy.ops.smplify.check_python()
    shown = drawn(preferences)
    assert "no licence" in shown.text and shown.alerts
    assert fit_python(preferences) is None
    preferences.python_file = fake_torch(tmp_path / "python")
    assert bpy.ops.smplify.check_python() == {"FINISHED"}
    assert "no licence" not in drawn(preferences).text


def test_the_download_size_is_shown_and_offline_mode_is_respected(preferences, tmp_path):
    preferences.fit_place = "PRIVATE"
    bpy.context.preferences.system.use_online_access = False
    shown = drawn(preferences)
    assert "About 1 MB to download, 1 MB on the disk" in shown.text
    assert "not be faster than NumPy" in shown.text
    assert "Blender may not go online" in shown.text
    assert shown.operators == ["smplify.install_torch"]
    with pytest.raises(RuntimeError, match="Allow Online Access"):
        bpy.ops.smplify.install_torch()
    assert not (tmp_path / "user").exists()
    assert not bpy.ops.smplify.remove_torch.poll()
    preferences.show_install_options = True
    assert {"base_python_file", "index_url"} <= set(drawn(preferences).props)


@posix
@pytest.mark.main_blender
@pytest.mark.skipif(
    subprocess.run([sys.executable, "-c", "import ensurepip"], capture_output=True, check=False).returncode != 0,
    reason="this Python cannot make environments",
)
def test_torch_is_installed_and_removed(preferences, tmp_path, monkeypatch):
    write_stand_ins(tmp_path / "wheels")
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    subprocess.run([base_python(), "-m", "venv", tmp_path / "made"], check=True)
    bpy.context.preferences.system.use_online_access = True
    preferences.base_python_file = str(write_quick_python(tmp_path / "quick", tmp_path / "made"))
    assert bpy.ops.smplify.install_torch() == {"FINISHED"}
    assert preferences.fit_place == "PRIVATE"
    python = tmp_path / "user" / "pytorch" / "bin" / "python"
    assert fit_python(preferences) == python and python.is_file()
    shown = drawn(preferences)
    assert "PyTorch 2.13.0" in shown.text and "Test GPU 0 (cuda:0)" in shown.text
    assert shown.operators == ["smplify.check_python", "smplify.remove_torch"]
    assert bpy.ops.smplify.remove_torch() == {"FINISHED"}
    assert not (tmp_path / "user" / "pytorch").exists()
    assert fit_python(preferences) is None and fit_devices(preferences) == ()
    assert drawn(preferences).operators == ["smplify.install_torch"]


@posix
def test_an_environment_with_a_missing_python_can_be_reinstalled_or_removed(preferences, tmp_path):
    preferences.fit_place = "PRIVATE"
    (tmp_path / "user" / "pytorch" / "bin").mkdir(parents=True)
    (tmp_path / "user" / "pytorch" / "bin" / "python").symlink_to(tmp_path / "blender-4.4" / "python")
    shown = drawn(preferences)
    assert "is gone: install it again" in shown.text
    assert shown.operators == ["smplify.install_torch", "smplify.remove_torch"]


@posix
def test_installation_shows_progress_and_can_be_cancelled(preferences, tmp_path, monkeypatch):
    bpy.context.preferences.system.use_online_access = True
    preferences.fit_place = "PRIVATE"
    preferences.base_python_file = write_program(tmp_path / "base", f"sleep 600; echo awake > {tmp_path}/waited")
    monkeypatch.setattr(setup_session, "has_window", lambda: True)
    before = threading.active_count()
    assert bpy.ops.smplify.install_torch() == {"FINISHED"}
    poll(lambda: SETUP.task.status.what, PATIENCE_S, "the task to begin")
    shown = drawn(preferences)
    assert shown.progress == [(0.0, "Creating the environment...")]
    assert shown.operators == ["smplify.cancel_torch"]
    assert not bpy.ops.smplify.install_torch.poll() and not bpy.ops.smplify.check_python.poll()
    assert bpy.ops.smplify.cancel_torch() == {"FINISHED"}
    assert drawn(preferences).progress[0][1] == "Cancelling..."
    SETUP.finish()
    assert not (tmp_path / "waited").exists()
    assert drawn(preferences).operators == ["smplify.install_torch"] and SETUP.error == ""
    assert [path.name for path in (tmp_path / "user").iterdir()] == ["pytorch.lock"]
    assert threading.active_count() == before


@posix
def test_disabling_the_addon_stops_a_running_installation(preferences, tmp_path, monkeypatch):
    bpy.context.preferences.system.use_online_access = True
    preferences.base_python_file = write_program(tmp_path / "base", "sleep 600")
    monkeypatch.setattr(setup_session, "has_window", lambda: True)
    before = threading.active_count()
    assert bpy.ops.smplify.install_torch() == {"FINISHED"}
    assert SETUP.busy
    operators.unregister()
    assert not SETUP.busy and threading.active_count() == before
    assert [path.name for path in (tmp_path / "user").iterdir()] == ["pytorch.lock"]


@posix
@pytest.mark.parametrize(
    ("device", "shown"),
    [("cuda", "Big GPU"), ("mps", "PyTorch finds no such GPU"), ("cpu", "")],
)
def test_box_3_shows_whether_the_device_is_available(preferences, tmp_path, device, shown):
    result = Drawn()
    box.draw_device(Layout(result), bpy.context, preferences, device)
    assert "not set up yet" in result.text and result.operators == ["preferences.addon_show"]
    preferences.fit_place = "CHOSEN"
    preferences.python_file = fake_torch(tmp_path / "python")
    assert bpy.ops.smplify.check_python() == {"FINISHED"}
    result = Drawn()
    box.draw_device(Layout(result), bpy.context, preferences, device)
    assert result.text == shown
    assert result.operators == (["preferences.addon_show"] if device == "mps" else [])


def set_up_fit(scene, path: Path) -> None:
    scene.smplify.track.filepath = str(path)
    scene.smplify.fit.device = "cpu"


def test_a_fit_without_torch_says_where_to_set_it_up(preferences, write_track, tmp_path, monkeypatch):
    monkeypatch.setattr(fitting.importlib.util, "find_spec", lambda name: None)
    set_up_fit(bpy.context.scene, write_track(tmp_path / "walk.npz"))
    before = set(bpy.data.objects)
    with pytest.raises(RuntimeError, match="GPU Acceleration"):
        bpy.ops.smplify.fit()
    assert set(bpy.data.objects) == before


@pytest.mark.bpy_module
def test_a_fit_runs_in_the_python_of_the_preferences(preferences, write_track, tmp_path):
    pytest.importorskip("torch", reason="needs PyTorch")
    set_up_fit(bpy.context.scene, write_track(tmp_path / "walk.npz", 24))
    assert bpy.ops.smplify.fit() == {"FINISHED"}
    here = read_motion(bpy.context.active_object, fps=30.0)
    assert fitting._keeper._server is None, "with torch in Blender no other process is needed"
    preferences.fit_place = "CHOSEN"
    preferences.python_file = sys.executable
    assert bpy.ops.smplify.check_python() == {"FINISHED"}
    assert bpy.ops.smplify.fit() == {"FINISHED"}
    assert fitting._keeper._server.python == Path(sys.executable)
    there = read_motion(bpy.context.active_object, fps=30.0)
    np.testing.assert_array_equal(there.poses, here.poses)
    np.testing.assert_array_equal(there.trans, here.trans)
    pid = fitting._keeper._server.pid
    operators.unregister()
    assert fitting._keeper._server is None
    assert not is_running(pid)


def test_the_user_folder_is_outside_the_extension():
    folder = user_folder()
    assert REPOSITORY not in folder.parents and folder.name == "learnable_smplify"
