"""The gpu edition in place of the default one, and the way from box 3 to the preferences page and back.

A Python is chosen and checked, and its GPU is in the menu. The default edition is back afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

INSTALL = "bpy.ops.extensions.package_install_files(filepath={!r}, repo='user_default', enable_on_install=True)"
PREFERENCES = "bpy.context.preferences.addons['bl_ext.user_default.learnable_smplify'].preferences"
REPORT = (
    '@smplify {"version": "3.11.9", "numpy": "1.26.4", "torch": "2.13.0", "fault": "", "devices": '
    '[["cuda:0", "Big GPU", ""], ["cuda:1", "Small GPU", ""]]}'
)


@pytest.fixture
def with_torch(user) -> Path:
    """A program that answers like a Python with PyTorch and two GPUs."""
    path = Path(user["HOME"]) / "python-with-torch"
    path.write_text(f"#!/bin/sh\necho '{REPORT}'\n", encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture(scope="module")
def gpu_edition(session, extension) -> Iterator[None]:
    """The running Blender with the gpu edition, which lies beside the default one."""
    path = extension.with_name(f"{extension.stem}-gpu.zip")
    if not path.is_file():
        pytest.skip(f"needs the gpu edition's zip at {path}")
    session.run(INSTALL.format(str(path)))
    yield
    session.run(INSTALL.format(str(extension)))


def test_the_default_edition_has_no_page_about_a_gpu_and_says_which_edition_has(blender, pictures) -> None:
    blender.sidebar.click("Options")
    blender.run("bpy.context.scene.smplify.fit.device = 'cuda'")
    blender.sidebar.find("This edition of the extension")
    blender.picture().save(pictures / "default-with-cuda.png")
    blender.run("bpy.ops.preferences.addon_show(module='bl_ext.user_default.learnable_smplify')")
    try:
        blender.wait_until("len(bpy.context.window_manager.windows) == 2")
        place_page(blender)
        blender.window.find("Open SMPL's Page")
        assert not blender.window.shows("GPU Acceleration")
        blender.picture().save(pictures / "preferences-default.png")
    finally:
        blender.run("windows.close_others()")


def place_page(blender) -> None:
    """Put the preferences into view: without a window manager they lie half outside the screen."""
    blender.screen.send("search", "--onlyvisible", "--name", "Preferences", "windowmove", 0, 0, "windowsize", 660, 980)
    blender.wait_until("bpy.context.window_manager.windows[1].height == 980")


@pytest.fixture
def page(gpu_edition, blender):
    """The preferences page, opened by the button that box 3 shows where PyTorch is missing."""
    blender.sidebar.click("Options")
    blender.run("bpy.context.scene.smplify.fit.device = 'cuda'")
    blender.sidebar.click("GPU Acceleration")
    blender.wait_until("len(bpy.context.window_manager.windows) == 2")
    place_page(blender)
    yield blender
    blender.run(f"{PREFERENCES}.fit_place = 'BLENDER'")
    blender.run("windows.close_others()")


def test_a_python_is_chosen_and_checked_and_its_gpus_are_offered(page, with_torch, pictures) -> None:
    page.window.find("Blender's own Python has no PyTorch: fits run on the processor, with NumPy.")
    page.picture().save(pictures / "preferences.png")

    page.window.click("A Python of Mine")
    page.wait_until(f"{PREFERENCES}.fit_place == 'CHOSEN'")
    page.window.click("Python:", times=2, dx=200)
    page.write(str(with_torch))
    page.press("Return")
    page.window.find("Python 3.11.9, PyTorch 2.13.0, NumPy 1.26.4")
    page.window.find("Small GPU (cuda:1)")
    page.picture().save(pictures / "preferences-checked.png")

    page.run("windows.close_others()")
    x, y = page.sidebar.find("Device")
    page.click_at(x + 110, y)
    page.picture().save(pictures / "devices.png")
    page.window.click("Small GPU (cuda:1)")
    page.wait_until("bpy.context.scene.smplify.fit.device == 'cuda:1'")


def test_a_python_without_torch_says_so_and_offline_nothing_is_installed(page, user, pictures) -> None:
    program = Path(user["HOME"]) / "broken-python"
    program.write_text("#!/bin/sh\nexit 3\n", encoding="utf-8")
    program.chmod(0o755)
    page.run(f"{PREFERENCES}.fit_place = 'CHOSEN'; {PREFERENCES}.python_file = {str(program)!r}")
    page.wait_until("windows.addon('torch_backend.setup_session').SETUP.error")
    page.picture().save(pictures / "preferences-bad.png")

    page.window.click("Private Environment")
    page.window.find("Blender may not go online: allow it under System > Network.")
    page.picture().save(pictures / "preferences-private.png")
