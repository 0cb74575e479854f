"""Long clips, progress, and inputs that cannot be used."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from core.errors import FitCancelled, MotionError
from core.motion import Motion
from core.retarget import retargeting
from core.retarget.bone_map import BoneMap, BoneMapError
from core.retarget.options import RetargetOptionError, RetargetOptions
from core.retarget.retargeting import retarget
from core.retarget.rig import RigError
from core.retarget.source import RetargetSource
from core.smpl_skeleton import JOINT_INDEX

from .smpl_characters import SMPL_MAP, limbs_stretched, smpl_rig, walk

LONG_LEGS = {"left_knee": 1.3, "right_knee": 1.3}


def _repeated(count: int) -> RetargetSource:
    """Return the walk over and over, with its contacts."""
    source, length = walk(), walk().num_frames
    poses, trans = (np.tile(values, (count, 1)) for values in (source.motion.poses, source.motion.trans))
    contacts = [
        replace(contact, first=contact.first + number * length, last=contact.last + number * length)
        for number in range(count)
        for contact in source.contacts
    ]
    motion = Motion(poses, source.motion.betas, trans, source.motion.fps)
    return replace(source, motion=motion, contacts=tuple(contacts), drift=np.zeros_like(trans))


def test_blocks_give_the_same_as_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = limbs_stretched(smpl_rig(skin=False), LONG_LEGS)
    whole = retarget(walk(), rig, SMPL_MAP)
    monkeypatch.setattr(retargeting, "_BLOCK_FRAMES", 37)
    blocks = retarget(walk(), rig, SMPL_MAP)
    assert np.abs(blocks.rotations - whole.rotations).max() < 1e-3  # feet are lifted where a whole block needs it
    assert np.abs(blocks.root - whole.root).max() < 1e-3
    assert blocks.report.contacts == whole.report.contacts


def _peak_bytes(source: RetargetSource) -> int:
    """Return the most memory beside the result."""
    tracemalloc.start()
    motion = retarget(source, smpl_rig(), SMPL_MAP)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak - motion.rotations.nbytes - motion.root.nbytes


@pytest.mark.slow
def test_a_long_clip_takes_little_memory_beside_its_result() -> None:
    """A frame adds less than the 1.6 kB of its own rotations; blocks are the rest."""
    short, long = _repeated(10), _repeated(20)
    extra = (_peak_bytes(long) - _peak_bytes(short)) / (long.num_frames - short.num_frames)
    assert extra < 1400.0


@pytest.mark.slow
def test_a_clip_of_100000_frames_is_solved_like_a_short_one() -> None:
    source = _repeated(232)
    assert source.num_frames > 100_000
    rig = limbs_stretched(smpl_rig(skin=False), LONG_LEGS)
    long, short = retarget(source, rig, SMPL_MAP), retarget(_repeated(3), rig, SMPL_MAP)
    inside, length = walk().num_frames + np.arange(walk().num_frames), walk().num_frames
    assert np.abs(long.root[100 * length + inside] - short.root[inside]).max() < 1e-6
    # Blocks end at other frames of the two clips, which moves a foot by some hundredths of a millimetre.
    assert long.report.worst_slide_m == pytest.approx(short.report.worst_slide_m, abs=5e-5)


def test_progress_is_reported_and_can_end_the_work() -> None:
    shares: list[float] = []
    retarget(walk(), smpl_rig(skin=False), SMPL_MAP, on_progress=shares.append)
    assert shares == sorted(shares) and shares[0] > 0.0 and shares[-1] == 1.0

    def cancel(share: float) -> None:
        raise FitCancelled("enough")

    with pytest.raises(FitCancelled):
        retarget(walk(), smpl_rig(skin=False), SMPL_MAP, on_progress=cancel)


def test_one_frame_is_enough() -> None:
    motion = walk().motion
    one = replace(motion, poses=motion.poses[:1], trans=motion.trans[:1])
    found = retarget(replace(walk(), motion=one, contacts=(), drift=np.zeros((1, 3))), smpl_rig(), SMPL_MAP)
    assert found.rotations.shape == (1, 22, 3, 3) and np.isfinite(found.rotations).all()


def test_a_character_needs_its_required_bones_only() -> None:
    """No spine, neck, head, clavicles, hands or toes."""
    required = {"hips": ("pelvis",)} | {
        role: chain
        for role, chain in SMPL_MAP.bones.items()
        if role.endswith(("upper_arm", "forearm", "thigh", "shin", "foot"))
    }
    found = retarget(walk(), smpl_rig(), BoneMap(required))
    assert np.isfinite(found.rotations).all() and found.report.worst_slide_m < 0.01


def test_a_missing_role_is_an_error() -> None:
    bones = {role: chain for role, chain in SMPL_MAP.bones.items() if role != "left_shin"}
    with pytest.raises(BoneMapError, match="left_shin"):
        retarget(walk(), smpl_rig(), BoneMap(bones))


def test_a_bone_that_the_character_lacks_is_an_error() -> None:
    with pytest.raises(BoneMapError, match="Bip01"):
        retarget(walk(), smpl_rig(), BoneMap({**SMPL_MAP.bones, "head": ("Bip01 Head",)}))


def test_a_limb_without_length_is_an_error() -> None:
    rig = smpl_rig()
    heads = rig.heads.copy()
    heads[JOINT_INDEX["left_knee"]] = heads[JOINT_INDEX["left_hip"]]
    with pytest.raises(RigError, match="left_thigh"):
        retarget(walk(), replace(rig, heads=heads), SMPL_MAP)


def test_thighs_at_one_place_are_an_error() -> None:
    rig = smpl_rig()
    heads = rig.heads.copy()
    heads[JOINT_INDEX["right_hip"], [0, 2]] = heads[JOINT_INDEX["left_hip"], [0, 2]]
    with pytest.raises(RigError, match="beside each other"):
        retarget(walk(), replace(rig, heads=heads), SMPL_MAP)


def test_hips_below_another_role_are_an_error() -> None:
    bones = {**SMPL_MAP.bones, "hips": ("spine1",), "spine": ("pelvis",)}
    with pytest.raises(RigError, match="hips above all other bones"):
        retarget(walk(), smpl_rig(), BoneMap(bones))


def test_a_motion_that_is_not_finite_is_an_error() -> None:
    poses = walk().motion.poses.copy()
    poses[3, 5] = np.nan
    with pytest.raises(MotionError, match="finite"):
        RetargetSource.of_motion(replace(walk().motion, poses=poses), None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({"feet": -0.1}, "feet"),
        ({"hands": float("nan")}, "hands"),
        ({"steps": "arm"}, "steps"),
        ({"steps": 0.0}, "steps"),
        ({"steps": float("inf")}, "steps"),
        ({"fingers": "fist"}, "fingers"),
        ({"root_motion": "feet"}, "root_motion"),
        ({"rest_pose": np.full((24, 3, 3), 2.0)}, "rest_pose"),
        ({"feet": 2.0, "hands": 2.0}, "hands"),
    ],
)
def test_bad_options_are_errors(settings: dict, names: str) -> None:
    with pytest.raises(RetargetOptionError, match=names):
        RetargetOptions(**settings)


def test_a_rest_pose_on_its_head_is_an_error() -> None:
    upside_down = np.diag([1.0, -1.0, -1.0]) @ smpl_rig().axes
    with pytest.raises(RetargetOptionError, match="stands"):
        retarget(walk(), smpl_rig(), SMPL_MAP, RetargetOptions(rest_pose=upside_down))


def test_a_rest_pose_of_another_rig_is_an_error() -> None:
    with pytest.raises(RetargetOptionError, match="24 bones, got 5"):
        retarget(walk(), smpl_rig(), SMPL_MAP, RetargetOptions(rest_pose=np.tile(np.eye(3), (5, 1, 1))))
