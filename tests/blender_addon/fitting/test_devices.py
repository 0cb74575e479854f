"""The menu of devices: what is there, what the preferences' Python reported, and what the scene is set to."""

from __future__ import annotations

import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

from blender_addon import torch_access  # noqa: E402
from blender_addon.fit import devices, panel  # noqa: E402
from blender_addon.fit.panel import SMPLIFY_PT_fit_options  # noqa: E402
from blender_addon.fit.settings import fit_job  # noqa: E402
from blender_addon.torch_backend.probe import Device  # noqa: E402
from core.math.arrays import DEVICES  # noqa: E402
from tests.blender_addon.drawing import draw  # noqa: E402

TWO = (Device("cuda:0", "Big GPU"), Device("cuda:1", "Small GPU"))


@pytest.fixture
def two_gpus(monkeypatch):
    """A Python of the preferences that reported two GPUs."""
    monkeypatch.setattr(devices, "fit_devices", lambda preferences: TWO)


def menu(fit):
    return [item[:2] for item in devices.menu_items(fit, bpy.context)]


def test_every_kind_of_device_is_offered_until_a_python_is_checked(addon):
    fit = addon.smplify.fit
    assert [name for name, _ in menu(fit)] == list(DEVICES)
    assert (fit.device, fit.device_menu) == ("numpy", "numpy")
    for name in DEVICES:
        fit.device_menu = name
        assert (fit.device, fit.device_menu) == (name, name)


def test_each_reported_gpu_can_be_chosen_and_reaches_the_fit(addon, two_gpus, write_track, tmp_path):
    fit = addon.smplify.fit
    assert menu(fit)[2:] == [("cuda:0", "Big GPU (cuda:0)"), ("cuda:1", "Small GPU (cuda:1)")]
    fit.device_menu = "cuda:1"
    addon.smplify.track.filepath = str(write_track(tmp_path / "walk.npz"))
    assert fit_job(bpy.context).options.fit.device == "cuda:1"
    assert "device_menu" in draw(SMPLIFY_PT_fit_options).props


def test_a_single_gpu_is_listed_by_its_name(addon, monkeypatch):
    monkeypatch.setattr(devices, "fit_devices", lambda preferences: (Device("cuda", "Big GPU"),))
    assert menu(addon.smplify.fit)[2:] == [("cuda", "Big GPU")]


def test_a_chosen_gpu_is_kept_after_reopening_without_it(addon, two_gpus, monkeypatch, tmp_path):
    addon.smplify.fit.device_menu = "cuda:1"
    path = str(tmp_path / "scene.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)

    bpy.ops.wm.read_homefile(use_empty=True)
    for kept in (devices._numbers, devices._items):  # as in a Blender that was started anew
        kept.clear()
    monkeypatch.setattr(devices, "fit_devices", lambda preferences: TWO[:1])
    bpy.ops.wm.open_mainfile(filepath=path)

    fit = bpy.context.scene.smplify.fit
    assert (fit.device, fit.device_menu) == ("cuda:1", "cuda:1")
    assert menu(fit)[2:] == [("cuda:0", "Big GPU (cuda:0)"), ("cuda:1", "cuda:1")]


def test_a_device_set_without_index_stays_in_the_menu(addon, two_gpus):
    addon.smplify.fit.device = "cuda"
    assert addon.smplify.fit.device_menu == "cuda"
    assert menu(addon.smplify.fit)[-1] == ("cuda", "NVIDIA GPU")


def test_without_what_serves_pytorch_a_scene_set_to_a_gpu_says_which_edition_has_it(addon, monkeypatch):
    for module in (devices, panel, torch_access):
        monkeypatch.setattr(module, "HAS_TORCH_BACKEND", False)
    assert "device_menu" not in draw(SMPLIFY_PT_fit_options).props
    addon.smplify.fit.device = "cuda"
    assert menu(addon.smplify.fit) == [("numpy", "CPU (NumPy)"), ("cuda", "cuda")]
    shown = draw(SMPLIFY_PT_fit_options)
    assert "device_menu" in shown.props
    assert "fits with NumPy alone" in shown.text and "-gpu" in shown.text
    assert "preferences.addon_show" not in shown.operators, "they have nothing about it"
