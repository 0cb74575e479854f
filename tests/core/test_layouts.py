"""Layouts: the order of their points, their solver points, and the bones between them."""

from __future__ import annotations

import numpy as np
import pytest

from core.body.free_body import load_free_body
from core.body.landmarks import landmark_regressor
from core.layouts import FINGER_POINTS, LAYOUTS, Layout, LayoutPoint

COUNTS = {
    "body25": 25,
    "body25_hands": 67,
    "coco17": 17,
    "halpe26": 26,
    "halpe136": 136,
    "wholebody133": 133,
    "h36m17": 17,
    "mediapipe33": 33,
    "mediapipe75": 75,
    "rtmpose_body": 27,
    "smpl22": 22,
    "smpl24": 24,
    "mhr70": 70,
    "panoptic19": 19,
    "kinect25": 25,
    "kinect32": 32,
    "lsp14": 14,
    "humaneva15": 15,
    "mpii16": 16,
    "h36m32": 32,
    "mpi17": 17,
    "mpi28": 28,
    "kit21": 21,
    "smplh52": 52,
    "smplx55": 55,
    "soma30": 30,
    "soma77": 77,
    "skeleton": 22,
    "armature": 58,
    "armature_hands": 90,
    "named": 95,
}


def test_every_layout_has_its_number_of_points():
    assert {
        name: len(layout.points) for name, layout in LAYOUTS.items() if name not in ("markers", "markers_hands")
    } == COUNTS


@pytest.mark.parametrize(
    ("layout", "index", "name"),
    [
        ("coco17", 9, "left_wrist"),
        ("halpe26", 17, "head"),
        ("halpe26", 25, "right_heel"),
        ("halpe26", 20, "left_big_toe"),
        ("halpe136", 25, "right_heel"),
        ("halpe136", 94, "left_hand_wrist"),
        ("halpe136", 135, "right_hand_pinky4"),
        ("wholebody133", 17, "left_big_toe"),
        ("wholebody133", 91, "left_hand_wrist"),
        ("wholebody133", 112, "right_hand_wrist"),
        ("h36m17", 4, "left_hip"),
        ("h36m17", 11, "left_shoulder"),
        ("mediapipe33", 11, "left_shoulder"),
        ("mediapipe33", 17, "left_pinky"),
        ("mediapipe33", 32, "right_foot_index"),
        ("mediapipe75", 33, "left_hand_wrist"),
        ("body25_hands", 25, "left_hand_wrist"),
        ("body25", 8, "mid_hip"),
        ("smpl24", 20, "left_wrist"),
        ("mhr70", 9, "left_hip"),
        ("mhr70", 20, "right_heel"),
        ("mhr70", 24, "right_thumb_third_joint"),
        ("mhr70", 41, "right_wrist"),
        ("mhr70", 62, "left_wrist"),
        ("mhr70", 67, "left_acromion"),
        ("mhr70", 69, "neck"),
        ("panoptic19", 12, "right_hip"),
        ("kinect25", 20, "spine_shoulder"),
        ("kinect25", 12, "left_hip"),
        ("kinect32", 18, "left_hip"),
        ("kinect32", 26, "head"),
        ("h36m32", 6, "left_hip"),
        ("mpi17", 8, "right_hip"),
        ("mpi17", 16, "head"),
        ("mpi28", 9, "left_shoulder"),
        ("mpi28", 23, "right_hip"),
        ("kit21", 8, "right_shoulder"),
        ("kit21", 16, "right_hip"),
        ("h36m32", 17, "left_shoulder"),
        ("h36m32", 25, "right_shoulder"),
        ("smplx55", 25, "left_index1"),
        ("smplh52", 37, "right_index1"),
        ("soma77", 39, "right_clavicle"),
        ("soma77", 67, "left_hip"),
        ("soma30", 22, "left_hip"),
    ],
)
def test_points_are_in_the_order_of_their_tools(layout, index, name):
    assert LAYOUTS[layout].names[index] == name


@pytest.mark.parametrize("name", list(LAYOUTS))
def test_weights_are_from_0_to_1_and_limbs_are_used(name):
    layout = LAYOUTS[name]
    assert all(0.0 < point.weight <= 1.0 for point in layout.points)
    limbs = {f"{side}_{joint}" for side in ("left", "right") for joint in ("hip", "knee", "ankle", "shoulder", "wrist")}
    assert limbs <= set(layout.solver_index)


@pytest.mark.parametrize("name", list(LAYOUTS))
def test_bones_connect_all_points_by_short_lines(name):
    layout = LAYOUTS[name]
    names = [point.solver for point in layout.points if point.solver]
    rest = dict(
        zip(names, landmark_regressor(load_free_body(), tuple(names)) @ load_free_body().v_template, strict=True)
    )
    solver = {index: point.solver for index, point in enumerate(layout.points)}
    joined = {index for bone in layout.bones for index in bone}
    assert joined == set(layout.solver_index.values())
    for parent, child in layout.bones:
        assert np.linalg.norm(rest[solver[parent]] - rest[solver[child]]) < 0.6, (solver[parent], solver[child])
    group = {layout.bones[0][0]}
    for _ in layout.bones:
        group |= {index for bone in layout.bones for index in bone if group & set(bone)}
    assert group == joined


@pytest.mark.parametrize("name", list(LAYOUTS))
def test_sides_are_mirror_images(name):
    layout = LAYOUTS[name]
    assert len(layout.sides) >= 6
    for left, right in layout.sides:
        points = layout.points[left], layout.points[right]
        assert points[0].weight == points[1].weight
        if points[0].solver is not None:
            assert points[1].solver == points[0].solver.replace("left", "right")


def test_knuckles_show_the_rotation_of_the_wrist():
    for name in ("wholebody133", "halpe136", "mediapipe33", "mediapipe75", "body25_hands"):
        index = LAYOUTS[name].solver_index
        for finger in ("index", "pinky", "thumb"):
            assert f"left_{finger}_knuckle" in index
            assert f"right_{finger}_knuckle" in index


@pytest.mark.parametrize(
    ("layout", "lacking"),
    [
        ("body25_hands", ()),
        ("wholebody133", ()),
        ("halpe136", ()),
        ("mediapipe75", ()),
        ("mhr70", ("wrist",)),
        ("soma77", ("wrist",)),
        ("smplh52", ("wrist", "thumb4", "index4", "middle4", "ring4", "pinky4")),
        ("smplx55", ("wrist", "thumb4", "index4", "middle4", "ring4", "pinky4")),
    ],
)
def test_layouts_with_hands_name_their_finger_points(layout, lacking):
    absent = {f"{side}_{point}" for side in ("left", "right") for point in lacking}
    assert set(LAYOUTS[layout].finger_index) == set(FINGER_POINTS) - absent


@pytest.mark.parametrize(
    ("layout", "index", "finger"),
    [
        ("mediapipe75", 33, "left_wrist"),
        ("mediapipe75", 33 + 4, "left_thumb4"),
        ("mediapipe75", 54 + 5, "right_index1"),
        ("wholebody133", 91 + 20, "left_pinky4"),
        ("halpe136", 115 + 12, "right_middle4"),
        ("mhr70", 21, "right_thumb4"),
        ("mhr70", 24, "right_thumb1"),
        ("mhr70", 28, "right_index1"),
        ("mhr70", 42 + 16, "left_pinky4"),
        ("smplh52", 22, "left_index1"),
        ("smplh52", 51, "right_thumb3"),
        ("smplx55", 25 + 8, "left_pinky3"),
        ("soma77", 15, "left_thumb1"),
        ("soma77", 19, None),
        ("soma77", 20, "left_index1"),
        ("soma77", 23, "left_index4"),
    ],
)
def test_finger_points_are_where_their_tools_put_them(layout, index, finger):
    assert LAYOUTS[layout].points[index].finger == finger


def test_a_finger_point_is_named_once():
    points = LAYOUTS["body25_hands"].points
    twice = LayoutPoint("again", None, finger="left_index1")
    with pytest.raises(AssertionError, match="two points to one finger point"):
        Layout("twice", "Twice", (*points, twice))
    with pytest.raises(AssertionError, match="unknown finger point"):
        Layout("unknown", "Unknown", (*points, LayoutPoint("toe", None, finger="left_toe1")))


def test_the_body_is_fitted_to_the_knuckles_alone_of_a_hand():
    for layout in LAYOUTS.values():
        used = {point.solver for point in layout.points if point.finger and point.solver}
        assert all(name.endswith("_knuckle") for name in used), layout.name
