"""Choose the reader of a file from its first bytes, and list the keypoint files of a folder."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

from ..errors import CoreError, InputMissingError, TrackFileError
from ..io.regular_files import check_is_file, what_is_at
from ..io.torch_file import is_torch_archive
from .array_file import NPY_MAGIC, ZIP_MAGIC, read_npy, read_npz
from .bvh_track import is_bvh, read_bvh
from .c3d_file import is_c3d, read_c3d
from .cleaning import drop_filled_points
from .compressed import COMPRESSED_SUFFIXES, is_compressed, unpacked
from .csv_file import read_csv
from .json_file import (
    MAX_FRAME_BYTES,
    MAX_JSON_BYTES,
    frame_files,
    is_frame_document,
    load_json,
    read_json,
    read_json_folder,
)
from .json_producers import read_lines
from .mediapipe import NAMES, describe_space
from .ntu_skeleton import is_ntu_skeleton, read_ntu_skeleton
from .numeric_table import is_row_of_points
from .other_kinds import refuse_other_kinds
from .plain_data import read_pickle, read_torch
from .plane import describe_plane
from .point_orders import order_hands
from .qualisys_tsv import is_qualisys_tsv, read_qualisys_tsv
from .raw import RawRecording
from .sam3d_body import describe_points
from .subjects import split_subjects
from .table_header import has_header, is_comment
from .textfile import decode_text, read_bytes
from .trc import is_trc, read_trc
from .xsens_mvnx import is_mvnx, read_mvnx

Reader = Callable[[Path], list[RawRecording]]

TRACK_SUFFIXES = (
    ".trc", ".c3d", ".csv", ".tsv", ".npy", ".npz", ".json", ".jsonl", ".ndjson", ".pkl", ".pickle", ".pt",
    ".pk", ".smpl", ".mvnx", ".skeleton", ".bvh", ".calc",
)  # fmt: skip
"""Suffixes of the keypoint files listed in folders; a file given directly is recognised by its content alone."""
_HEAD_BYTES = 4096


def read_recordings(path: Path) -> list[RawRecording]:
    """Read a keypoint file, or a folder with one JSON file per frame, as one recording per person.

    Raises:
        InputMissingError: there is no such file or folder.
        TrackFileError: the file is damaged, too large, or of an unknown kind.
        UnsafePickleError: the file is a pickle that contains more than plain arrays.
    """
    path = Path(path)
    if path.is_dir():
        return [_clean(recording) for recording in read_json_folder(path)]
    check_is_file(path, "a keypoint file or folder")
    head = _read_head(path)
    if is_compressed(head, path):
        with unpacked(path, head) as inner:
            return [replace(recording, source=path) for recording in _read_file(inner, _read_head(inner))]
    return _read_file(path, head)


def _read_file(path: Path, head: bytes) -> list[RawRecording]:
    reader = _choose_reader(head, path)
    return [_clean(person) for recording in reader(path) for person in split_subjects(recording)]


def _clean(recording: RawRecording) -> RawRecording:
    """Apply what every format needs: mark gap values as missing and detect image fractions in 33 unnamed points."""
    recording = describe_plane(describe_points(order_hands(drop_filled_points(recording))))
    if recording.names is None and recording.layout in (None, "mediapipe33") and recording.num_points == len(NAMES):
        return describe_space(recording)
    return recording


def find_tracks(folder: Path, suffixes: Collection[str] = TRACK_SUFFIXES) -> list[Path]:
    """List the keypoint inputs of a folder, sorted by name: files by suffix, and folders with one JSON file per frame.

    The folder itself is an input if it holds the frames of a clip.

    Args:
        folder: the folder.
        suffixes: the suffixes of the files to list, in lower case.

    Raises:
        InputMissingError: there is no such folder.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputMissingError(f"expected a folder, found {what_is_at(folder)} at {folder}; check the path")
    inputs = []
    frames = {path for _, path in frame_files(folder)} if _is_clip_folder(folder) else set()
    if frames:
        inputs.append(folder)
    for path in sorted(folder.iterdir()):
        hidden = path.name.startswith(".")
        if path.is_dir() and not hidden and _is_clip_folder(path):
            inputs.append(path)
        elif path.is_file() and not hidden and _track_suffix(path) in suffixes and path not in frames:
            inputs.append(path)
    return inputs


def _track_suffix(path: Path) -> str:
    """Return the suffix of a file, or that of its content if it is compressed."""
    suffix = path.suffix.lower()
    return Path(path.stem).suffix.lower() if suffix in COMPRESSED_SUFFIXES else suffix


def _is_clip_folder(folder: Path) -> bool:
    """Return whether a folder holds one JSON file per frame: numbered files, the first with the people of one frame."""
    try:
        files = frame_files(folder)
    except PermissionError:
        return False
    if len(files) < 2:
        return False
    try:
        return is_frame_document(load_json(files[0][1], MAX_FRAME_BYTES))
    except CoreError:
        return False


def _read_head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_HEAD_BYTES)
    except OSError as error:
        raise TrackFileError(f"expected a readable file, found {error} at {path}; check its permissions") from error


def _choose_reader(head: bytes, path: Path) -> Reader:
    if not head.strip(b"\0 \t\r\n"):
        raise TrackFileError(f"expected keypoints, found an empty file at {path}; export it again")
    if head.startswith(NPY_MAGIC):
        return read_npy
    if head.startswith(ZIP_MAGIC):
        return read_torch if is_torch_archive(path) else read_npz
    if head[:1] == b"\x80" and head[1:2] in b"\x02\x03\x04\x05":
        return read_pickle
    if is_c3d(head) or (head[1:2] == b"P" and path.suffix.lower() == ".c3d"):
        return read_c3d
    refuse_other_kinds(head, path)
    if path.suffix.lower() in (".pkl", ".pickle", ".pt", ".pth"):
        return read_pickle
    return _choose_text_reader(head, path)


def _choose_text_reader(head: bytes, path: Path) -> Reader:
    if head[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in head:
        head = head[: len(head) // 2 * 2]
    else:
        head = head[: head.rfind(b"\n") + 1] or head
    text = decode_text(head, path).lstrip()
    if text[:1] in "[{":
        return _read_json_lines if _is_json_lines(path) else read_json
    if is_bvh(text):
        return read_bvh
    if is_mvnx(text):
        return read_mvnx
    if "<opensimdocument" in text.lower():
        raise TrackFileError(
            f"expected 3D keypoints, found a model or settings of OpenSim in {path}; give its markers (.trc)"
        )
    if text[:1] == "<":
        raise TrackFileError(f"expected 3D keypoints, found XML in {path}; of XML, Xsens MVNX alone is read ({_KINDS})")
    if "endheader" in text.lower() and "nrows" in text.lower():
        raise TrackFileError(
            f"expected 3D keypoints, found joint angles or forces (OpenSim .mot, .sto) in {path}; give the markers or "
            f"keypoints that they were computed from ({_KINDS})"
        )
    if is_qualisys_tsv(text):
        return read_qualisys_tsv
    if is_ntu_skeleton(text):
        return read_ntu_skeleton
    if is_trc(text):
        return read_trc
    first = next((line for line in text.split("\n") if line.strip() and not is_comment(line)), "")
    if any(delimiter in first for delimiter in ",;|\t") or first.strip().lower() in ("trajectories", "devices"):
        return read_csv
    if path.suffix.lower() in (".csv", ".tsv") or has_header(text.split("\n"), path) or is_row_of_points(first):
        return read_csv
    raise TrackFileError(
        f"expected 3D keypoints ({_KINDS}), found text that begins {first[:60]!r} in {path}; export them as TRC or CSV"
    )


def _is_json_lines(path: Path) -> bool:
    """Return whether the first line is a complete JSON document, followed by others of its kind."""
    with path.open("rb") as file:
        head = file.read(MAX_FRAME_BYTES)
    first, _, rest = _with_newlines(decode_text(head[: len(head) // 2 * 2], path)).lstrip().partition("\n")
    return first.rstrip()[-1:] in ("}", "]") and rest.lstrip()[:1] == first[:1]


def _read_json_lines(path: Path) -> list[RawRecording]:
    return read_lines(_with_newlines(decode_text(read_bytes(path, MAX_JSON_BYTES), path)), path)


def _with_newlines(text: str) -> str:
    """Return text with any line ends with newlines."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


_KINDS = "TRC, C3D, CSV, TSV, NPY, NPZ, JSON, JSONL, PKL, PT, MVNX, BVH"
