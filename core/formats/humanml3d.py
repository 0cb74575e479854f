"""HumanML3D's features of SMPL's 22 joints, and of KIT-ML's 21, as positions. F frames.

A frame has 263 or 251 numbers: turn of the root about Y and its velocity in the root's axes (3), its height (1), the
other joints in the root's axes (63 or 60), then rotations, velocities and contacts, which are not needed. The
positions follow as in the data set's `recover_from_ric` (Guo et al. 2022), whose code the signs were compared with.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import TrackFileError
from .raw import RawRecording, check_counts

NUM_HUMANML3D, NUM_KIT = 263, 251
HUMANML3D_FPS, KIT_FPS = 20.0, 12.5
_KINDS = {NUM_HUMANML3D: ("HumanML3D", 21, HUMANML3D_FPS, "m", "smpl22"),
          NUM_KIT: ("KIT-ML", 20, KIT_FPS, None, "kit21")}  # fmt: skip
"""Data set, joints besides the root, frame rate, unit and layout by the numbers of a frame."""
_MAX_TURN = np.pi / 2.0


def read_humanml3d(features: np.ndarray, path: Path) -> list[RawRecording]:
    """Return the joints of features (F, 263 or 251).

    Raises:
        TrackFileError: the features are normalised, or not finite.
    """
    name, num_others, fps, units, layout = _KINDS[features.shape[1]]
    check_counts(len(features), num_others + 1, path)
    values = features.astype(np.float64)
    if not np.isfinite(values).all() or np.abs(values[:, 0]).max() > _MAX_TURN or values[:, 3].min() < 0.0:
        raise TrackFileError(
            f"expected {name}'s features in radians and lengths, found others in {path}; undo the normalisation "
            f"(times Std, plus Mean) or save the joints (frames, {num_others + 1}, 3)"
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
    others = values[:, 4 : 4 + 3 * num_others].reshape(len(values), num_others, 3)
    x, z = to_world(others[..., 0], others[..., 2])
    joints = np.stack([x + root[:, None, 0], others[..., 1], z + root[:, None, 2]], axis=-1)
    return [
        RawRecording(
            np.concatenate([root[:, None], joints], axis=1),
            np.ones((len(values), num_others + 1)),
            f"{name} NPY",
            path,
            fps=fps,
            units=units,
            layout=layout,
            notes=(f"{values.shape[1]} features a frame: {name}, {fps:g} frames a second.",),
        )
    ]
