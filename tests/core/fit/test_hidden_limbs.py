"""Limbs hidden for 1/3 to 3 seconds move plausibly, without jumps, and without effect on other joints."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from core.body.free_body import load_free_body
from core.fit import FitOptions, fit_track
from core.layouts import BODY25, COCO17, Layout
from core.motion import Motion
from core.smpl_skeleton import JOINT_INDEX

from .scenes import Scene, changed, joint_error, motion_joints, walking

pytestmark = pytest.mark.slow

ARM = ("left_elbow", "left_wrist")
LEG = ("left_knee", "left_ankle", "left_big_toe", "left_small_toe", "left_heel")


@cache
def _fitted(scene: Scene, layout: Layout, hidden: tuple[str, ...], first: int, last: int) -> Motion:
    """Return the fit, with known betas, of a track whose points are hidden from one frame up to another."""
    names = [name for name in hidden if name in layout.names]
    track = changed(scene.track(layout), hidden=names, frames=slice(first, last))
    return fit_track(track, load_free_body(), FitOptions(betas=scene.known_betas()))[0]


@cache
def _walk() -> Scene:
    return walking()[:130]


@cache
def _squat() -> Scene:
    return walking()[130:]


@pytest.mark.parametrize("layout", [BODY25, COCO17])
@pytest.mark.parametrize(
    ("hidden", "joints", "seconds", "most_m"),
    [
        (ARM, ("elbow", "wrist"), 1 / 3, 0.06),
        (ARM, ("elbow", "wrist"), 1.0, 0.12),
        (LEG, ("knee", "ankle"), 1 / 3, 0.12),
        (LEG, ("knee", "ankle"), 1.0, 0.2),
    ],
)
def test_a_limb_hidden_in_a_walk_keeps_swinging(layout: Layout, hidden, joints, seconds: float, most_m: float):
    walk, first = _walk(), 60
    last = first + round(seconds * walk.fps)
    motion = _fitted(walk, layout, hidden, first, last)
    columns = [JOINT_INDEX[f"left_{joint}"] for joint in joints]
    assert joint_error(walk, motion)[first:last, columns].max() < most_m


def test_a_hidden_leg_rejoins_without_a_jump():
    walk = _walk()
    motion = _fitted(walk, BODY25, LEG, 60, 90)
    bend, true = (
        np.linalg.norm(np.diff(joints[55:95], n=2, axis=0), axis=-1) for joints in (motion_joints(motion), walk.joints)
    )
    assert bend.max() < 1.5 * true.max()


def test_a_hidden_leg_does_not_turn_the_trunk():
    """A leg without points counted as straight, which turned the pelvis by 6 degrees on average."""
    walk = _walk()
    whole, hidden = (_fitted(walk, BODY25, LEG, 60, last).rotations()[60:90, 0] for last in (60, 90))
    cosine = (np.trace(np.swapaxes(whole, -1, -2) @ hidden, axis1=1, axis2=2) - 1.0) / 2.0
    assert np.rad2deg(np.arccos(np.clip(cosine, -1.0, 1.0))).mean() < 4.2


def test_a_foot_hidden_in_a_squat_stays_on_the_floor():
    squat = _squat()
    motion = _fitted(squat, BODY25, LEG, 15, len(squat) - 15)
    still = [JOINT_INDEX["left_ankle"], JOINT_INDEX["left_foot"]]
    assert np.linalg.norm(np.ptp(squat.joints[10:-10, still], axis=0), axis=-1).max() < 0.05
    assert np.ptp(squat.joints[:, 0, 1]) > 0.25
    assert joint_error(squat, motion)[15:-15, still].max() < 0.03


def test_frames_outside_a_gap_do_not_change():
    walk = _walk()
    whole, hidden = (motion_joints(_fitted(walk, BODY25, LEG, 60, last)) for last in (60, 90))
    off = np.linalg.norm(whole - hidden, axis=-1)
    outside = np.r_[0:50, 100:130]
    assert off[outside].max() < 0.005


@pytest.mark.parametrize("frames", [(0, 30), (100, 130)])
def test_a_leg_hidden_at_the_start_or_end_stays_with_the_body(frames: tuple[int, int]):
    walk = _walk()
    motion = _fitted(walk, BODY25, LEG, *frames)
    assert joint_error(walk, motion)[slice(*frames)].max() < 0.45
    steps, true = (
        np.linalg.norm(np.diff(joints, axis=0), axis=-1).max() for joints in (motion_joints(motion), walk.joints)
    )
    assert steps < 1.3 * true
