"""What the fuzzer feeds: each target reads bytes as one kind of untrusted data, and lets only a CoreError pass.

The first byte of an input chooses the target, so that one corpus and one run serve all of them. The rest is a file, or
for an archive its members one after the other: an archive's checksums would reject nearly every change before it
reaches the code that reads the members.
"""

from __future__ import annotations

import gzip
import importlib.util
import io
import json
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np

from core.errors import CoreError
from core.formats.array_file import NPY_MAGIC
from core.formats.dispatch import read_recordings
from core.formats.raw import RawRecording
from core.io.pickle.load import load_pickle
from core.io.pickle.standins import as_array
from core.live.messages import MAX_MESSAGE_BYTES, parse_message, split_messages
from core.live.points import PointOrder
from core.live.websocket import WebSocketServer, masked
from core.motion import Motion
from core.pipeline import FitSource
from core.reading import NameMap, ReadOptions, interpret, read_all, read_name_map, recognise
from tests.core.formats.sample_files import sample_files

if importlib.util.find_spec("bpy") is None:  # the record is read without Blender, but its folder imports it
    sys.modules["bpy"] = ModuleType("bpy")
from blender_addon.character.gltf_rate import gltf_rate  # noqa: E402
from blender_addon.figure.record import FigureRecord, from_bytes, to_bytes  # noqa: E402

_SUFFIXES = ("", ".trc", ".csv", ".c3d", ".pkl")
"""Suffixes that choose a reader where a file's first bytes do not."""
_POSITIONS = ("positions", "confidence", "fps", "layout", "names")
_SOLVED = ("betas", "mocap_framerate", "poses", "trans")
_IMAGE_ROWS = ("cam_ext", "imgname", "pose_cam", "shape", "sub", "trans_cam")
_RECORD = ("about", "betas", "offset", "poses", "trans")
"""Names of an archive's members, in order."""
_INSTRUMENTED = 5.0
"""How much longer instrumented code may take than 1 s and 2 s a megabyte."""
_MARKERS = ("LASI", "RASI", "SACR", "LKNE", "RKNE", "LSHO", "RSHO", "LANK", "RANK", "knee joint", "?", "?", "")
_POINTS = RawRecording(
    np.random.default_rng(0).normal(0.0, 0.17, (4, len(_MARKERS), 3)), np.ones((4, len(_MARKERS))), "CSV",
    Path("points.csv"), names=_MARKERS, fps=30.0, units="m", up_axis="+Y",
)  # fmt: skip
"""Points that a fuzzed name map is for: known names, one that stands twice, an unknown and an empty one."""
_FOLDER = tempfile.TemporaryDirectory(prefix="fuzz-")


def _read_file(data: bytes, suffix: str, read: Callable[[Path], object] = read_recordings) -> None:
    path = Path(_FOLDER.name) / f"input{suffix}"
    path.write_bytes(data)
    read(path)


def _archive(data: bytes, names: tuple[str, ...]) -> bytes:
    """Return an .npz whose members are the parts of *data*, each of which begins like an array."""
    head, *rest = data.split(NPY_MAGIC)
    parts = [*([head] if head else []), *(NPY_MAGIC + part for part in rest)]
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, part in zip(names, parts, strict=False):
            archive.writestr(f"{name}.npy", part)
    return stream.getvalue()


def _read_archive(data: bytes) -> None:
    _read_file(_archive(data, _POSITIONS), ".npz")


def _read_solved_archive(data: bytes) -> None:
    _read_file(_archive(data, _SOLVED), ".npz", read_all)


def _read_image_rows(data: bytes) -> None:
    _read_file(_archive(data, _IMAGE_ROWS), ".npz", read_all)


def _read_torch(data: bytes) -> None:
    """Read the pickle of a PyTorch archive with storages of the sizes of the seed's."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a/data.pkl", data)
        for key, size in enumerate((1008, 160, 48, 48, 1008, 160, 48, 48, 144)):
            archive.writestr(f"a/data/{key}", bytes(size))
    _read_file(stream.getvalue(), ".pt")


def _interpret(data: bytes) -> None:
    """Read a file as the command line does, whatever its kind, and find out what its points are."""
    _read_file(data, "", read_all)


def _read_pickle(data: bytes) -> None:
    content = load_pickle(io.BytesIO(data))
    values = content.values() if isinstance(content, dict) else [content]
    for value in values:
        try:
            as_array(value)
        except ValueError:  # documented: the caller names the file
            pass


def _read_record(data: bytes) -> None:
    """Read a figure's record; its description is JSON up to the first array."""
    text, magic, arrays = data.partition(NPY_MAGIC)
    stream = io.BytesIO()
    np.save(stream, np.frombuffer(text, dtype=np.uint8))
    from_bytes(_archive(stream.getvalue() + magic + arrays, _RECORD))


def _read_live(data: bytes) -> None:
    """Read the messages of a live sender."""
    for line in split_messages(data):
        PointOrder.of(parse_message(line))


def _read_websocket(data: bytes) -> None:
    """Read what a client of a WebSocket sends, in pieces of 7 bytes, and then its messages."""
    server = WebSocketServer(MAX_MESSAGE_BYTES)
    for at in range(0, len(data), 7):
        for payload in server.feed(data[at : at + 7]):
            _read_live(payload)


def _read_names(data: bytes) -> None:
    """Read a user's name map, and points by it: their names are joints, markers or neither."""
    _read_file(data, ".json", lambda path: _named(read_name_map(path)))


def _named(names: NameMap) -> None:
    options = ReadOptions(names=names)
    recognise(_POINTS, options)
    interpret(_POINTS, options)


def _read_gltf_rate(data: bytes) -> None:
    """Read the rate of a glTF file; Blender's own importer reads the rest."""

    def read(path: Path) -> None:
        try:
            rate = gltf_rate(path)
        except ValueError:  # documented: the caller names the file
            return
        assert 0.0 < rate <= 10_000.0, rate

    _read_file(data, ".glb", read)


TARGETS: tuple[Callable[[bytes], None], ...] = (
    *(lambda data, suffix=suffix: _read_file(data, suffix) for suffix in _SUFFIXES),  # type: ignore[misc]
    _interpret,
    _read_archive,
    _read_pickle,
    _read_record,
    _read_solved_archive,
    _read_torch,
    _read_live,
    _read_websocket,
    _read_names,
    _read_gltf_rate,
    _read_image_rows,
    lambda data: _read_file(gzip.compress(data), ".csv.gz"),
)
(
    _INTERPRET, _ARCHIVE, _PICKLE, _RECORDS, _SOLVED_ARCHIVE, _TORCH, _LIVE, _WEBSOCKET, _NAMES, _GLTF, _IMAGES,
    _COMPRESSED,
) = range(len(_SUFFIXES), len(TARGETS))  # fmt: skip


def run(data: bytes) -> None:
    """Read one input.

    Raises:
        AssertionError: it took long, or the message is.
        Exception: anything but a CoreError, which is what the fuzzer looks for.
    """
    if not data:
        return
    began = time.thread_time()
    try:
        TARGETS[data[0] % len(TARGETS)](data[1:])
    except CoreError as error:
        if len(str(error)) > 10_000:
            raise AssertionError(f"a message of {len(str(error))} characters") from error
    took_s = time.thread_time() - began
    if took_s > _INSTRUMENTED * (1.0 + 2.0 * len(data) / 1e6):
        raise AssertionError(f"{took_s:.1f} s for {len(data)} bytes")


def _members(data: bytes, names: tuple[str, ...]) -> list[bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        there = archive.namelist()
        return [archive.read(f"{name}.npy") for name in names if f"{name}.npy" in there]


def _record() -> bytes:
    motion = Motion(np.zeros((2, 72)), np.zeros(10), np.zeros((2, 3)), 30.0)
    return to_bytes(FigureRecord(motion, 1, FitSource("a.trc", 0, ReadOptions(), "", "", {}), None, 30.0, np.zeros(3)))


def write_seeds(folder: Path) -> None:
    """Write one small input of every kind into *folder*."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, write in sample_files().items():
        write(folder / name)
        data, suffix = (folder / name).read_bytes(), (folder / name).suffix
        (folder / name).unlink()
        seeds = {name: bytes([_SUFFIXES.index(suffix) if suffix in _SUFFIXES else 0]) + data}
        seeds[f"{name}-interpreted"] = bytes([_INTERPRET]) + data
        if suffix == ".npz":
            of_name = {"amass.npz": (_SOLVED_ARCHIVE, _SOLVED), "bedlam.npz": (_IMAGES, _IMAGE_ROWS)}
            target, members = of_name.get(name, (_ARCHIVE, _POSITIONS))
            seeds |= {name: bytes([target]) + b"".join(_members(data, members))}
        if name == "gvhmr.pt":
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                seeds[f"{name}-alone"] = bytes([_TORCH]) + archive.read("results/data.pkl")
        if suffix == ".gz":
            seeds[f"{name}-content"] = bytes([_COMPRESSED]) + gzip.decompress(data)
        if suffix == ".pkl":
            seeds[f"{name}-alone"] = bytes([_PICKLE]) + data
        for seed, content in seeds.items():
            (folder / seed).write_bytes(content)
    short = {"LASI": "left_asis", "10": "left_knee", "knee joint": "right_knee", "RTOE": None}
    for seed, text in (
        ("template", recognise(_POINTS, ReadOptions()).names.to_json("points")),
        ("short", json.dumps(short)),
    ):
        (folder / f"names-{seed}").write_bytes(bytes([_NAMES]) + text.encode())
    scene = {
        "accessors": [{"count": 31, "min": [0.0], "max": [1.0]}],
        "animations": [{"samplers": [{"input": 0, "output": 0}]}],
    }
    content = json.dumps(scene).encode()
    head = b"glTF" + bytes(8) + len(content).to_bytes(4, "little") + b"JSON"
    for seed, data in (("binary", head + content), ("text", content)):
        (folder / f"gltf-{seed}").write_bytes(bytes([_GLTF]) + data)
    about, *arrays = _members(_record(), _RECORD)
    text = json.dumps(json.loads(np.load(io.BytesIO(about)).tobytes())).encode()
    (folder / "record").write_bytes(bytes([_RECORDS]) + text + b"".join(arrays))
    names = b'["left_hip","right_hip","left_shoulder","right_shoulder","left_knee","right_knee"]'
    points = b"[[0.1,0.9,0],null,[1e3,NaN,-2.5,0.5],[0,0,0],[0,0,0],[0,0,0]]"
    live = b'{"layout":"smpl24","names":%b,"fps":30,"time":1.5,"up":"Z","person":"1","points":%b}\n' % (names, points)
    (folder / "live").write_bytes(bytes([_LIVE]) + live + live.replace(b'"layout":"smpl24",', b""))
    head = "\r\n".join(
        ("GET / HTTP/1.1", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Origin: http://localhost", "", "")
    )  # fmt: skip
    frames = b"".join(
        bytes([first, 128 | len(part)]) + b"mask" + masked(part, b"mask")
        for first, part in ((1, live[:100]), (0x89, b"ping"), (0x80, live[100:190]), (0x88, b"\x03\xe8"))
    )
    (folder / "websocket").write_bytes(bytes([_WEBSOCKET]) + head.encode() + frames)
