"""AIST++ keypoints: a pickle with `keypoints3d_optim` and `keypoints3d`, (F, 17, 3) in COCO order."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import TrackFileError
from ..io.pickle.load import load_pickle
from .raw import RawRecording, check_counts

KIND = "AIST++ PKL"
_FPS = 60.0
_NUM_POINTS = 17
_KEYS = ("keypoints3d_optim", "keypoints3d")


def read_aist(path: Path) -> list[RawRecording]:
    """Read AIST++ keypoints without executing pickled code.

    Raises:
        TrackFileError: the file is damaged or has no keypoints.
        UnsafePickleError: the pickle contains more than plain arrays.
    """
    content = load_pickle(path, error=TrackFileError)
    key = next((key for key in _KEYS if isinstance(content, dict) and key in content), None)
    points = content[key] if key is not None else None
    if not isinstance(points, np.ndarray) or points.dtype.kind not in "fiu" or points.shape[1:] != (_NUM_POINTS, 3):
        keys = str(sorted(map(str, content)))[:200] if isinstance(content, dict) else type(content).__name__
        found = keys if points is None else type(points).__name__
        if isinstance(points, np.ndarray):
            found = f"{points.dtype} {points.shape}"
        raise TrackFileError(
            f"expected a dictionary with 'keypoints3d_optim' or 'keypoints3d' (frames, 17, 3), found {found} in "
            f"{path}; give AIST++ keypoints3d, or save the points as NPZ"
        )
    check_counts(len(points), _NUM_POINTS, path)
    return [
        RawRecording(
            points.astype(np.float64),
            np.ones(points.shape[:2]),
            KIND,
            path,
            fps=_FPS,
            units="cm",
            layout="coco17",
            notes=(f"Read from {key!r}; AIST++ is in centimetres at 60 fps.",),
        )
    ]
