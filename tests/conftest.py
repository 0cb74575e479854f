"""Fixtures shared by all tests."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.recordings import ORIGINAL, ORIGINALS, REPOSITORY, SOURCES

EXIT_STATUS = pytest.StashKey[int]()


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The folder of shared material beside the repository; the test is skipped where it is absent."""
    folder = REPOSITORY.parent / "shared"
    if not folder.is_dir():
        pytest.skip("no shared material beside the repository")
    return folder


@pytest.fixture(scope="session")
def reference_dir(shared_dir: Path) -> Path:
    """The folder with outputs of the published network."""
    return shared_dir / "reference"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave files unopened that are slow as a whole where slow tests are left out: they load PyTorch and Dask."""
    if config.option.markexpr != "not slow" or not collection_path.name.startswith("test_"):
        return None
    text = collection_path.read_text(encoding="utf-8")
    return re.search(r"^pytestmark = .*pytest\.mark\.slow\b", text, re.MULTILINE) is not None or None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Bring the library's many short files last: where processes share the files, none is left with a long one."""
    items.sort(key=lambda item: REPOSITORY / "tests" / "core" in item.path.parents)


def pytest_report_header() -> str:
    """Say on which recordings the tests run."""
    originals = "and on the originals" if ORIGINAL in SOURCES else "not on the originals, which are not here"
    return f"recordings: tests run on twins, {originals}"


@pytest.fixture(scope="session")
def twins_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the twins."""
    pytest.importorskip("scipy", reason="twins are written with SciPy, which Blender's environments do not have")
    from tests.twins import write_twins

    folder = tmp_path_factory.mktemp("twins")
    write_twins(folder)
    return folder


@pytest.fixture(scope="session")
def data_dir(request: pytest.FixtureRequest) -> Callable[[str], Path]:
    """A function that returns the folder with the recordings of a source; twins are written when they are asked for."""
    return lambda source: ORIGINALS if source == ORIGINAL else request.getfixturevalue("twins_dir")


@pytest.fixture(scope="session", params=SOURCES)
def keypoints(request: pytest.FixtureRequest, data_dir: Callable[[str], Path]) -> Path:
    """The folder with the keypoint files of each source in turn."""
    return data_dir(request.param) / "keypoints"


@pytest.fixture(scope="session", params=SOURCES)
def cmu(request: pytest.FixtureRequest, data_dir: Callable[[str], Path]) -> Path:
    """The folder of motions in AMASS layout of each source in turn."""
    return data_dir(request.param) / "cmu_smpl"


@pytest.fixture(scope="session")
def clips(data_dir: Callable[[str], Path]) -> Path:
    """The folder of motions in AMASS layout: the originals where they are, else the twins."""
    return data_dir(SOURCES[-1]) / "cmu_smpl"


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Remember how the session ended."""
    session.config.stash[EXIT_STATUS] = int(exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave at once where Blender's module was loaded.

    After a long session its static destructors can wait for ever for one of its threads (seen with bpy 4.5.15), after
    all results are reported.
    """
    if "bpy" in sys.modules and EXIT_STATUS in config.stash:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(config.stash[EXIT_STATUS])
