"""Generate a short procedural motion for the samples: stand, walk a curve, wave, squat. F frames.

It contains no recorded motion: footprints follow a curve, the feet roll over them from heel to toe, the pelvis follows
the feet, two-bone IK solves the legs, and the rest of the body follows smooth functions of time. So feet in contact do
not slide, and the true motion is known.

Convention: metres, radians, seconds, right-handed, Y up, +Z front and +X left at a heading of 0.
"""

from __future__ import annotations

import numpy as np

from core.body.free_body import load_free_body
from core.body.model import BodyModel
from core.math.rotations import matrix_to_axis_angle, slerp_matrices, transposed
from core.motion import Motion
from core.smpl_skeleton import JOINT_INDEX, NUM_JOINTS

from .feet import FootPath, FootShape, Walk, ease, foot_path, plan_walk, turn_x, turn_y, turn_z

FPS = 60.0
DURATION_S = 7.2
BETAS = np.array([0.6, -0.8, 0.5, 0.4, -0.3, 0.2, 0.0, 0.3, 0.0, -0.2])
WAVE_S = (3.5, 4.1, 5.1, 5.6)
"""Times at which the arm starts to rise, is up, starts to drop, is down."""
SQUAT_S = (5.5, 6.2, 6.35, 7.0)
"""Times at which the squat starts, is deepest, starts to rise, is over."""
SQUAT_DEPTH_M = 0.34
LEG_REACH = 0.995
"""Usable share of the leg's full length, so that the knees never lock."""


def _blur(values: np.ndarray, sigma_s: float) -> np.ndarray:
    """Smooth *values* (F, ...) over time with a Gaussian of *sigma_s* seconds and edge padding."""
    radius = int(4 * sigma_s * FPS)
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / (sigma_s * FPS)) ** 2)
    kernel /= kernel.sum()
    flat = np.pad(values.reshape(len(values), -1), ((radius, radius), (0, 0)), mode="edge")
    columns = [np.convolve(column, kernel, mode="valid") for column in flat.T]
    return np.stack(columns, axis=-1).reshape(values.shape)


def _window(times: np.ndarray, spans: tuple[float, float, float, float]) -> np.ndarray:
    """Return a window that rises from 0 to 1 over the first two times of *spans* and falls over the last two."""
    return ease(times, spans[0], spans[1]) - ease(times, spans[2], spans[3])


def _pelvis(times: np.ndarray, feet: dict[str, FootPath], rest: np.ndarray, squat: np.ndarray) -> np.ndarray:
    """Return the pelvis joint's path (F, 3), low enough for both legs to reach their ankles."""
    left, right = feet["left"], feet["right"]
    middle = 0.5 * (left.ground + right.ground)
    support = (right.lift - left.lift)[:, None] * 0.22
    across = _blur(middle + support * (left.ground - right.ground), 0.11)
    heading = _blur(0.5 * (left.heading + right.heading), 0.15)
    front = np.stack([np.sin(heading), np.cos(heading)], axis=-1)
    across = across + front * (-0.005 - 0.11 * squat)[:, None]
    standing = rest[0, 1] - 0.012
    height = np.full(len(times), standing)
    for side, path in feet.items():
        hip, knee, ankle = (rest[JOINT_INDEX[f"{side}_{name}"]] for name in ("hip", "knee", "ankle"))
        reach = LEG_REACH * (np.linalg.norm(knee - hip) + np.linalg.norm(ankle - knee))
        lateral = np.stack([np.cos(heading), -np.sin(heading)], axis=-1) * hip[0]
        distance = np.linalg.norm(path.ankle[:, [0, 2]] - across - lateral, axis=-1)
        limit = path.ankle[:, 1] + np.sqrt(np.maximum(reach**2 - distance**2, 0.25 * reach**2))
        height = np.minimum(height, limit + rest[0, 1] - hip[1])
    height = _blur(height, 0.05) - 0.006 - SQUAT_DEPTH_M * squat
    return np.stack([across[:, 0], height, across[:, 1]], axis=-1)


def _frame(along: np.ndarray, side: np.ndarray) -> np.ndarray:
    """Return matrices (..., 3, 3) with the columns *along*, *side* orthogonalised to it, and their cross product."""
    first = along / np.linalg.norm(along, axis=-1, keepdims=True)
    second = side - first * np.sum(first * side, axis=-1, keepdims=True)
    second = second / np.linalg.norm(second, axis=-1, keepdims=True)
    return np.stack([first, second, np.cross(first, second)], axis=-1)


def _leg(hip: np.ndarray, path: FootPath, rest: np.ndarray, side: str) -> tuple[np.ndarray, np.ndarray]:
    """Solve the leg by two-bone IK, knee in front; return world rotations (F, 3, 3) of thigh and shank."""
    rest_hip, rest_knee, rest_ankle = (rest[JOINT_INDEX[f"{side}_{name}"]] for name in ("hip", "knee", "ankle"))
    thigh, shank = rest_knee - rest_hip, rest_ankle - rest_knee
    long, short = np.linalg.norm(thigh), np.linalg.norm(shank)
    reach = path.ankle - hip
    distance = np.minimum(np.linalg.norm(reach, axis=-1), 0.9999 * (long + short))
    down = reach / np.linalg.norm(reach, axis=-1, keepdims=True)
    front = turn_y(path.heading)[:, :, 2]
    front = front - down * np.sum(front * down, axis=-1, keepdims=True)
    front /= np.linalg.norm(front, axis=-1, keepdims=True)
    cosine = np.clip((long**2 + distance**2 - short**2) / (2.0 * long * distance), -1.0, 1.0)
    sine = np.sqrt(1.0 - cosine**2)
    upper = cosine[:, None] * down + sine[:, None] * front
    lower = reach - long * upper
    lateral = np.cross(upper, down)
    lateral = np.where(sine[:, None] > 1e-3, lateral, np.cross(front, down))
    left = np.array([1.0, 0.0, 0.0])
    lateral = lateral * np.sign(np.sum(lateral * turn_y(path.heading)[:, :, 0], axis=-1, keepdims=True))
    return (
        _frame(upper, lateral) @ _frame(thigh, left).T,
        _frame(lower, lateral) @ _frame(shank, left).T,
    )


def _arms(times: np.ndarray, walk: Walk, squat: np.ndarray) -> dict[str, np.ndarray]:
    """Return the local rotations (F, 3, 3) of collars, shoulders, elbows and wrists."""
    wave = _window(times, WAVE_S)
    swing = walk.swing(times)
    local: dict[str, np.ndarray] = {}
    for side, sign in (("left", 1.0), ("right", -1.0)):
        forward = sign * 0.42 * swing + 0.05 - 0.05 * np.cos(0.9 * times)
        raised = 1.9 * squat
        hanging = turn_x(-(forward + raised)) @ turn_z(-sign * (1.22 - 0.12 * squat))
        flexed = 0.28 + 0.22 * np.maximum(sign * swing, 0.0) - 0.15 * squat
        local[f"{side}_collar"] = turn_z(-sign * 0.09 * (1.0 - squat)) @ turn_y(-sign * 0.12 * squat)
        if side == "right":
            up = turn_z(np.full_like(times, -0.12)) @ turn_x(np.full_like(times, -1.45))
            up = turn_y(np.full_like(times, 0.35)) @ up
            hanging = slerp_matrices(hanging, up, wave)
            waving = 1.25 + 0.5 * np.sin(2.0 * np.pi * 1.9 * (times - WAVE_S[1]))
            flexed = (1.0 - wave) * flexed + wave * waving
        local[f"{side}_shoulder"] = hanging
        local[f"{side}_elbow"] = turn_y(-sign * flexed)
        local[f"{side}_wrist"] = turn_z(sign * 0.08 * (1.0 - wave) + 0.0 * times)
    return local


def _trunk(times: np.ndarray, walk: Walk, squat: np.ndarray) -> dict[str, np.ndarray]:
    """Return the local rotations (F, 3, 3) of spine, neck and head."""
    swing, wave = walk.swing(times), _window(times, WAVE_S)
    lean = 0.06 + 0.03 * np.abs(swing) + 0.30 * squat
    counter = -0.17 * swing
    tilt = 0.05 * wave
    local = {
        name: turn_x(share * lean) @ turn_y(share * counter) @ turn_z(share * tilt)
        for name, share in (("spine1", 0.3), ("spine2", 0.3), ("spine3", 0.4))
    }
    glance = 0.12 * np.sin(0.8 * times) * (1.0 - walk.amplitude(times))
    local["neck"] = turn_x(-0.35 * lean - 0.25 * squat) @ turn_y(-0.3 * counter + 0.5 * glance)
    local["head"] = turn_x(-0.25 * lean - 0.1 * squat) @ turn_y(-0.2 * counter + 0.5 * glance)
    return local


def sample_motion() -> Motion:
    """Return the sample's true motion on the free body, 432 frames at 60 fps."""
    body = BodyModel(load_free_body())
    rest = np.asarray(body.rest_joints(BETAS.astype(np.float32)), dtype=np.float64)
    vertices = np.asarray(body.rest_vertices(BETAS.astype(np.float32)), dtype=np.float64)
    floor = float(vertices[:, 1].min())
    rest_place = rest - np.array([0.0, floor, 0.0])
    times = np.arange(round(DURATION_S * FPS)) / FPS
    squat = _window(times, SQUAT_S)
    walk = plan_walk()
    feet = {
        side: foot_path(walk.footprints[side], times, FootShape.of_body(rest_place, vertices, floor, side))
        for side in ("left", "right")
    }
    place = _pelvis(times, feet, rest_place, squat)
    heading = _blur(0.5 * (feet["left"].heading + feet["right"].heading), 0.15)
    swing = walk.swing(times)
    pelvis = turn_y(heading + 0.10 * swing) @ turn_x(0.04 + 0.55 * squat)
    pelvis = pelvis @ turn_z(0.045 * _blur(feet["left"].lift - feet["right"].lift, 0.05))
    local = np.broadcast_to(np.eye(3), (len(times), NUM_JOINTS, 3, 3)).copy()
    local[:, 0] = pelvis
    for name, rotation in {**_trunk(times, walk, squat), **_arms(times, walk, squat)}.items():
        local[:, JOINT_INDEX[name]] = rotation
    for side, path in feet.items():
        offset = rest[JOINT_INDEX[f"{side}_hip"]] - rest[0]
        thigh, shank = _leg(place + pelvis @ offset, path, rest, side)
        local[:, JOINT_INDEX[f"{side}_hip"]] = transposed(pelvis) @ thigh
        local[:, JOINT_INDEX[f"{side}_knee"]] = transposed(thigh) @ shank
        local[:, JOINT_INDEX[f"{side}_ankle"]] = transposed(shank) @ path.rotation
        local[:, JOINT_INDEX[f"{side}_foot"]] = path.toes
    poses = matrix_to_axis_angle(local).reshape(len(times), -1)
    return Motion(poses=poses, betas=BETAS.copy(), trans=place - rest[0], fps=FPS)
