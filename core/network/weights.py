"""Files of folded weights: an .npz with plain arrays and a JSON text that describes them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from ..io.npz import ArrayHeader, npz_headers, read_npz
from ..io.own_files import write_own_npz
from .architecture import ARCHITECTURE, FOLDED_SHAPES
from .graph import NetworkError, check_graph
from .pose_architecture import POSE_MLP, POSE_MLP_SHAPES

FORMAT_VERSION = 1
PRECISIONS = ("float16", "float32")
MAX_INFO_CHARACTERS = 20_000
ARRAY_SHAPES: dict[str, dict[str, tuple[int, ...]]] = {ARCHITECTURE: FOLDED_SHAPES, POSE_MLP: POSE_MLP_SHAPES}
"""Shape of each array, by network."""


@dataclass(frozen=True)
class NetworkInfo:
    """Description of a file's weights.

    Attributes:
        graph: the skeleton graph, a key of `graph.LINKS`; empty for a network without one.
        body: name of the body that the betas belong to ("free_body", "smpl").
        training_data: description of the training data.
        metrics: measured figures by name; the names include the units.
        source: where the weights came from.
        architecture: name of the network.
    """

    graph: str
    body: str
    training_data: str
    metrics: Mapping[str, float] = field(default_factory=dict)
    source: str = ""
    architecture: str = ARCHITECTURE


@dataclass(frozen=True, eq=False)
class NetworkWeights:
    """Folded weights and their description.

    Attributes:
        arrays: by the names in `ARRAY_SHAPES`.
        info: the description.
    """

    arrays: Mapping[str, np.ndarray]
    info: NetworkInfo

    def as_stored(self, precision: str) -> NetworkWeights:
        """Return the same weights, float32, rounded as in a file of that *precision*."""
        return NetworkWeights({name: _cast(array, precision) for name, array in self.arrays.items()}, self.info)


def _cast(array: np.ndarray, precision: str) -> np.ndarray:
    with np.errstate(over="ignore"):
        return array.astype(precision).astype(np.float32)


def write_weights(path: Path | str, weights: NetworkWeights, *, precision: str = "float32") -> None:
    """Write *weights* to an .npz file; it appears whole or not at all.

    Args:
        path: the file.
        weights: the weights.
        precision: "float32", or "float16" for half the size.

    Raises:
        NetworkError: a shape does not match the network, or a value is not finite or too large for the precision.
        ValueError: the precision is unknown.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"expected one of the precisions {', '.join(PRECISIONS)}; got {precision!r}")
    _check_info(weights.info)
    with np.errstate(over="ignore"):
        stored = {name: np.asarray(array).astype(precision) for name, array in weights.arrays.items()}
    _check_arrays(stored, weights.info.architecture, f"the weights for {path}")
    text = json.dumps(asdict(weights.info), ensure_ascii=True, allow_nan=False)
    if len(text) > MAX_INFO_CHARACTERS:
        raise NetworkError(
            f"expected at most {MAX_INFO_CHARACTERS} characters of information about the weights, got {len(text)} for "
            f"{path}; keep the figures that matter"
        )
    write_own_npz(path, {"format_version": np.array(FORMAT_VERSION), "info": np.array(text), **stored})


def read_weights(path: Path | str) -> NetworkWeights:
    """Return the weights in a file, as float32. Nothing in it is executed; sizes are checked first.

    Raises:
        InputMissingError: there is no such file.
        NetworkError: the file is damaged, or not a weights file of this version and network.
    """
    headers = npz_headers(path, error=NetworkError)
    architecture = _likely_architecture(headers)
    _check_headers(headers, architecture, path)
    max_bytes = sum(header.num_bytes for header in headers.values())
    arrays = read_npz(path, headers, error=NetworkError, max_bytes=max_bytes)
    version = int(arrays.pop("format_version"))
    if version != FORMAT_VERSION:
        raise NetworkError(
            f"expected network weights of format version {FORMAT_VERSION}, found {version} in {path}; "
            "convert the checkpoint again with this version"
        )
    info = _read_info(str(arrays.pop("info")), architecture, path)
    _check_arrays(arrays, architecture, str(path))
    return NetworkWeights({name: array.astype(np.float32) for name, array in arrays.items()}, info)


def _likely_architecture(headers: Mapping[str, ArrayHeader]) -> str:
    """Return the network that shares most array names with the file, whose own entry is read only after the sizes."""
    return max(ARRAY_SHAPES, key=lambda name: len(set(headers) & set(ARRAY_SHAPES[name])))


def _check_headers(headers: Mapping[str, ArrayHeader], architecture: str, path: Path | str) -> None:
    """Raise `NetworkError` with all faults at once, before anything large is read."""
    expected: dict[str, tuple[int, ...]] = {"format_version": (), "info": (), **ARRAY_SHAPES[architecture]}
    faults = [f"{name} is missing" for name in expected if name not in headers]
    faults += [f"{name} is unknown" for name in headers if name not in expected]
    for name in expected:
        if name not in headers:
            continue
        header = headers[name]
        if header.shape != expected[name]:
            faults.append(f"{name} has shape {header.shape}, expected {expected[name]}")
        elif not _kind_fits(name, header.dtype):
            faults.append(f"{name} has type {header.dtype}")
    if faults:
        more = f"; {len(faults) - 5} more faults" if len(faults) > 5 else ""
        raise NetworkError(
            f"expected the weights of a {architecture} network in {path}, found: {'; '.join(faults[:5])[:500]}{more}; "
            "give a file made by training.convert_checkpoint"
        )


def _kind_fits(name: str, dtype: np.dtype) -> bool:
    if name == "format_version":
        return dtype.kind in "iu"
    if name == "info":
        return dtype.kind == "U" and dtype.itemsize <= 4 * MAX_INFO_CHARACTERS
    return dtype.name in PRECISIONS


def _check_arrays(arrays: Mapping[str, np.ndarray], architecture: str, where: str) -> None:
    shapes = ARRAY_SHAPES[architecture]
    faults = [f"{name} is missing" for name in shapes if name not in arrays]
    faults += [f"{name} is unknown" for name in arrays if name not in shapes]
    faults += [
        f"{name} has shape {arrays[name].shape}, expected {shape}"
        for name, shape in shapes.items()
        if name in arrays and arrays[name].shape != shape
    ]
    faults += [f"{name} holds numbers that are not finite" for name, a in arrays.items() if not np.isfinite(a).all()]
    if faults:
        raise NetworkError(
            f"expected finite weights of a {architecture} network in {where}, found: {'; '.join(faults[:5])[:500]}; "
            "convert the checkpoint again, as float32 if numbers are too large for float16"
        )


def _read_info(text: str, architecture: str, path: Path | str) -> NetworkInfo:
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError) as fault:
        raise NetworkError(f"expected the information about the weights as JSON in {path}, found other text") from fault
    names = {entry.name for entry in fields(NetworkInfo)}
    if not isinstance(entries, dict) or set(entries) != names:
        raise NetworkError(f"expected the entries {', '.join(sorted(names))} about the weights in {path}, found others")
    if not all(isinstance(entries[name], str) for name in names - {"metrics"}) or not _are_figures(entries["metrics"]):
        raise NetworkError(f"expected texts and finite figures about the weights in {path}, found other values")
    if entries["architecture"] != architecture:
        raise NetworkError(
            f"expected weights of a {architecture} network, found {entries['architecture'][:80]!r} in {path}; "
            "this version cannot run them"
        )
    info = NetworkInfo(**entries)
    _check_info(info)
    return info


def _check_info(info: NetworkInfo) -> None:
    """Raise `NetworkError` if the network or its graph is unknown."""
    if info.architecture not in ARRAY_SHAPES:
        raise NetworkError(f"expected one of the networks {', '.join(ARRAY_SHAPES)}; got {info.architecture!r}")
    if info.architecture == ARCHITECTURE:
        check_graph(info.graph)
    elif info.graph:
        raise NetworkError(f"expected no skeleton graph for a {info.architecture} network, got {info.graph!r}")


def _are_figures(metrics: Any) -> bool:
    return isinstance(metrics, dict) and all(
        isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
        for value in metrics.values()
    )
