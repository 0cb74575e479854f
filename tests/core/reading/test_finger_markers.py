"""Markers on fingers: labels, joints under the markers, fitted fingers, and sets without any, which read as before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.body.free_body import load_free_body
from core.fingers import RELAXED_HANDS, with_hands
from core.fit import FitOptions, fit_track
from core.fit.hands.fit import fit_hands
from core.fit.hands.observations import has_hands
from core.formats.raw import RawRecording
from core.layouts import MARKERS, MARKERS_HANDS
from core.markers.finger_labels import finger_roles
from core.markers.labels import roles_with_fingers
from core.motion import Motion
from core.reading import ReadOptions, interpret
from core.reading.choose_layout import recognise
from core.smpl_skeleton import SMPLH
from tests.finger_markers import SETS, recorded
from training.evaluation.hand_metrics import draw_motion, finger_errors_deg, hand_body

FRAMES = 40


@pytest.fixture(scope="module")
def motion() -> Motion:
    return draw_motion(11, FRAMES)


def _only(recording: RawRecording, names: list[str]) -> RawRecording:
    assert recording.names is not None
    kept = [recording.names.index(name) for name in names]
    return replace(
        recording,
        positions=recording.positions[:, kept],
        confidence=recording.confidence[:, kept],
        names=tuple(names),
    )


@pytest.mark.parametrize("label_set", [name for name in SETS if name != "body"])
def test_the_labels_of_each_set_lead_to_the_joints_of_fingers(label_set):
    names = [f"{side}{label}" for side in "LR" for label in SETS[label_set]]
    over = {"index1": "index_knuckle", "pinky1": "little_finger_knuckle"}
    is_back = {"FIN", "IHAND", "OHAND", "HandIn", "HandOut"}
    expected = {
        f"{side}_{over[place] if label in is_back else place}"
        for side in ("left", "right")
        for label, place in SETS[label_set].items()
    }
    roles = roles_with_fingers(names)
    assert set(roles) == expected
    for role, index in roles.items():
        assert names[index][0] == role[0].upper()


@pytest.mark.parametrize(
    ("names", "roles"),
    [
        (("LIPIP", "LMDIP", "LPTIP", "LTTIP", "LRTIP"), ("index2", "middle3", "pinky4", "thumb4", "ring4")),
        (("Ann:L_Index_PIP", "L.RingTip", "LThumbMCP", "LLittleDIP"), ("index2", "ring4", "thumb2", "pinky3")),
    ],
)
def test_joints_in_letters_and_in_words_are_read(names, roles):
    assert set(finger_roles(names)) == {f"left_{role}" for role in roles}


@pytest.mark.parametrize(
    "names",
    [
        ("LFIN", "RFIN", "LWRA", "LWRB", "LTHMB", "RTHMB", "LTHM", "RTHM"),
        ("LIHAND", "LOHAND", "RIHAND", "ROHAND", "LIWR", "LOWR"),
        ("LHandOut", "RHandOut", "LHandIn", "RHandIn", "LThumb", "LIndex", "LPinky", "RThumb", "RIndex", "RPinky"),
        ("LIDX3", "LPNK3", "LTHM3", "RIDX3", "RPNK3", "RTHM3"),
        ("LIndexTip", "RIndexTip"),
    ],
    ids=["Plug-in Gait and CMU", "backs of hands", "one marker a finger", "two sets explain it", "two markers"],
)
def test_labels_that_do_not_say_where_a_finger_is_are_left_out(names):
    assert finger_roles(names) == {}


def test_markers_of_the_body_alone_are_read_as_before(motion):
    recording = recorded(motion, "qualisys")
    body = [name for name in recording.names if name[1:] not in SETS["qualisys"]]
    alone = interpret(_only(recording, body)).track
    backs = [*body, "LHandIn", "LHandOut", "RHandIn", "RHandOut"]
    track = interpret(_only(recording, backs)).track
    assert track.layout is MARKERS
    assert not has_hands(track)
    np.testing.assert_array_equal(track.positions, alone.positions)
    np.testing.assert_array_equal(track.confidence, alone.confidence)


def test_the_knuckle_of_plug_in_gait_is_where_its_marker_is(motion):
    recording = recorded(motion, "soma")
    body = [name for name in recording.names if name[1:] not in SETS["soma"]]
    reading = interpret(_only(recording, [*body, "LFIN", "RFIN"]))
    assert reading.track.layout is MARKERS
    for side in ("left", "right"):
        seen = reading.track.positions[:, MARKERS.solver_index[f"{side}_index_knuckle"]]
        marker = recording.positions[:, recording.names.index(f"{side[0].upper()}FIN")]
        np.testing.assert_allclose(seen, marker / 1000.0, atol=1e-9)


def test_the_body_is_read_the_same_with_markers_on_fingers(motion):
    recording = recorded(motion, "vicon")
    body = [name for name in recording.names if name[1:] not in SETS["vicon"]]
    backs = [*body, *(f"{side}{label}" for side in "LR" for label in ("IHAND", "OHAND"))]
    alone, with_fingers = interpret(_only(recording, backs)).track, interpret(recording).track
    assert with_fingers.layout is MARKERS_HANDS
    np.testing.assert_array_equal(with_fingers.positions[:, : len(MARKERS.points)], alone.positions)


@pytest.mark.parametrize("change", ["none", "mirrored", "sides"])
def test_joints_lie_under_their_markers_however_the_hand_is_bent(motion, change):
    recording, options = recorded(motion, "nokov", noise_m=0.0, offset_m=0.0), ReadOptions()
    if change == "mirrored":
        recording = replace(recording, positions=recording.positions * [-1.0, 1.0, 1.0])
        options = ReadOptions(handedness="left")
    elif change == "sides":
        other = tuple({"L": "R", "R": "L"}[n[0]] + n[1:] if n[0] in "LR" else n for n in recording.names)
        recording, options = replace(recording, names=other), ReadOptions(swap_sides=True)
    track = interpret(recording, options).track
    arrays = (part.astype(np.float32) for part in (motion.rotations(), motion.betas, motion.trans))
    joints = hand_body().joints(*arrays)
    for name, column in track.layout.finger_index.items():
        if name[-1] == "4" or "thumb1" in name:
            continue
        off = np.linalg.norm(track.positions[:, column] - joints[:, SMPLH.index(name)], axis=-1)
        assert off.max() < 0.006, name
        assert off.mean() < 0.004, name


def _fitted(motion: Motion, label_set: str, noise_m: float, offset_m: float):
    track = interpret(recorded(motion, label_set, noise_m=noise_m, offset_m=offset_m, seed=11)).track
    body, _ = fit_track(track, load_free_body(), FitOptions(workers=1))
    return fit_hands(track, body, hand_body().data)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("label_set", "limit_deg"),
    [("vicon", 8.0), ("soma", 8.0), ("qualisys", 8.0), ("nokov", 8.0), ("tips", 8.0), ("claw", 10.5)],
)
def test_markers_four_millimetres_off_give_fingers(motion, label_set, limit_deg):
    fit = _fitted(motion, label_set, 0.001, 0.004)
    relaxed = with_hands(fit.motion, np.broadcast_to(RELAXED_HANDS, (FRAMES, *RELAXED_HANDS.shape)))
    error = finger_errors_deg(motion, fit.motion).mean()
    assert error < limit_deg
    assert error < 0.8 * finger_errors_deg(motion, relaxed).mean()


@pytest.mark.slow
def test_fingers_without_markers_are_relaxed_and_reported(motion):
    fit = _fitted(motion, "claw", 0.001, 0.004)
    assert {(flag.kind, flag.what) for flag in fit.flags} == {("held", "left hand"), ("held", "right hand")}
    for hand in range(2):
        for finger in ("middle", "ring"):
            first = SMPLH.index(f"{('left', 'right')[hand]}_{finger}1")
            turns = fit.motion.poses.reshape(FRAMES, -1, 3)[:, first : first + 3]
            usual = RELAXED_HANDS[hand][first - SMPLH.index(f"{('left', 'right')[hand]}_index1") :][:3]
            np.testing.assert_allclose(turns, np.broadcast_to(usual, turns.shape), atol=np.deg2rad(4.0))


@pytest.mark.slow
def test_markers_in_the_wrong_places_break_no_finger(motion):
    recording = recorded(motion, "vicon")
    generator, names = np.random.default_rng(0), recording.names
    wrong = [index for index, name in enumerate(names) if name[1:] in SETS["vicon"]]
    positions = recording.positions.copy()
    positions[:, wrong] = positions[:, generator.permutation(wrong)]
    track = interpret(replace(recording, positions=positions)).track
    body, _ = fit_track(track, load_free_body(), FitOptions(workers=1))
    fit = fit_hands(track, body, hand_body().data)
    bends = np.linalg.norm(fit.motion.poses.reshape(FRAMES, -1, 3)[:, SMPLH.index("left_index1") :], axis=-1)
    assert np.isfinite(bends).all()
    assert np.rad2deg(bends.max()) < 125.0
    assert np.rad2deg(np.abs(np.diff(bends, axis=0)).max()) < 40.0


def test_a_template_of_names_reads_the_fingers_in_the_same_way(motion):
    recording = recorded(motion, "qualisys")
    names = recognise(recording, ReadOptions()).names
    assert {point.name: point.body_point for point in names.points}["LIndex2"] == "left_index2"
    plain, named = interpret(recording).track, interpret(recording, ReadOptions(names=names)).track
    assert named.layout is MARKERS_HANDS
    np.testing.assert_array_equal(named.positions, plain.positions)


def test_the_layout_is_found_given_and_reported(motion):
    recording = recorded(motion, "claw")
    for layout in (None, "markers", "markers_hands"):
        reading = interpret(recording, ReadOptions(layout=layout))
        assert reading.track.layout is MARKERS_HANDS
    assert "6 markers on fingers" in reading.findings[0].value
    assert "left_middle2" in reading.absent
    assert "left_index4" not in reading.absent


def test_labels_of_a_users_own_are_named(motion):
    recording = recorded(motion, "claw")
    assert recording.names is not None
    own = {name: f"{name[0]} tip of {name[1:]}" for name in recording.names if name.endswith("Tip")}
    strange = replace(recording, names=tuple(own.get(name, name) for name in recording.names))
    assert interpret(strange).track.layout is MARKERS
    places = {"ThumbTip": "thumb4", "IndexTip": "index4", "PinkyTip": "pinky4"}
    given = {text: f"{ {'L': 'left', 'R': 'right'}[name[0]] }_{places[name[1:]]}" for name, text in own.items()}
    given |= {f"{side}Hand{spot}": f"{ {'L': 'left', 'R': 'right'}[side] }_{role}" for side in "LR"
              for spot, role in (("In", "index_knuckle"), ("Out", "little_finger_knuckle"))}  # fmt: skip
    named = interpret(strange, ReadOptions(names=given)).track
    np.testing.assert_allclose(named.positions, interpret(recording).track.positions, atol=1e-12)
