"""Feet without points are flattened while they stand; feet in the air do not change."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.body.free_body import load_free_body
from core.body.model import world_rotations
from core.fit import fit_track
from core.fit.temporal.flat_feet import find_unseen_feet, flatten_feet, standing_shares
from core.layouts import BODY25, COCO17, H36M17, Layout
from core.math.rotations import axis_angle_to_matrix
from core.smpl_skeleton import JOINT_INDEX

from .scenes import Scene, body_model, captured, solver_names, walking

pytestmark = pytest.mark.slow

FPS = 30.0
ANKLES = [JOINT_INDEX["left_ankle"], JOINT_INDEX["right_ankle"]]


def _scene(num_frames: int = 40, *, toes_down_rad: float = 0.5, heading_rad: float = 0.7) -> Scene:
    """Return a person who stands still, facing sideways, with toes that sink into the floor."""
    pose = np.zeros((num_frames, 24, 3), dtype=np.float32)
    pose[:, 0, 1] = heading_rad
    pose[:, ANKLES, 0] = toes_down_rad
    trans = np.tile(np.array([0.1, 0.9, -0.2], dtype=np.float32), (num_frames, 1))
    return Scene(axis_angle_to_matrix(pose), trans, np.zeros(10, dtype=np.float32), FPS)


def _turned(scene: Scene, joint: str, angle_rad: float, frames: slice = slice(None)) -> Scene:
    """Return the same pose with a joint turned about its own X axis."""
    rotations = scene.rotations.copy()
    rotations[frames, JOINT_INDEX[joint]] = axis_angle_to_matrix(np.array([angle_rad, 0.0, 0.0], dtype=np.float32))
    return replace(scene, rotations=rotations)


def _flattened(scene: Scene) -> np.ndarray:
    return flatten_feet(body_model(), scene.betas, scene.rotations, scene.trans, scene.fps)


def _tilt_deg(rotations: np.ndarray) -> np.ndarray:
    """Return the angle (F, 2) of the feet from flat."""
    return np.rad2deg(np.arccos(np.clip(world_rotations(rotations)[:, ANKLES, 1, 1], -1.0, 1.0)))


def test_standing_feet_are_flattened_and_keep_their_heading():
    scene = _scene()
    flat = _flattened(scene)
    assert _tilt_deg(scene.rotations).min() > 25.0
    assert _tilt_deg(flat).max() < 0.5
    ahead = world_rotations(flat)[:, ANKLES, :, 2]
    np.testing.assert_allclose(np.arctan2(ahead[..., 0], ahead[..., 2]), 0.7, atol=1e-3)
    others = [joint for joint in range(24) if joint not in ANKLES]
    np.testing.assert_array_equal(flat[:, others], scene.rotations[:, others])


def test_a_single_frame_can_stand():
    assert _tilt_deg(_flattened(_scene(1))).max() < 0.5


def test_only_the_requested_sides_change():
    scene = _scene()
    flat = flatten_feet(body_model(), scene.betas, scene.rotations, scene.trans, FPS, sides=("right",))
    np.testing.assert_array_equal(flat[:, ANKLES[0]], scene.rotations[:, ANKLES[0]])
    assert _tilt_deg(flat)[:, 1].max() < 0.5
    np.testing.assert_array_equal(
        flatten_feet(body_model(), scene.betas, scene.rotations, scene.trans, FPS, sides=()), scene.rotations
    )


def test_standing_is_detected_despite_tracker_drift():
    scene = _scene(240)
    drift = np.array([0.05, 0.08, 0.03]) * np.arange(240)[:, None] / FPS
    drifting = replace(scene, trans=(scene.trans + drift).astype(np.float32))
    assert np.ptp(drifting.trans[:, 1]) > 0.6
    assert _tilt_deg(_flattened(drifting)).max() < 3.0


def test_a_lifted_foot_keeps_its_pose_while_the_other_stands():
    lifted = _turned(_turned(_scene(), "left_hip", -0.8), "left_knee", 0.8)
    flat = _flattened(lifted)
    np.testing.assert_allclose(flat[:, ANKLES[0]], lifted.rotations[:, ANKLES[0]], atol=1e-6)
    assert _tilt_deg(flat)[:, 1].max() < 0.5


def test_feet_in_a_jump_are_not_changed():
    scene = _scene(75)
    seconds = np.arange(75) / FPS - 1.0
    height = np.maximum(2.6 * seconds - 4.9 * seconds**2, 0.0)
    jump = replace(scene, trans=(scene.trans + height[:, None] * [0.0, 1.0, 0.0]).astype(np.float32))
    flying = np.flatnonzero(height > 0.2)
    assert len(flying) > 8
    flat = _flattened(jump)
    np.testing.assert_allclose(flat[flying][:, ANKLES], jump.rotations[flying][:, ANKLES], atol=1e-6)
    standing = np.flatnonzero(np.abs(seconds) > 0.9)
    assert _tilt_deg(flat[standing]).max() < 0.5
    # A clip of the flight phase alone never shows the floor.
    in_flight = jump[flying[0] : flying[-1] + 1]
    shares = standing_shares(in_flight.joints, FPS)
    assert shares.max() < 0.35


def test_feet_of_a_swimmer_stay_stretched():
    scene = _turned(_scene(), "pelvis", np.pi / 2.0)
    np.testing.assert_allclose(_flattened(scene), scene.rotations, atol=1e-6)


@pytest.mark.parametrize(
    ("layout", "hidden", "unseen"),
    [
        (COCO17, (), ("left", "right")),
        (H36M17, (), ("left", "right")),
        (BODY25, (), ()),
        (BODY25, ("left_big_toe", "left_small_toe", "left_heel"), ("left",)),
    ],
)
def test_only_feet_that_are_never_seen_count_as_unseen(layout: Layout, hidden: tuple[str, ...], unseen):
    names = solver_names(layout)
    weights = np.ones((5, len(names)))
    weights[:, [names.index(name) for name in hidden]] = 0.0
    assert find_unseen_feet(names, weights) == unseen
    if hidden:
        weights[3, names.index(hidden[0])] = 1.0
        assert find_unseen_feet(names, weights) == ()


@pytest.mark.parametrize("layout", [COCO17, H36M17])
def test_a_squat_without_foot_points_keeps_its_feet_on_the_floor(layout: Layout):
    squat = walking()[150:]
    motion, _ = fit_track(squat.track(layout), load_free_body())
    truth = _tilt_deg(squat.rotations)
    standing = truth < 5.0
    assert standing.mean() > 0.8
    assert _tilt_deg(motion.rotations())[standing].mean() < 4.0


def test_a_captured_person_stands_on_flat_feet(clips):
    scene = captured(clips, "26", "01")[:120]
    motion, _ = fit_track(scene.track(COCO17), load_free_body())
    standing = standing_shares(scene.joints, scene.fps) > 0.9
    assert standing.mean() > 0.2
    assert np.median(np.abs(_tilt_deg(motion.rotations()) - _tilt_deg(scene.rotations))[standing]) < 8.0
