"""Damaged and malicious files: a clear error, no crash, little time and memory."""

from __future__ import annotations

import io
import json
import os
import pickle
import time
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from core.errors import CoreError, InputMissingError, TrackFileError
from core.formats import read_recordings
from core.formats.raw import RawRecording
from core.reading import read_name_map
from core.retarget.bone_map import BoneMapError, read_bone_map
from core.retarget.name_words import LIMB_WORDS
from tests.bvh_files import tree_text

from .sample_files import sample_files
from .track_writers import clip, names_of, trc_text, wide_csv

SAMPLES = sample_files()
NUM_CUTS = 40
NUM_MUTATIONS = 60
MEMORY = 64 << 20


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_is_read(tmp_path, name):
    path = tmp_path / name
    SAMPLES[name](path)
    recordings = read_recordings(path)
    assert recordings and all(isinstance(recording, RawRecording) for recording in recordings)


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLES)
def test_truncation_raises_only_core_errors(tmp_path, name):
    path = tmp_path / name
    SAMPLES[name](path)
    data = path.read_bytes()
    num_rejected = 0
    for cut in np.linspace(0, len(data) - 1, NUM_CUTS).astype(int):
        path.write_bytes(data[:cut])
        try:
            read_recordings(path)
        except CoreError as error:
            assert str(tmp_path) in str(error) or "pickle" in str(error)
            num_rejected += 1
    assert num_rejected > NUM_CUTS // 3


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", SAMPLES)
def test_mutation_raises_only_core_errors(tmp_path, name):
    path = tmp_path / name
    SAMPLES[name](path)
    data = path.read_bytes()
    random = np.random.default_rng(0)
    for turn in range(NUM_MUTATIONS):
        changed = bytearray(data)
        span = len(data) if turn % 2 else min(len(data), 700)
        for place in random.integers(0, span, 1 + turn % 7):
            changed[place] = random.choice([0, 255, 0x7F, ord("9"), ord(","), ord("\n"), random.integers(256)])
        path.write_bytes(bytes(changed))
        try:
            read_recordings(path)
        except CoreError:
            pass


@pytest.mark.parametrize("suffix", [".trc", ".c3d", ".csv", ".npy", ".npz", ".json", ".pkl", ".txt", ""])
def test_empty_and_garbage(tmp_path, suffix):
    path = tmp_path / f"file{suffix}"
    for data in (b"", b"\n\n  \n", bytes(5000), np.random.default_rng(1).bytes(20000)):
        path.write_bytes(data)
        with pytest.raises(CoreError) as error:
            read_recordings(path)
        assert str(path) in str(error.value)


def _npy_header(shape: tuple[int, ...], dtype: str = "<f8") -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": dtype, "fortran_order": False, "shape": shape})
    return stream.getvalue()


def _zip_of(header: bytes, size: int) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("positions.npy", "w") as member:
        member.write(header)
        for _ in range(size >> 20):
            member.write(bytes(1 << 20))
    return stream.getvalue()


def _doubled_lists(depth: int) -> bytes:
    """Return a pickle of {"keypoints3d": list}, in which every list holds the same nested list twice."""
    nested: list[object] = []
    for _ in range(depth):
        nested = [nested, nested]
    return pickle.dumps({"keypoints3d": nested}, protocol=2)


def _every_limb_twice() -> str:
    """Return a BVH file whose bones have all names that limbs can have: they were tried in all combinations."""
    names = ["Hips", *(f"{side}_{word}" for side in ("left", "right") for word in LIMB_WORDS)]
    return tree_text(names, [-1, *[0] * (len(names) - 1)], np.random.default_rng(0).normal(size=(len(names), 3)))


BOMBS = {
    "ten gigabytes in an npy header": lambda: _npy_header((10**9 // 60, 25, 3)) + bytes(100),
    "more than a machine in an npy header": lambda: _npy_header((2**62, 2**62, 3)) + bytes(100),
    "ten gigabytes in an npz header": lambda: _zip_of(_npy_header((10**9 // 60, 25, 3)), 1 << 20),
    "a zip bomb": lambda: _zip_of(_npy_header((80 << 17, 1)), 80 << 20),
    "a million columns": lambda: ",".join(f"p{k}_{a}" for k in range(333_334) for a in "xyz").encode() + b"\n1,2\n",
    "a million tabs": lambda: trc_text(clip(2, 2), names_of(2)).encode() + b"1" + b"\t" * 1_000_000 + b"\n",
    "a trc of a million markers": lambda: trc_text(clip(1, 2), ["a\t" * 1_000_000, "b"]).encode(),
    "ten thousand brackets": lambda: b"[" * 10_000,
    "a million brackets": lambda: b"[" * 1_000_000,
    "a deep document": lambda: b'[{"keypoints3d":' + b"[" * 900 + b"]" * 900 + b"}]",
    "numbers of many digits": lambda: b'[{"id": 0, "keypoints3d": [[' + b"9" * 100_000 + b", 1, 1]]}]",
    "a long quote": lambda: b'"' + b"a," * 300_000 + b"\n1,2,3\n",
    "a name of separators": lambda: b"_" * 300_000 + b"q,a_x,a_y\n1,2,3\n",
    "a key of a megabyte": lambda: b'{"' + b"k" * 1_000_000 + b'": 1}',
    "a header of blanks": lambda: b"PathFileType\t4\nframe" + b" " * 200_000 + b"\n",
    "a long key": lambda: b"\x80\x02(" + b"N" * 60_000 + b"tq\x00}q\x01(" + b"h\x00N" * 40_000 + b"u.",
    "lists that hold themselves twice": lambda: _doubled_lists(48),
    "joints without end": lambda: b"HIERARCHY\n" + b"ROOT a {\n" * 100_000 + b"MOTION\n",
    "a megabyte of channels": lambda: b"HIERARCHY ROOT a { CHANNELS 9 " + b"Xrotation " * 100_000 + b"\nMOTION\n",
    "skeletons of one bone": lambda: tree_text([f"r{k}" for k in range(590)], [-1] * 590, np.ones((590, 3))).encode(),
    "all names of limbs": lambda: _every_limb_twice().encode(),
    "frames far apart": lambda: wide_csv(clip(2, 2), names_of(2), lead={"frame": [0, 2_000_000]}).encode(),
}


@pytest.mark.parametrize(
    ("shape", "dtype"), [((0, 51), "<f8"), ((3, 17, 3), "<U0"), ((0, 2**62, 2**62), "<f8"), ((0, 17, 3), "<f8")]
)
def test_arrays_without_data_are_rejected(tmp_path, shape, dtype):
    (tmp_path / "a.npy").write_bytes(_npy_header(shape, dtype))
    with pytest.raises(TrackFileError, match="found"):
        read_recordings(tmp_path / "a.npy")


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "a.pkl"])
def test_positions_in_single_bytes_are_rejected(tmp_path, name):
    # As float64, copied some times, they would take forty times the file.
    points = np.ones((4, 17, 3), np.int8)
    path = tmp_path / name
    if name == "a.pkl":
        path.write_bytes(pickle.dumps({"keypoints3d": points}, 4))
    elif name == "a.npz":
        np.savez(path, positions=points)
    else:
        np.save(path, points)
    with pytest.raises(TrackFileError, match="int8"):
        read_recordings(path)


def test_names_are_cut(tmp_path):
    path = tmp_path / "a.npz"
    names = [f"{'LeftKnee' * 1000}{number}" for number in range(17)]
    np.savez(path, positions=clip(3, 17), names=names, units="m" * 5000, layout="l" * 5000)
    (recording,) = read_recordings(path)
    assert {len(text) for text in (*recording.names, recording.units, recording.layout)} == {200}


@pytest.mark.parametrize("cell", ["a" + "_" * 198 + "q", "_" * 199, "x" + "." * 198, "_" * 198 + "x"])
def test_header_cells_of_separators_are_no_names(tmp_path, cell):
    # A name ends in no separator: tried at every place, half a megabyte of these took six seconds.
    path = tmp_path / "a.csv"
    path.write_text(",".join([cell] * 2_500) + ",a_x,a_y,a_z,__x,__y,__z\n" + "1," * 2_505 + "1\n")
    (recording,) = read_recordings(path)
    assert recording.names == ("a",)


_VICON_HEAD = "Trajectories\n100\n,,S:a,,\nFrame,Sub Frame,X,Y,Z\n,,mm,mm,mm\n"
_TRC_HEAD = "PathFileType\t4\nDataRate\tNumMarkers\n60\t1\nFrame#\tTime\ta\t\t\n\t\tX1\tY1\tZ1\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("head", "row", "times"),
    [
        ("a_x,a_y,a_z\n", "1,1,2\n", 45),
        ("a_x,a_y,a_z\n", '"1","1","2"\n', 24),
        ("a_x,a_y,a_z\n", "null,null,1\n", 24),
        (_VICON_HEAD, "1,0,1,1,2\n", 30),
        ("frame,keypoint,x,y,z\n", "{},a,1,1,2\n", 27),
        (_TRC_HEAD, "{0}\t{0}\t1\t1\t2\n", 20),
    ],
)
def test_short_rows_take_little_memory(tmp_path, head, row, times):
    # A list of rows took half as much again.
    path = tmp_path / "file.csv"
    path.write_text(head + "".join(row.format(number) for number in range(20_000)))
    tracemalloc.start()
    try:
        read_recordings(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < times * path.stat().st_size


@pytest.mark.slow
@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_rejected_with_little_memory_and_time(tmp_path, name):
    path = tmp_path / "file"
    path.write_bytes(BOMBS[name]())
    began = time.thread_time()
    with pytest.raises(TrackFileError):
        read_recordings(path)
    assert time.thread_time() - began < 1.0 + 2.0 * path.stat().st_size / 1e6
    tracemalloc.start()
    try:
        with pytest.raises(TrackFileError) as error:
            read_recordings(path)
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert str(path) in str(error.value) and len(str(error.value)) < 1000
    assert peak < MEMORY


@pytest.mark.filterwarnings("error")
def test_huge_values_are_missing(tmp_path):
    points = clip(3, 2)
    points[1, 0, 2], points[2, 1, 0] = 1e308, -1e13
    path = tmp_path / "a.trc"
    path.write_text(trc_text(points, names_of(2)))
    (recording,) = read_recordings(path)
    assert np.argwhere(recording.confidence == 0.0).tolist() == [[1, 0], [2, 1]]
    assert np.isnan(recording.positions[1, 0]).all()


def test_times_far_apart_give_no_rate(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(wide_csv(clip(3, 2), names_of(2), lead={"time_s": [0.0, 1e-300, 1e300]}))
    (recording,) = read_recordings(path)
    assert recording.fps is None and recording.num_frames == 3


def test_folder_with_distant_frame_numbers_is_rejected(tmp_path):
    for number in (0, 999_999_999):
        (tmp_path / f"{number}.json").write_text(json.dumps([{"id": 0, "keypoints3d": [[1, 2, 3]]}]))
    with pytest.raises(TrackFileError, match="without large holes"):
        read_recordings(tmp_path)


def test_missing_files_and_other_formats_are_reported(tmp_path):
    with pytest.raises(InputMissingError, match="found nothing at"):
        read_recordings(tmp_path / "nowhere.trc")
    path = tmp_path / "walk.trc"
    path.write_text("HIERARCHY\nROOT Hips\n")
    with pytest.raises(TrackFileError, match="expected a line MOTION"):
        read_recordings(path)
    with pytest.raises(TrackFileError, match="named by frame number"):
        read_recordings(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs POSIX")
def test_pipes_devices_and_folders_are_not_read_as_files(tmp_path):
    os.mkfifo(tmp_path / "pipe.trc")
    with pytest.raises(InputMissingError, match="a pipe or a device"):
        read_recordings(tmp_path / "pipe.trc")
    for path, kind in (
        (tmp_path / "pipe.trc", "a pipe or a device"),
        (Path("/dev/zero"), "a pipe"),
        (tmp_path, "a folder"),
    ):
        with pytest.raises(TrackFileError, match=f"expected a file with names of points, found {kind}"):
            read_name_map(path)
        with pytest.raises(BoneMapError, match="found a folder or a device"):
            read_bone_map(path)


@pytest.mark.slow
def test_the_time_to_read_a_trc_grows_with_its_size(tmp_path):
    took = []
    for num_frames in (750, 3_000):
        path = tmp_path / f"{num_frames}.trc"
        path.write_text(trc_text(clip(num_frames, 60, missing=True), names_of(60)))
        times = []
        for _ in range(3):
            began = time.thread_time()
            (recording,) = read_recordings(path)
            times.append(time.thread_time() - began)
        assert recording.positions.shape == (num_frames, 60, 3)
        took.append(min(times))
    assert took[1] < 8.0 * took[0]
