"""Keypoints in NPY and NPZ files. F frames, K points, P people."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..errors import TrackFileError
from ..io import npz
from .humanml3d import NUM_HUMANML3D, NUM_KIT, read_humanml3d
from .image_rows import KEYS as IMAGE_ROW_KEYS
from .image_rows import has_image_rows
from .motion_arrays import (
    FINEDANCE_CONTACTS,
    NUM_INTERHUMAN,
    NUM_MOTION_X,
    read_finedance,
    read_interhuman,
    read_motion_x,
)
from .other_kinds import refuse_other_archives
from .plain_data import recordings_of
from .point_arrays import KNOWN_COUNTS, Metadata, as_numbers, as_positions, check_shape, people_of_array
from .point_keys import (
    METADATA_KEYS,
    POSITION_KEYS,
    RATE_KEYS,
    find_confidence,
    find_key,
    folded,
    rate_of,
    read_metadata,
)
from .raw import MAX_CELLS, RawRecording
from .sam3d_body import PLACE_KEY, POINTS_KEY
from .solved_clip import KEYS, is_solved

NPY_MAGIC = b"\x93NUMPY"
ZIP_MAGIC = b"PK\x03\x04"
_MAX_ARRAY_BYTES = MAX_CELLS * 8
_TOOL_KEYS = (POINTS_KEY, "positions_3d")
"""Keys of tools whose files are read by `plain_data`."""
_MAX_METADATA_BYTES = 1 << 22
_ROW_READERS = {NUM_HUMANML3D: read_humanml3d, NUM_KIT: read_humanml3d, NUM_MOTION_X: read_motion_x,
                NUM_INTERHUMAN: read_interhuman, **dict.fromkeys(FINEDANCE_CONTACTS, read_finedance)}  # fmt: skip
"""Readers of data sets with so many numbers a frame, which are not those of points of a known layout."""


def read_npy(path: Path) -> list[RawRecording]:
    """Read an NPY file of (F, K, 3), (F, K, 4), (F, K * 3) or (P, F, K, 3) positions.

    Raises:
        TrackFileError: the file is damaged or has another shape.
    """
    array = npz.read_npy(path, error=TrackFileError, max_bytes=_MAX_ARRAY_BYTES, objects=True)
    if array.dtype.hasobject:
        return recordings_of(array, path)
    read = _ROW_READERS.get(array.shape[1]) if array.ndim == 2 else None
    if read is not None:
        return read(array, path)
    return people_of_array(as_positions(array, path), None, Metadata(), "NPY", path)


def read_npz(path: Path) -> list[RawRecording]:
    """Read an NPZ file: our own (`positions`, `confidence`, `fps`, `layout`, `names`, `start_s`) or one of a network.

    Raises:
        TrackFileError: the file is damaged or has no positions.
    """
    headers = npz.npz_headers(path, error=TrackFileError)
    if not headers:
        refuse_other_archives(path)
    shapes = {name: header.shape for name, header in headers.items()}
    tool = any(name in headers for name in _TOOL_KEYS)
    key = None if tool else find_key(shapes)
    is_stated = key is not None and key.lower() in POSITION_KEYS
    if not tool and not is_stated and (is_solved(headers.keys()) or has_image_rows(headers.keys())):
        arrays = npz.read_npz(
            path, (*KEYS, *IMAGE_ROW_KEYS), error=TrackFileError, max_bytes=2 * _MAX_ARRAY_BYTES, objects=True
        )
        return recordings_of(arrays, path)
    if key is None or headers[key].dtype.hasobject or not (is_stated or shapes[key][-2] in KNOWN_COUNTS):
        objects = _read_objects(path, headers)
        if objects is not None:
            return objects
    if key is None:
        raise TrackFileError(
            f"expected an array named 'positions' (frames, points, 3), or SMPL's parameters (poses, trans, betas), "
            f"found {str(sorted(headers))[:200]} in {path}; save it that way"
        )
    check_shape(headers[key].shape, path)
    beside = {name.lower(): name for name in headers if headers[name].num_bytes < _MAX_METADATA_BYTES}
    trust = find_confidence(shapes, shapes[key])
    wanted = [key, *([trust] if trust else []), *(beside[name] for name in METADATA_KEYS if name in beside)]
    arrays = npz.read_npz(path, wanted, error=TrackFileError, max_bytes=2 * _MAX_ARRAY_BYTES)
    confidence = as_numbers(arrays[trust], path) if trust else None
    return people_of_array(
        as_positions(arrays[key], path), confidence, read_metadata(folded(arrays), path), "NPZ", path
    )


def _read_objects(path: Path, headers: Mapping[str, npz.ArrayHeader]) -> list[RawRecording] | None:
    """Read the NPZ of a tool whose keys are known, or that holds Python objects; None if it has neither."""
    wanted = [name for name, header in headers.items() if header.dtype.hasobject]
    wanted += [name for name in (*_TOOL_KEYS, PLACE_KEY, *RATE_KEYS) if name in headers and name not in wanted]
    if not any(name in wanted for name in _TOOL_KEYS) and not any(headers[name].dtype.hasobject for name in wanted):
        return None
    arrays = npz.read_npz(path, wanted, error=TrackFileError, max_bytes=2 * _MAX_ARRAY_BYTES, objects=True)
    fps = next((rate_of(arrays[key], path) for key in RATE_KEYS if key in arrays), None)
    if len(arrays) == 1 and not any(name in arrays for name in _TOOL_KEYS):
        return recordings_of(next(iter(arrays.values())), path, fps=fps)
    return recordings_of(arrays, path, fps=fps)
