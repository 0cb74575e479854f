"""Compressed keypoint files (gzip, bzip2, xz, and zlib as joblib writes it), unpacked beside the reader's back.

The content is written to a temporary file under the name without its compression, since readers seek in files and tell
some kinds by their suffix.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from ..errors import CoreError, TrackFileError
from .raw import MAX_FILE_BYTES

COMPRESSED_SUFFIXES = (".gz", ".bz2", ".xz", ".lzma", ".z")
_PICKLES = (".pkl", ".pickle", ".pt", ".pth", ".joblib")
_CHUNK_BYTES = 1 << 20
_DAMAGE = (OSError, EOFError, zlib.error, lzma.LZMAError, ValueError)


def is_compressed(head: bytes, path: Path) -> bool:
    """Return whether a file that begins with *head* is compressed, and is not a .blend, which Blender unpacks."""
    return path.suffix.lower() != ".blend" and _kind(head, path) != ""


def _kind(head: bytes, path: Path) -> str:
    if head.startswith(b"\x1f\x8b"):
        return "gzip"
    if head.startswith(b"BZh"):
        return "bzip2"
    if head.startswith((b"\xfd7zXZ\0", b"\x5d\0\0")):
        return "xz"
    is_zlib = head[:1] == b"x" and len(head) > 1 and not int.from_bytes(head[:2], "big") % 31
    return "zlib" if is_zlib and path.suffix.lower() in (*_PICKLES, ".z") else ""


@contextmanager
def unpacked(path: Path, head: bytes) -> Iterator[Path]:
    """Yield the path of the unpacked content of a file that begins with *head*; it is removed afterwards.

    Raises:
        TrackFileError: the file is damaged, or unpacks to more than the largest file that is read.
        CoreError: what is raised meanwhile, with *path* in place of the temporary one in its message.
    """
    kind = _kind(head, path)
    with tempfile.TemporaryDirectory(prefix="unpacked-") as folder:
        name = path.stem if path.suffix.lower() in COMPRESSED_SUFFIXES else path.name
        inner = Path(folder) / (name or "keypoints")
        try:
            _unpack(path, kind, inner)
        except CoreError:
            raise
        except _DAMAGE as error:
            raise TrackFileError(
                f"expected a {kind} file, found damage ({str(error)[:80]}) in {path}; it may be cut off, copy it again"
            ) from error
        try:
            yield inner
        except CoreError as error:
            error.args = tuple(
                arg.replace(str(inner), str(path)) if isinstance(arg, str) else arg for arg in error.args
            )
            raise


def _unpack(path: Path, kind: str, inner: Path) -> None:
    total = 0
    with path.open("rb") as file, inner.open("wb") as out:
        for chunk in _chunks(file, kind):
            total += len(chunk)
            if total > MAX_FILE_BYTES:
                raise TrackFileError(
                    f"expected a file of at most {MAX_FILE_BYTES >> 20} MiB, found more in {path} once it is unpacked; "
                    "split it"
                )
            out.write(chunk)


def _chunks(file: IO[bytes], kind: str) -> Iterator[bytes]:
    if kind == "zlib":
        decoder = zlib.decompressobj()
        while data := file.read(_CHUNK_BYTES):
            while data:
                yield decoder.decompress(data, _CHUNK_BYTES)
                data = decoder.unconsumed_tail
        if not decoder.eof:
            raise EOFError("the data end too early")
        return
    stream: IO[bytes] = (
        cast(IO[bytes], gzip.GzipFile(fileobj=file)) if kind == "gzip"
        else bz2.BZ2File(file) if kind == "bzip2" else lzma.LZMAFile(file)
    )  # fmt: skip
    while data := stream.read(_CHUNK_BYTES):
        yield data
