"""Read betas from a file. B betas."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import BodyError
from ..io.npz import read_npy
from ..io.regular_files import check_is_file
from .data import NUM_BETAS

_MAX_BETAS = 300


def read_betas(path: Path | str) -> np.ndarray:
    """Return the betas (B,) float64 of a .npy file of shape (B,) or (1, B), with 10 or more values.

    Raises:
        InputMissingError: there is no such file.
        BodyError: the file does not contain 10 to 300 finite numbers.
    """
    path = Path(path)
    check_is_file(path, "a file of betas", "check --betas")
    array = read_npy(path, error=BodyError)
    flat = array.reshape(-1)
    shape_fits = array.ndim == 1 or (array.ndim == 2 and array.shape[0] == 1)
    if not shape_fits or array.dtype.kind not in "fiu" or not NUM_BETAS <= len(flat) <= _MAX_BETAS:
        raise BodyError(
            f"expected {NUM_BETAS} numbers, the betas, in {path}, found {array.dtype} {array.shape}; "
            f"save numpy betas of shape ({NUM_BETAS},)"
        )
    betas = flat.astype(np.float64)
    if not np.isfinite(betas).all():
        raise BodyError(f"expected finite betas in {path}, found NaN or infinity; check how they were created")
    return betas
