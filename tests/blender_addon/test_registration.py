"""Registering leaves nothing behind; the operator goes from a file to a figure, or says why not."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

import blender_addon  # noqa: E402
from blender_addon.tracks.request import TrackRequest  # noqa: E402
from blender_addon.tracks.session import TRACKS  # noqa: E402
from tests.conftest import REPOSITORY  # noqa: E402


@pytest.fixture
def addon(scene):
    blender_addon.register()
    yield scene
    blender_addon.unregister()


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


def running():
    """Everything of ours that runs or is drawn."""
    ours = {thread.name for thread in threading.enumerate() if thread.name.startswith("SMPLify")}
    for name in ("TOPBAR_MT_file_import", "TOPBAR_MT_file_export", "VIEW3D_MT_add"):
        functions = getattr(bpy.types, name)._dyn_ui_initialize()
        ours |= {function.__name__ for function in functions if "blender_addon" in function.__module__}
    from blender_addon.fitting import running as fit
    from blender_addon.tracks import preview, reading

    ours |= {"draw callback" for _ in preview._handles} | {"window timer" for _ in fit._timers}
    return ours | ({"timer"} if bpy.app.timers.is_registered(reading._look_after) else set())


def test_a_worker_registers_nothing_twice_where_the_addon_is_there_without_preferences(addon):
    # So it is in a Blender that was started with --addons: the worker of a batch ended with an error there.
    from blender_addon.worker import _know_figures

    before = registered()
    _know_figures()
    assert registered() == before


def test_no_operator_has_a_property_that_hides_one_of_every_operator(addon):
    # A property called "layout" once left the file browser's options empty: draw() had a text to draw into.
    operators = [getattr(bpy.types, name) for name in dir(bpy.types) if name.startswith("SMPLIFY_OT_")]
    assert len(operators) > 10
    taken = set(bpy.types.Operator.bl_rna.properties.keys())
    for operator in operators:
        assert not set(getattr(operator, "__annotations__", {})) & taken, operator.__name__


def test_register_and_unregister_ten_times_leaves_nothing(scene, write_track, tmp_path):
    track = str(write_track(tmp_path / "walk.npz"))
    before = registered()
    for _ in range(10):
        blender_addon.register()
        assert {"SMPLIFY_OT_fit", "SMPLIFY_PT_track", "smplify"} <= registered()
        assert {"draw callback", "_draw_import"} <= running()
        bpy.ops.smplify.open_track(filepath=track)
        TRACKS.start(TrackRequest(track, units="m"))
        blender_addon.unregister()
        assert registered() == before == set() and running() == set()
        assert TRACKS.readings == []


@pytest.mark.bpy_module
def test_reloading_every_module_leaves_nothing():
    code = (
        "import sys, threading\n"
        "from tests.blender_addon.test_registration import registered\n"
        "for _ in range(10):\n"
        "    for name in [name for name in sys.modules if name.split('.')[0] == 'blender_addon']:\n"
        "        del sys.modules[name]\n"
        "    import blender_addon\n"
        "    blender_addon.register()\n"
        "    blender_addon.unregister()\n"
        "print(registered() | {thread.name for thread in threading.enumerate() if 'SMPLify' in thread.name})\n"
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
    assert run.stdout.splitlines()[-2:] == ["{'FINISHED'}", "24"]


def test_a_figure_has_the_place_that_the_file_says(addon, write_track, tmp_path):
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


def test_bones_follow_shape_keys_that_the_user_moved(addon, write_track, tmp_path):
    bpy.ops.smplify.open_track(filepath=str(write_track(tmp_path / "walk.npz")))
    bpy.ops.smplify.fit()
    armature, mesh = bpy.data.objects["walk"], bpy.data.objects["walk body"]
    before = armature.data.bones["head"].head_local.z
    mesh.data.shape_keys.key_blocks["beta_0"].value += 2.0
    bpy.context.view_layer.objects.active = mesh
    assert bpy.ops.smplify.move_bones() == {"FINISHED"}
    assert armature.data.bones["head"].head_local.z > before + 0.05, "the first beta of the free body is stature"
    assert bpy.context.view_layer.objects.active == mesh


def test_moving_bones_needs_a_figure(addon):
    assert not bpy.ops.smplify.move_bones.poll()
    rig = bpy.data.objects.new("rig", bpy.data.armatures.new("rig"))
    addon.collection.objects.link(rig)
    bpy.context.view_layer.objects.active = rig
    with pytest.raises(RuntimeError, match="imported figure"):
        bpy.ops.smplify.move_bones()
