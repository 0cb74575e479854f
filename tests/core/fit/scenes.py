"""Known motions on the free body, and what a tracker would see of them. F frames, K keypoints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from core.body.free_body import load_free_body
from core.body.keypoints import KeypointModel
from core.body.landmarks import landmark_regressor
from core.body.model import BodyModel
from core.body.skinned_keypoints import TRUNK
from core.fit.solver.normal_equations import NormalMatrix
from core.layouts import BODY25, Layout
from core.math.rotations import axis_angle_to_matrix
from core.motion import Motion
from core.smpl_skeleton import JOINT_INDEX
from core.track import KeypointTrack
from training.data.motion_folder import read_clips
from training.samples.motion import sample_motion


@cache
def body_model() -> BodyModel:
    """The free body."""
    return BodyModel(load_free_body())


@cache
def keypoint_model(names: tuple[str, ...]) -> KeypointModel:
    """The solver points *names* on the free body."""
    return KeypointModel(body_model(), landmark_regressor(load_free_body(), names))


def solver_names(layout: Layout = BODY25) -> tuple[str, ...]:
    """The solver points of a layout, in the solver's order."""
    return tuple(point.solver for point in layout.points if point.solver)


@dataclass(frozen=True, eq=False)
class Scene:
    """A known motion: local rotations (F, 24, 3, 3), trans (F, 3), betas (10,), all float32."""

    rotations: np.ndarray
    trans: np.ndarray
    betas: np.ndarray
    fps: float

    def __getitem__(self, frames: slice) -> Scene:
        return replace(self, rotations=self.rotations[frames], trans=self.trans[frames])

    def __len__(self) -> int:
        return len(self.trans)

    @property
    def joints(self) -> np.ndarray:
        """Joints (F, 24, 3), metres."""
        return body_model().joints(self.rotations, self.betas, self.trans)

    def solver_points(self, layout: Layout = BODY25) -> np.ndarray:
        """The points of a layout that the solver uses (F, K, 3), float64."""
        shaped = keypoint_model(solver_names(layout)).shaped(self.betas)
        return shaped.points(self.rotations, self.trans).astype(np.float64)

    def points(self, layout: Layout = BODY25) -> np.ndarray:
        """The layout's points (F, K, 3), NaN for those that the solver does not use."""
        points = np.full((len(self), len(layout.points), 3), np.nan)
        points[:, [index for index, point in enumerate(layout.points) if point.solver]] = self.solver_points(layout)
        return points

    def track(self, layout: Layout = BODY25, *, noise_m: float = 0.0, missing: float = 0.0, seed: int = 0):
        """The track of a tracker with Gaussian noise and points lost at random."""
        generator = np.random.default_rng(seed)
        points = self.points(layout)
        points = points + noise_m * generator.normal(size=points.shape)
        confidence = (generator.random(points.shape[:2]) >= missing).astype(np.float64)
        return KeypointTrack(points, confidence, self.fps, layout)

    def known_betas(self) -> np.ndarray:
        """The betas as options take them."""
        return self.betas.astype(np.float64)


def changed(
    track: KeypointTrack, *, positions: np.ndarray | None = None, hidden: Sequence[str] = (), frames=slice(None)
):
    """Return *track* with other positions, and with the points *hidden* (the layout's names) gone in *frames*."""
    confidence = track.confidence.copy()
    columns = [track.layout.names.index(name) for name in hidden]
    confidence[np.ix_(np.arange(track.num_frames)[frames], columns)] = 0.0
    return replace(track, positions=track.positions if positions is None else positions, confidence=confidence)


def motion_joints(motion: Motion) -> np.ndarray:
    """Joints (F, 24, 3) of a fitted motion."""
    rotations, betas, trans = motion.rotations(), motion.betas, motion.trans
    return body_model().joints(rotations.astype(np.float32), betas.astype(np.float32), trans.astype(np.float32))


def joint_error(scene: Scene, motion: Motion) -> np.ndarray:
    """Distance (F, 24) of fitted and true joints, metres."""
    return np.linalg.norm(motion_joints(motion) - scene.joints, axis=-1)


def pve_mm(scene: Scene, motion: Motion, every: int = 7) -> float:
    """Mean distance of fitted and true vertices with aligned pelvis joints, millimetres."""
    fitted = (motion.rotations().astype(np.float32), motion.betas.astype(np.float32), motion.trans.astype(np.float32))
    centred = []
    for rotations, betas, trans in (fitted, (scene.rotations, scene.betas, scene.trans)):
        pose = (rotations[::every], betas, trans[::every])
        centred.append(body_model().vertices(*pose) - body_model().joints(*pose)[:, :1])
    return 1000.0 * float(np.linalg.norm(centred[0] - centred[1], axis=-1).mean())


def acting(num_frames: int, *, seed: int = 5, fps: float = 30.0) -> Scene:
    """A person of random shape who stands, bends, steps and gestures smoothly: every joint a slow random wave."""
    generator = np.random.default_rng(seed)
    times = np.arange(num_frames)[:, None, None] / fps
    spread = np.full((24, 3), 0.06)
    pose = np.zeros((num_frames, 24, 3))
    for side, sign in (("left", 1.0), ("right", -1.0)):
        joint = {name: JOINT_INDEX[f"{side}_{name}"] for name in ("shoulder", "elbow", "hip", "knee", "hand", "foot")}
        pose[:, joint["shoulder"], 2] = -0.9 * sign
        pose[:, joint["elbow"], 1] = -0.9 * sign
        pose[:, joint["hip"], 0] = -0.35
        pose[:, joint["knee"], 0] = 0.6
        spread[joint["shoulder"]] = 0.35
        spread[joint["elbow"], 1] = 0.4
        spread[joint["hip"], 0] = 0.25
        spread[joint["knee"]] = (0.3, 0.0, 0.0)
        spread[[joint["hand"], joint["foot"]]] = 0.0
    spread[0] = (0.1, 0.6, 0.1)
    for _ in range(2):
        rate = generator.uniform(0.3, 0.8, (24, 3))
        pose += spread * generator.normal(size=(24, 3)) * np.sin(2 * np.pi * (rate * times + generator.random((24, 3))))
    pose[:, [JOINT_INDEX["left_knee"], JOINT_INDEX["right_knee"]], 0] = np.maximum(
        pose[:, [JOINT_INDEX["left_knee"], JOINT_INDEX["right_knee"]], 0], 0.15
    )
    trans = 0.3 * np.sin(2 * np.pi * 0.4 * times[:, 0] + generator.random(3)) + [0.0, 1.0, 0.0]
    betas = generator.normal(0.0, 0.8, 10)
    return Scene(axis_angle_to_matrix(pose).astype("f4"), trans.astype("f4"), betas.astype("f4"), fps)


@cache
def walking() -> Scene:
    """The repository's sample: a walk, a turn, a wave and a squat, 216 frames at 30 fps."""
    motion = sample_motion()
    arrays = (motion.rotations()[::2], motion.trans[::2], motion.betas)
    return Scene(*(array.astype(np.float32) for array in arrays), motion.fps / 2)


@cache
def captured(folder: Path, subject: str, rest: str) -> Scene:
    """A clip of the shared motion capture, on a body of random shape."""
    clip = next(clip for clip in read_clips(folder, [subject]) if clip.name == f"CMU_{subject}_{rest}_poses")
    return Scene(clip.rotations, clip.trans, clip.drawn_betas(), clip.fps)


def dense_matrix(normal: NormalMatrix, frame: int = 0) -> np.ndarray:
    """The normal matrix (69, 69) of a frame: 22 turns, then the shift."""
    trunk = [66, 67, 68, *(3 * joint + axis for joint in TRUNK for axis in range(3))]
    dense = np.zeros((69, 69))
    dense[np.ix_(trunk, trunk)] = normal.trunk[..., frame]
    for pair, rows in zip(normal.pairs.limbs, normal.limbs, strict=True):
        for side, limb in enumerate(pair.limbs):
            own = [3 * joint + axis for joint in limb for axis in range(3)]
            coupled = trunk[: rows.shape[1] - len(own)]
            dense[np.ix_(own, own)] = rows[:, : len(own), side, frame]
            dense[np.ix_(own, coupled)] = rows[:, len(own) :, side, frame]
            dense[np.ix_(coupled, own)] = rows[:, len(own) :, side, frame].T
    return dense
