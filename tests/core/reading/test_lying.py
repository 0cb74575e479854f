"""Test that a lying person in a file without a stated up axis is not turned upright without a doubt."""

from __future__ import annotations

import numpy as np
import pytest

from core.body.free_body import load_free_body
from core.body.keypoints import KeypointModel
from core.body.landmarks import landmark_regressor
from core.body.model import BodyModel
from core.layouts import LAYOUTS, Layout
from core.math.rotations import axis_angle_to_matrix
from core.reading import ReadOptions, interpret
from core.smpl_skeleton import JOINT_INDEX

NAMES = ("body25", "coco17", "h36m17", "smpl22")
NUM_FRAMES = 40
ON_THE_BACK = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
"""Rotation from a body upright along +Y and facing +Z to one that lies along +Y with +Z up: the identity."""
ON_THE_SIDE = np.array([[0.0, 0.0, -1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])


def _person(layout: Layout, *, bends: float) -> np.ndarray:
    """Return points (F, K, 3) of a person along +Y, pelvis at the origin, who pulls up the knees by *bends* radians."""
    pose = np.zeros((NUM_FRAMES, 24, 3))
    bend = 0.5 * bends * (1.0 - np.cos(np.linspace(0.0, 4.0 * np.pi, NUM_FRAMES)))
    for side, sign in (("left", 1.0), ("right", -1.0)):
        pose[:, JOINT_INDEX[f"{side}_shoulder"], 2] = -1.2 * sign
        pose[:, JOINT_INDEX[f"{side}_hip"], 0] = -bend
        pose[:, JOINT_INDEX[f"{side}_knee"], 0] = 0.1 + 2.0 * bend
    names = tuple(point.solver for point in layout.points if point.solver)
    body = BodyModel(load_free_body())
    shaped = KeypointModel(body, landmark_regressor(body.data, names)).shaped(np.zeros(10))
    points = np.full((NUM_FRAMES, len(layout.points), 3), np.nan)
    seen = [index for index, point in enumerate(layout.points) if point.solver]
    points[:, seen] = shaped.points(np.asarray(axis_angle_to_matrix(pose)), np.zeros((NUM_FRAMES, 3)))
    return points


def _placed(points: np.ndarray, **lowest: float) -> np.ndarray:
    """Return *points* translated so that their minima along the given axes are *lowest* in the first frame."""
    moved = points.copy()
    for axis, height in lowest.items():
        column = "xyz".index(axis)
        moved[..., column] += height - np.nanmin(points[0, :, column])
    return moved


def _doubts(reading) -> list[str]:
    return [doubt for doubt in reading.finding("up axis").doubts if "+Y up is assumed" in doubt]


@pytest.mark.parametrize("kind", ["TRC", "NPZ", "C3D"])
@pytest.mark.parametrize("turn", [ON_THE_BACK, ON_THE_SIDE], ids=["back", "side"])
@pytest.mark.parametrize("name", NAMES)
def test_a_still_person_on_a_floor_away_from_the_origin_may_lie(name, turn, kind, make_recording):
    """The person lies still along +Y in a file with Z up, so only the position of the floor shows it."""
    lying = _placed(_person(LAYOUTS[name], bends=0.0) @ turn.T, x=0.8, y=1.2, z=0.03)
    recording = make_recording(name, positions=lying, kind=kind, layout=name)
    given = ReadOptions(handedness="right")
    (doubt,) = _doubts(interpret(recording, given))
    assert "a person who lies, with +Z up" in doubt and "--up=+Z" in doubt and "--up=+Y" in doubt
    for up in ("+Y", "+Z"):
        settled = interpret(recording, ReadOptions(up=up, handedness="right")).finding("up axis")
        assert settled.value == up and not any("assumed" in doubt for doubt in settled.doubts)


@pytest.mark.parametrize("name", NAMES)
def test_a_person_who_pulls_up_the_knees_with_a_still_trunk_may_lie(name, make_recording):
    """Both feet leave the floor that a person upright along +Y would stand on."""
    lying = _person(LAYOUTS[name], bends=1.0)
    assert len(_doubts(interpret(make_recording(name, positions=lying, kind="TRC"), ReadOptions()))) == 1


@pytest.mark.parametrize("name", NAMES)
def test_a_person_who_squats_on_a_floor_stands(name, make_recording):
    points = _person(LAYOUTS[name], bends=1.0)
    feet = np.nanmin(points[..., 1], axis=1)
    squatting = points - feet[:, None, None] * [0.0, 1.0, 0.0]
    assert interpret(make_recording(name, positions=squatting, kind="TRC"), ReadOptions()).doubts == ()


@pytest.mark.parametrize("name", NAMES)
def test_a_person_who_stands_still_on_the_floor_stands(name, make_recording):
    standing = _placed(_person(LAYOUTS[name], bends=0.0), x=1.0, y=0.03, z=0.03)
    recording = make_recording(name, positions=standing, kind="TRC", layout=name)
    assert _doubts(interpret(recording, ReadOptions(handedness="right"))) == []
