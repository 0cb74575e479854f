"""Bone maps as JSON, and the rest poses of mapped characters."""

from __future__ import annotations

import pytest

from core.retarget.bone_map import BoneMap, BoneMapError
from core.retarget.mapping import map_bones
from core.retarget.summary import rest_pose
from tests.core.retarget.bodies import Body
from tests.core.retarget.changes import without
from tests.core.retarget.rigs import load_rig
from tests.core.retarget.skeletons import FAMILIES, build
from tests.core.retarget.truth import TRUTH


@pytest.mark.parametrize("name", TRUTH)
def test_json_keeps_the_bones(name: str) -> None:
    found = map_bones(load_rig(name))
    read = BoneMap.from_json(found.to_json())
    assert (read.bones, read.kind, read.doubtful) == (found.bones, found.kind, ())
    read.check(load_rig(name))


_HEAD = '"format": "smplify bones", "version": 1'


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "null", "[]", "7", '"hips"', "{}", '{"format": "smplify bones"}',
        '{"format": "smplify bones", "version": 2, "bones": {}}', f"{{{_HEAD}}}", f'{{{_HEAD}, "bones": []}}',
        f'{{{_HEAD}, "bones": {{"hips": "pelvis"}}}}', f'{{{_HEAD}, "bones": {{"hips": [1]}}}}',
        f'{{{_HEAD}, "bones": {{"hips": [""]}}}}', f'{{{_HEAD}, "bones": {{"tail": ["x"]}}}}',
        f'{{{_HEAD}, "bones": {{"hips": ["a"], "head": ["a"]}}}}', "[" * 100_000, "x" * (2 << 20),
    ],
)  # fmt: skip
def test_what_is_no_bone_map_is_refused(text: str) -> None:
    with pytest.raises(BoneMapError):
        BoneMap.from_json(text, "map.json")


def test_a_bone_in_two_roles_is_named_with_these() -> None:
    with pytest.raises(BoneMapError, match="found a in hips, head; choose other bones for all but one"):
        BoneMap({"hips": ("a",), "spine": ("b",), "head": ("a",)})


def test_a_map_of_another_character_is_refused() -> None:
    rig = load_rig("m2m_male")
    with pytest.raises(BoneMapError, match="no 'mixamorig:Hips'"):
        map_bones(load_rig("mpfb_mixamo")).check(rig)
    found = map_bones(rig)
    partly = BoneMap({role: chain for role, chain in found.bones.items() if role != "left_shin"})
    with pytest.raises(BoneMapError, match="left_shin"):
        partly.check(rig)


@pytest.mark.parametrize(
    ("down", "pose"), [(0.0, "T-pose"), (50.0, "A-pose"), (88.0, "arms down"), (-40.0, "unusual rest pose")]
)
def test_the_rest_pose_is_recognised_by_the_arms(down: float, pose: str) -> None:
    rig, _ = build(FAMILIES["mixamo"], Body(arms_down=down))
    assert rest_pose(rig, map_bones(rig)) == pose


def test_a_character_without_hands_is_mapped() -> None:
    rig, _ = build(FAMILIES["unity"], Body())
    found = map_bones(without(rig, ["LeftHand", "RightHand"]))
    assert "left_hand" not in found.bones and found.missing == ()
    assert found.bones["left_forearm"] == ("LeftLowerArm",)
