"""What bone names say, in the spelling of many programs and languages."""

from __future__ import annotations

import numpy as np
import pytest

from core.retarget.bone_tree import BoneTree
from core.retarget.families import family_of
from core.retarget.names import BoneName, common_prefix, find_by_names, parse_name
from core.retarget.rig import Rig


@pytest.mark.parametrize(
    ("name", "side", "place"),
    [
        ("mixamorig:LeftUpLeg", "left", "upleg"),
        ("mixamorig9:RightHand", "right", "hand"),
        ("mixamorigLeftForeArm", "left", "forearm"),
        ("DEF-upper_arm.L", "left", "upperarm"),
        ("CC_Base_R_Calf", "right", "calf"),
        ("CC_Base_L_ToeBase", "left", "toe"),
        ("Bip01 L UpperArm", "left", "upperarm"),
        ("Bip001_R_Thigh", "right", "thigh"),
        ("ValveBiped.Bip01_L_Hand", "left", "hand"),
        ("J_Bip_R_LowerLeg", "right", "lowerleg"),
        ("J_Bip_C_UpperChest", "", "upperchest"),
        ("lShldrBend", "left", "shldr"),
        ("arm_stretch.r", "right", "arm"),
        ("c_spine0", "", "spine"),
        ("l_uparm", "left", "uparm"),
        ("upperarm_l", "left", "upperarm"),
        ("leftfoot", "left", "foot"),
        ("lhand", "left", "hand"),
        ("SKEL_L_Thigh", "left", "thigh"),
        ("KneeL", "left", "knee"),
        ("hand.L.001", "left", "hand"),
        ("左ひじ", "left", "elbow"),
        ("右足首", "right", "ankle"),
        ("足.R", "right", "leg"),
        ("Oberschenkel_links", "left", "oberschenkel"),
        ("hand droite", "right", "hand"),
        ("brazo_izquierdo", "left", "brazo"),
        ("T12", "", "vertebra"),
        ("", "", ""),
        ("...", "", ""),
        (":", "", ""),
    ],
)
def test_a_name_gives_side_and_place(name: str, side: str, place: str) -> None:
    parsed = parse_name(name)
    assert (parsed.side, parsed.place) == (side, place)


@pytest.mark.parametrize("name", ["upperarm_twist_01_l", "lForearmTwist", "l_thightwist1", "左腕捩", "ForearmRoll.L"])
def test_twist_bones_are_known(name: str) -> None:
    assert parse_name(name).is_twist


@pytest.mark.parametrize(
    "name",
    ["hand_ik.L", "左足ＩＫ", "MCH-foot.L", "HeadTop_End", "elbow_pole_l", "CC_Base_L_ElbowShareBone", "hand_slot.r"],
)
def test_control_bones_are_known(name: str) -> None:
    assert parse_name(name).is_control


@pytest.mark.parametrize(
    "name", ["LeftHandIndex1", "J_Bip_L_Index1", "leg_a_1_l", "Front_Leg_Upper_L", "back_leg_upper_l"]
)
def test_other_bones_have_no_known_place(name: str) -> None:
    assert find_by_names(_tree(name)).limbs == {}


def test_a_prefix_of_all_names_says_nothing() -> None:
    names = ["Hero_Hips", "Hero_LeftArm", "Hero_LeftForeArm", "Hero_Head", "sword"]
    assert common_prefix(names) == "Hero_"
    assert parse_name("Hero_LeftArm", "Hero_") == BoneName("arm", side="left")
    assert common_prefix(["upper_arm", "lower_arm", "hand"]) == ""


def _tree(*names: str) -> BoneTree:
    count = len(names)
    rig = Rig(
        names, np.arange(count) - 1, np.zeros((count, 3)), np.zeros((count, 3)), np.tile(np.eye(3), (count, 1, 1)),
        np.ones(count, dtype=bool),
    )  # fmt: skip
    return BoneTree(rig, np.arange(count), rig.parents)


@pytest.mark.parametrize(
    ("names", "roles"),
    [
        (("LeftShoulder", "LeftArm", "LeftForeArm", "LeftHand"), "clavicle upper_arm forearm hand"),
        (("LeftCollar", "LeftShoulder", "LeftElbow", "LeftWrist"), "clavicle upper_arm forearm hand"),
        (("shoulder_l", "elbow_l", "wrist_l", "hand_l"), "upper_arm forearm hand -"),
        (("LeftUpLeg", "LeftLeg", "LeftFoot", "LeftToe"), "thigh shin foot toe"),
        (("LeftHip", "LeftKnee", "LeftAnkle", "LeftFoot"), "thigh shin foot toe"),
        (("LeftLeg", "LeftKnee", "LeftFoot"), "thigh shin foot"),
        (("toe1.L", "toe2.L", "toe3.L"), "- - -"),
    ],
)
def test_a_word_means_what_the_others_leave_to_it(names: tuple[str, ...], roles: str) -> None:
    found = find_by_names(_tree(*names)).limbs
    expected = {f"left_{role}": (bone,) for bone, role in enumerate(roles.split()) if role != "-"}
    assert found == expected


def test_rigify_numbers_hips_neck_and_head() -> None:
    named = find_by_names(_tree("spine", *(f"spine.{number:03d}" for number in range(1, 7))))
    assert (named.hips, named.heads, named.necks) == ((0,), (6,), {4, 5})
    assert named.spine == {1, 2, 3}


@pytest.mark.parametrize("names", [(), ("Bone", "Bone.001"), ("hips", "spine", "thigh.L")])
def test_other_names_have_no_family(names: tuple[str, ...]) -> None:
    assert family_of(names) == ""
