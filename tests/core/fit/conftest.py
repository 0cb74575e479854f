"""Known motions for the tests of the fit."""

from __future__ import annotations

import pytest

from tests.recordings import CMU

from .scenes import Scene, acting, captured, walking

CLIPS = {"16_15": slice(1, 90), "35_03": slice(0, 80), "05_02": slice(None)}
"""Clips of people outside the pose prior's training data, and the frames to fit. (16_15 starts with a jump; of 05_02,
a dance, its fastest three seconds are carried.)"""


@pytest.fixture(scope="session")
def act() -> Scene:
    """Two seconds of a person who bends, steps and gestures."""
    return acting(60)


@pytest.fixture(scope="session")
def walk() -> Scene:
    """Two seconds of the sample's walk."""
    return walking()[20:80]


@pytest.fixture(params=sorted(CLIPS), scope="session")
def capture(request: pytest.FixtureRequest) -> Scene:
    """Each of `CLIPS`."""
    subject, rest = request.param.split("_")
    return captured(CMU, subject, rest)[CLIPS[request.param]]
