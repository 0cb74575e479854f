"""Write files that show that this program wrote them, and recognise those that nobody changed since.

An .npz file has a hash of its members in the comment of its archive, a JSON object one of its other entries under
``unchanged``, a picture one of its bytes after its end, a text one of itself near its beginning. So a command that is
repeated replaces its own output, and not somebody's work.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import OutputError
from .atomic_files import atomic_path

OVERWRITE_HELP = "replace files that this program did not write or that were changed since"
"""The help of a command's option ``--overwrite``."""
_SIGNER = "learnable-smplify"
_SIGNATURE_BYTES = len(_SIGNER) + 1 + 64
UNSIGNED = f"{_SIGNER} {'0' * 64}"
"""Stands in a text where its signature will be."""
_TEXT_SIGNATURE = re.compile(_SIGNER.encode() + b" [0-9a-f]{64}")
_TEXT_HEAD_BYTES = 1024
_SIGNATURE_KEY = "unchanged"
_UNREADABLE = (OSError, EOFError, ValueError, RecursionError, NotImplementedError, zipfile.BadZipFile, zlib.error)


def write_own_npz(path: Path | str, arrays: Mapping[str, np.ndarray]) -> None:
    """Write *arrays* to the .npz file *path*, whole or not at all, signed."""
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    with zipfile.ZipFile(stream, "a") as archive:
        archive.comment = _signature_of_archive(archive)
    with atomic_path(path) as temporary:
        temporary.write_bytes(stream.getbuffer())


def write_own_json(path: Path | str, content: Mapping[str, Any]) -> None:
    """Write *content* to the JSON file *path*, whole or not at all, signed."""
    plain = json.loads(json.dumps(content, allow_nan=False))  # as it will be read
    signed = {**plain, _SIGNATURE_KEY: _signature_of_object(plain)}
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(signed, indent=1) + "\n", encoding="utf-8")


def write_own_bytes(path: Path | str, data: bytes) -> None:
    """Write *data* to *path*, whole or not at all, signed; its format must be one that ends before the file does."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(data + _signature(data).encode())


def write_own_text(path: Path | str, text: str) -> None:
    """Write *text* to *path*, whole or not at all, signed where it has `UNSIGNED`, in its first kilobyte."""
    data = text.encode()
    with atomic_path(path) as temporary:
        temporary.write_bytes(data.replace(UNSIGNED.encode(), _signature(data).encode(), 1))


def is_own(path: Path) -> bool:
    """Return whether this program wrote the file at *path* and nobody changed it since.

    An empty file counts: a power cut can leave one, and it contains nobody's work.
    """
    try:
        if path.stat().st_size == 0:
            return path.is_file()
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                return archive.comment == _signature_of_archive(archive)
        with path.open("rb") as stream:
            first = stream.read(1)
            if first == b"{":
                content = json.loads(first + stream.read())
                return bool(content.pop(_SIGNATURE_KEY, None) == _signature_of_object(content))
            found = _TEXT_SIGNATURE.search(first + stream.read(_TEXT_HEAD_BYTES))
            if found is not None:
                stream.seek(0)
                data = stream.read()
                unsigned = data[: found.start()] + UNSIGNED.encode() + data[found.end() :]
                return _signature(unsigned).encode() == found.group()
            stream.seek(-_SIGNATURE_BYTES, os.SEEK_END)
            if not (signature := stream.read()).startswith(_SIGNER.encode()):
                return False
            stream.seek(0)
            return _signature(stream.read()[:-_SIGNATURE_BYTES]).encode() == signature
    except _UNREADABLE:
        return False


def check_replaceable(paths: Iterable[Path]) -> None:
    """Refuse to replace files that this program did not write, or that were changed since.

    Raises:
        OutputError: there is such a file, or a link, at one of *paths*.
    """
    for path in paths:
        if os.path.lexists(path) and not is_own(path):
            raise OutputError(
                f"expected no file at {path} but one as this program wrote it, found another one, or one that was "
                "changed since; choose another name, or give --overwrite to replace it"
            )


def _signature_of_archive(archive: zipfile.ZipFile) -> bytes:
    members = [(member.filename, member.CRC, member.file_size) for member in archive.infolist()]
    return _signature(json.dumps(members).encode()).encode()


def _signature_of_object(content: Mapping[str, Any]) -> str:
    return _signature(json.dumps(content, sort_keys=True).encode())


def _signature(data: bytes) -> str:
    return f"{_SIGNER} {hashlib.sha256(data).hexdigest()}"
