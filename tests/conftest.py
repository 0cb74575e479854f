"""Fixtures shared by all tests."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.recordings import CARRIED, CMU, DATA, ORIGINAL, ORIGINALS, REPOSITORY, SOURCES

EXIT_STATUS = pytest.StashKey[int]()


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The folder of shared material beside the repository; the test is skipped where it is absent."""
    folder = REPOSITORY.parent / "shared"
    if not folder.is_dir():
        pytest.skip("no shared material beside the repository")
    return folder


def pytest_report_header() -> str:
    """Say on which recordings the tests run."""
    originals = "and on the originals" if ORIGINAL in SOURCES else "not on the originals, which are not here"
    return f"recordings: tests run on excerpts and twins, {originals}"


@pytest.fixture(scope="session")
def keypoints_dir(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A function that returns the folder with the keypoint files of a source."""
    from tests.twins import write_twins  # needs SciPy, which not every environment has

    carried = tmp_path_factory.mktemp("recordings") / "keypoints"
    shutil.copytree(DATA / "keypoints", carried)
    write_twins(carried)
    folders = {CARRIED: carried, ORIGINAL: ORIGINALS / "keypoints"}
    return folders.__getitem__


@pytest.fixture(scope="session", params=SOURCES)
def keypoints(request: pytest.FixtureRequest, keypoints_dir: Callable[[str], Path]) -> Path:
    """The folder with the keypoint files of each source in turn."""
    return keypoints_dir(request.param)


@pytest.fixture(scope="session", params=SOURCES)
def cmu(request: pytest.FixtureRequest) -> Path:
    """The folder of motions in AMASS layout of each source in turn."""
    return CMU if request.param == CARRIED else ORIGINALS / "cmu_smpl"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the tests of recordings where there are none."""
    if ORIGINALS.is_dir():
        return
    for item in items:
        globals_of = vars(getattr(item, "module", object))
        uses = {"keypoints", "keypoints_dir", "cmu"} & set(getattr(item, "fixturenames", ()))
        if uses or globals_of.get("CMU") is CMU or globals_of.get("DATA") is DATA:
            item.add_marker(pytest.mark.skip(reason="no recordings beside the repository"))


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Remember how the session ended."""
    session.config.stash[EXIT_STATUS] = int(exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave at once where Blender's module was loaded.

    After a long session its static destructors can wait for ever for a thread of its own (seen with bpy 4.5.15), when
    all is done and told.
    """
    if "bpy" in sys.modules and EXIT_STATUS in config.stash:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(config.stash[EXIT_STATUS])
