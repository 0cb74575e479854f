"""Files of known kinds without 3D points of people: errors that say what they are and what to do."""

from __future__ import annotations

import zipfile
from pathlib import Path

from ..errors import TrackFileError

_KEYPOINTS = "give 3D keypoints: TRC, C3D, CSV, TSV, NPY, NPZ, JSON, JSONL, PKL, PT, MVNX, BVH"
_IN_BLENDER = (
    "Blender reads the motion of an armature in it: choose the file in the box Track of the sidebar, or convert it by "
    "'blender --background --command smplify FILE -o OUT' or 'python -m blender_addon FILE -o OUT'"
)
_AS_CSV = "save it as CSV"
_VIDEO = "give the 3D keypoints that a tracker found in it"
_FROM_CDF = "save its positions as an array (frames, 32, 3) in NPY"
_KINDS = (
    (b"Kaydara FBX", "an FBX scene", _IN_BLENDER),
    (b"; FBX ", "an FBX scene in text, which Blender does not open", "save it as binary FBX; " + _IN_BLENDER),
    (b"glTF", "a glTF scene", _IN_BLENDER),
    (b"BLENDER", "a Blender file", _IN_BLENDER),
    (b"PXR-USDC", "a USD scene", "import it into Blender and give its armature"),
    (b"#usda", "a USD scene", "import it into Blender and give its armature"),
    (b"Ogawa", "an Alembic file", "it holds meshes; " + _KEYPOINTS),
    (b"Vocaloid Motion Data", "an MMD motion", "play it on a model in Blender and give the model's armature"),
    (b"#!OML:ASF", "an Acclaim motion (AMC)", "convert it, with its ASF, to BVH"),
    (b":FULLY-SPECIFIED", "an Acclaim motion (AMC)", "convert it, with its ASF, to BVH"),
    (b":version", "an Acclaim skeleton (ASF)", "convert its motion (AMC) to BVH"),
    (b"# AST/ASF", "an Acclaim skeleton (ASF)", "convert its motion (AMC) to BVH"),
    (b"[Header]", "an HTR motion", "export it as BVH"),
    (b"\x89HDF", "an HDF5 file", "save the keypoints as NPZ"),
    (b"MATLAB ", "a MATLAB file", "save the keypoints as CSV (writematrix)"),
    (b"\xcd\xf3\x00\x01", "a CDF file, as Human3.6M has them", _FROM_CDF),
    (b"\xcd\xf2\x60\x02", "a CDF file, as Human3.6M has them", _FROM_CDF),
    (b"PAR1", "a Parquet table", _AS_CSV),
    (b"\xd0\xcf\x11\xe0", "an Excel table of old", _AS_CSV),
    (b"SQLite format 3", "a database", _AS_CSV),
    (b"7z\xbc\xaf", "an archive", "unpack it"),
    (b"Rar!", "an archive", "unpack it"),
    (b"\x28\xb5\x2f\xfd", "an archive (zstd)", "unpack it"),
    (b"#ROSBAG", "a ROS bag", _KEYPOINTS),
    (b"\x89PNG", "an image", _VIDEO),
    (b"\xff\xd8\xff", "an image", _VIDEO),
    (b"GIF8", "an image", _VIDEO),
    (b"RIFF", "a video", _VIDEO),
    (b"\x1aE\xdf\xa3", "a video", _VIDEO),
    (b"%PDF", "a PDF", _KEYPOINTS),
    (b"ply\n", "a mesh or point cloud (PLY)", _KEYPOINTS),
    (b"ply\r\n", "a mesh or point cloud (PLY)", _KEYPOINTS),
)
"""First bytes of a file, what it is, and what to do."""
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
"""How a compressed .blend begins, before Blender 3.0 and since."""
_TAR = b"ustar"
_MEMBERS = (
    ("xl/workbook.xml", "an Excel table", _AS_CSV),
    ("xl/", "an Excel table", _AS_CSV),
    ("content.xml", "an OpenDocument table", _AS_CSV),
    ("word/", "a Word document", "give the keypoints"),
)  # fmt: skip
_MAX_NAMED = 3


def refuse_other_kinds(head: bytes, path: Path) -> None:
    """Raise for a file that begins with *head* if that is another kind of file.

    Raises:
        TrackFileError: it is; the message says what it is and what to do.
    """
    if path.suffix.lower() == ".blend" and head.startswith((_GZIP, _ZSTD)):
        raise TrackFileError(f"expected 3D keypoints, found a Blender file in {path}; {_IN_BLENDER}")
    if head[257:262] == _TAR:
        raise TrackFileError(f"expected 3D keypoints, found an archive (tar) in {path}; unpack it")
    for magic, kind, remedy in _KINDS:
        if head.startswith(magic):
            raise TrackFileError(f"expected 3D keypoints, found {kind} in {path}; {remedy}")
    if path.suffix.lower() == ".b3d":
        raise TrackFileError(
            f"expected 3D keypoints, found an AddBiomechanics archive (B3D) in {path}; save a trial's markers as TRC, "
            "or give the files from which it was made"
        )
    if head[4:8] == b"ftyp":
        raise TrackFileError(f"expected 3D keypoints, found a video in {path}; {_VIDEO}")
    if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{" and (path.suffix.lower() == ".gltf" or _is_gltf(head)):
        raise TrackFileError(f"expected 3D keypoints, found a glTF scene in {path}; {_IN_BLENDER}")


def _is_gltf(head: bytes) -> bool:
    return b'"asset"' in head and (b'"accessors"' in head or b'"generator"' in head)


def refuse_other_archives(path: Path) -> None:
    """Raise for a ZIP archive without arrays, which belongs to a known program or holds other files.

    Raises:
        TrackFileError: the archive is a spreadsheet, a text document or one of other files.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()[:1000]
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError, RuntimeError):
        return
    for mark, kind, remedy in _MEMBERS:
        if any(mark in name for name in names):
            raise TrackFileError(f"expected 3D keypoints, found {kind} in {path}; {remedy}")
    if names:
        listed = ", ".join(names[:_MAX_NAMED])
        raise TrackFileError(f"expected 3D keypoints, found a ZIP archive with {listed} in {path}; unpack it")
