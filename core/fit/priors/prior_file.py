"""Read the regressions of a pose prior from the .npz file that `training.pose_prior` writes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np

from ...errors import FitOptionError
from ...io.npz import npz_headers, read_npz
from ...smpl_skeleton import NUM_JOINTS
from .regression_prior import PART_CHAINS, PART_JOINTS, PartModel, RegressionPrior, part_features

SHIPPED_PRIOR = Path(__file__).with_name("assets") / "pose_prior.npz"
PRIOR_VERSION = 3
FIELDS = ("coefficients", "covariance", "subject_offset_covariance", "reach_rad")
"""The arrays of each model, as documented in `PartModel`."""


def array_name(part: str, level: int, field: str) -> str:
    """Return the name of an array in the file: of a *part* that is seen to depth *level*, a field of its model."""
    return f"{part}_{level}_{field}"


def models() -> Iterator[tuple[str, int]]:
    """Yield the part and the depth to which it is seen, of each model."""
    for part in PART_JOINTS:
        for level in range(len(PART_CHAINS[part]) + 1):
            yield part, level


@cache
def load_prior() -> RegressionPrior:
    """Return the prior that ships with the project. It is read once."""
    return read_prior(SHIPPED_PRIOR)


def read_prior(path: Path | str) -> RegressionPrior:
    """Return the prior in a file. Names, shapes and sizes are checked before anything is read.

    Raises:
        InputMissingError: the file does not exist.
        FitOptionError: the file is damaged, or is not a pose prior of this version.
    """
    headers = npz_headers(path, error=FitOptionError)
    expected = _shapes()
    found = {name: header.shape for name, header in headers.items() if header.dtype.kind in "fiu"}
    if found != expected:
        wrong = sorted(name for name in {*expected, *headers} if found.get(name) != expected.get(name))
        raise FitOptionError(
            f"expected the {len(expected)} arrays of a pose prior, found {len(wrong)} missing, unknown or of another "
            f"shape ({', '.join(wrong[:3])}{', ...' if len(wrong) > 3 else ''}) in {path}; write one with "
            "training.pose_prior"
        )
    max_bytes = sum(header.num_bytes for header in headers.values())
    arrays = read_npz(path, headers, error=FitOptionError, max_bytes=max_bytes)
    if int(arrays["version"]) != PRIOR_VERSION:
        raise FitOptionError(
            f"expected a pose prior of version {PRIOR_VERSION}, found {int(arrays['version'])} in {path}; write it "
            "again with training.pose_prior"
        )
    fields = {name: array.astype(np.float64) for name, array in arrays.items()}
    for name, array in fields.items():
        if not np.isfinite(array).all() or (name.endswith("covariance") and not _is_covariance(array)):
            raise FitOptionError(
                f"expected finite numbers and positive definite covariances, found others in {name} of {path}; write "
                "it again with training.pose_prior"
            )
    return RegressionPrior(
        {
            (part, level): PartModel(*(fields[array_name(part, level, field)] for field in FIELDS))
            for part, level in models()
        }
    )


def _is_covariance(array: np.ndarray) -> bool:
    """Return whether a matrix (N, N) is symmetric and positive definite."""
    return bool(np.allclose(array, array.T, rtol=1e-4, atol=1e-9) and (np.linalg.eigvalsh(array) > 0).all())


def _shapes() -> dict[str, tuple[int, ...]]:
    """Return the shape of each array of a file."""
    at_rest = np.broadcast_to(np.eye(3), (1, NUM_JOINTS, 3, 3))
    shapes: dict[str, tuple[int, ...]] = {"version": ()}
    for part, level in models():
        joints = len(PART_JOINTS[part])
        of_field = {
            "coefficients": (part_features(part, at_rest).shape[1], 3 * joints),
            "covariance": (3 * joints, 3 * joints),
            "subject_offset_covariance": (3 * joints, 3 * joints),
            "reach_rad": (joints,),
        }
        shapes |= {array_name(part, level, field): of_field[field] for field in FIELDS}
    return shapes
