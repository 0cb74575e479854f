"""Motions are made ready for the scene where no window waits for it, and long ones are put into it in a moment."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

from blender_addon.figure.create import FigureOptions, add_figures  # noqa: E402
from blender_addon.figure.record import load  # noqa: E402
from blender_addon.fit.settings import fit_job  # noqa: E402
from blender_addon.result import live_settings  # noqa: E402
from blender_addon.result.show import show  # noqa: E402
from core.fit import FitReport, Flag  # noqa: E402
from core.layouts import LAYOUTS  # noqa: E402
from core.pipeline import FittedPerson  # noqa: E402
from core.placement import Person, Place, place_motion  # noqa: E402
from core.track import KeypointTrack  # noqa: E402
from training.samples.motion import sample_motion  # noqa: E402


@pytest.fixture(scope="module")
def walk():
    return sample_motion()


@pytest.mark.parametrize("place", [Place(60.0), Place(24.0), Place(60.0, floor=False)])
def test_placing_ahead_gives_the_same_motion(place, scene, walk, body):
    scene.render.fps = round(place.rate)
    bpy.data.objects.new("other", None).animation_data_create().action = bpy.data.actions.new("other")
    person = Person("walk", walk, body)
    ready = replace(person, placed=place_motion(person, place))
    first, second = (
        add_figures([one], scene, name="walk", options=FigureOptions(floor=place.floor))[0] for one in (person, ready)
    )
    assert second.motion is ready.placed.motion
    assert (second.source is not None) == place.floor
    np.testing.assert_array_equal(first.motion.trans, second.motion.trans)
    np.testing.assert_array_equal(first.motion.poses, second.motion.poses)


@pytest.mark.main_blender
def test_a_placement_for_another_scene_is_recomputed(walk, body):
    person = Person("walk", walk, body)
    ready = replace(person, placed=place_motion(person, Place(None)))
    assert ready.placed_at(Place(60.0)) is ready.placed
    assert ready.placed_at(Place(60.0 * (1.0 + 1e-6))) is ready.placed
    assert ready.placed_at(Place(24.0)).motion.fps == 24.0
    assert ready.placed_at(Place(60.0, floor=False)).motion.trans[0, 1] == walk.trans[0, 1]


@pytest.mark.main_blender
def test_unobserved_legs_do_not_define_the_floor(walk, body):
    flags = [Flag("held", f"{side} leg", 0, walk.num_frames - 1) for side in ("left", "right")]
    person = Person("walk", walk, body, tuple(flags), walk.fps)
    assert place_motion(replace(person, flags=()), Place()).source.contacts
    placed = place_motion(person, Place())
    assert not placed.source.contacts and placed.source.lowest_height_m == pytest.approx(0.0, abs=1e-6)


@pytest.mark.main_blender
def test_the_fit_places_people_for_the_scene(addon, write_track, tmp_path):
    bpy.ops.smplify.open_track(filepath=str(write_track(tmp_path / "walk.npz")))
    steps = []
    fitted = fit_job(bpy.context).run(lambda share, what: steps.append((share, what)) or True)
    assert steps[-1] == (1.0, "Finding the floor")
    figure = show(fitted, "walk")[0]
    assert figure.motion is fitted[0].placed.motion
    assert live_settings._source(figure.armature, load(figure.armature)) is fitted[0].placed.source
    addon.render.fps = 24
    again = fit_job(bpy.context).run(lambda share, what: True)
    assert again[0].placed.motion.fps == pytest.approx(24.0), "the scene is animated now: it keeps its rate"


def test_10000_frames_are_added_and_adjusted_fast_enough(addon, make_motion, body):
    """Processor time of the main thread; a fifth of what is allowed here is usual."""
    num_frames = 10_000
    motion = make_motion(num_frames)
    errors = np.random.default_rng(0).uniform(1.0, 30.0, (num_frames, 25))
    names = tuple(point.name for point in LAYOUTS["body25"].points)
    report = FitReport(names, errors, (), motion.betas, 1.75, np.ones(25), 10.0, {}, ())
    track = KeypointTrack(np.zeros((num_frames, 25, 3)), np.ones((num_frames, 25)), motion.fps, LAYOUTS["body25"])
    person = FittedPerson("long", motion, body, track_fps=motion.fps, track=track, report=report)
    person = replace(person, placed=place_motion(person, Place()))
    started = time.process_time()
    figure = show([person], "long")[0]
    assert time.process_time() - started < 3.0
    for name, value in (("height_m", 0.2), ("smoothing", 0.5), ("foot_lock", 1.0), ("root", "treadmill")):
        started = time.process_time()
        setattr(figure.armature.smplify, name, value)
        assert time.process_time() - started < 2.0, name
    assert len(figure.armature["smplify_record"]) < 5_000_000
