"""A Blender in a window, with the extension installed: started once, used by all tests of this folder.

Needs BLENDER (the program), SMPLIFY_ZIP (the extension), Xvfb, xdotool and python-xlib; all of them are there with
``bash .ci/real-blender window ZIP``. The tests are skipped without. What a failed test saw is kept in the folder
SMPLIFY_PICTURES.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
TOOLS = ("Xvfb", "xdotool")
WIDTH, HEIGHT = 1400, 1000


def needs() -> list[str]:
    """Return what is missing to run these tests."""
    missing = [f"{name} is not set" for name in ("BLENDER", "SMPLIFY_ZIP") if not os.environ.get(name)]
    return missing + [f"{tool} is not installed" for tool in TOOLS if shutil.which(tool) is None]


@pytest.fixture(scope="session")
def program() -> str:
    """The Blender under test."""
    missing = needs()
    if missing:
        pytest.skip(f"needs a Blender and a screen: {', '.join(missing)}")
    return os.environ["BLENDER"]


@pytest.fixture(scope="session")
def extension(program) -> Path:
    """The extension's zip."""
    return Path(os.environ["SMPLIFY_ZIP"])


@pytest.fixture(scope="session")
def pictures() -> Path:
    """The folder for pictures of the window."""
    folder = Path(os.environ.get("SMPLIFY_PICTURES", REPOSITORY / "out" / "window"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def user(program, extension, tmp_path_factory) -> dict[str, str]:
    """The environment of a user who has installed the extension, with the samples in the home folder."""
    from tests.window.harness.installation import clean_user, install

    environment = clean_user(tmp_path_factory.mktemp("user"))
    install(program, extension, environment)
    for sample in (REPOSITORY / "samples").iterdir():
        shutil.copy(sample, environment["HOME"])
    return environment


@pytest.fixture(scope="session")
def session(program, user, pictures, tmp_path_factory) -> Iterator:
    """The running Blender."""
    from tests.window.harness.screen import Screen
    from tests.window.harness.session import Session

    with Screen(WIDTH, HEIGHT) as screen, Session(program, screen, tmp_path_factory.mktemp("run"), user) as running:
        yield running
        running.screen.picture().save(pictures / "at-the-end.png")
        shutil.copy(running.log, pictures / "blender.log")


@pytest.fixture
def blender(session, pictures):
    """The running Blender with a new scene, and the SMPLify tab of the sidebar in front."""
    session.new_scene()
    session.open_tab()
    return session


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> Iterator[None]:
    """Keep what the window showed when a test failed."""
    report = yield
    running, folder = item.funcargs.get("session"), item.funcargs.get("pictures")
    if report.failed and running is not None and folder is not None:
        path = folder / f"failed-{item.name}-{report.when}.png"
        running.screen.picture().save(path)
        report.sections.append(("window", f"what it showed: {path}\n{running.log_tail()}"))
    return report


@pytest.fixture
def fitted(blender, user):
    """The running Blender with the sample fitted; its edges are drawn without smoothing, so that pictures compare."""
    from tests.window.test_journey import FIT_S, FITS

    path = str(Path(user["HOME"]) / "walk.trc")
    blender.run("windows.set_stage(); bpy.context.preferences.system.viewport_aa = 'OFF'")
    blender.run("bpy.context.scene.smplify.fit.quality = 'FAST'")
    blender.run(f"bpy.ops.smplify.open_track(filepath={path!r}, wait=True)")
    blender.sidebar.click("Fit")
    blender.wait_until(f"{FITS}.state.name == 'DONE'", FIT_S)
    return blender
