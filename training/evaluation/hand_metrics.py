"""Metrics of fitted fingers on known motion: random shapes and hand motion, disturbed points, and the fit.

Joints and vertices of a hand are compared with the wrists aligned by translation only. F frames, K keypoints.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from core.body.free_body import load_free_body, load_free_body_with_fingers
from core.body.keypoints import KeypointModel
from core.body.landmarks import landmark_regressor
from core.body.model import BodyModel, world_rotations
from core.body.topology import VERTEX_IDS_BY_COUNT
from core.fingers import with_hands, without_fingers
from core.fit import FitOptions, fit_track
from core.fit.hands.fit import HandFit, fit_hands
from core.fit.hands.skeleton import hands_of_body
from core.layouts import LAYOUTS, Layout
from core.motion import Motion
from core.skeleton import LEFT_HAND, RIGHT_HAND
from core.smpl_skeleton import JOINT_INDEX, SMPLH
from core.track import KeypointTrack

from ..samples.motion import sample_motion
from .hand_motion import draw_hands

HANDS = (
    (JOINT_INDEX["left_wrist"], list(SMPLH.joints_of(LEFT_HAND))),
    (JOINT_INDEX["right_wrist"], list(SMPLH.joints_of(RIGHT_HAND))),
)
"""The wrist and the finger joints of each hand."""
_SKIN_SHARE = 0.9
"""Minimum weight on wrist and fingers of the vertices of a hand."""
_VERTEX_EVERY = 5

Disturb = Callable[[np.ndarray, Layout, np.random.Generator], np.ndarray]
"""Maps true points (F, K, 3) to tracked points, NaN where missing."""


@dataclass(frozen=True)
class HandMetrics:
    """Mean errors over frames and both hands.

    Attributes:
        joint_mm: error of the finger joints.
        vertex_mm: error of the hand's vertices.
        finger_deg: rotation error of the finger joints.
        hand_deg: error of the hand's global orientation.
    """

    joint_mm: float
    vertex_mm: float
    finger_deg: float
    hand_deg: float


@cache
def hand_body() -> BodyModel:
    """Return the free body with fingers."""
    return BodyModel(load_free_body_with_fingers())


def draw_motion(seed: int, num_frames: int | None = None) -> Motion:
    """Return the sample's motion on a body of random shape, with generated finger motion."""
    generator = np.random.default_rng(seed)
    motion = replace(sample_motion(), betas=generator.normal(0.0, 0.8, 10))
    motion = motion if num_frames is None else motion.sampled(np.arange(num_frames))
    hands = hands_of_body(hand_body().data, motion.betas)
    return with_hands(motion, draw_hands(generator, motion.num_frames, motion.fps, hands))


def layout_points(motion: Motion, layout: Layout) -> np.ndarray:
    """Return the points (F, K, 3) of *layout* on the free body; NaN for those that the fit does not use."""
    points = np.full((motion.num_frames, len(layout.points), 3), np.nan)
    body = BodyModel(load_free_body())
    names = tuple(layout.solver_index)
    keypoints = KeypointModel(body, landmark_regressor(body.data, names)).shaped(motion.betas.astype(np.float32))
    rotations, _, trans = _arrays(without_fingers(motion))
    points[:, list(layout.solver_index.values())] = keypoints.points(rotations, trans)
    joints = hand_body().joints(*_arrays(motion))
    vertices = hand_body().vertices(*_arrays(motion))
    tips = VERTEX_IDS_BY_COUNT[vertices.shape[1]]
    for name, column in layout.finger_index.items():
        is_tip = name.endswith("4")
        points[:, column] = vertices[:, tips[f"{name[:-1]}_tip"]] if is_tip else joints[:, SMPLH.index(name)]
    return points


def _arrays(motion: Motion) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    values = motion.rotations(), motion.betas, motion.trans
    rotations, betas, trans = (value.astype(np.float32) for value in values)
    return rotations, betas, trans


def track_of(points: np.ndarray, layout: Layout, fps: float) -> KeypointTrack:
    """Return *points* (F, K, 3), NaN where missing, as a track."""
    return KeypointTrack(points, np.isfinite(points).all(axis=-1).astype(np.float64), fps, layout)


def fit_fingers(track: KeypointTrack) -> HandFit:
    """Fit body and fingers to *track*."""
    motion, _ = fit_track(track, load_free_body(), FitOptions(workers=1))
    return fit_hands(track, motion, hand_body().data)


def fit_disturbed(motion: Motion, layout_name: str, disturb: Disturb, seed: int) -> HandFit:
    """Fit the disturbed points of *motion*."""
    layout = LAYOUTS[layout_name]
    seen = disturb(layout_points(motion, layout), layout, np.random.default_rng(seed))
    return fit_fingers(track_of(seen, layout, motion.fps))


def finger_errors_deg(true: Motion, fitted: Motion) -> np.ndarray:
    """Return the rotation errors (F, 2, 15) of the finger joints, degrees."""
    errors = _angles_deg(true.rotations(), fitted.rotations())
    return np.stack([errors[:, joints] for _, joints in HANDS], axis=1)


def compare_hands(true: Motion, fitted: Motion) -> HandMetrics:
    """Return the metrics of a fitted motion."""
    joints = [hand_body().joints(*_arrays(motion)) for motion in (true, fitted)]
    frames = np.arange(0, true.num_frames, _VERTEX_EVERY)
    vertices = [hand_body().vertices(*_arrays(motion.sampled(frames))) for motion in (true, fitted)]
    worlds = [world_rotations(motion.rotations(), SMPLH) for motion in (true, fitted)]
    joint_m, vertex_m, hand_deg = [], [], []
    for wrist, own in HANDS:
        skin = hand_body().data.weights[:, [wrist, *own]].sum(axis=1) >= _SKIN_SHARE
        off = [place[:, own] - place[:, wrist : wrist + 1] for place in joints]
        joint_m.append(np.linalg.norm(off[0] - off[1], axis=-1).mean())
        off = [place[:, skin] - joint[frames, wrist : wrist + 1] for place, joint in zip(vertices, joints, strict=True)]
        vertex_m.append(np.linalg.norm(off[0] - off[1], axis=-1).mean())
        hand_deg.append(_angles_deg(worlds[0][:, wrist], worlds[1][:, wrist]).mean())
    mean = [float(np.mean(values)) for values in (joint_m, vertex_m, hand_deg)]
    return HandMetrics(1000.0 * mean[0], 1000.0 * mean[1], float(finger_errors_deg(true, fitted).mean()), mean[2])


def _angles_deg(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the angles (...) between rotations (..., 3, 3), degrees."""
    trace = (first * second).sum(axis=(-2, -1))
    angles: np.ndarray = np.rad2deg(np.arccos(np.clip(0.5 * (trace - 1.0), -1.0, 1.0)))
    return angles
