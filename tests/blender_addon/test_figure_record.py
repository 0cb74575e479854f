"""What a fit found is kept with the armature, whole, and survives what users do to figures."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

from blender_addon.export.writers import export_figures  # noqa: E402
from blender_addon.figure import record  # noqa: E402
from blender_addon.figure.custom_properties import MARK_KEY, RECORD_KEY  # noqa: E402
from blender_addon.figure.keyframe_hash import keys_edited  # noqa: E402
from blender_addon.figure.record import RecordError, load, store  # noqa: E402
from blender_addon.result.show import show  # noqa: E402
from core.convert_options import ConvertOptions  # noqa: E402
from core.fingers import with_fingers  # noqa: E402
from core.fit import FitReport, Flag  # noqa: E402
from core.formats.dispatch import read_recordings  # noqa: E402
from core.pipeline import fit_file  # noqa: E402
from core.reading import ReadOptions  # noqa: E402


@pytest.fixture(scope="module")
def track_file(write_track, tmp_path_factory):
    """A file of keypoints."""
    return write_track(tmp_path_factory.mktemp("track") / "walk.npz")


@pytest.fixture(scope="module")
def fit(track_file):
    """A fitted track."""
    options = ConvertOptions(reading=ReadOptions(units="m", fps=30.0))
    return fit_file(track_file, options, lambda *_: None)[0]


@pytest.fixture
def fitted(scene, fit):
    """A fitted track and its figure."""
    return fit, show([fit], "walk")[0]


@pytest.fixture(scope="module")
def stored(fit) -> dict[str, object]:
    """What the record of a figure is kept in: the armature's custom properties."""
    bpy.ops.wm.read_homefile(use_empty=True)
    armature = show([fit], "walk")[0].armature
    return {key: armature[key] for key in (RECORD_KEY, MARK_KEY)}


@pytest.fixture
def armature(stored, scene):
    """An armature with a record, and nothing else of a figure."""
    bare = bpy.data.objects.new("walk", bpy.data.armatures.new("walk"))
    for key, value in stored.items():
        bare[key] = value
    return bare


def assert_is_record_of(record, item, figure):
    motion, report = record.motion, record.report
    np.testing.assert_allclose(motion.poses, figure.motion.poses, atol=1e-6)
    np.testing.assert_allclose(motion.trans, figure.motion.trans, atol=1e-6)
    np.testing.assert_array_equal(motion.betas, figure.motion.betas)
    assert (motion.fps, motion.gender, motion.body) == (30.0, "neutral", "free_body")
    np.testing.assert_allclose(report.point_error_mm, item.report.point_error_mm, rtol=1e-6)
    np.testing.assert_array_equal(report.noise_mm, item.report.noise_mm)
    for name in ("point_names", "flags", "stature_m", "sigma_mm", "notes", "timings_s"):
        assert getattr(report, name) == getattr(item.report, name), name
    assert_same_point_errors(report.point_errors, item.report.point_errors)
    assert record.source == item.source and record.first_frame == 1 and record.track_fps == 30.0
    np.testing.assert_allclose(item.motion.trans + record.offset, figure.motion.trans, atol=1e-9)


@pytest.mark.main_blender
def test_exports_keep_the_start_of_the_recording(scene, fit, tmp_path):
    (figure,) = show([replace(fit, start_s=0.37)], "walk")
    assert load(figure.armature).start_s == 0.37
    for suffix in ("trc", "npz"):
        (recording,) = read_recordings(export_figures([figure.armature], tmp_path / f"walk.{suffix}"))
        assert recording.start_s == pytest.approx(0.37), suffix


def assert_same_point_errors(first, second):
    assert (first.white_mm, first.smooth_mm, first.constant_mm) == (
        second.white_mm,
        second.smooth_mm,
        second.constant_mm,
    )
    np.testing.assert_array_equal(first.offset_mm, second.offset_mm)


def read_again(armature):
    record._decoded.clear()
    return load(armature)


def test_a_record_stores_motion_report_and_source(fitted, track_file):
    item, figure = fitted
    assert_is_record_of(load(figure.armature), item, figure)
    assert_is_record_of(read_again(figure.armature), item, figure)
    assert item.source.file == str(track_file) and item.source.reading.units == "m"
    assert item.source.fit["mode"] == "clip" and "betas" in item.source.fit
    assert not keys_edited(figure.armature)


def test_a_record_survives_saving_duplicating_and_appending(fitted, tmp_path):
    item, figure = fitted
    path = str(tmp_path / "session.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.ops.wm.open_mainfile(filepath=path)
    armature = bpy.data.objects["walk"]
    assert_is_record_of(read_again(armature), item, figure)
    assert not keys_edited(armature)
    assert_is_record_of(read_again(armature.copy()), item, figure)
    for link in (False, True):
        bpy.ops.wm.read_homefile(use_empty=True)
        with bpy.data.libraries.load(path, link=link) as (_, into):
            into.objects = ["walk"]
        assert_is_record_of(read_again(into.objects[0]), item, figure)


def test_undo_restores_the_record(fitted):
    item, figure = fitted
    bpy.ops.ed.undo_push(message="before")
    put(figure.armature, b"spoilt")
    bpy.ops.ed.undo_push(message="spoil")
    with pytest.raises(RecordError):
        load(bpy.data.objects["walk"])
    bpy.ops.ed.undo()
    assert_is_record_of(read_again(bpy.data.objects["walk"]), item, figure)


def test_figures_without_a_record_have_none(add_person, make_motion):
    assert load(add_person(make_motion(3)).armature) is None


def put(armature, value):
    """Set the custom property that holds the record to *value*."""
    for key in (MARK_KEY, RECORD_KEY):
        del armature[key]
    armature[RECORD_KEY] = value


def spoil(armature, **arrays):
    """Replace some arrays of the record of *armature*."""
    with np.load(io.BytesIO(armature[RECORD_KEY])) as stored:
        content = {**stored, **arrays}
    stream = io.BytesIO()
    np.savez_compressed(stream, **content)
    put(armature, stream.getvalue())


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"poses": np.zeros((12, 71))}, "poses"),
        ({"poses": np.full((12, 72), np.nan)}, "not finite"),
        ({"trans": np.zeros((11, 3))}, "trans"),
        ({"betas": np.zeros(3)}, "betas"),
        ({"point_error_mm": np.zeros((12, 2))}, "point_error_mm"),
        ({"about": np.frombuffer(b"{", dtype=np.uint8)}, "JSONDecodeError"),
        ({"about": np.frombuffer(b'{"version": 99}', dtype=np.uint8)}, "version 99"),
        ({"poses": np.array([{"a": 1}], dtype=object)}, "Python objects are not loaded"),
    ],
)
def test_damaged_records_are_refused(armature, arrays, message):
    spoil(armature, **arrays)
    with pytest.raises(RecordError, match=message):
        load(armature)


def edit_about(armature, edit):
    """Let *edit* change the description in the record of *armature*."""
    with np.load(io.BytesIO(armature[RECORD_KEY])) as stored:
        about = json.loads(stored["about"].tobytes())
    edit(about)
    spoil(armature, about=np.frombuffer(json.dumps(about).encode(), dtype=np.uint8))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("first_frame", float("inf")),
        ("first_frame", 10**4000),
        ("first_frame", [1]),
        ("start_s", float("nan")),
        ("start_s", "soon"),
        ("fps", 1e-300),
        ("track_fps", 1e300),
        ("track_fps", "many"),
        ("skeleton", "[" * 100_000),
        ("skeleton", {}),
        ("source", None),
        ("source", {"file": 1, "number": float("inf"), "reading": {}, "body": "", "fit": {}}),
        ("source", {"file": 1, "number": 1, "reading": {"fps": []}, "body": "", "fit": {}}),
        ("report", []),
        ("report", {"flags": 3}),
    ],
)
def test_a_description_with_invalid_values_is_refused(armature, key, value):
    edit_about(armature, lambda about: about.update({key: value}))
    with pytest.raises(RecordError, match="record"):
        load(armature)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda about: about["report"]["point_errors"].update(offset_mm=[1.0]), "offset_mm"),
        (lambda about: about["source"].update(hands="claws"), "hands relaxed or flat"),
    ],
)
def test_invalid_parts_of_a_description_are_named(armature, edit, message):
    edit_about(armature, edit)
    with pytest.raises(RecordError, match=message):
        load(armature)


@pytest.mark.parametrize("text", [b"[" * 100_000, b"[]", b"3", b"\xff", b'{"version":' * 50_000, b"9" * 10_000])
def test_a_description_that_is_not_an_object_is_refused(armature, text):
    spoil(armature, about=np.frombuffer(text, dtype=np.uint8))
    with pytest.raises(RecordError, match="record"):
        load(armature)


def test_a_deeply_nested_description_is_refused(armature):
    spoil(armature, about=np.full(record._MAX_ABOUT_BYTES + 1, ord("["), dtype=np.uint8))
    with pytest.raises(RecordError, match="up to 67108864 bytes"):
        load(armature)


def test_a_record_without_error_parts_opens(armature, fit):
    edit_about(armature, lambda about: about["report"].pop("point_errors"))
    report = load(armature).report
    assert report.point_errors is None
    np.testing.assert_array_equal(report.noise_mm, fit.report.noise_mm)


def test_records_of_earlier_versions_have_relaxed_hands(armature):
    edit_about(armature, lambda about: about["source"].pop("hands"))
    assert load(armature).source.hands == "relaxed"


@pytest.mark.parametrize("value", [b"", b"PK\x03\x04 cut off", "text", 3.0])
def test_data_that_is_not_a_record_is_refused(armature, value):
    put(armature, value)
    with pytest.raises(RecordError, match="record"):
        load(armature)


def report_of(errors, flags=()):
    errors = np.asarray(errors, dtype=float)[:, None]
    return FitReport(("nose",), errors, tuple(flags), np.zeros(10), 1.7, np.ones(1), 5.0, {}, ())


def test_errors_are_shown_at_the_scenes_frames(armature, make_motion):
    record = load(armature)
    errors = [1.0, 9.0, 2.0, np.nan, 4.0, 5.0]
    same = replace(record, motion=make_motion(6), report=report_of(errors))
    np.testing.assert_array_equal(same.error_mm(), errors)
    slower = replace(record, motion=make_motion(3, fps=15.0), report=report_of(errors))
    np.testing.assert_array_equal(slower.error_mm(), [9.0, 2.0, 5.0])
    assert [slower.scene_frame(frame) for frame in (0, 4, 5)] == [1, 3, 3]
    faster = replace(record, motion=make_motion(11, fps=60.0), report=report_of(errors), first_frame=10)
    np.testing.assert_array_equal(faster.error_mm()[::2], errors)
    assert np.isfinite(np.delete(faster.error_mm(), [5, 6, 7])).all()
    assert [faster.scene_frame(frame) for frame in (0, 3, 5)] == [10, 16, 20]
    assert [faster.track_frame(frame) for frame in (0, 10, 16, 99)] == [0, 0, 3, 5]


def test_an_edited_motion_is_stored_beside_the_fitted_one(armature, make_motion):
    record = load(armature)
    edited = with_fingers(replace(make_motion(12), betas=record.motion.betas))
    store(armature, replace(record, motion=edited, original=record.motion))
    found = read_again(armature)
    np.testing.assert_allclose(found.motion.poses, edited.poses, atol=1e-6)
    np.testing.assert_array_equal(found.original.poses, record.motion.poses)


def test_flags_are_stored_and_loaded(armature):
    record = load(armature)
    flags = (Flag("held", "left arm", 2, 5), Flag("missing", "person", 5, 5))
    store(armature, replace(record, report=report_of(np.ones(6), flags)))
    assert read_again(armature).report.flags == flags


def test_moved_and_removed_keys_are_detected(fitted):
    from blender_addon.figure.fcurves import Channels

    armature = fitted[1].armature
    curve = Channels(armature).find('pose.bones["left_knee"].rotation_quaternion', 1)
    before = curve.keyframe_points[3].co.y
    curve.keyframe_points[3].co.y += 1e-3
    assert keys_edited(armature)
    curve.keyframe_points[3].co.y = before
    assert not keys_edited(armature)
    curve.keyframe_points.remove(curve.keyframe_points[4])
    assert keys_edited(armature)


@pytest.mark.bpy_module
def test_a_file_opens_without_the_addon_as_a_plain_figure(fitted, tmp_path):
    path = str(tmp_path / "session.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    code = (
        f"import bpy, sys; bpy.ops.wm.open_mainfile(filepath={path!r}); "
        "a = bpy.data.objects['walk']; assert 'blender_addon' not in sys.modules; bpy.context.scene.frame_set(5); "
        "print(*a.pose.bones['left_index3'].head); "
        "print(len(a.pose.bones), a.children[0].modifiers[0].object == a, len(bpy.data.texts))"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    place, summary = run.stdout.splitlines()[-2:]
    assert summary == "52 True 0"
    bpy.context.scene.frame_set(5)
    hand = bpy.data.objects["walk"].pose.bones["left_index3"].head
    np.testing.assert_allclose([float(number) for number in place.split()], hand, atol=1e-6)
