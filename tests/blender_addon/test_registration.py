"""Registering leaves nothing behind; the operator goes from a file to a figure, or says why not."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import time
from types import FunctionType

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

import blender_addon  # noqa: E402
from blender_addon.background.task import Task  # noqa: E402
from blender_addon.figure.record import load  # noqa: E402
from blender_addon.result.cleanup_cache import CLEANUP_CACHE  # noqa: E402
from blender_addon.result.flag_list import ask_for_rows  # noqa: E402
from blender_addon.result.live_settings import analyse_ahead  # noqa: E402
from blender_addon.torch_backend import setup_session  # noqa: E402
from blender_addon.torch_backend.setup_session import SETUP  # noqa: E402
from blender_addon.track.request import TrackRequest  # noqa: E402
from blender_addon.track.session import TRACKS  # noqa: E402
from tests.conftest import REPOSITORY  # noqa: E402


def registered():
    """Everything of ours that Blender knows."""
    ours = {name for name in dir(bpy.types) if name.startswith("SMPLIFY")}
    ours |= {f"op {name}" for name in dir(bpy.ops.smplify)}
    for owner in (bpy.types.Scene, bpy.types.Object, bpy.types.Armature, bpy.types.WindowManager):
        ours |= {name for name in owner.bl_rna.properties.keys() if "smplify" in name}
    for name in dir(bpy.app.handlers):
        handlers = getattr(bpy.app.handlers, name)
        if isinstance(handlers, list):
            ours |= {handler.__name__ for handler in handlers if "blender_addon" in handler.__module__}
    return ours


def modules():
    """The add-on's modules that are loaded."""
    return [module for name, module in sys.modules.items() if name.split(".")[0] == "blender_addon"]


def running():
    """Everything of ours that runs, waits to be called, or is drawn; every module of the add-on is looked through."""
    ours = {thread.name for thread in threading.enumerate() if thread.name.startswith("SMPLify")}
    for name in dir(bpy.types):
        for function in getattr(getattr(getattr(bpy.types, name), "draw", None), "_draw_funcs", ()):
            if "blender_addon" in function.__module__:
                ours.add(f"{name} {function.__name__}")
    for module in modules():
        for name, value in vars(module).items():
            where = f"{module.__name__}.{name}"
            if isinstance(value, FunctionType) and value.__module__ == module.__name__:
                ours |= {f"timer {where}"} if bpy.app.timers.is_registered(value) else set()
            for item in value if isinstance(value, list) else ():
                # Blender gives a capsule for a draw callback and for a command of its command line.
                if type(item).__name__ == "PyCapsule" or isinstance(item, bpy.types.Timer):
                    ours.add(where)
    for config in (bpy.context.window_manager.keyconfigs.addon, bpy.context.window_manager.keyconfigs.user):
        for keymap in () if config is None else config.keymaps:
            ours |= {f"key of {item.idname}" for item in keymap.keymap_items if item.idname.startswith("smplify")}
    return ours


def until_cancelled(progress):
    """Work that goes on until it is cancelled."""
    while progress(0.5, "Waiting"):
        time.sleep(0.01)


def test_a_worker_registers_nothing_twice_if_the_addon_is_enabled(addon):
    # So it is in a Blender that was started with --addons: the worker of a batch ended with an error there.
    from blender_addon.batch.worker import _register_live_settings

    before = registered()
    _register_live_settings()
    assert registered() == before


def test_no_operator_property_shadows_a_built_in_one(addon):
    # A property called "layout" once left the file browser's options empty: draw() had a text to draw into.
    operators = [getattr(bpy.types, name) for name in dir(bpy.types) if name.startswith("SMPLIFY_OT_")]
    assert len(operators) > 10
    taken = set(bpy.types.Operator.bl_rna.properties.keys())
    for operator in operators:
        assert not set(getattr(operator, "__annotations__", {})) & taken, operator.__name__


def test_register_and_unregister_three_times_leaves_nothing(scene, write_track, tmp_path, monkeypatch):
    monkeypatch.setattr(setup_session, "has_window", lambda: True)
    track = str(write_track(tmp_path / "walk.npz", 6))
    before = registered()
    for _ in range(3):
        blender_addon.register()
        assert {"SMPLIFY_OT_fit", "SMPLIFY_PT_track", "smplify"} <= registered()
        bpy.ops.smplify.open_track(filepath=track)
        bpy.ops.smplify.fit()
        armature = bpy.context.object
        # All that can be at work at once: a track that is read, colours that follow the frame, a list that is filled,
        # a slider's first step that is prepared, a task of the preferences.
        TRACKS.start(TrackRequest(track, {"units": "m"}))
        armature.smplify.color_by_error = True
        ask_for_rows()
        CLEANUP_CACHE.clear()
        analyse_ahead(armature, load(armature))
        SETUP.start(Task(until_cancelled))
        assert {
            "SMPLify task", "timer blender_addon.result.flag_list._fill_all",
            "timer blender_addon.torch_backend.setup_session._poll_task", "TOPBAR_MT_file_import _draw_import",
            "TOPBAR_MT_file_export _draw_export", "blender_addon.track.preview._handles",
            "blender_addon.result.error_strip._handles",
        } <= running()  # fmt: skip
        assert "_frame_changed" in registered()
        blender_addon.unregister()
        assert registered() == before == set() and running() == set()
        assert TRACKS.readings == [] and not CLEANUP_CACHE.is_known(armature["smplify_record_mark"])


@pytest.mark.bpy_module
def test_a_script_that_leaves_the_addon_registered_ends_well():
    # Draw handlers and the command crashed Blender's module at exit: code 139, after all work was done.
    script = "import blender_addon; blender_addon.register()"
    done = subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


@pytest.mark.bpy_module
def test_reloading_every_module_leaves_nothing():
    code = (
        "import sys\n"
        "from tests.blender_addon.test_registration import registered, running\n"
        "left = set()\n"
        "for _ in range(3):\n"
        "    for name in [name for name in sys.modules if name.split('.')[0] == 'blender_addon']:\n"
        "        del sys.modules[name]\n"
        "    import blender_addon\n"
        "    blender_addon.register()\n"
        "    blender_addon.unregister()\n"
        "    left |= registered() | running()\n"
        "print(left)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert run.stdout.strip().splitlines()[-1] == "set()" and "rror" not in run.stderr


@pytest.mark.bpy_module
def test_registering_imports_neither_the_core_nor_torch():
    code = (
        "import bpy, sys, blender_addon; blender_addon.register(); blender_addon.unregister(); "
        "print([name for name in sys.modules if name.split('.')[0] in ('core', 'torch')])"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert run.stdout.strip().endswith("[]")


@pytest.mark.bpy_module
def test_package_works_below_an_extension_prefix_with_the_core_inside(write_track, tmp_path):
    """What the zip has: another package name, ``core`` inside it, no top-level ``core``."""
    path = write_track(tmp_path / "walk.npz")
    root = tmp_path / "like_bl_ext" / "user_default" / "learnable_smplify"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(REPOSITORY / "blender_addon", root, ignore=ignored)
    shutil.copytree(REPOSITORY / "core", root / "core", ignore=ignored)
    code = (
        "import importlib, sys, bpy\n"
        "addon = importlib.import_module('like_bl_ext.user_default.learnable_smplify')\n"
        "bpy.ops.wm.read_homefile(use_empty=True)\n"
        "addon.register()\n"
        f"bpy.ops.smplify.open_track(filepath={str(path)!r})\n"
        "print(bpy.ops.smplify.fit())\n"
        "addon.unregister()\n"
        "assert 'core' not in sys.modules and 'blender_addon' not in sys.modules\n"
        "print(len(bpy.data.objects['walk'].data.bones))\n"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[-2:] == ["{'FINISHED'}", "52"]


def test_a_figure_without_stand_on_floor_keeps_the_files_position(addon, write_track, tmp_path):
    path = write_track(tmp_path / "walk.npz")
    bpy.ops.smplify.open_track(filepath=str(path))
    addon.smplify.fit.floor = False
    bpy.ops.smplify.fit()
    with np.load(path) as stored:
        mid_hip = stored["positions"][:, 8]
    pelvis = bpy.data.objects["walk"].pose.bones["pelvis"]
    for frame in (1, 6, 12):
        addon.frame_set(frame)
        x, y, z = mid_hip[frame - 1]
        np.testing.assert_allclose(pelvis.head, (x, -z, y), atol=0.15)


def test_bones_follow_edited_shape_keys(addon, write_track, tmp_path):
    bpy.ops.smplify.open_track(filepath=str(write_track(tmp_path / "walk.npz")))
    bpy.ops.smplify.fit()
    armature, mesh = bpy.data.objects["walk"], bpy.data.objects["walk body"]
    before = armature.data.bones["head"].head_local.z
    mesh.data.shape_keys.key_blocks["beta_0"].value += 2.0
    bpy.context.view_layer.objects.active = mesh
    assert bpy.ops.smplify.move_bones() == {"FINISHED"}
    assert armature.data.bones["head"].head_local.z > before + 0.05, "the first beta of the free body is stature"
    assert bpy.context.view_layer.objects.active == mesh


def test_moving_bones_requires_a_figure(addon):
    assert not bpy.ops.smplify.move_bones.poll()
    rig = bpy.data.objects.new("rig", bpy.data.armatures.new("rig"))
    addon.collection.objects.link(rig)
    bpy.context.view_layer.objects.active = rig
    assert not bpy.ops.smplify.move_bones.poll(), "a character has no shape keys of a body"
