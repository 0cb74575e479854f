"""Known motions for the tests of the fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from .scenes import Scene, acting, captured, walking

CLIPS = {"16_15": slice(1, 90), "35_03": slice(0, 80), "05_02": slice(100, 190)}
"""Clips of people outside the pose prior's training data, and the frames to fit. (16_15 starts with a jump;
05_02 is a dance, these are its fastest three seconds.)"""


@pytest.fixture(scope="session")
def act() -> Scene:
    """Two seconds of a person who bends, steps and gestures."""
    return acting(60)


@pytest.fixture(scope="session")
def walk() -> Scene:
    """Two seconds of the sample's walk."""
    return walking()[20:80]


@pytest.fixture(params=sorted(CLIPS), scope="session")
def clip(request: pytest.FixtureRequest, clips: Path) -> Scene:
    """Each of `CLIPS`."""
    subject, rest = request.param.split("_")
    return captured(clips, subject, rest)[CLIPS[request.param]]


@pytest.fixture(scope="session")
def capture(shared_dir: Path, clip: Scene) -> Scene:
    """Each of `CLIPS` as it was recorded: the priors were learned from people, and know no twin's poses."""
    return clip
