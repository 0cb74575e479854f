"""Points in whatever a program saves: arrays in any order of axes, dictionaries, pickles, PyTorch, JSON, compressed."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma

import numpy as np
import pytest

from core.errors import TrackFileError
from core.formats import find_tracks, read_recordings
from core.layouts import LAYOUTS
from core.reading import ReadOptions, read_all
from tests import producers as write
from tests.core.fit.scenes import Scene, walking
from tests.producers import assert_is, other_person
from tests.solved_motions import torch_bytes

GIVEN = ReadOptions(fps=30.0)


@pytest.fixture(scope="module")
def scene() -> Scene:
    return walking()[150:186]


@pytest.fixture(scope="module")
def points(scene) -> np.ndarray:
    return write.filled(scene, LAYOUTS["coco17"])


def read(path, options=GIVEN):
    (reading,) = read_all(path, options)
    return reading


@pytest.mark.parametrize(
    "order",
    [(0, 2, 1), (1, 2, 0), (2, 0, 1), (2, 1, 0), (1, 0, 2)],
    ids=[
        "frames, axes, points",
        "points, axes, frames",
        "axes, frames, points",
        "axes, points, frames",
        "points first",
    ],
)
def test_axes_in_any_order(tmp_path, scene, points, order):
    np.save(tmp_path / "a.npy", points.transpose(order))
    (recording,) = read_recordings(tmp_path / "a.npy")
    assert any("is read as" in note for note in recording.notes)
    assert_is(read(tmp_path / "a.npy").track, scene)


def test_the_joints_are_found_among_other_arrays(tmp_path, scene):
    joints = write.filled(scene, LAYOUTS["smpl24"])
    np.savez(
        tmp_path / "a.npz", joints=joints, joints2d=joints[..., :2], vertices=np.zeros((36, 100, 3)), FPS=30,
        camera=np.zeros((36, 3, 4)), scores=np.zeros(36),
    )  # fmt: skip
    reading = read(tmp_path / "a.npz", ReadOptions())
    assert (reading.track.layout.name, reading.track.fps) == ("smpl24", 30.0)
    assert_is(reading.track, scene)


def named(points: np.ndarray) -> dict[str, np.ndarray]:
    return {name: points[:, number] for number, name in enumerate(LAYOUTS["coco17"].names)}


@pytest.mark.parametrize(
    "form",
    [
        lambda points: points,
        list,
        lambda points: {"joints": points, "fps": 30.0},
        lambda points: {"keypoints3d": points},
        named,
        lambda points: [{"keypoints3d": row} for row in points],
        lambda points: dict(enumerate(points)),
        lambda points: {"frames": [{"frame": number, "keypoints": row} for number, row in enumerate(points)]},
    ],
    ids=["array", "list", "dictionary", "AIST++'s key in metres", "by name", "rows", "rows by number", "frames"],
)
@pytest.mark.parametrize("suffix", [".pkl", ".npy", ".pt"])
def test_plain_data(tmp_path, scene, points, form, suffix):
    data = form(points)
    path = tmp_path / f"a{suffix}"
    if suffix == ".npy" and isinstance(data, np.ndarray):
        np.save(path, data)
    elif suffix == ".npy":
        holder = np.empty((), dtype=object)
        holder[()] = data
        np.save(path, holder, allow_pickle=True)
    elif suffix == ".pt":
        path.write_bytes(torch_bytes(data))
    else:
        write.write_pickle(path, data)
    reading = read(path)
    assert reading.track.layout.name == "coco17" and reading.track.num_frames == len(scene)
    assert_is(reading.track, scene)


def test_people_in_a_dictionary(tmp_path, scene):
    people = {"ann": scene, "bob": other_person(scene)}
    write.write_pickle(
        tmp_path / "a.pkl", {label: {"joints": person.joints[:, :22]} for label, person in people.items()}
    )
    readings = read_all(tmp_path / "a.pkl", GIVEN)
    assert [reading.track.person for reading in readings] == ["ann", "bob"]
    for reading, person in zip(readings, people.values(), strict=True):
        np.testing.assert_allclose(reading.track.positions[:, :22], person.joints[:, :22], atol=1e-4)


def by_name(row: np.ndarray, place: str) -> list[dict[str, object]]:
    names = LAYOUTS["coco17"].names
    if place:
        return [{"name": name, place: point} for name, point in zip(names, row.tolist(), strict=True)]
    return [
        {"label": name, **dict(zip("xyz", point, strict=True))} for name, point in zip(names, row.tolist(), strict=True)
    ]


@pytest.mark.parametrize(
    "form",
    [
        lambda points: {"keypoints": points.tolist(), "fps": 30},
        lambda points: {"names": LAYOUTS["coco17"].names, "positions": points.tolist(), "units": "m", "fps": 30},
        lambda points: {"fps": 30, "frames": [{"joints": by_name(row, "position")} for row in points]},
        lambda points: [
            {"time": number / 30, "people": [{"id": 4, "keypoints": by_name(row, "")}]}
            for number, row in enumerate(points)
        ],
        lambda points: {f"frame_{n}": {"keypoints": row.tolist()} for n, row in enumerate(points)} | {"fps": 30},
        lambda points: {"fps": 30, "frames": [{"keypoints3d": row.reshape(-1).tolist()} for row in points]},
    ],
    ids=["array", "names beside", "named points", "people", "frames by name", "flat"],
)  # fmt: skip
def test_json(tmp_path, scene, points, form):
    (tmp_path / "a.json").write_text(json.dumps(form(points)))
    reading = read(tmp_path / "a.json", ReadOptions())
    assert (reading.track.layout.name, reading.track.num_frames) == ("coco17", len(scene))
    assert reading.track.fps == pytest.approx(30.0)
    assert_is(reading.track, scene)


@pytest.mark.parametrize(("encoding", "newline"), [("utf-8-sig", "\r\n"), ("utf-16", "\n"), ("utf-8", "\r")])
def test_lines_of_json_in_other_encodings(tmp_path, scene, encoding, newline):
    body = write.filled(scene, LAYOUTS["mediapipe33"])
    lines = [json.dumps({"landmarks": [dict(zip("xyz", p, strict=True)) for p in row.tolist()]}) for row in body]
    (tmp_path / "a.jsonl").write_bytes(newline.join([*lines, ""]).encode(encoding))
    assert_is(read(tmp_path / "a.jsonl").track, scene)


@pytest.mark.parametrize(
    ("compress", "suffix"), [(gzip.compress, ".gz"), (bz2.compress, ".bz2"), (lzma.compress, ".xz")]
)
@pytest.mark.parametrize("kind", ["csv", "npy", "json"])
def test_compressed_files(tmp_path, scene, points, compress, suffix, kind):
    stream = io.BytesIO()
    np.save(stream, points)
    header = ",".join(f"{name}_{axis}" for name in LAYOUTS["coco17"].names for axis in "xyz")
    rows = [",".join(f"{x:.5f}" for x in row) for row in points.reshape(len(points), -1)]
    data = {
        "npy": stream.getvalue(),
        "json": json.dumps({"keypoints": points.tolist()}).encode(),
        "csv": "\n".join([header, *rows, ""]).encode(),
    }[kind]
    path = tmp_path / f"walk.{kind}{suffix}"
    path.write_bytes(compress(data))
    assert find_tracks(tmp_path) == [path]
    reading = read(path)
    assert reading.track.source == path
    assert_is(reading.track, scene)


def test_what_a_compressed_file_holds_is_named_by_the_file_itself(tmp_path):
    path = tmp_path / "notes.txt.gz"
    path.write_bytes(gzip.compress(b"just a sentence\n"))
    with pytest.raises(TrackFileError, match=r"found text that begins 'just a sentence' in .*notes\.txt\.gz"):
        read_all(path)
    path.write_bytes(gzip.compress(bytes(300) + b"x" * 9000)[:-40])
    with pytest.raises(TrackFileError, match=r"found damage .* in .*notes\.txt\.gz; it may be cut off"):
        read_all(path)


def test_a_bomb_is_refused_before_it_fills_the_disk(tmp_path, monkeypatch):
    from core.formats import compressed

    monkeypatch.setattr(compressed, "MAX_FILE_BYTES", 1 << 20)
    path = tmp_path / "bomb.csv.gz"
    path.write_bytes(gzip.compress(bytes(50 << 20)))
    with pytest.raises(TrackFileError, match="at most 1 MiB, found more in .*bomb.csv.gz once it is unpacked"):
        read_all(path)


def test_archives_are_named_with_what_they_hold(tmp_path):
    import zipfile

    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("walk.csv", "a")
    with pytest.raises(TrackFileError, match="found a ZIP archive with walk.csv .*unpack it"):
        read_all(tmp_path / "a.zip")
