"""Fixtures: a walk with known units, axes and sides in any layout, as ground truth for the detections."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from core.body.free_body import load_free_body
from core.body.keypoints import KeypointModel
from core.body.landmarks import SOLVER_POINTS, landmark_regressor
from core.body.model import BodyModel
from core.formats.raw import RawRecording
from core.layouts import LAYOUTS, Layout
from core.math.rotations import axis_angle_to_matrix
from core.smpl_skeleton import JOINT_INDEX

FPS = 30.0
NUM_FRAMES = 60


def _motion() -> tuple[np.ndarray, np.ndarray]:
    """Return rotations (F, 24, 3, 3) and translations (F, 3) of two steps per second, forward in a left curve."""
    pose = np.zeros((NUM_FRAMES, 24, 3))
    phase = np.linspace(0.0, 4.0 * np.pi, NUM_FRAMES)
    pose[:, 0, 1] = np.linspace(0.0, 0.8, NUM_FRAMES)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        swing = np.sin(phase) * sign
        pose[:, JOINT_INDEX[f"{side}_hip"], 0] = -0.5 * swing
        pose[:, JOINT_INDEX[f"{side}_knee"], 0] = 0.5 + 0.4 * np.cos(phase) * sign
        pose[:, JOINT_INDEX[f"{side}_shoulder"], 2] = -1.2 * sign
        pose[:, JOINT_INDEX[f"{side}_elbow"], 1] = -0.8 * sign
    trans = np.stack([0.2 * phase / np.pi, 1.2 + 0.02 * np.cos(2 * phase), 0.5 * phase / np.pi], axis=-1)
    return np.asarray(axis_angle_to_matrix(pose)), trans


@cache
def _walk() -> dict[str, np.ndarray]:
    body = BodyModel(load_free_body())
    model = KeypointModel(body, landmark_regressor(body.data, SOLVER_POINTS))
    rotations, trans = _motion()
    points = np.asarray(model.shaped(np.zeros(10)).points(rotations, trans))
    return {name: points[:, index] for index, name in enumerate(SOLVER_POINTS)}


def walk_in(layout: Layout) -> np.ndarray:
    """Return the walk (F, K, 3) in metres, Y up; points without a solver point are missing."""
    missing = np.full((NUM_FRAMES, 3), np.nan)
    return np.stack([_walk()[point.solver] if point.solver else missing for point in layout.points], axis=1)


@pytest.fixture(scope="session")
def make_recording() -> Callable[..., RawRecording]:
    """Return a function that makes a recording of the walk, with optional changes."""

    def make(shown: str = "body25", /, *, positions: np.ndarray | None = None, **fields) -> RawRecording:
        chosen = LAYOUTS[shown]
        values = walk_in(chosen) if positions is None else positions
        settings = {"kind": "test", "names": chosen.names, "fps": FPS, **fields}
        return RawRecording(values, np.isfinite(values).all(-1) * 1.0, source=Path("walk.test"), **settings)

    return make
