"""Test how a walk of known layout, units, axes and sides is interpreted, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from core.errors import AmbiguousTrackError, TrackError
from core.layouts import LAYOUTS, ORDERED_ONLY
from core.reading import ReadOptions, interpret
from core.reading.options import UNITS_IN_METRES, UP_AXES
from core.reading.up_axis import rotation_to_y_up

from .conftest import NUM_FRAMES, walk_in

KEYPOINT_LAYOUTS = [name for name in LAYOUTS if not name.startswith("markers")]
MIRROR_X = np.array([-1.0, 1.0, 1.0])
UPSIDE_DOWN = np.array([1.0, -1.0, -1.0])


def _same(track, expected) -> bool:
    return np.allclose(track.positions, expected, atol=1e-9, equal_nan=True)


@pytest.mark.parametrize("layout", [name for name in LAYOUTS if name not in ORDERED_ONLY])
def test_shuffled_and_unknown_names_are_put_in_layout_order(layout, make_recording):
    truth = walk_in(LAYOUTS[layout])
    names = [*LAYOUTS[layout].names, "hat", "racket"]
    order = np.random.default_rng(1).permutation(len(names))
    mixed = np.concatenate([truth, np.zeros((len(truth), 2, 3))], axis=1)[:, order]
    reading = interpret(make_recording(layout, positions=mixed, names=tuple(names[index] for index in order)))
    assert reading.track.layout.name == layout
    assert _same(reading.track, truth)
    assert set(reading.ignored) == {"hat", "racket"}
    assert reading.doubts == ()


@pytest.mark.parametrize("layout", [name for name in KEYPOINT_LAYOUTS if name != "named"])
def test_points_without_names_are_detected_by_count_and_anatomy(layout, make_recording):
    reading = interpret(make_recording(layout, names=None))
    assert reading.track.layout.name == layout
    assert "without names" in reading.finding("layout").reason


@pytest.mark.parametrize("layout", ["body25", "coco17", "h36m17", "smpl24", "halpe26"])
def test_points_without_names_in_another_order_are_refused(layout, make_recording):
    order = np.random.default_rng(2).permutation(len(LAYOUTS[layout].points))
    with pytest.raises(AmbiguousTrackError, match="--layout"):
        interpret(make_recording(layout, positions=walk_in(LAYOUTS[layout])[:, order], names=None))


def test_seventeen_numbered_points_are_not_taken_for_the_other_layout(make_recording):
    names = tuple(f"kp_{number}" for number in range(17))
    for layout in ("coco17", "h36m17"):
        assert interpret(make_recording(layout, names=names)).track.layout.name == layout
    with pytest.raises(TrackError, match="--layout"):
        interpret(make_recording("coco17", names=None), ReadOptions(layout="h36m17"))


def test_an_unknown_point_count_lists_the_layouts(make_recording):
    with pytest.raises(AmbiguousTrackError, match=r"18 points.*body25 \(25\)"):
        interpret(make_recording(positions=walk_in(LAYOUTS["body25"])[:, :18], names=None))


def test_numbered_labels_are_listed_where_they_name_no_body_point(make_recording):
    points = walk_in(LAYOUTS["body25"])[:, :18]
    labels = tuple(f"Marker_{number}" for number in range(1, 19))
    with pytest.raises(AmbiguousTrackError, match=r"18 points without names of body points \(Marker_1, .*--names"):
        interpret(make_recording(positions=points, names=labels))


@pytest.mark.parametrize("units", ["m", "cm", "mm"])
@pytest.mark.parametrize("up", UP_AXES)
def test_unit_and_up_axis_are_detected(up, units, make_recording):
    truth = walk_in(LAYOUTS["body25"])
    turned = truth @ rotation_to_y_up(up) / UNITS_IN_METRES[units]
    reading = interpret(make_recording(positions=turned))
    assert reading.finding("units").value == units
    assert reading.finding("up axis").value == up
    assert reading.finding("handedness").value == "right"
    assert _same(reading.track, truth)
    assert reading.stature_m == pytest.approx(1.70, abs=0.08)


@pytest.mark.parametrize("up", UP_AXES)
def test_the_transform_to_y_up_is_a_rotation(up):
    turn = rotation_to_y_up(up)
    assert np.allclose(turn @ turn.T, np.eye(3))
    assert np.linalg.det(turn) == pytest.approx(1.0)


def test_inches_of_an_adult_are_refused_unless_given(make_recording):
    inches = walk_in(LAYOUTS["body25"]) / UNITS_IN_METRES["in"]
    with pytest.raises(AmbiguousTrackError, match=r"cm \(0\.6.*in \(1\.6.*--units"):
        interpret(make_recording(positions=inches))
    reading = interpret(make_recording(positions=inches), ReadOptions(units="inch"))
    assert _same(reading.track, walk_in(LAYOUTS["body25"]))


def test_a_wrong_stated_unit_is_refused_and_the_fitting_one_named(make_recording):
    with pytest.raises(AmbiguousTrackError, match=r"stated by the file.*the data fit mm; give --units"):
        interpret(make_recording(positions=1000.0 * walk_in(LAYOUTS["body25"]), units="m"))


def test_a_given_unit_with_an_implausible_stature_is_refused(make_recording):
    with pytest.raises(AmbiguousTrackError, match=r"units cm \(given\).*0\.01.*--units"):
        interpret(make_recording(), ReadOptions(units="cm"))


def test_an_unknown_unit_is_refused(make_recording):
    with pytest.raises(TrackError, match="'furlong'.*--units"):
        interpret(make_recording(units="furlong"))


def test_mirrored_data_are_refused_and_mirrored_back_on_request(make_recording):
    mirrored = walk_in(LAYOUTS["halpe26"]) * MIRROR_X
    with pytest.raises(AmbiguousTrackError, match="--handedness left"):
        interpret(make_recording("halpe26", positions=mirrored))
    reading = interpret(make_recording("halpe26", positions=mirrored), ReadOptions(handedness="left"))
    assert _same(reading.track, walk_in(LAYOUTS["halpe26"]))
    assert reading.finding("handedness").doubts == ()


def test_mirroring_right_handed_data_is_a_doubt(make_recording):
    reading = interpret(make_recording("halpe26"), ReadOptions(handedness="left"))
    assert any("backward" in doubt for doubt in reading.doubts)


@pytest.mark.parametrize("layout", ["body25", "coco17", "h36m17", "mediapipe33", "smpl24", "rtmpose_body"])
def test_swapped_sides_are_refused_and_swapped_back_on_request(layout, make_recording):
    swapped = walk_in(LAYOUTS[layout])
    for left, right in LAYOUTS[layout].sides:
        swapped[:, [left, right]] = swapped[:, [right, left]]
    with pytest.raises(AmbiguousTrackError, match="--swap-sides"):
        interpret(make_recording(layout, positions=swapped))
    reading = interpret(make_recording(layout, positions=swapped), ReadOptions(swap_sides=True))
    assert _same(reading.track, walk_in(LAYOUTS[layout]))


def test_sides_swapped_in_the_arms_alone_are_refused(make_recording):
    positions = walk_in(LAYOUTS["coco17"])
    for joint in ("shoulder", "elbow", "wrist"):
        pair = [LAYOUTS["coco17"].names.index(f"{side}_{joint}") for side in ("left", "right")]
        positions[:, pair] = positions[:, pair[::-1]]
    with pytest.raises(TrackError, match=r"shoulders to agree with the hips.*--layout"):
        interpret(make_recording("coco17", positions=positions))


def _with_close_feet(gap_m: float) -> np.ndarray:
    """Return the walk in BODY25 with the knees together and the feet *gap_m* apart, crossed if that is negative."""
    layout = LAYOUTS["body25"]
    walk = walk_in(layout)
    hips = [layout.names.index(f"{side}_hip") for side in ("left", "right")]
    aside = walk[:, hips[0]] - walk[:, hips[1]]
    aside[:, 1] = 0.0
    aside /= np.linalg.norm(aside, axis=-1, keepdims=True)
    for side, sign in (("left", 0.5), ("right", -0.5)):
        knee, ankle = (layout.names.index(f"{side}_{joint}") for joint in ("knee", "ankle"))
        foot = [layout.names.index(f"{side}_{part}") for part in ("ankle", "big_toe", "small_toe", "heel")]
        shank = walk[:, ankle] - walk[:, knee]
        other = layout.names.index(f"{'right' if side == 'left' else 'left'}_hip")
        middle = (walk[:, hips[side == "right"]] + walk[:, other]) / 2.0
        offset = np.sum((walk[:, ankle] - middle) * aside, axis=-1, keepdims=True)
        length = np.linalg.norm(shank, axis=-1, keepdims=True)
        moved = shank + (sign * gap_m - offset) * aside
        moved *= length / np.linalg.norm(moved, axis=-1, keepdims=True)
        walk[:, foot] += (walk[:, knee] + moved - walk[:, ankle])[:, None]
    return walk


@pytest.mark.parametrize("gap_m", [0.0, -0.02, -0.1, -0.2])
@pytest.mark.parametrize("naming", [{}, {"names": None}, {"names": None, "layout": "body25"}])
def test_close_or_crossed_feet_are_accepted(gap_m, naming, make_recording):
    rng = np.random.default_rng(5)
    crossed = _with_close_feet(gap_m)
    errors = rng.normal(0.0, 0.01, (1, *crossed.shape[1:])) + rng.normal(0.0, 0.01, crossed.shape)
    track = interpret(make_recording(positions=crossed + errors, **naming)).track
    assert _same(track, crossed + errors)


def test_widely_crossed_legs_are_a_doubt(make_recording):
    assert interpret(make_recording(positions=_with_close_feet(-0.02))).doubts == ()
    (doubt,) = interpret(make_recording(positions=_with_close_feet(-0.2))).doubts
    assert doubt.startswith("left and right of the ankles are reversed relative to the hips in 100%")


@pytest.mark.parametrize("stem", ["shoulder", "ankle"])
def test_mixed_up_sides_are_refused_unless_the_layout_is_given(stem, make_recording):
    layout = LAYOUTS["body25"]
    mixed = walk_in(layout)
    parts = ("shoulder", "elbow", "wrist") if stem == "shoulder" else ("ankle", "big_toe", "small_toe", "heel")
    for part in parts:
        pair = [layout.names.index(f"{side}_{part}") for side in ("left", "right")]
        mixed[:, pair] = mixed[:, pair[::-1]]
    with pytest.raises(TrackError, match=rf"{stem}s to agree with the hips.*--layout"):
        interpret(make_recording(positions=mixed))
    reading = interpret(make_recording(positions=mixed), ReadOptions(layout="body25", handedness="right"))
    assert any(f"left and right of the {stem}s are reversed" in doubt for doubt in reading.doubts)
    assert reading.track.doubts == reading.doubts


@pytest.mark.parametrize("up", ["+X", "-X", "-Y", "+Z", "-Z"])
def test_an_unusual_assumed_up_axis_is_a_doubt(up, make_recording):
    turned = walk_in(LAYOUTS["body25"]) @ rotation_to_y_up(up)
    reading = interpret(make_recording(positions=turned, kind="TRC"))
    (doubt,) = reading.doubts
    assert doubt.startswith(f"{up} up is assumed") and "--up" in doubt
    assert any(doubt in note for note in reading.track.notes) and reading.track.doubts == (doubt,)
    lying = interpret(make_recording(positions=turned, kind="TRC"), ReadOptions(up="+Y"))
    assert _same(lying.track, turned)
    assert not any("assumed" in doubt for doubt in lying.doubts)


@pytest.mark.parametrize(("kind", "up"), [("TRC", "+Y"), ("NPZ", "+Y"), ("FreeMoCap CSV", "+Z"), ("C3D", "+Z")])
def test_the_usual_up_axis_of_a_format_is_no_doubt(kind, up, make_recording):
    turned = walk_in(LAYOUTS["body25"]) @ rotation_to_y_up(up)
    reading = interpret(make_recording(positions=turned, kind=kind))
    assert reading.doubts == () and reading.finding("up axis").reason.startswith("assumed, as the head is above")


def test_a_rarely_upright_person_is_read_with_a_doubt_or_refused(make_recording):
    turns = Rotation.from_euler("x", np.repeat([0.0, 60.0, -60.0], NUM_FRAMES // 3)[:, None], degrees=True).as_matrix()
    bent = np.einsum("fij,fkj->fki", turns, walk_in(LAYOUTS["body25"]))
    reading = interpret(make_recording(positions=bent))
    assert any(doubt.startswith("+Y up is assumed") for doubt in reading.doubts) and _same(reading.track, bent)
    with pytest.raises(AmbiguousTrackError, match=r"upright most of the time.*--up"):
        interpret(make_recording(positions=bent @ rotation_to_y_up("-X")))


def test_an_upside_down_body_contradicting_the_file_is_refused(make_recording):
    fallen = walk_in(LAYOUTS["body25"]) * UPSIDE_DOWN
    with pytest.raises(AmbiguousTrackError, match=r"\+Y up as stated.*along -Y.*--up"):
        interpret(make_recording(positions=fallen, up_axis="+Y"))
    assert _same(interpret(make_recording(positions=fallen)).track, walk_in(LAYOUTS["body25"]))


def test_a_handstand_is_accepted_if_up_is_given(make_recording):
    fallen = walk_in(LAYOUTS["body25"]) * UPSIDE_DOWN
    reading = interpret(make_recording(positions=fallen), ReadOptions(up="Y"))
    assert _same(reading.track, fallen)
    assert any("head is below the pelvis" in doubt for doubt in reading.doubts)


def test_a_person_lying_on_a_stated_floor_is_accepted(make_recording):
    walk = walk_in(LAYOUTS["body25"])
    walk -= walk[:, 8:9]
    lying = np.stack([walk[..., 1] + np.linspace(0.0, 0.9, len(walk))[:, None], -walk[..., 0], walk[..., 2]], axis=-1)
    lying[..., 1] -= np.nanmin(lying[..., 1], axis=1, keepdims=True)
    reading = interpret(make_recording(positions=lying, up_axis="+Y"))
    assert reading.finding("up axis").value == "+Y"
    assert any("lying" in doubt for doubt in reading.doubts)


def test_a_missing_frame_rate_is_never_guessed(make_recording):
    with pytest.raises(AmbiguousTrackError, match="--fps"):
        interpret(make_recording(fps=None))
    assert interpret(make_recording(fps=None), ReadOptions(fps=25)).track.fps == 25.0


def test_a_given_frame_rate_takes_precedence_over_the_files(make_recording):
    reading = interpret(make_recording(fps=30.0), ReadOptions(fps=60.0))
    assert reading.track.fps == 60.0
    assert "the file states 30 fps" in reading.doubts


def test_image_coordinates_are_refused_with_the_reason(make_recording):
    with pytest.raises(TrackError, match="image coordinates: fractions of the image"):
        interpret(make_recording(image_space="fractions of the image"))


def test_an_impossible_speed_names_the_fps_option(make_recording):
    with pytest.raises(TrackError, match=r"m/s.*--fps or --units"):
        interpret(make_recording(fps=2000.0))


def test_jumps_and_swapped_legs_are_doubts(make_recording):
    positions = walk_in(LAYOUTS["coco17"])
    names = LAYOUTS["coco17"].names
    positions[20, names.index("left_wrist")] += 3.0
    for joint in ("hip", "knee", "ankle"):
        pair = [names.index(f"{side}_{joint}") for side in ("left", "right")]
        positions[41, pair] = positions[41, pair[::-1]]
    doubts = interpret(make_recording("coco17", positions=positions)).doubts
    assert any(doubt.startswith("single-frame jumps of points: 1,") for doubt in doubts)
    assert any("swap places at frames 41, 42" in doubt for doubt in doubts)


def test_a_person_who_is_suddenly_elsewhere_is_a_doubt(make_recording):
    positions = walk_in(LAYOUTS["coco17"])
    assert not any("elsewhere" in doubt for doubt in interpret(make_recording("coco17", positions=positions)).doubts)
    positions[20:30] += [1.0, 0.0, 0.5]
    doubts = interpret(make_recording("coco17", positions=positions)).doubts
    assert any(doubt.startswith("the whole person jumps elsewhere at frames 20, 30 (counted") for doubt in doubts)


def test_missing_points_stay_missing(make_recording):
    positions = walk_in(LAYOUTS["body25"])
    positions[10:20, 4] = np.nan
    track = interpret(make_recording(positions=positions)).track
    assert np.isnan(track.positions[10:20, 4]).all()
    assert (track.confidence[10:20, 4] == 0.0).all()


def test_a_root_at_the_origin_is_root_relative(make_recording):
    positions = walk_in(LAYOUTS["h36m17"])
    positions -= positions[:, :1]
    assert interpret(make_recording("h36m17", positions=positions)).track.root_relative
    assert not interpret(make_recording("h36m17")).track.root_relative


def test_noise_of_two_centimetres_does_not_change_the_layout(make_recording):
    rng = np.random.default_rng(3)
    for layout in ("coco17", "h36m17", "body25"):
        noisy = walk_in(LAYOUTS[layout]) + rng.normal(0.0, 0.02, (60, len(LAYOUTS[layout].points), 3))
        assert interpret(make_recording(layout, positions=noisy, names=None)).track.layout.name == layout


def test_every_decision_is_in_the_notes(make_recording):
    notes = interpret(make_recording()).track.notes
    for subject in ("Layout", "Units", "Up axis", "Handedness", "Frame rate", "Person", "Facing"):
        assert sum(note.startswith(f"{subject}: ") for note in notes) == 1


def test_a_track_without_any_points_is_refused(make_recording):
    empty = np.full((5, 25, 3), np.nan)
    for names in (None, LAYOUTS["body25"].names):
        with pytest.raises(TrackError, match="--layout|found none in"):
            interpret(make_recording(positions=empty, names=names))


def test_a_single_frame_is_enough(make_recording):
    one = walk_in(LAYOUTS["body25"])[:1]
    assert _same(interpret(make_recording(positions=one, names=None)).track, one)


def test_an_unknown_stated_layout_is_refused(make_recording):
    with pytest.raises(AmbiguousTrackError, match="'dance99'.*--layout"):
        interpret(make_recording(names=None, layout="dance99"))
    assert interpret(make_recording("coco17", layout="coco17")).track.layout.name == "coco17"


@pytest.mark.parametrize(
    "bad", [{"layout": "body26"}, {"units": "elbows"}, {"up": "W"}, {"handedness": "both"}, {"fps": 0.0}]
)
def test_an_invalid_option_value_is_refused(bad):
    with pytest.raises(TrackError, match="expected --" + next(iter(bad))):
        ReadOptions(**bad)
