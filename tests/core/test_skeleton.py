"""A skeleton is a value that checks itself; SMPL's is the one that smplx names."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace

import pytest

from core.errors import CoreError, SkeletonError
from core.skeleton import BODY, LEFT_HAND, RIGHT_HAND, Skeleton
from core.smpl_skeleton import JOINT_INDEX, SMPL, SMPLH
from tests.fingers import FINGERED

SMALL = Skeleton(("root", "left", "right", "tip"), (-1, 0, 0, 1), (0, 2, 1, 3), (BODY, BODY, BODY, LEFT_HAND))


@pytest.mark.parametrize("skeleton", [SMPL, SMPLH, FINGERED])
def test_mirrored_joints_have_the_other_sides_names(skeleton):
    assert skeleton.names[skeleton.mirror[skeleton.index("left_knee")]] == "right_knee"
    for joint, other in enumerate(skeleton.mirror):
        first, second = (skeleton.names[one].removeprefix("left_").removeprefix("right_") for one in (joint, other))
        assert first == second
        assert (joint == other) == (skeleton.names[joint] == first)
        assert skeleton.parents[joint] < 0 or skeleton.mirror[skeleton.parents[joint]] == skeleton.parents[other]


def test_smpls_joints_are_in_its_models_order():
    assert (SMPL.num_joints, SMPL.joints_of(BODY)) == (24, tuple(range(22)))
    assert (SMPL.joints_of(LEFT_HAND), SMPL.joints_of(RIGHT_HAND)) == ((22,), (23,))
    assert {name: SMPL.index(name) for name in SMPL.names} == JOINT_INDEX


def test_smplhs_joints_are_in_its_models_order():
    assert SMPLH.names[:22] == SMPL.names[:22]
    assert SMPLH.parents[:22] == SMPL.parents[:22]
    assert SMPLH.parents[22:37] == (20, 22, 23, 20, 25, 26, 20, 28, 29, 20, 31, 32, 20, 34, 35)
    assert SMPLH.parents[37:] == tuple(21 if parent == 20 else parent + 15 for parent in SMPLH.parents[22:37])
    assert SMPLH.joints_of(LEFT_HAND) == tuple(range(22, 37)) and SMPLH.joints_of(RIGHT_HAND) == tuple(range(37, 52))


@pytest.mark.slow
def test_the_joints_are_named_as_in_smplx():
    names = pytest.importorskip("smplx.joint_names").SMPLH_JOINT_NAMES
    assert list(SMPLH.names) == names[:52]


@pytest.mark.parametrize("skeleton", [SMPL, SMPLH, FINGERED, SMALL])
def test_subtrees_hold_all_joints_with_an_ancestor_in_common(skeleton):
    above = []
    for joint, parent in enumerate(skeleton.parents):
        above.append({joint} | (above[parent] if parent >= 0 else set()))
    for joint, subtree in enumerate(skeleton.subtrees):
        assert subtree == tuple(other for other, ancestors in enumerate(above) if joint in ancestors)
        assert skeleton.children[joint] == tuple(other for other in subtree if skeleton.parents[other] == joint)


def test_equal_skeletons_are_interchangeable():
    for same in (Skeleton.from_json(SMPL.to_json()), pickle.loads(pickle.dumps(SMPL)), replace(SMPL)):
        assert same == SMPL and hash(same) == hash(SMPL) and same.subtrees == SMPL.subtrees
    assert len({SMPL, FINGERED, replace(SMPL, parts=(BODY,) * 24)}) == 3


def test_a_joint_that_is_not_there_is_named():
    with pytest.raises(SkeletonError, match="joint 'left_index1', found pelvis, left_hip, .* and 20 more"):
        SMPL.index("left_index1")
    assert SMPL.joints_of("tail") == ()


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"parents": (-1, 0, -1, 1)}, "parent -1 of joint 2, expected 0 to 1"),
        ({"parents": (-1, 2, 0, 1)}, "parent 2 of joint 1, expected 0 to 0"),
        ({"parents": (-1, 0, 2, 1)}, "parent 2 of joint 2"),
        ({"parents": (0, 0, 0, 1)}, "parent 0 of the first joint, expected -1"),
        ({"mirror": (0, 2, 3, 1)}, "mirror 2 of joint 1"),
        ({"mirror": (0, 2, 1, 4)}, "mirror 4 of joint 3"),
        ({"mirror": (0, 2, 1, -1)}, "mirror -1 of joint 3"),
        ({"names": ("root", "left", "left", "tip")}, "occur twice"),
        ({"names": ("root", "left", "right", "")}, "empty"),
        ({"parts": (BODY,)}, "4 names, 4 parents, 4 mirror, 1 parts"),
        ({"names": (), "parents": (), "mirror": (), "parts": ()}, "0 names"),
        ({"names": ["root", "left", "right", "tip"]}, "names, expected a tuple of str"),
        ({"parents": (-1, 0.0, 0, 1)}, "parents, expected a tuple of int"),
        ({"mirror": 5, "parts": None}, "mirror, expected a tuple of int; parts, expected a tuple of str"),
    ],
)
def test_malformed_skeletons_are_refused(fault, message):
    with pytest.raises(SkeletonError, match=message):
        replace(SMALL, **fault)


STORED = json.loads(SMALL.to_json())


@pytest.mark.parametrize(
    "text",
    [
        None, 3.0, b"{}", "", "{", "[]", "NaN", "[" * 100_000, json.dumps(STORED | {"tail": 1}),
        json.dumps(STORED | {"names": 5}), json.dumps(STORED | {"parents": {"0": -1}}),
        json.dumps(STORED | {"parents": [-1, 0, 0, float("inf")]}), json.dumps({"names": ["root"]}),
    ],
)  # fmt: skip
def test_what_is_no_stored_skeleton_is_refused(text):
    with pytest.raises(SkeletonError):
        Skeleton.from_json(text)


def test_another_skeleton_is_refused_with_the_difference():
    SMPL.check_same(replace(SMPL), of="the motion", as_in="body 'smpl'")
    with pytest.raises(
        CoreError, match="the motion to have the 24 joints of body 'smpl', found 30 .*left_index1, .* 2 m"
    ):
        SMPL.check_same(FINGERED, of="the motion", as_in="body 'smpl'")
    with pytest.raises(CoreError, match="30 joints of the figure, found 24 joints, without left_index1"):
        FINGERED.check_same(SMPL, of="the motion", as_in="the figure")
    with pytest.raises(CoreError, match="arranged differently"):
        SMPL.check_same(replace(SMPL, parts=(BODY,) * 24), of="the motion", as_in="the figure")
