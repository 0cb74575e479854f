"""HumanML3D's features of 22 joints as positions. F frames.

A frame has 263 numbers: turn of the root about Y and its velocity in the root's axes (3), its height (1), the other 21
joints in the root's axes (63), then rotations, velocities and contacts, which are not needed. The positions follow as
in the data set's `recover_from_ric` (Guo et al. 2022), whose code the signs were compared with.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import TrackFileError
from .raw import RawRecording, check_counts

NUM_HUMANML3D = 263
_FPS = 20.0
_NUM_OTHERS = 21
_MAX_TURN = np.pi / 2.0


def read_humanml3d(features: np.ndarray, path: Path) -> list[RawRecording]:
    """Return the joints of features (F, 263).

    Raises:
        TrackFileError: the features are normalised, or not finite.
    """
    check_counts(len(features), _NUM_OTHERS + 1, path)
    values = features.astype(np.float64)
    if not np.isfinite(values).all() or np.abs(values[:, 0]).max() > _MAX_TURN or values[:, 3].min() < 0.0:
        raise TrackFileError(
            f"expected HumanML3D's features in radians and metres, found others in {path}; undo the normalisation "
            "(times Std, plus Mean) or save the joints (frames, 22, 3)"
        )
    # The turn of a frame takes effect in the next one, and so does the velocity.
    angle = np.concatenate([[0.0], np.cumsum(values[:-1, 0])])
    sine, cosine = np.sin(2.0 * angle), np.cos(2.0 * angle)

    def to_world(x: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return cosine_of(x) * x - sine_of(x) * z, sine_of(x) * x + cosine_of(x) * z

    def sine_of(like: np.ndarray) -> np.ndarray:
        return np.asarray(sine.reshape(-1, *([1] * (like.ndim - 1))))

    def cosine_of(like: np.ndarray) -> np.ndarray:
        return np.asarray(cosine.reshape(-1, *([1] * (like.ndim - 1))))

    zero = np.zeros(1)
    x, z = to_world(np.concatenate([zero, values[:-1, 1]]), np.concatenate([zero, values[:-1, 2]]))
    root = np.stack([np.cumsum(x), values[:, 3], np.cumsum(z)], axis=-1)
    others = values[:, 4 : 4 + 3 * _NUM_OTHERS].reshape(len(values), _NUM_OTHERS, 3)
    x, z = to_world(others[..., 0], others[..., 2])
    joints = np.stack([x + root[:, None, 0], others[..., 1], z + root[:, None, 2]], axis=-1)
    return [
        RawRecording(
            np.concatenate([root[:, None], joints], axis=1),
            np.ones((len(values), _NUM_OTHERS + 1)),
            "HumanML3D NPY",
            path,
            fps=_FPS,
            units="m",
            layout="smpl22",
            notes=("263 features a frame: HumanML3D, 20 frames a second.",),
        )
    ]
