"""The recordings that the tests carry: excerpts equal to their originals, twins like theirs, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from core.formats import read_recordings
from tests.excerpts import ACTORS, MOTIONS, TRACKS, write_excerpts
from tests.recordings import DATA, ORIGINAL, ORIGINALS, SOURCES
from tests.twins import TWINS, write_twins

MOST_BYTES = 2_000_000
needs_originals = pytest.mark.skipif(ORIGINAL not in SOURCES, reason="needs the original recordings")


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("twins")
    write_twins(folder)
    return folder


def test_nothing_is_carried_but_the_excerpts_and_what_the_readme_names() -> None:
    carried = {path.relative_to(DATA).as_posix() for path in DATA.rglob("*") if path.is_file()}
    excerpts = {f"cmu_smpl/CMU_{name}_poses.npz" for name in MOTIONS}
    excerpts |= {f"cmu_bvh/{name}.bvh" for name in ACTORS} | {f"keypoints/{name}" for name in TRACKS}
    readme = (DATA / "README.md").read_text(encoding="utf-8")
    families = re.findall(r"`(\w+_)\*`", (DATA / "rigs" / "README.md").read_text(encoding="utf-8"))
    rigs = {name for name in carried if name.startswith(tuple(f"rigs/{family}" for family in families))}
    others = carried - excerpts - rigs - {"README.md", "rigs/README.md"}
    assert excerpts <= carried
    assert not [name for name in others if name not in readme and name.removeprefix("reference/") not in readme]
    assert sum((DATA / name).stat().st_size for name in carried) <= MOST_BYTES


@needs_originals
def test_excerpts_are_those_of_the_originals(tmp_path: Path) -> None:
    for path in write_excerpts(ORIGINALS, tmp_path):
        carried = DATA / path.relative_to(tmp_path)
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as cut, np.load(carried, allow_pickle=False) as kept:
                assert cut.files == kept.files
                for name in cut.files:
                    assert cut[name].dtype == kept[name].dtype
                    np.testing.assert_array_equal(cut[name], kept[name])
        else:
            assert path.read_bytes() == carried.read_bytes(), path.name


def test_twins_are_the_same_each_time(twins: Path, tmp_path: Path) -> None:
    for path in write_twins(tmp_path):
        assert path.read_bytes() == (twins / path.relative_to(tmp_path)).read_bytes(), path.name


@needs_originals
@pytest.mark.parametrize("name", TWINS)
def test_a_twin_has_the_layout_of_its_original(twins: Path, name: str) -> None:
    (twin,), (original,) = read_recordings(twins / name), read_recordings(ORIGINALS / "keypoints" / name)
    for what in ("kind", "names", "fps", "units", "up_axis", "first_frame", "layout"):
        assert getattr(twin, what) == getattr(original, what), what
    if name == "trc/JA1Gait35.trc":
        np.testing.assert_array_equal(twin.confidence, original.confidence)
    if twin.kind == "TRC":
        paths = (twins / name, ORIGINALS / "keypoints" / name)
        lines = [path.read_text(encoding="utf-8").splitlines() for path in paths]
        assert lines[0][1:6] == lines[1][1:6]
        assert lines[0][6].count("\t") == lines[1][6].count("\t")
