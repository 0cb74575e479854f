"""Fixtures: small generated motions in AMASS layout for the tests of training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.amass import write_motion
from core.motion import Motion
from training.samples.motion import sample_motion

PEOPLE = ("01", "02", "03", "04")


@pytest.fixture(scope="session")
def walk() -> Motion:
    """Return the procedural motion of the samples, 60 fps, Y up."""
    return sample_motion()


@pytest.fixture(scope="session")
def motion_folder(walk: Motion, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a clip for each of four subjects: quarters of the walk, Y up, 60 fps."""
    folder = tmp_path_factory.mktemp("motions")
    quarter = walk.num_frames // len(PEOPLE)
    for number, person in enumerate(PEOPLE):
        frames = slice(number * quarter, (number + 1) * quarter)
        part = replace(walk, poses=walk.poses[frames], trans=walk.trans[frames], betas=np.zeros(10))
        write_motion(folder / f"Walk_{person}_01_poses.npz", part, up_axis="Y")
    return folder


@pytest.fixture(scope="session")
def run_settings(motion_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """Return settings, by dotted key, of a run that takes seconds on a CPU."""
    return {
        "model.dropout": 0.0,
        "data.dataset": "folder",
        "data.folder": str(motion_folder),
        "data.cache": str(tmp_path_factory.mktemp("cache")),
        "data.split": "subjects",
        "data.test_subjects": ["04"],
        "data.strides": [1, 3],
        "data.train_every": 3,
        "data.test_every": 6,
        "data.trim": 0.3,
        "loss.num_vertices": 100,
        "training.device": "cpu",
        "training.batch_size": 8,
        "training.epochs": 1,
        "training.workers": 0,
        "output.log_every": 1,
        "output.pictures": 0,
        "output.tensorboard": False,
    }
