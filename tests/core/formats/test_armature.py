"""The bones of any family of skeletons become the same points: joints, fingers, and what the bones carry."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.body.free_body import load_free_body
from core.body.landmarks import landmark_regressor
from core.errors import TrackFileError
from core.formats.armature import (
    BonePoints,
    armature_recording,
    carried_offsets,
    carried_points,
    carriers,
    find_person,
    needed_bones,
)
from core.formats.armature_motion import motion_recording
from core.layouts import ARMATURE, ARMATURE_HANDS
from core.math.rotations import axis_angle_to_matrix
from core.retarget.armature_source import ArmatureMotion
from tests.core.retarget.bodies import Body
from tests.core.retarget.rigs import load_rig
from tests.core.retarget.skeletons import FAMILIES, build

PATH = Path("a.fbx")
JOINTS = {"hip": "thigh", "knee": "shin", "ankle": "foot", "shoulder": "upper_arm", "elbow": "forearm", "wrist": "hand"}
RIGS = ("m2m_male", "mpfb_mixamo", "mpfb_game_engine", "vrmaddon_basic_armature", "kaykit_barbarian_rig", "cmu_07_01")


def at_rest(rig):
    """Return the recording of a rig that stands at rest in two frames."""
    rig, bone_map = find_person([rig], PATH)
    bones = needed_bones(rig, bone_map)
    points = BonePoints(bones, np.stack([rig.heads[bones]] * 2), np.stack([rig.tails[bones]] * 2))
    still = {name: np.broadcast_to(np.eye(3), (2, 3, 3)) for name in carriers(rig, bone_map)}
    heads = {name: points.head(bone) for name, bone in carriers(rig, bone_map).items()}
    carried = carried_points(carried_offsets(rig, bone_map), heads, still)
    return armature_recording(rig, bone_map, points, carried, PATH, kind="FBX", fps=30.0)


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_every_family_shows_the_joints_of_the_limbs(name):
    rig, truth = build(FAMILIES[name], Body())
    recording = at_rest(rig)
    has_fingers = bool(FAMILIES[name].fingers) and any("thumb" in bone.lower() for bone in rig.names)
    assert recording.layout == (ARMATURE_HANDS if has_fingers else ARMATURE).name
    for side in ("left", "right"):
        for point, role in JOINTS.items():
            place = rig.heads[rig.index[truth[f"{side}_{role}"][0]]]
            np.testing.assert_allclose(recording.positions[0, recording.names.index(f"{side}_{point}")], place)


@pytest.mark.parametrize("name", ["mixamo", "unreal_5"])
def test_fingers_run_from_the_knuckle_to_the_tip(name):
    family = FAMILIES[name]
    rig, _ = build(family, Body())
    recording = at_rest(rig)
    for number, side in enumerate(("left", "right")):
        for finger in ("thumb", "index", "middle", "ring", "pinky"):
            for joint in (1, 2, 3):
                bone = family.fingers.format(s=family.sides[number], f=finger.capitalize(), n=joint)
                place = recording.positions[0, recording.names.index(f"{side}_hand_{finger}{joint}")]
                np.testing.assert_allclose(place, rig.heads[rig.index[bone]])


def test_a_metacarpal_is_no_knuckle():
    rig, _ = build(FAMILIES["mixamo"], Body())
    heads = rig.heads.copy()
    heads[rig.index["mixamorig:LeftHandIndex1"], 0] -= 0.06
    recording = at_rest(replace(rig, heads=heads))
    knuckle = recording.positions[0, recording.names.index("left_hand_index1")]
    np.testing.assert_allclose(knuckle, rig.heads[rig.index["mixamorig:LeftHandIndex2"]])


@pytest.mark.parametrize("name", RIGS)
def test_what_bones_carry_lies_on_the_body_as_the_limbs_do(name):
    recording = at_rest(load_rig(name))
    layout = {"armature": ARMATURE, "armature_hands": ARMATURE_HANDS}[recording.layout]
    index = {point.name: recording.names.index(point.name) for point in layout.points if point.name in recording.names}
    place = {name: recording.positions[0, column] for name, column in index.items()}
    up, ahead = np.array([0.0, 1.0, 0.0]), place["left_heel"] - place["left_ankle"]
    across = place["left_hip"] - place["right_hip"]
    front = np.cross(across, up)
    assert (place["nose"] - (place["left_ear"] + place["right_ear"]) / 2.0) @ front > 0.0
    assert (place["manubrium"] - place["c7"]) @ front > 0.0
    for side in ("left", "right"):
        assert (place[f"{side}_asis"] - place[f"{side}_psis"]) @ front > 0.0
        assert (place[f"{side}_big_toe"] - place[f"{side}_heel"]) @ front > 0.0
        assert (place[f"{side}_heel"] - place[f"{side}_ankle"]) @ up < 0.0
    assert (place["left_asis"] - place["right_asis"]) @ across > 0.0
    assert ahead @ front < 0.0 and (place["head_top"] - place["left_ear"]) @ up > 0.0


def test_on_the_bodys_own_skeleton_they_are_the_bodys_own_points():
    body = load_free_body()
    names = [point.solver for point in ARMATURE.points if point.solver]
    rest = dict(zip(names, landmark_regressor(body, tuple(names)) @ body.v_template, strict=True))
    rig, _ = build(FAMILIES["smpl"], Body())
    joints = landmark_regressor(body, rig.names) @ body.v_template
    tails = joints + (rig.tails - rig.heads)
    recording = at_rest(replace(rig, heads=joints, tails=tails))
    solver = {point.name: point.solver for point in ARMATURE.points}
    carried = [name for name in recording.names if solver[name] and not name.endswith(("hand_end", "toe", "heel"))]
    for name in carried:
        place = recording.positions[0, recording.names.index(name)]
        np.testing.assert_allclose(place, rest[solver[name]], atol=2e-3, err_msg=name)


def test_they_turn_with_their_bones():
    rig, bone_map = find_person([load_rig("mpfb_mixamo")], PATH)
    bones = needed_bones(rig, bone_map)
    turn = axis_angle_to_matrix(np.array([0.2, 0.7, -0.4]))
    rotations = np.stack([rig.axes[bones], turn @ rig.axes[bones]])
    heads = np.stack([rig.heads[bones], rig.heads[bones] @ turn.T + [1.0, 2.0, 3.0]])
    animation = ArmatureMotion(tuple(rig.names[bone] for bone in bones), rotations, heads, 24.0)
    recording = motion_recording(rig, bone_map, animation, PATH, kind="FBX")
    assert (recording.fps, recording.units, recording.up_axis) == (24.0, "m", "+Y")
    np.testing.assert_allclose(recording.positions[1], recording.positions[0] @ turn.T + [1.0, 2.0, 3.0], atol=1e-5)
    still = ArmatureMotion(animation.names, rotations[[0, 0]], heads[[0, 0]], 24.0)
    with pytest.raises(TrackFileError, match="one that does not move in 2 frames"):
        motion_recording(rig, bone_map, still, PATH, kind="FBX")
