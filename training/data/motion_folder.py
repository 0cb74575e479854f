"""Read folders of motion clips in AMASS layout: ``NAME_SUBJECT_CLIP_poses.npz``."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.errors import InputMissingError
from core.math.rotations import axis_angle_to_matrix
from core.smpl_skeleton import NUM_JOINTS

_CLIP_NAME = re.compile(r"^(?P<set>[^_]+)_(?P<subject>[^_]+)_(?P<rest>.+)_poses\.npz$")
BETAS_STD = 0.8


@dataclass(frozen=True, eq=False)
class Clip:
    """One clip of a known subject.

    Attributes:
        name: file name without its suffix.
        subject: the recorded subject.
        rotations: (F, 24, 3, 3) float32 local rotations.
        trans: (F, 3) float32, metres, Y up.
        fps: frames per second.
    """

    name: str
    subject: str
    rotations: np.ndarray
    trans: np.ndarray
    fps: float

    def drawn_betas(self, num_betas: int = 10) -> np.ndarray:
        """Draw betas (num_betas,) from N(0, 0.8), seeded with the clip's name."""
        generator = np.random.default_rng(zlib.crc32(self.name.encode()))
        return generator.normal(0.0, BETAS_STD, num_betas).astype(np.float32)


def clip_files(folder: Path, *, collection: str = "CMU") -> list[Path]:
    """Return the candidate files of `read_clips` in *folder*, sorted by name."""
    return sorted(folder.glob(f"{collection}_*_poses.npz"))


def read_clips(folder: Path, subjects: Iterable[str] | None = None, *, collection: str = "CMU") -> list[Clip]:
    """Read the clips of *folder*, sorted by name.

    Args:
        folder: folder of the files.
        subjects: subjects whose clips to read; None for all.
        collection: first part of the file names to read.

    Raises:
        InputMissingError: there is no such clip.
    """
    wanted = None if subjects is None else set(subjects)
    clips = []
    for path in clip_files(folder, collection=collection):
        match = _CLIP_NAME.match(path.name)
        if match is None or (wanted is not None and match["subject"] not in wanted):
            continue
        with np.load(path, allow_pickle=False) as arrays:
            poses = arrays["poses"][:, : 3 * NUM_JOINTS].astype(np.float32)
            rotations = axis_angle_to_matrix(poses.reshape(-1, NUM_JOINTS, 3))
            rotations[:, 22:] = np.eye(3, dtype=np.float32)
            trans = arrays["trans"].astype(np.float32)
            clips.append(Clip(path.stem, match["subject"], rotations, trans, float(arrays["mocap_framerate"])))
    if not clips:
        raise InputMissingError(
            f"expected {collection}_SUBJECT_CLIP_poses.npz files of subjects {sorted(wanted or ['any'])} in {folder}; "
            "found none; give the folder of motion clips in AMASS layout"
        )
    return clips
