"""The recordings of the tests: twins like their originals, and none that is part of the repository."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from core.formats import read_recordings
from tests.recordings import ORIGINAL, ORIGINALS, REPOSITORY, SOURCES
from tests.twins import TRACKS, write_twins

DATA = REPOSITORY / "tests" / "data"
MOST_BYTES = 2_000_000
needs_originals = pytest.mark.skipif(ORIGINAL not in SOURCES, reason="needs the original recordings")


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("twins")
    write_twins(folder)
    return folder


def test_the_data_folder_holds_rigs_and_what_the_readme_names() -> None:
    found = {path.relative_to(DATA).as_posix() for path in DATA.rglob("*") if path.is_file()}
    readme = (DATA / "README.md").read_text(encoding="utf-8")
    families = re.findall(r"`(\w+_)\*`", (DATA / "rigs" / "README.md").read_text(encoding="utf-8"))
    rigs = {name for name in found if name.startswith(tuple(f"rigs/{family}" for family in families))}
    others = found - rigs - {"README.md", "rigs/README.md"}
    assert rigs
    assert not [name for name in others if name not in readme]
    assert sum((DATA / name).stat().st_size for name in found) <= MOST_BYTES


def test_twins_are_the_same_each_time(twins: Path, tmp_path: Path) -> None:
    for path in write_twins(tmp_path):
        assert path.read_bytes() == (twins / path.relative_to(tmp_path)).read_bytes(), path.name


@needs_originals
@pytest.mark.parametrize("name", TRACKS)
def test_a_twin_has_the_layout_of_its_original(twins: Path, name: str) -> None:
    paths = [folder / "keypoints" / name for folder in (twins, ORIGINALS)]
    (twin,), (original,) = (read_recordings(path) for path in paths)
    for what in ("kind", "names", "fps", "units", "up_axis", "first_frame", "layout"):
        assert getattr(twin, what) == getattr(original, what), what
    if name == "trc/JA1Gait35.trc":
        np.testing.assert_array_equal(twin.confidence, original.confidence)
    if twin.kind == "TRC":
        lines = [path.read_text(encoding="utf-8").splitlines() for path in paths]
        assert lines[0][1:5] == lines[1][1:5]
        assert bool(lines[0][5]) == bool(lines[1][5])
        assert lines[0][6].count("\t") == lines[1][6].count("\t")


@needs_originals
def test_a_twin_of_a_motion_is_as_long_as_its_original(twins: Path) -> None:
    for path in (twins / "cmu_smpl").iterdir():
        with np.load(path) as twin, np.load(ORIGINALS / "cmu_smpl" / path.name) as original:
            assert set(twin.files) <= set(original.files)
            for name in ("poses", "trans"):
                assert twin[name].shape == original[name].shape, (path.name, name)
            assert twin["mocap_framerate"] == pytest.approx(original["mocap_framerate"], abs=1e-3)
