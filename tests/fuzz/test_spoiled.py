"""Files that are well-formed but hold other values than their producers write are read, or refused by a CoreError."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import CoreError
from core.reading import read_all
from tests.core.formats.sample_files import sample_files

from .spoiled import spoiled_documents, spoiled_tables

SAMPLES = sample_files()
POINTS = np.random.default_rng(0).normal(size=(3, 49, 3))
LANDMARKS = [dict(zip("xyz", point, strict=True)) for point in POINTS[0, :33].tolist()]
JSON_DOCUMENTS: dict[str, Any] = {
    "azure kinect": {
        "frames": [{"timestamp_usec": 1, "bodies": [{"body_id": 1, "joint_positions": POINTS[0, :32].tolist()}]}] * 2,
        "joint_names": [f"joint {number}" for number in range(32)],
    },
    "people of landmarks": [[{"landmark": LANDMARKS}]] * 2,
    "frames of lists": {"fps": 30, "frames": [POINTS[0, :33].tolist()] * 2},
    "fit3d": {"joints3d_25": POINTS[:2, :25].tolist()},
    "sam 3d body": [[{"pred_keypoints_3d": np.tile(POINTS[0], (2, 1))[:70].tolist(), "pred_cam_t": [0.0, 0.0, 3.0]}]],
}
PICKLED: dict[str, Any] = {
    "3dpw": {"jointPositions": [POINTS[:, :24].reshape(3, 72)], "sequence": "a"},
    "vibe": {1: {"joints3d": POINTS, "frame_ids": np.arange(3)}, 2: {"joints3d": POINTS, "frame_ids": np.arange(3)}},
    "human36m": {"positions_3d": {"S1": {"walking": POINTS[:, :17]}}},
    "mdm": {"motion": POINTS[:, :22].transpose(1, 2, 0)[None], "lengths": np.array([3])},
}

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


def _of(*suffixes: str) -> list[str]:
    return sorted(name for name in SAMPLES if name.endswith(suffixes))


def _written(name: str, folder: Path) -> Path:
    path = folder / name
    SAMPLES[name](path)
    return path


def _check(path: Path, cases: Iterator[tuple[str, Any]], write: Callable[[Any], object]) -> None:
    """Read each case; collect what ends neither in a result nor in a CoreError."""
    wrong: dict[str, str] = {}
    count = 0
    for what, content in cases:
        write(content)
        count += 1
        try:
            read_all(path)
        except CoreError:
            pass
        except Exception as error:  # what this test is about
            wrong.setdefault(f"{type(error).__name__}: {error}", what)
    assert count > 20
    assert not wrong


def _check_json(path: Path, document: Any) -> None:
    _check(path, spoiled_documents(document), lambda other: path.write_text(json.dumps(other)))


def _check_pickle(path: Path, document: Any) -> None:
    _check(path, spoiled_documents(document, arrays=True), lambda other: path.write_bytes(pickle.dumps(other)))


@pytest.mark.parametrize("name", _of(".json"))
def test_json_with_other_values(name, tmp_path):
    path = _written(name, tmp_path)
    _check_json(path, json.loads(path.read_text()))


@pytest.mark.parametrize("name", JSON_DOCUMENTS)
def test_json_of_tools_with_other_values(name, tmp_path):
    _check_json(tmp_path / "track.json", JSON_DOCUMENTS[name])


@pytest.mark.parametrize("name", sorted({*_of(".csv", ".trc", ".tsv")} - {"utf16.trc"}))
def test_tables_with_other_lines_and_cells(name, tmp_path):
    path = _written(name, tmp_path)
    text = path.read_text()
    delimiter = "," if text.count(",") > text.count("\t") else "\t"
    _check(path, spoiled_tables(text, delimiter), path.write_text)


@pytest.mark.parametrize("name", ["aist.pkl", "sam.pkl"])
def test_pickles_with_other_values(name, tmp_path):
    path = _written(name, tmp_path)
    _check_pickle(path, pickle.loads(path.read_bytes()))  # noqa: S301  written by this test


@pytest.mark.parametrize("name", PICKLED)
def test_pickles_of_tools_with_other_values(name, tmp_path):
    _check_pickle(tmp_path / "track.pkl", PICKLED[name])


@pytest.mark.parametrize("name", _of(".npz"))
def test_archives_with_other_arrays(name, tmp_path):
    path = _written(name, tmp_path)
    with np.load(path, allow_pickle=True) as archive:
        document = {key: archive[key] for key in archive.files}

    def write(other: Any) -> None:
        held = other if isinstance(other, dict) else {"positions": other}
        objects = {key: isinstance(value, list | dict) for key, value in held.items()}
        np.savez(path, **{key or "none": np.asarray(held[key], dtype=object if objects[key] else None) for key in held})

    _check(path, spoiled_documents(document, arrays=True), write)
