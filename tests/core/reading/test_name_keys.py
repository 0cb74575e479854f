"""Test the spellings of point names."""

from __future__ import annotations

import numpy as np
import pytest

from core.layouts import LAYOUTS, ORDERED_ONLY
from core.markers.name_keys import name_keys
from core.reading.point_names import best_match, match_layout

SPELLINGS = (
    "LHip",
    "L.Hip",
    "left_hip",
    "HipLeft",
    "l_hip",
    "body_left_hip",
    "Subject:LHIP",
    "hip-l",
    "Left Hip",
    "lhip",
)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_of_a_side_is_read(spelling):
    assert ("left", "hip") in name_keys(spelling)


def test_an_initial_letter_that_is_no_side_is_kept():
    assert name_keys("lip")[0] == ("", "lip")
    assert name_keys("root")[0] == ("", "root")


@pytest.mark.parametrize("name", [name for name in LAYOUTS if name not in ORDERED_ONLY])
def test_a_layouts_own_names_are_found_in_any_order(name):
    layout = LAYOUTS[name]
    order = np.random.default_rng(0).permutation(len(layout.points))
    match = best_match([layout.names[index] for index in order])
    assert match is not None
    assert match.layout is layout
    assert [order[index] for index in match.order] == list(range(len(layout.points)))


def _spelled(name: str, style: str) -> str:
    side, _, rest = name.partition("_")
    if side not in ("left", "right"):
        return name
    words = "".join(word.capitalize() for word in rest.split("_"))
    return {"L": side[0].upper() + words, "dot": f"{side[0].upper()}.{words}", "suffix": f"{words}{side.capitalize()}"}[
        style
    ]


@pytest.mark.parametrize("style", ["L", "dot", "suffix"])
@pytest.mark.parametrize("name", ["body25", "coco17", "halpe26", "h36m17", "mediapipe33", "smpl24", "wholebody133"])
def test_layouts_are_found_in_other_spellings(name, style):
    layout = LAYOUTS[name]
    match = best_match([_spelled(point, style) for point in layout.names])
    assert match is not None
    assert match.layout is layout
    assert match.order == tuple(range(len(layout.points)))


def test_pose2sim_names_match_halpe_with_absent_points():
    names = "RHip RKnee RAnkle RBigToe RSmallToe RHeel LHip LKnee LAnkle LBigToe LSmallToe LHeel Neck Head Nose".split()
    names += "RShoulder RElbow RWrist LShoulder LElbow LWrist".split()
    match = best_match(names)
    assert match is not None
    assert (match.layout.name, match.num_matched) == ("halpe26", 21)
    assert match.absent == ("left_eye", "right_eye", "left_ear", "right_ear", "hip")


def test_human36m_feet_are_ankles():
    names = "Hip RHip RKnee RFoot LHip LKnee LFoot Spine Thorax Neck/Nose Head LSho LElb LWri RSho RElb RWri".split()
    match = best_match(names)
    assert match is not None
    assert (match.layout.name, match.num_matched) == ("h36m17", 17)
    assert match.order == tuple(range(17))


def test_coco_wholebody_and_mediapipe_finger_names_are_found():
    body = LAYOUTS["coco17"].names
    coco = match_layout((*body, "left_hand_root", "left_forefinger1", "left_thumb2"), LAYOUTS["wholebody133"], "")
    mediapipe = match_layout(
        (*body, "left_hand_wrist", "left_hand_index_finger_mcp", "left_hand_thumb_mcp"), LAYOUTS["wholebody133"], ""
    )
    places = [LAYOUTS["wholebody133"].names.index(f"left_hand_{part}") for part in ("wrist", "index1", "thumb2")]
    assert [coco.order[place] for place in places] == [17, 18, 19]
    assert [mediapipe.order[place] for place in places] == [17, 18, 19]


def test_study_markers_are_not_keypoints():
    assert best_match([f"{name}_study" for name in LAYOUTS["coco17"].names]) is None


def test_too_few_joints_match_nothing():
    assert best_match(["LHip", "RHip", "LShoulder", "RShoulder", "LKnee"]) is None
    assert best_match(["apple", "pear"]) is None
