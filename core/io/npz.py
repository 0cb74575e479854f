"""Read untrusted .npy and .npz files: headers are checked against the file's size before memory is allocated."""

from __future__ import annotations

import io
import math
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from ..errors import CoreError
from .pickle.load import load_pickle
from .regular_files import check_is_file

MAX_BYTES = 1 << 30
"""Default limit for the size of an array, and for the total size of all arrays."""

_MAX_MEMBERS = 1000
_MAX_HEADER_BYTES = 10_000
_MAGIC = b"\x93NUMPY"
_LENGTH_BYTES = {b"\x01\x00": 2, b"\x02\x00": 4, b"\x03\x00": 4}
"""Number of bytes of the header's length field in each version of the format."""

_MAX_ITEMS = 1 << 40
"""Also applies to the other axes of an empty array: NumPy cannot create one if they exceed memory."""
_PLAIN_KINDS = "biufcSU"
_HEADER_FAULTS = (
    ValueError, TypeError, SyntaxError, LookupError, EOFError, OverflowError, RecursionError, MemoryError,
    tokenize.TokenError,
)  # fmt: skip
_ARCHIVE_FAULTS = (OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, ValueError)


@dataclass(frozen=True)
class ArrayHeader:
    """The header of a stored array.

    Attributes:
        shape: size along each axis.
        dtype: data type.
        fortran: whether the file is in Fortran order (the first axis varies fastest).
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    fortran: bool

    @property
    def num_bytes(self) -> int:
        """Number of bytes of data that follow the header."""
        return math.prod(self.shape) * self.dtype.itemsize


def _header_text(file: IO[bytes]) -> bytes:
    """Return the text of an array's header; unlike NumPy, check its length first."""
    magic = file.read(8)
    if magic[:6] != _MAGIC or magic[6:] not in _LENGTH_BYTES:
        raise ValueError("it does not start like a NumPy array")
    length = int.from_bytes(file.read(_LENGTH_BYTES[magic[6:]]), "little")
    if length > _MAX_HEADER_BYTES:
        raise ValueError(f"a header of {length} bytes")
    text = file.read(length)
    if len(text) != length:
        raise EOFError("the file ends early")
    return text


def _header(file: IO[bytes], where: str, error: type[CoreError]) -> ArrayHeader:
    try:
        text = _header_text(file)
        stream = io.BytesIO(len(text).to_bytes(2, "little") + text)
        with warnings.catch_warnings():
            # Headers written by Python 2 cause a warning.
            warnings.simplefilter("ignore", UserWarning)
            shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)  # type: ignore[no-untyped-call]
    except _HEADER_FAULTS as fault:
        raise error(
            f"expected a NumPy array, found a damaged header ({str(fault)[:120]}) in {where}; save it again"
        ) from fault
    if any(size < 0 for size in shape) or math.prod(max(size, 1) for size in shape) > _MAX_ITEMS:
        raise error(f"expected an array shape, found {str(shape)[:120]} in {where}; save it again")
    if dtype.itemsize == 0:
        raise error(f"expected numbers or texts, found {dtype}, which has no bytes, in {where}; save it again")
    return ArrayHeader(shape, dtype, fortran)


def _object_array(file: IO[bytes], where: str, error: type[CoreError], max_bytes: int) -> np.ndarray:
    """Return an array of objects, whose data is a pickle of the array."""
    array = load_pickle(file, error=error, max_bytes=max_bytes, where=where)
    if not isinstance(array, np.ndarray):
        raise error(f"expected an array of objects, found {type(array).__name__} in {where}; save it again")
    return array


def _array(
    file: IO[bytes], size: int, where: str, error: type[CoreError], max_bytes: int, *, objects: bool = False
) -> np.ndarray:
    header = _header(file, where, error)
    if header.dtype.hasobject and objects:
        return _object_array(file, where, error, max_bytes)
    if header.dtype.kind not in _PLAIN_KINDS:
        raise error(
            f"expected plain numbers or texts, found {header.dtype} in {where}; Python objects are not loaded, "
            "because that can run code: save plain arrays"
        )
    if header.num_bytes != size - file.tell() or header.num_bytes > max_bytes:
        raise error(
            f"expected {header.num_bytes} bytes for an array {header.shape} as its header says (at most {max_bytes} "
            f"are read), found {size - file.tell()} in {where}; the file is cut off, damaged or too large"
        )
    data = file.read(header.num_bytes)
    if len(data) != header.num_bytes:
        raise error(f"expected {header.num_bytes} bytes, found {len(data)} in {where}; the file is cut off")
    count = math.prod(header.shape)
    flat = np.frombuffer(data, header.dtype, count=count) if count else np.empty(0, header.dtype)
    return flat.reshape(header.shape, order="F" if header.fortran else "C")


def _existing(path: Path | str, what: str) -> Path:
    path = Path(path)
    check_is_file(path, what)
    return path


def read_npy(
    path: Path | str, *, error: type[CoreError], max_bytes: int = MAX_BYTES, objects: bool = False
) -> np.ndarray:
    """Return the array of an .npy file, read-only; Python objects are rejected unless asked for.

    Args:
        path: the file.
        error: the class to raise for a file that is damaged, too large or of another kind.
        max_bytes: the largest array to read.
        objects: also read an array of Python objects, as the plain data that `io.pickle.load` returns.

    Raises:
        InputMissingError: there is no such file.
        UnsafePickleError: an array of objects contains something that is not plain data.
        CoreError: of the class *error*.
    """
    path = _existing(path, "an .npy file")
    try:
        with path.open("rb") as file:
            return _array(file, path.stat().st_size, str(path), error, max_bytes, objects=objects)
    except OSError as fault:
        raise error(f"expected a readable file, found {fault} at {path}; check its permissions") from fault


def _members(archive: zipfile.ZipFile, archive_name: str, error: type[CoreError]) -> dict[str, zipfile.ZipInfo]:
    members = {
        info.filename.removesuffix(".npy"): info for info in archive.infolist() if not info.filename.endswith("/")
    }
    if len(members) > _MAX_MEMBERS:
        raise error(
            f"expected up to {_MAX_MEMBERS} arrays, found {len(members)} in {archive_name}; give an .npz file of arrays"
        )
    return members


def _damaged(archive_name: str, fault: Exception, error: type[CoreError]) -> CoreError:
    return error(
        f"expected an intact .npz archive, found a damaged one ({str(fault)[:120]}) in {archive_name}; copy or export "
        "it again"
    )


def npz_headers(path: Path | str, *, error: type[CoreError]) -> dict[str, ArrayHeader]:
    """Return the header of every array of an .npz file, by name, without reading the arrays.

    Members that are not NumPy arrays are skipped.

    Raises:
        InputMissingError: there is no such file.
        CoreError: of the class *error*, if the archive is damaged.
    """
    path = _existing(path, "an .npz file")
    headers = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for name, info in _members(archive, str(path), error).items():
                if info.filename.endswith(".npy"):
                    with archive.open(info) as file:
                        headers[name] = _header(file, f"{path} ({name})", error)
    except CoreError:
        raise
    except _ARCHIVE_FAULTS as fault:
        raise _damaged(str(path), fault, error) from fault
    return headers


def read_npz(
    path: Path | str,
    names: Iterable[str],
    *,
    error: type[CoreError],
    max_bytes: int = MAX_BYTES,
    objects: bool = False,
) -> dict[str, np.ndarray]:
    """Return the arrays of an .npz file that *names* lists, as far as the file has them, read-only.

    Args:
        path: the file.
        names: the arrays to read.
        error: the class to raise for a file that is damaged, too large or of another kind.
        max_bytes: the largest total size of these arrays.
        objects: also read arrays of Python objects, as the plain data that `io.pickle.load` returns.

    Raises:
        InputMissingError: there is no such file.
        UnsafePickleError: an array of objects contains something that is not plain data.
        CoreError: of the class *error*.
    """
    path = _existing(path, "an .npz file")
    return _read_members(path, str(path), names, error, max_bytes, objects=objects)


def unpack_npz(
    data: bytes, names: Iterable[str], *, where: str, error: type[CoreError], max_bytes: int = MAX_BYTES
) -> dict[str, np.ndarray]:
    """Return the arrays of an .npz archive in memory that *names* lists, as far as the archive has them, read-only.

    Args:
        data: the archive.
        names: the arrays to read.
        where: where the archive is stored, for messages.
        error: the class to raise for an archive that is damaged, too large or of another kind.
        max_bytes: the largest total size of these arrays.

    Raises:
        CoreError: of the class *error*.
    """
    return _read_members(io.BytesIO(data), where, names, error, max_bytes)


def _read_members(
    source: Path | IO[bytes],
    archive_name: str,
    names: Iterable[str],
    error: type[CoreError],
    max_bytes: int,
    *,
    objects: bool = False,
) -> dict[str, np.ndarray]:
    arrays = {}
    left = max_bytes
    try:
        with zipfile.ZipFile(source) as archive:
            members = _members(archive, archive_name, error)
            for name in names:
                if name in members:
                    where = f"{archive_name} ({name})"
                    with archive.open(members[name]) as file:
                        size = members[name].file_size
                        arrays[name] = _array(file, size, where, error, left, objects=objects)
                    left -= arrays[name].nbytes
    except CoreError:
        raise
    except _ARCHIVE_FAULTS as fault:
        raise _damaged(archive_name, fault, error) from fault
    return arrays
