"""Write twins of clips of motion capture in AMASS layout: as long as theirs, with the samples' walk or smooth gestures.

The free body's walk is played on the mean shape and drifts slowly, so that its planted feet slide as in a capture. F
frames.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation, Slerp

from core.body.free_body import load_free_body
from core.body.model import BodyModel
from core.smpl_skeleton import NUM_JOINTS
from tests.core.fit.scenes import acting
from training.samples.motion import sample_motion

FPS = 30.000120000480003
"""A quarter of the frame rate that the BVH files of the originals state."""
DRIFT_M = 0.02
WALKED_S = 3.6
"""How much of the samples' motion a short clip shows."""


@dataclass(frozen=True)
class MotionTwin:
    """The number of frames of a clip, and what its twin does."""

    num_frames: int
    walks: bool = True


MOTIONS = {
    "02_01": MotionTwin(86), "05_02": MotionTwin(281, walks=False), "05_03": MotionTwin(109), "07_01": MotionTwin(79),
    "07_10": MotionTwin(76), "08_01": MotionTwin(70), "09_11": MotionTwin(42), "16_15": MotionTwin(118),
    "16_31": MotionTwin(106), "26_01": MotionTwin(209), "27_01": MotionTwin(259), "29_01": MotionTwin(329),
    "35_01": MotionTwin(90), "35_03": MotionTwin(107), "35_28": MotionTwin(105),
    "131_01": MotionTwin(249, walks=False),
}  # fmt: skip
"""The twin of each clip ``CMU_*_poses.npz``."""


@cache
def _walk() -> tuple[np.ndarray, Slerp, np.ndarray]:
    """Return the times (F,) of the samples' motion, the turns of its joints, and its trans (F, 3)."""
    motion = sample_motion()
    times = np.arange(motion.num_frames) / motion.fps
    turns = [Slerp(times, Rotation.from_matrix(motion.rotations()[:, joint])) for joint in range(NUM_JOINTS)]
    return times, turns, motion.trans


def _walking(num_frames: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return poses (F, 72) and trans (F, 3) of the walk, turned, in the clip's time."""
    times, turns, trans = _walk()
    at = np.linspace(0.0, min(times[-1], max(WALKED_S, 0.75 * num_frames / FPS)), num_frames)
    poses = np.stack([turn(at).as_rotvec() for turn in turns], axis=1)
    heading = Rotation.from_euler("y", 50.0 * seed, degrees=True)
    body = BodyModel(load_free_body())
    pelvis = np.asarray(body.rest_joints(np.zeros(10, dtype=np.float32))[0], dtype=np.float64)
    poses[:, 0] = (heading * Rotation.from_rotvec(poses[:, 0])).as_rotvec()
    path = np.stack([np.interp(at, times, column) for column in trans.T], axis=-1)
    phase = 2.0 * np.pi * (0.6 * at[:, None] + np.array([0.0, 0.0, 0.25]) + 0.1 * seed)
    drift = DRIFT_M * np.sin(phase) * [1.0, 0.0, 1.0]
    return poses.reshape(num_frames, -1), heading.apply(path + pelvis) - pelvis + drift


def write_motion_twin(path: Path) -> None:
    """Write the twin of the clip with the name of *path*."""
    name = re.fullmatch(r"CMU_(.+)_poses", path.stem)[1]  # type: ignore[index]
    twin, seed = MOTIONS[name], list(MOTIONS).index(name)
    if twin.walks:
        poses, trans = _walking(twin.num_frames, seed)
    else:
        scene = acting(twin.num_frames, seed=seed)
        poses = Rotation.from_matrix(scene.rotations.reshape(-1, 3, 3)).as_rotvec().reshape(twin.num_frames, -1)
        trans = scene.trans
    stored = np.zeros((twin.num_frames, 156), dtype=np.float32)
    stored[:, :66] = poses[:, :66]
    np.savez(
        path,
        poses=stored,
        trans=trans.astype(np.float32),
        betas=np.zeros(16, dtype=np.float32),
        gender=np.array("neutral"),
        mocap_framerate=np.float64(FPS),
    )
