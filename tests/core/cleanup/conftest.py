"""The free body, and a procedural walk with known contacts."""

from __future__ import annotations

import pytest

from core.body.free_body import load_free_body
from core.body.model import BodyModel
from core.cleanup import CleanupSource, analyse_motion
from core.motion import Motion
from training.samples.motion import sample_motion


@pytest.fixture(scope="session")
def body() -> BodyModel:
    return BodyModel(load_free_body())


@pytest.fixture(scope="session")
def walk() -> Motion:
    """Stand, walk a curve, wave and squat: 432 frames at 60 fps without foot sliding."""
    return sample_motion()


@pytest.fixture(scope="session")
def walk_source(walk: Motion, body: BodyModel) -> CleanupSource:
    return analyse_motion(walk, body)
