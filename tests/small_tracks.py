"""Many small tracks of the free body, which are converted in little time."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from core.amass import write_motion
from core.motion import Motion
from tests.core.cli.commands import save

FIT_EVERY = 20
NUM_FRAMES = 8
_KNEES = slice(12, 18)


def write_tracks(folder: Path, count: int) -> None:
    """Write *count* different tracks to a new *folder*: solved motions, and every twentieth keypoints to be fitted."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    for number in range(count):
        path = folder / f"track{number:06}.npz"
        if number % FIT_EVERY == 0:
            save(path, fps=np.array(20.0 + number / FIT_EVERY))
            continue
        poses = 0.05 * random.normal(size=(1, 72)) * np.linspace(0.5, 1.0, NUM_FRAMES)[:, None]
        poses[:, _KNEES] = [0.3, 0.0, 0.0, 0.3, 0.0, 0.0]  # bent, so that it is clear which way is forward
        write_motion(path, Motion(poses, np.zeros(10), np.zeros((NUM_FRAMES, 3)), 30.0), up_axis="Y")
