"""A character that follows frame by frame, compared with the same motion retargeted as a whole."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from core.errors import MotionError
from core.fingers import with_hands
from core.motion import Motion
from core.retarget.alignment import LIMBS
from core.retarget.bone_map import BoneMap, BoneMapError
from core.retarget.live import LiveRetargeting
from core.retarget.mapping import map_bones
from core.retarget.options import RetargetOptions
from core.retarget.retargeted import RetargetedMotion
from core.retarget.retargeting import retarget
from core.retarget.rig import Rig
from training.evaluate_retarget import Evaluator, plain_retarget

from .rigs import load_rig
from .smpl_characters import SMPL_MAP, body, limbs_stretched, smpl_rig, walk
from .test_fingers import fist, held_hands, model

PLAIN = RetargetOptions(feet=0.0, hands=0.0)


def followed(motion: Motion, whole: RetargetedMotion, live: LiveRetargeting) -> RetargetedMotion:
    """Return *motion* on the character of *whole*, frame by frame."""
    poses = [
        live.push(pose, trans, motion.betas, frame / motion.fps)
        for frame, (pose, trans) in enumerate(zip(motion.poses, motion.trans, strict=True))
    ]
    assert live.bones.tolist() == whole.bones.tolist()
    rotations, root = (np.stack([getattr(pose, name) for pose in poses]) for name in ("rotations", "root"))
    return replace(whole, rotations=rotations, root=root, fps=motion.fps)


@cache
def on_fixture(name: str) -> tuple[Evaluator, RetargetedMotion, RetargetedMotion]:
    """Return an evaluator, the walk on a fixture as a whole, and frame by frame."""
    rig = load_rig(name)
    bone_map = map_bones(rig)
    whole = retarget(walk(), rig, bone_map)
    return Evaluator(walk(), rig, bone_map), whole, followed(walk().motion, whole, live_on(rig, bone_map))


def live_on(rig: Rig, bone_map: BoneMap, options: RetargetOptions | None = None) -> LiveRetargeting:
    return LiveRetargeting(body().data, rig, bone_map, options)


def angles(motion: RetargetedMotion, other: RetargetedMotion, bone_map: BoneMap, parts: tuple[str, ...]) -> np.ndarray:
    """Return the angles (limbs, F) between the directions of limbs in two motions, degrees."""
    heads = [one.pose()[1] for one in (motion, other)]
    found = []
    for role, end in LIMBS:
        if role.endswith(parts) and end in bone_map.bones:
            bones = [motion.rig.index[bone_map.bones[name][0]] for name in (role, end)]
            first, second = (np.diff(one[:, bones], axis=1)[:, 0] for one in heads)
            cosine = (first * second).sum(axis=1) / np.linalg.norm(first, axis=1) / np.linalg.norm(second, axis=1)
            found.append(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))
    return np.array(found)


def test_without_feet_and_hands_each_frame_is_that_of_the_whole_clip() -> None:
    rig = limbs_stretched(smpl_rig(seed=4), {"left_elbow": 0.8, "right_elbow": 0.8})
    whole = retarget(walk(), rig, SMPL_MAP, PLAIN)
    live = followed(walk().motion, whole, live_on(rig, SMPL_MAP, PLAIN))
    assert np.abs(live.rotations - whole.rotations).max() < 1e-9
    assert np.abs(live.root - whole.root).max() < 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mpfb_mixamo", "m2m_male"])
def test_limbs_point_where_the_whole_clip_has_them(name: str) -> None:
    evaluator, whole, live = on_fixture(name)
    assert angles(live, whole, evaluator.bone_map, ("arm",))[:, evaluator.free].max() < 0.01
    legs = angles(live, whole, evaluator.bone_map, ("thigh", "shin"))
    assert np.median(legs) < 0.7
    assert np.percentile(legs, 95) < 2.0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mpfb_mixamo", "m2m_male"])
def test_feet_that_stand_are_held_and_let_go_smoothly(name: str) -> None:
    evaluator, whole, live = on_fixture(name)
    held, planned = evaluator.row(live, 0.0), evaluator.row(whole, 0.0)
    plain = evaluator.row(plain_retarget(walk(), evaluator.rig, evaluator.bone_map), 0.0)
    assert held.slide_mm < 2.0 < 20.0 < plain.slide_mm
    assert held.worst_slide_mm < 5.0
    assert held.sole_mm > planned.sole_mm - 1.0
    assert held.acceleration < 1.1 * planned.acceleration


@pytest.mark.slow
def test_a_cut_lets_the_feet_go() -> None:
    rig = load_rig("m2m_male")
    bone_map, motion = map_bones(rig), walk().motion
    live = live_on(rig, bone_map)
    followed(replace(motion, poses=motion.poses[:150], trans=motion.trans[:150]), on_fixture("m2m_male")[1], live)
    cut, fresh = (
        one.push(motion.poses[300], motion.trans[300] + [3.0, 0.0, 0.0], motion.betas, 20.0)
        for one in (live, live_on(rig, bone_map))
    )
    assert np.abs(cut.root - fresh.root).max() < 0.005
    assert np.abs(cut.rotations - fresh.rotations).max() < 0.02


def test_a_shape_that_becomes_known_is_measured_again() -> None:
    rig, motion = load_rig("m2m_male"), walk().motion
    changed, known = (live_on(rig, map_bones(rig), PLAIN) for _ in range(2))
    taller = motion.betas + 2.0
    away = []
    for frame in range(60):  # the floor below the feet is found again too
        poses = [
            live.push(
                motion.poses[90], motion.trans[90], taller if frame or live is known else motion.betas, frame / 30
            )
            for live in (changed, known)
        ]
        away.append(np.abs(poses[0].root - poses[1].root).max())
    assert away[0] > 0.01 > 1e-3 > away[-1]


def test_fingers_follow() -> None:
    rig = load_rig("mpfb_mixamo")
    bone_map, source = map_bones(rig), held_hands(fist())
    whole = retarget(source, rig, bone_map, PLAIN)
    motion = with_hands(source.motion, np.tile(fist(), (source.num_frames, 1, 1, 1)))
    live = followed(motion, whole, LiveRetargeting(model().data, rig, bone_map, PLAIN))
    assert np.abs(live.rotations - whole.rotations).max() < 1e-6


def test_only_core_errors_are_raised_for_bad_input() -> None:
    rig = smpl_rig()
    with pytest.raises(BoneMapError, match="left_thigh"):
        live_on(rig, BoneMap({role: chain for role, chain in SMPL_MAP.bones.items() if role != "left_thigh"}))
    live, motion = live_on(rig, SMPL_MAP), walk().motion
    for pose in (motion.poses[0, :6], np.full(72, np.nan)):
        with pytest.raises(MotionError):
            live.push(pose, motion.trans[0], motion.betas, 0.0)
    assert np.isfinite(live.push(motion.poses[0], motion.trans[0], motion.betas, 0.1).rotations).all()
