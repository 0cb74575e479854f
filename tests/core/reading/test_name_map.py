"""A user's names for the points of a file: what they do to a reading, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import core.reading
from core.convert_options import ConvertOptions
from core.errors import AmbiguousTrackError, CoreError, TrackError
from core.formats.dispatch import read_recordings
from core.formats.raw import RawRecording
from core.layouts import LAYOUTS, NAMED
from core.markers.labels import marker_roles
from core.reading import (
    NamedPoint,
    NameMap,
    Reading,
    ReadOptions,
    interpret,
    read_all,
    read_name_map,
    recognise,
)
from core.reading.name_map import BODY_POINTS

from .conftest import walk_in

Make = Callable[..., RawRecording]
SMPL = LAYOUTS["smpl22"]
MARKERS = ("left_asis", "right_asis", "sacrum", "left_knee_lateral", "right_knee_lateral", "left_acromion",
           "right_acromion", "left_ankle_lateral", "right_ankle_lateral", "left_toe", "right_toe")  # fmt: skip
"""Markers that suffice, as body points."""
LABELS = ("LASI", "RASI", "SACR", "LKNE", "RKNE", "LSHO", "RSHO", "LANK", "RANK", "LTOE", "RTOE")
"""The same as Plug-in Gait labels them."""


def assert_same(one: Reading, other: Reading) -> None:
    assert one.track.layout == other.track.layout
    np.testing.assert_array_equal(one.track.positions, other.track.positions)
    np.testing.assert_array_equal(one.track.confidence, other.track.confidence)
    for part in ("matched", "absent", "ignored", "stature_m", "doubts", "left_out", "checks"):
        assert getattr(one, part) == getattr(other, part), part


def assert_walks(reading: Reading) -> None:
    """Assert that all points of SMPL are where the walk has them."""
    index = reading.track.layout.solver_index
    for name, place in zip(SMPL.names, walk_in(SMPL).swapaxes(0, 1), strict=True):
        np.testing.assert_allclose(reading.track.positions[:, index[name]], place, atol=1e-9)


def unknown(make: Make, **fields: object) -> RawRecording:
    """Return the walk of SMPL's joints with names that no layout has."""
    names = tuple(f"Zeug {chr(65 + index)}" for index in range(len(SMPL.names)))
    return make("smpl22", **{"names": names, "layout": None, **fields})


def marked(make: Make, names: tuple[str, ...]) -> RawRecording:
    """Return markers on a walking body."""
    joints = walk_in(LAYOUTS["smpl24"])
    at = {name: joints[:, index] for index, name in enumerate(LAYOUTS["smpl24"].names)}
    out, up = np.array([0.06, 0.0, 0.0]), np.array([0.0, 0.1, 0.0])
    ahead = np.array([0.0, 0.0, 0.1])
    places = []
    for marker in MARKERS:
        side, _, rest = marker.partition("_")
        sign = 1.0 if side == "left" else -1.0
        places.append({
            "asis": lambda side=side, sign=sign: at[f"{side}_hip"] + up + ahead + sign * out,
            "": lambda: at["pelvis"] + up - ahead,
            "knee_lateral": lambda side=side, sign=sign: at[f"{side}_knee"] + sign * out,
            "acromion": lambda side=side: at[f"{side}_shoulder"] + up,
            "ankle_lateral": lambda side=side, sign=sign: at[f"{side}_ankle"] + sign * out,
            "toe": lambda side=side: at[f"{side}_foot"] + ahead,
        }[rest]())  # fmt: skip
    return make(positions=np.stack(places, axis=1), names=names, layout=None)


@pytest.mark.slow
@pytest.mark.parametrize("layout", [name for name in LAYOUTS if name not in ("markers", "named")])
def test_what_is_recognised_reads_any_layout_as_without_it(layout, make_recording):
    recording = make_recording(layout)
    given = recognise(recording, ReadOptions(layout=layout))
    assert given.lacking == ()
    names = NameMap.from_json(given.names.to_json("a walk", {0: (0.1, 0.2, 0.3)}))
    assert names == given.names
    assert_same(interpret(recording, ReadOptions(names=names)), interpret(recording, ReadOptions(layout=layout)))


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["trc/Pose2Sim_markers.trc", "trc/OpenCap_DJ1.trc", "c3d/squat.c3d", "c3d/pycgm_Sample_Static.c3d",
     "c3d/cmu_02_05.c3d", "h36m17/Alter_output_keypoints_3d.npz"],
)  # fmt: skip
def test_what_is_recognised_reads_a_file_as_without_it(name, keypoints):
    recording = read_recordings(keypoints / name)[0]
    names = NameMap.from_json(recognise(recording, ReadOptions()).names.to_json())
    assert_same(interpret(recording, ReadOptions(fps=60.0, names=names)), interpret(recording, ReadOptions(fps=60.0)))


def test_points_with_unknown_names_are_where_the_map_says(make_recording):
    recording = unknown(make_recording)
    with pytest.raises(AmbiguousTrackError, match=r"--names FILE\.json") as caught:
        interpret(recording)
    assert caught.value.options == ("layout", "names")
    reading = interpret(recording, ReadOptions(names=dict(zip(recording.names, SMPL.names, strict=True))))
    assert_walks(reading)
    assert reading.track.layout.names == tuple(name for name in NAMED.names if name in SMPL.names)
    assert (reading.absent, reading.ignored) == ((), ())
    assert reading.finding("layout").value == "named (22 of 22 points)"
    assert reading.finding("layout").reason == "given by --names"


@pytest.mark.parametrize("more", [0, 40])
def test_points_without_names_are_named_by_their_index(more, make_recording):
    order = np.random.default_rng(5).permutation(22 + more)
    positions = np.concatenate([walk_in(SMPL), np.ones((60, more, 3))], axis=1)[:, order]
    recording = make_recording(positions=positions, names=None, layout=None)
    with pytest.raises(AmbiguousTrackError, match="--names") as caught:
        interpret(recording)
    assert "names" in caught.value.options
    index = {int(number): place for place, number in enumerate(order)}
    names = {str(index[number]): name for number, name in enumerate(SMPL.names)}
    reading = interpret(recording, ReadOptions(names=names))
    assert_walks(reading)
    assert len(reading.ignored) == more
    listed = [{"index": int(number), "body_point": name} for number, name in names.items()]
    assert_same(interpret(recording, ReadOptions(names={"points": listed})), reading)


def test_markers_with_unknown_names_give_the_joints_of_known_ones(make_recording):
    strange = tuple(f"M{index:03d}" for index in range(len(MARKERS)))
    known = interpret(marked(make_recording, LABELS))
    reading = interpret(
        marked(make_recording, strange), ReadOptions(names=dict(zip(strange, MARKERS, strict=True)))
    )  # fmt: skip
    assert reading.track.layout is LAYOUTS["markers"]
    np.testing.assert_array_equal(reading.track.positions, known.track.positions)
    assert reading.absent == known.absent


def test_points_that_the_map_does_not_name_are_read_by_their_names(make_recording):
    halpe = LAYOUTS["halpe26"]
    names = tuple({"left_hip": "links oben", "right_hip": "rechts oben"}.get(name, name) for name in halpe.names)
    recording = make_recording("halpe26", names=names, layout=None)
    with pytest.raises(AmbiguousTrackError):
        interpret(recording)
    reading = interpret(recording, ReadOptions(names={"links oben": "left_hip", "rechts oben": "right_hip"}))
    np.testing.assert_array_equal(reading.track.positions, interpret(make_recording("halpe26")).track.positions)
    assert "other points by their names" in reading.finding("layout").reason
    changed = {"links oben": "left_hip", "rechts oben": "right_hip", "nose": None, "left_ear": "left_index_knuckle"}
    reading = interpret(recording, ReadOptions(names=changed))
    assert set(reading.track.layout.names) == {p.solver for p in halpe.points} - {"nose", "left_ear"} | {
        "left_index_knuckle"
    }
    assert reading.ignored == ("nose",)
    assert "not halpe26, which has no left_index_knuckle" in reading.finding("layout").reason


def test_a_name_of_the_users_counts_more_than_a_known_one(make_recording):
    names = tuple({"left_knee": "x", "right_knee": "left_knee"}.get(name, name) for name in SMPL.names)
    recording = make_recording("smpl22", names=names, layout=None)
    assert_walks(interpret(recording, ReadOptions(names={"left_knee": "right_knee", "x": "left_knee"})))


def test_a_duplicated_name_is_identified_by_its_index(make_recording):
    names = tuple("joint" if name.endswith("knee") else name for name in SMPL.names)
    recording = make_recording("smpl22", names=names, layout=None)
    knees = [index for index, name in enumerate(names) if name == "joint"]
    points = [
        {"name": "joint", "index": index, "body_point": SMPL.names[index]} for index in knees
    ]  # fmt: skip
    assert_walks(interpret(recording, ReadOptions(names={"points": points})))
    with pytest.raises(TrackError, match="'joint', 'joint' for the same point"):
        interpret(recording, ReadOptions(names={"points": [{"name": "joint", "index": 0}, {"name": "joint"}]}))


def test_what_is_recognised_of_an_unreadable_file_and_what_it_lacks(make_recording):
    names = tuple(name if name != "left_hip" else "where is it" for name in SMPL.names)
    recording = make_recording("smpl22", names=names, layout=None)
    found = recognise(recording, ReadOptions())
    assert {point.body_point for point in found.names.points} >= {"right_hip", "left_knee"}
    assert found.names.points[1] == NamedPoint("where is it", 1, None)
    assert found.lacking == ("left hip",)
    given = {"where is it": "left_hip"}
    assert recognise(recording, ReadOptions(names=given)).lacking == ()
    none = recognise(make_recording(positions=np.ones((3, 41, 3)), names=None, layout=None), ReadOptions())
    assert [point.index for point in none.names.points] == list(range(41))
    assert len(none.lacking) == 5
    some = recognise(marked(make_recording, ("LASI", "RASI", "?", *LABELS[3:])), ReadOptions())
    assert some.names.layout == "markers"
    assert ["rear of the pelvis" in text for text in some.lacking] == [True]
    started = recognise(
        make_recording(positions=np.ones((3, 41, 3)), names=None, layout=None), ReadOptions(names={"7": "left_hip"})
    )
    assert (started.names.points[7].body_point, len(started.lacking)) == ("left_hip", 4)


def test_points_that_do_not_suffice_say_what_is_missing(make_recording):
    recording = unknown(make_recording)
    names = dict(zip(recording.names, SMPL.names, strict=True))
    del names["Zeug B"]
    with pytest.raises(AmbiguousTrackError, match="lacks left hip; name them too") as caught:
        interpret(recording, ReadOptions(names=names))
    assert caught.value.options == ("names", "layout")


def test_joints_that_do_not_go_with_markers_are_refused(make_recording):
    with pytest.raises(TrackError, match=r"spine1 and left_acromion; leave out those or these; beside markers there"):
        interpret(unknown(make_recording), ReadOptions(names={"Zeug A": "spine1", "Zeug B": "left_acromion"}))


def test_joints_beside_markers_take_the_place_of_estimates(make_recording):
    names = tuple(f"Zeug {chr(65 + index)}" for index in range(len(MARKERS)))
    recording = marked(make_recording, names)
    joints = walk_in(LAYOUTS["smpl24"])
    hip, knee = (joints[:, LAYOUTS["smpl24"].names.index(name)].copy() for name in ("left_hip", "left_knee"))
    knee[3] = np.nan
    positions = np.concatenate([recording.positions, hip[:, None], knee[:, None]], axis=1)
    confidence = np.isfinite(positions).all(-1).astype(float)
    both = replace(recording, positions=positions, confidence=confidence, names=(*names, "Hüfte", "Knie"))
    given = dict(zip(names, MARKERS, strict=True))
    alone = interpret(recording, ReadOptions(names=given)).track
    track = interpret(both, ReadOptions(names={**given, "Hüfte": "left_hip", "Knie": "left_knee"})).track
    assert track.layout.name == "markers"
    column = track.layout.solver_index
    np.testing.assert_allclose(track.positions[:, column["left_hip"]], hip, atol=1e-9)
    seen = np.arange(len(knee)) != 3
    np.testing.assert_allclose(track.positions[seen, column["left_knee"]], knee[seen], atol=1e-9)
    assert np.linalg.norm(track.positions[3, column["left_knee"]] - alone.positions[3, column["left_knee"]]) < 0.03
    same = [index for name, index in column.items() if name.startswith("right_")]
    np.testing.assert_allclose(track.positions[:, same], alone.positions[:, same], atol=0.01)


def test_people_have_the_points_that_they_have(make_recording, monkeypatch):
    first = replace(unknown(make_recording), person="Ann")
    second = replace(first, names=tuple(f"B {name}" for name in first.names), person="Ben")
    monkeypatch.setattr(core.reading, "read_recordings", lambda path: [first, second])
    names = dict(zip(first.names, SMPL.names, strict=True))
    points = [{"name": name, "body_point": ours} for name, ours in names.items()]
    readings = read_all(Path("two.test"), ReadOptions(names={"points": points}))
    assert [reading.track.person for reading in readings] == ["Ann"]
    assert "Left out Ben" in readings[0].people_left_out[0]
    with pytest.raises(TrackError, match="lacks 'ZEUG Ä' \\(near: Zeug"):
        read_all(Path("two.test"), ReadOptions(names={**names, "ZEUG Ä": "nose"}))


def test_a_solved_motion_needs_no_names(tmp_path):
    path = tmp_path / "motion.npz"
    np.savez(path, poses=np.zeros((5, 156)), trans=np.zeros((5, 3)), betas=np.zeros(10), mocap_framerate=30.0)
    with pytest.raises(TrackError, match="--names"):
        read_all(path, ReadOptions(names={"pelvis": "pelvis"}))


def test_options_with_names_are_plain_values_and_others_as_before():
    options = ConvertOptions(reading=ReadOptions(names={"a": "left_hip", "7": None}))
    plain = json.loads(json.dumps(options.as_dict()))
    assert ConvertOptions.from_dict(plain).reading == options.reading
    assert "names" not in ConvertOptions().as_dict()["reading"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "names of points, found an empty file"),
        ("[1, 2", "expected JSON"),
        ("[" * 100_000, "expected JSON"),
        ('{"a": ' * 100_000, "expected JSON"),
        ("1" * 10_000, "expected JSON"),
        ("[1, 2]", "their name"),
        ("null", "their name"),
        ('{"points": 3}', '"points" as a list'),
        ('{"points": [3]}', "points with the keys"),
        ('{"points": [{"name": "a", "ours": "nose"}]}', "points with the keys"),
        ('{"points": [{"name": "a", "body_point": 3}]}', "names as texts"),
        ('{"points": [{"name": ["a"]}]}', "names as texts"),
        ('{"points": [{"index": true}]}', "an index from 0"),
        ('{"points": [{"index": -1}]}', "an index from 0"),
        ('{"points": [{"index": 1e3, "body_point": "nose"}]}', "an index from 0"),
        ('{"points": [{"index": 1000000000000, "body_point": "nose"}]}', "an index from 0"),
        ('{"points": [{"body_point": "nose"}]}', "an index from 0"),
        ('{"points": [], "layout": "dance"}', "a layout"),
        ('{"points": [], "layout": ["coco17"]}', "a layout"),
        ('{"points": [], "format": "x"}', "the format"),
        ('{"points": [], "version": 2}', "the format"),
        ('{"points": [], "colour": 1}', "the keys"),
        ('{"a": "nose", "a": "neck"}', "'a' stands twice"),
        ('{"a": "nose", "b": "nose"}', "'a', 'b' as nose"),
        ('{"points": [{"name": "a"}, {"name": "a"}]}', "'a' twice"),
        ('{"a": "LHip"}', r"'LHip' \(near: left_hip"),
        ('{"a": "LKNE"}', r"'LKNE' \(near: left_knee.*left_knee_lateral"),
        ('{"a": "left_hipp"}', r"'left_hipp' \(near: left_hip"),
        ('{"a": "\\u001b[2J"}', "names of points of the body"),
        (json.dumps({str(number): None for number in range(5000)}), "at most 4096 points"),
        ('{"a": "' + "x" * (1 << 21) + '"}', "at most 2 MiB"),
    ],
)
def test_a_file_that_is_no_map_is_refused(text, expected, tmp_path):
    path = tmp_path / "names.json"
    path.write_text(text)
    with pytest.raises(CoreError, match=expected) as caught:
        read_name_map(path)
    assert "names.json" in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize("data", [b"\xff\xfe{", b"\0\1\2\3" * 40, b"PK\3\4" + bytes(200), b'{"a": "\xff"}'])
def test_a_file_that_is_no_text_is_refused(data, tmp_path):
    path = tmp_path / "names.json"
    path.write_bytes(data)
    with pytest.raises(CoreError, match="names.json"):
        read_name_map(path)


def test_a_map_of_the_largest_file_takes_no_time(make_recording):
    names = tuple(f"point number {index}" for index in range(4096))
    recording = make_recording(positions=np.ones((2, 4096, 3)), names=names, layout=None)
    wrong = {**dict.fromkeys(names[:4000]), **{f"x{index}": point for index, point in enumerate(BODY_POINTS[:60])}}
    with pytest.raises(TrackError, match="lacks 'x0'.* and 54 more"):
        interpret(recording, ReadOptions(names=wrong))


def test_every_body_point_can_be_written_in_any_spelling(tmp_path):
    path = tmp_path / "names.json"
    path.write_text(json.dumps({f"p {name}": name.replace("_", " ").title() for name in BODY_POINTS}))
    assert tuple(point.body_point for point in read_name_map(path).points) == BODY_POINTS


def test_labels_of_plug_in_gait_are_the_markers():
    assert tuple(marker_roles(LABELS)) == MARKERS
