"""Characters made from the free body itself: any bone axes, sizes and rest poses, with known right answers."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from core.body.free_body import load_free_body
from core.body.model import BodyModel
from core.cleanup import CleanupSource, analyse_motion
from core.math.rotations import axis_angle_to_matrix, nearest_rotation
from core.motion import Motion
from core.retarget.bone_map import BoneMap
from core.retarget.retargeted import RetargetedMotion
from core.retarget.rig import Rig, Skin
from core.retarget.source import RetargetSource
from core.retarget.touch import find_touches
from core.smpl_skeleton import JOINT_INDEX, JOINT_NAMES, JOINT_PARENTS
from training.samples.motion import sample_motion

_ROLES = {
    "clavicle": "collar", "upper_arm": "shoulder", "forearm": "elbow", "hand": "wrist",
    "thigh": "hip", "shin": "knee", "foot": "ankle", "toe": "foot",
}  # fmt: skip
SMPL_MAP = BoneMap(
    {"hips": ("pelvis",), "spine": ("spine1", "spine2", "spine3"), "neck": ("neck",), "head": ("head",)}
    | {f"{side}_{role}": (f"{side}_{joint}",) for side in ("left", "right") for role, joint in _ROLES.items()}
)


@cache
def body() -> BodyModel:
    return BodyModel(load_free_body())


@cache
def betas() -> np.ndarray:
    """The shape of the person who walks, of the characters and of the held poses."""
    return sample_motion().betas


@cache
def walk_analysis() -> CleanupSource:
    return analyse_motion(sample_motion(), body())


@cache
def walk() -> RetargetSource:
    """Stand, walk a curve, wave and squat: 432 frames with locked feet."""
    return RetargetSource.of(walk_analysis())


def held_pose(poses: np.ndarray, num_frames: int = 8) -> RetargetSource:
    """Return a source that holds one pose (24, 3) above the floor."""
    motion = Motion(np.tile(poses.reshape(1, 72), (num_frames, 1)), betas(), np.zeros((num_frames, 3)), 30.0)
    return RetargetSource.of_motion(motion, body())


def smpl_rig(*, seed: int | None = None, skin: bool = True) -> Rig:
    """Return the free body's own skeleton; with a *seed*, its bones have random axes."""
    rest = np.asarray(body().rest_joints(betas().astype(np.float32)), dtype=np.float64)
    count = len(JOINT_NAMES)
    axes = np.broadcast_to(np.eye(3), (count, 3, 3)).copy()
    if seed is not None:
        axes = nearest_rotation(np.random.default_rng(seed).normal(size=(count, 3, 3)))
    tails = rest.copy()
    for joint in range(count):
        children = [child for child in range(count) if JOINT_PARENTS[child] == joint]
        tails[joint] = rest[children].mean(axis=0) if children else rest[joint] * 2.0 - rest[JOINT_PARENTS[joint]]
    vertices = Skin()
    if skin:
        weights = np.asarray(body().data.weights, dtype=np.float64)
        order = np.argsort(-weights, axis=1)[:, :4]
        points = np.asarray(body().rest_vertices(betas().astype(np.float32)), dtype=np.float64)
        vertices = Skin(points, order, np.take_along_axis(weights, order, axis=1))
    return Rig(JOINT_NAMES, np.array(JOINT_PARENTS), rest, tails, axes, np.ones(count, dtype=bool), vertices)


def bones_turned(rig: Rig, turns: dict[str, np.ndarray]) -> Rig:
    """Return *rig* with another rest pose: bones and all below them turned by axis-angles in world axes, in order."""
    heads, tails, axes = rig.heads.copy(), rig.tails.copy(), rig.axes.copy()
    vertices = rig.skin.vertices.copy()
    for name, vector in turns.items():
        below = rig.descendants(rig.index[name])
        turn, pivot = axis_angle_to_matrix(np.asarray(vector, dtype=np.float64)), heads[rig.index[name]].copy()
        skin = np.isin(rig.skin.main_bones, below) if len(vertices) else np.zeros(0, dtype=bool)
        for points, chosen in ((heads, below), (tails, below), (vertices, skin)):
            points[chosen] = (points[chosen] - pivot) @ turn.T + pivot
        axes[below] = turn @ axes[below]
    return replace(rig, heads=heads, tails=tails, axes=axes, skin=replace(rig.skin, vertices=vertices))


def moved(rig: Rig, scale: float, yaw: float) -> Rig:
    """Return *rig* scaled about the origin, then turned about the vertical by *yaw* radians."""
    turn = axis_angle_to_matrix(np.array([0.0, yaw, 0.0]))
    heads, tails, vertices = (scale * points @ turn.T for points in (rig.heads, rig.tails, rig.skin.vertices))
    return replace(rig, heads=heads, tails=tails, axes=turn @ rig.axes, skin=replace(rig.skin, vertices=vertices))


def limbs_stretched(rig: Rig, factors: dict[str, float]) -> Rig:
    """Return *rig* with the bones that end at the given joints longer by a factor; the skin stays, so leave it out."""
    heads, tails = rig.heads.copy(), rig.tails.copy()
    for name, factor in factors.items():
        bone = rig.index[name]
        shift = (factor - 1.0) * (heads[bone] - heads[rig.parents[bone]])
        below = rig.descendants(bone)
        heads[below] += shift
        tails[below] += shift
    return replace(rig, heads=heads, tails=tails)


def joints_of(motion: RetargetedMotion) -> np.ndarray:
    """Return the positions (F, 24, 3) of the joints."""
    return motion.pose()[1][:, [motion.rig.index[name] for name in JOINT_NAMES]]


def source_joints(source: RetargetSource) -> np.ndarray:
    """Return the positions (F, 24, 3) of the source's joints, above a floor at height 0."""
    return source.pose(slice(None)).positions.transpose(2, 1, 0)


def touching_pose(part: str) -> np.ndarray:
    """Return a pose (24, 3) whose right hand touches *part* and nothing else, out of many random arm poses."""
    generator = np.random.default_rng(0)
    poses = np.zeros((6000, 24, 3))
    poses[:, JOINT_INDEX["right_hip"], 0] = -1.3 if part.endswith("thigh") else 0.0
    for side, sign in (("left", -1.0), ("right", 1.0)):
        poses[:, JOINT_INDEX[f"{side}_shoulder"]] = generator.uniform(-1.4, 1.4, (len(poses), 3))
        poses[:, JOINT_INDEX[f"{side}_elbow"], 1] = sign * generator.uniform(0.2, 2.2, len(poses))
    source = held_pose(np.zeros((24, 3)))
    frames = slice(0, len(poses))
    tried = replace(source, motion=Motion(poses.reshape(-1, 72), betas(), np.zeros((len(poses), 3)), 30.0), contacts=())
    score = np.zeros(len(poses))
    for touch in find_touches(tried.parts, tried.pose(frames), set(tried.parts), 0, frames):
        is_wanted = {touch.hand, touch.part} == {"right_hand", part}
        score[touch.frames] += touch.weight * np.exp(-20.0 * np.abs(touch.gap - 0.02)) if is_wanted else -touch.weight
    return poses[score.argmax()]
