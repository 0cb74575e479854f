"""Box 1: its operators and what it shows in every state."""

from __future__ import annotations

import json
import shutil
import threading
from dataclasses import replace

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

import blender_addon  # noqa: E402
from blender_addon.track import choices, preview  # noqa: E402
from blender_addon.track.operators import SMPLIFY_FH_track, SMPLIFY_MT_person  # noqa: E402
from blender_addon.track.panel import SMPLIFY_PT_track, SMPLIFY_PT_track_details  # noqa: E402
from blender_addon.track.session import TRACKS, TrackState  # noqa: E402
from blender_addon.track.settings import track_request  # noqa: E402
from core.formats.dispatch import TRACK_SUFFIXES  # noqa: E402
from core.layouts import LAYOUTS  # noqa: E402
from core.reading.options import HANDEDNESS, UNIT_CHOICES, UP_AXES  # noqa: E402
from tests.blender_addon.drawing import draw  # noqa: E402
from tests.conftest import REPOSITORY  # noqa: E402

WALK = str(REPOSITORY / "samples" / "walk.trc")
WRONG = str(REPOSITORY / "samples" / "walk_wrong_units.trc")


@pytest.fixture
def settings(scene):
    blender_addon.register()
    yield bpy.context.scene.smplify.track
    blender_addon.unregister()


@pytest.fixture
def write_people(write_track, tmp_path):
    """Write a folder of one JSON file a frame: frame -> {identity: metres to the side of the walking person}."""

    def write(people_in, num_frames: int) -> str:
        with np.load(write_track(tmp_path / "one.npz", num_frames=num_frames)) as stored:
            positions = stored["positions"]
        folder = tmp_path / "clip"
        folder.mkdir()
        for frame, points in enumerate(positions):
            people = [
                {"id": person, "keypoints3d": np.column_stack([points + (aside, 0, 0), np.ones(25)]).tolist()}
                for person, aside in people_in(frame).items()
            ]
            (folder / f"{frame:06d}.json").write_text(json.dumps(people))
        return str(folder)

    return write


@pytest.fixture
def two_people(write_people):
    """A folder of one JSON file a frame, with two people."""
    return write_people(lambda frame: {0: 0.0, 1: 2.0}, num_frames=6)


def state(settings) -> TrackState:
    return TRACKS.state(track_request(settings))


def test_the_box_without_a_file(settings):
    assert state(settings) is TrackState.NO_FILE
    assert "smplify.open_track" in draw(SMPLIFY_PT_track).operators
    assert not SMPLIFY_PT_track_details.poll(bpy.context)
    assert not bpy.ops.smplify.read_track.poll()


def test_opening_a_file_shows_what_was_detected_and_why(settings):
    assert bpy.ops.smplify.open_track(filepath=WALK) == {"FINISHED"}
    assert state(settings) is TrackState.READ
    drawn = draw(SMPLIFY_PT_track)
    assert "432 frames at 60 fps, 7.18 s" in drawn.labels
    assert {"Units: m", "Up Axis: +Y", "Frame Rate: 60 fps", "Handedness: Right"} <= set(drawn.labels)
    assert {"layout", "units", "up", "frame_rate", "handedness", "swap_sides", "show_preview"} <= set(drawn.props)
    assert SMPLIFY_PT_track_details.poll(bpy.context)
    why = draw(SMPLIFY_PT_track_details).text
    assert "stated by the file; the person is 1.71 m tall" in why and "Not in the file" in why


def test_an_ambiguous_file_shows_the_error_and_the_option_that_settles_it(settings):
    with pytest.raises(RuntimeError, match="set Units"):
        bpy.ops.smplify.open_track(filepath=WRONG)
    assert state(settings) is TrackState.BAD_FILE
    drawn = draw(SMPLIFY_PT_track)
    assert drawn.alerts and "set Units" in drawn.text and "--" not in drawn.text
    assert "units" in drawn.props and "layout" not in drawn.props
    settings.units = "mm"
    assert state(settings) is TrackState.UNREAD
    assert "smplify.read_track" in draw(SMPLIFY_PT_track).operators
    assert bpy.ops.smplify.read_track() == {"FINISHED"}
    assert state(settings) is TrackState.READ and "Units: mm" in draw(SMPLIFY_PT_track).labels


def test_overrides_given_as_arguments_return_to_auto_with_the_next_file(settings):
    assert bpy.ops.smplify.open_track(filepath=WRONG, units="mm", frame_rate="CUSTOM", fps=47.5) == {"FINISHED"}
    assert TRACKS.readings[0].track.fps == 47.5
    assert "set in Frame Rate" in draw(SMPLIFY_PT_track_details).text
    assert bpy.ops.smplify.open_track(filepath=WALK) == {"FINISHED"}
    assert (settings.units, settings.frame_rate) == ("AUTO", "AUTO")
    assert TRACKS.readings[0].track.fps == 60.0
    settings.fps = 25.0
    assert settings.frame_rate == "CUSTOM", "a number that is set is meant to be used"


def test_doubts_are_shown(settings):
    bpy.ops.smplify.open_track(filepath=WALK, frame_rate="24")
    assert "the file states 60" in draw(SMPLIFY_PT_track).text


def test_a_file_is_read_on_a_thread(settings, monkeypatch):
    from blender_addon import core_access

    may_end = threading.Event()
    read_people = core_access.read_people
    monkeypatch.setattr(core_access, "read_people", lambda *given: may_end.wait(20.0) and read_people(*given))
    settings.filepath = WALK
    TRACKS.start(track_request(settings))
    assert state(settings) is TrackState.READING and "Reading..." in draw(SMPLIFY_PT_track).labels
    may_end.set()
    TRACKS.wait()
    assert state(settings) is TrackState.READ


def test_a_file_that_changed_is_read_again(settings, tmp_path, write_track):
    path = write_track(tmp_path / "walk.npz", num_frames=6)
    bpy.ops.smplify.open_track(filepath=str(path))
    write_track(path, num_frames=9)
    bpy.ops.smplify.read_track()
    assert TRACKS.readings[0].track.num_frames == 9
    shutil.move(path, tmp_path / "gone.npz")
    with pytest.raises(RuntimeError, match=r"walk\.npz"):
        bpy.ops.smplify.read_track()


def test_people_are_chosen_by_menu_name_or_number(settings, two_people):
    bpy.ops.smplify.open_track(filepath=two_people, frame_rate="30")
    assert len(TRACKS.readings) == 2 and settings.person == ""
    assert "2 people" in draw(SMPLIFY_PT_track).labels and "SMPLIFY_MT_person" in draw(SMPLIFY_PT_track).menus
    assert len(draw(SMPLIFY_MT_person).operators) == 3
    assert preview.chosen_people(settings) == [0, 1]
    assert bpy.ops.smplify.choose_person(person="2") == {"FINISHED"}
    assert preview.chosen_people(settings) == [1]
    with pytest.raises(RuntimeError, match="Expected one of"):
        bpy.ops.smplify.choose_person(person="Nobody")
    assert settings.person == "2"
    settings.person = "Nobody"
    assert "no person" in draw(SMPLIFY_PT_track).text
    bpy.ops.smplify.choose_person(person="")
    assert preview.chosen_people(settings) == [0, 1]


def test_the_persons_height_settles_a_wrong_scale(settings, tmp_path):
    text = (REPOSITORY / "samples" / "walk.trc").read_text()
    head, rows = text[: text.index("\n1\t")], text[text.index("\n1\t") + 1 :].splitlines()
    cells = [row.split("\t") for row in rows[:30]]
    moved = ["\t".join([*row[:2], *(f"{3.1 * float(cell):.4f}" if cell else "" for cell in row[2:])]) for row in cells]
    (tmp_path / "far.trc").write_text(head.replace("\t432\t", "\t30\t") + "\n" + "\n".join(moved) + "\n")
    with pytest.raises(RuntimeError, match="set Person's Height with the person's height"):
        bpy.ops.smplify.open_track(filepath=str(tmp_path / "far.trc"))
    assert draw(SMPLIFY_PT_track).props == ["filepath", "units", "stature", "show_points"]
    settings.stature = 1.77
    assert bpy.ops.smplify.read_track() == {"FINISHED"}
    assert "stature" in draw(SMPLIFY_PT_track).props
    assert TRACKS.readings[0].stature_m == pytest.approx(1.73, abs=0.02)
    with pytest.raises(RuntimeError, match="got both"):
        bpy.ops.smplify.open_track(filepath=str(tmp_path / "far.trc"), units="mm", stature=1.77)


def test_people_of_a_wrong_scale_have_a_height_each(settings, two_people):
    assert bpy.ops.smplify.open_track(filepath=two_people, fps=30.0, frame_rate="CUSTOM", stature=1.8) == {"FINISHED"}
    drawn = draw(SMPLIFY_PT_track)
    assert "statures" in drawn.props and "each of the 2 people is scaled to 1.80 m" in drawn.text
    settings.statures = "1.80, 1.62"
    assert bpy.ops.smplify.read_track() == {"FINISHED"}
    one, other = (reading.stature_m for reading in TRACKS.readings)
    assert other / one == pytest.approx(0.9)
    settings.statures = "1.80, 1.62, 1.50"
    with pytest.raises(RuntimeError, match="one for each of the 2 people"):
        bpy.ops.smplify.read_track()


def test_loading_a_blend_file_clears_the_tracks(settings):
    bpy.ops.smplify.open_track(filepath=WALK)
    bpy.ops.wm.read_homefile(use_empty=True)
    assert TRACKS.readings == [] and state(bpy.context.scene.smplify.track) is TrackState.NO_FILE


def test_settings_are_kept_in_the_blend_file(settings, tmp_path):
    bpy.ops.smplify.open_track(filepath=WRONG, units="mm", up="+Y")
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "saved.blend"))
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "saved.blend"))
    loaded = bpy.context.scene.smplify.track
    assert (loaded.filepath, loaded.units, loaded.up) == (WRONG, "mm", "+Y")
    assert state(loaded) is TrackState.UNREAD


def test_a_relative_path_is_relative_to_the_blend_file(settings, tmp_path, write_track):
    write_track(tmp_path / "walk.npz")
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    bpy.context.scene.smplify.track.filepath = "//walk.npz"
    assert bpy.ops.smplify.read_track() == {"FINISHED"}


def test_the_menus_offer_what_the_core_reads():
    offered = {name: {item[0] for item in getattr(choices, name)} - {"AUTO"} for name in ("LAYOUTS", "UNITS")}
    assert offered == {"LAYOUTS": set(LAYOUTS), "UNITS": set(UNIT_CHOICES)}
    assert {item[0] for item in choices.UP_AXES} == {"AUTO", *UP_AXES}
    assert {item[0] for item in choices.HANDEDNESS} == {"AUTO", *HANDEDNESS}
    for identifier, title, _ in choices.LAYOUTS[1:]:
        assert title == LAYOUTS[identifier].title
    for identifier, *_ in choices.FRAME_RATES[1:-1]:
        assert 0.0 < float(identifier) < 1000.0


def test_files_can_be_dropped_by_suffix(settings):
    assert tuple(SMPLIFY_FH_track.bl_file_extensions.split(";")) == TRACK_SUFFIXES
    assert bpy.types.SMPLIFY_FH_track.bl_import_operator == "smplify.open_track"


def test_the_preview_follows_settings_and_never_adds_an_object(settings):
    window = bpy.context.window_manager.windows[0]
    area = next(area for area in window.screen.areas if area.type == "VIEW_3D")
    before = len(bpy.data.objects)
    with bpy.context.temp_override(window=window, area=area, region=area.regions[-1]):
        assert preview.shown_people(bpy.context) == []
        bpy.ops.smplify.open_track(filepath=WALK)
        assert preview.shown_people(bpy.context) == [0]
        assert bpy.ops.smplify.view_track() == {"FINISHED"}
        lowest, highest = preview.extent(bpy.context)
        np.testing.assert_allclose(area.spaces.active.region_3d.view_location, (lowest + highest) / 2.0, atol=1e-5)
        area.spaces.active.overlay.show_overlays = False
        assert preview.shown_people(bpy.context) == []
        area.spaces.active.overlay.show_overlays = True
        settings.show_preview = False
        assert preview.shown_people(bpy.context) == []
        assert not bpy.ops.smplify.view_track.poll()
    assert len(bpy.data.objects) == before and len(preview.playbacks()) == 1


@pytest.mark.parametrize("message", [None, "This person is far too tall", "Units are fine; --layout and --fps are too"])
def test_the_options_beside_an_error_do_not_depend_on_its_text(settings, message, monkeypatch):
    with pytest.raises(RuntimeError):
        bpy.ops.smplify.open_track(filepath=WRONG)
    if message is not None:
        monkeypatch.setattr(TRACKS, "error", message)
    assert draw(SMPLIFY_PT_track).props == ["filepath", "units", "show_points"]


def test_people_left_out_are_listed_whatever_the_text(settings, two_people, monkeypatch):
    bpy.ops.smplify.open_track(filepath=two_people, frame_rate="30")
    reading = replace(TRACKS.readings[0], people_left_out=("Nobody could see the third one.",))
    monkeypatch.setattr(TRACKS, "readings", [reading, TRACKS.readings[1]])
    assert "Nobody could see the third one." in draw(SMPLIFY_PT_track).text


@pytest.fixture
def lost(write_people):
    """A folder of one JSON file a frame: person 0 is lost and counted anew as 1; 2 is there all along."""
    return write_people(lambda frame: {0 if frame < 9 else 1: 0.0, 2: 2.0}, num_frames=20)


def test_identities_of_one_person_are_suggested_and_joined(settings, lost):
    bpy.ops.smplify.open_track(filepath=lost, frame_rate="30")
    assert TRACKS.joins == ["0+1"] and len(TRACKS.readings) == 3
    drawn = draw(SMPLIFY_PT_track)
    assert "smplify.join_people" in drawn.operators and "set Join 0+1" in drawn.text
    assert bpy.ops.smplify.join_people(group="0+1") == {"FINISHED"}
    assert [reading.track.person for reading in TRACKS.readings] == ["0+1", "2"]
    assert np.isfinite(TRACKS.readings[0].track.positions).all()
    assert settings.join == "0+1" and "join" in draw(SMPLIFY_PT_track).props and TRACKS.joins == []
    with pytest.raises(RuntimeError, match="correct Join"):
        bpy.ops.smplify.join_people(group="7+2")
    assert state(settings) is TrackState.BAD_FILE and "join" in draw(SMPLIFY_PT_track).props
    bpy.ops.smplify.open_track(filepath=lost, frame_rate="30")
    assert settings.join == "" and len(TRACKS.readings) == 3


def test_a_static_trial_is_given_in_the_box_of_a_marker_file(settings, tmp_path):
    pytest.importorskip("scipy", reason="markers are simulated with SciPy, which Blender's environments do not have")
    from tests.core.reading.test_static_trial import write_trials

    walk, static = write_trials(tmp_path)
    assert bpy.ops.smplify.open_track(filepath=str(walk)) == {"FINISHED"}
    assert "static" in draw(SMPLIFY_PT_track).props
    settings.static = static
    assert bpy.ops.smplify.read_track() == {"FINISHED"}
    assert "L.MedialKnee" in TRACKS.readings[0].matched
    assert bpy.ops.smplify.open_track(filepath=WALK) == {"FINISHED"}
    assert settings.static == "" and "static" not in draw(SMPLIFY_PT_track).props
