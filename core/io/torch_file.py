"""Read PyTorch's .pt and .pth files as plain data, without PyTorch: nothing in them is run.

The form since PyTorch 1.6 is a ZIP archive with one folder, in it ``data.pkl``, a pickle of the object, and
``data/KEY``, the numbers of each storage, not compressed. The form before is a pickle (`core.io.pickle.load`).
"""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import CoreError
from .pickle.load import MAX_BYTES, load_pickle
from .pickle.tensors import STORAGE_DTYPES, FindStorage, Storage, numbers_of

_PICKLE = "/data.pkl"
_FAULTS = (OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, ValueError, KeyError)
_MAX_MEMBERS = 100_000


def is_torch_archive(path: Path) -> bool:
    """Return whether the file at *path* is an archive of PyTorch."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith(_PICKLE) for name in archive.namelist()[:_MAX_MEMBERS])
    except _FAULTS:
        return False


def load_torch(path: Path, *, error: type[CoreError], max_bytes: int = MAX_BYTES) -> Any:
    """Return the content of an archive of PyTorch as plain data, tensors as read-only arrays.

    Args:
        path: the file.
        error: the class to raise for a file that is damaged or too large.
        max_bytes: the largest total size of what is read.

    Raises:
        UnsafePickleError: it requests something that is not plain data.
        CoreError: of the class *error*.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            pickles = [info for info in archive.infolist() if info.filename.endswith(_PICKLE)]
            if len(pickles) != 1:
                raise ValueError(f"{len(pickles)} members data.pkl")
            folder = pickles[0].filename.removesuffix("data.pkl")
            if f"{folder}byteorder" in archive.namelist() and archive.read(f"{folder}byteorder")[:6] != b"little":
                raise ValueError("it was written by a machine whose numbers are big-endian")
            with archive.open(pickles[0]) as stream:
                find, where = _storages(archive, folder, max_bytes), f"{path} (a PyTorch file)"
                return load_pickle(stream, error=error, max_bytes=max_bytes, where=where, find_storage=find)
    except CoreError:
        raise
    except _FAULTS as fault:
        raise error(
            f"expected an intact PyTorch file of tensors and plain data, found damage ({str(fault)[:120]}) in {path}; "
            "copy it again, or save its arrays as .npz"
        ) from fault


def _storages(archive: zipfile.ZipFile, folder: str, max_bytes: int) -> FindStorage:
    """Return the function that reads the storages below *folder* in *archive*, each once."""
    members = {info.filename: info for info in archive.infolist()}
    found: dict[str, Storage] = {}
    left = [max_bytes]

    def find(key: str, kind: str, count: int) -> Storage:
        if key not in found:
            info, dtype = members.get(f"{folder}data/{key}"), np.dtype(STORAGE_DTYPES[kind])
            if info is None or info.file_size != count * dtype.itemsize or info.file_size > left[0]:
                size = "nothing" if info is None else f"{info.file_size} bytes"
                raise ValueError(f"expected {count * dtype.itemsize} bytes in data/{key[:40]}, found {size}")
            if info.compress_type != zipfile.ZIP_STORED:
                raise ValueError(f"data/{key[:40]} is compressed, which PyTorch never does")
            left[0] -= info.file_size
            found[key] = Storage(numbers_of(kind, archive.read(info)), kind)
        if found[key].kind != kind or len(found[key].values) != count:
            raise ValueError(f"the storage {key[:40]!r} is described in two ways")
        return found[key]

    return find
