"""The steps from a keypoint file to fitted people: who is fitted, with what, progress and cancelling."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from core.body.free_body import load_free_body
from core.convert_options import ConvertOptions
from core.errors import BodyError, FitCancelled
from core.fit import FitOptions, FitReport
from core.motion import Motion
from core.pipeline import fit_people, person_report, read_input
from core.placement import Place
from core.reading import ReadOptions

from .cli.commands import SCENE, save, two_people


def quick_fit(track, body, options, progress):
    """Return a motion of standing still, in the place of a fit."""
    for done in (0, 5, 10):
        if progress(done, 10, "Fitting") is False:
            raise FitCancelled("cancelled")
    num_frames, names = track.num_frames, track.layout.names
    motion = Motion(np.zeros((num_frames, 72)), np.zeros(10), np.zeros((num_frames, 3)), track.fps)
    errors = np.arange(float(num_frames))[:, None].repeat(len(names), axis=1)
    report = FitReport(names, errors, (), motion.betas, 1.7, np.ones(len(names)), 1.0, {}, ())
    return motion if options.fps is None else motion.resampled(options.fps), report


@pytest.fixture
def people(tmp_path) -> Path:
    """A clip of two people, 12 frames each."""
    return two_people(tmp_path / "people")


@pytest.fixture
def options() -> ConvertOptions:
    return ConvertOptions(reading=ReadOptions(fps=30.0, layout="body25"), fit=FitOptions(quality="fast", workers=1))


def test_every_person_is_fitted_with_name_and_source(people, options):
    given = read_input(people, options)
    fitted = fit_people(given, fit=quick_fit)
    assert [(person.name, person.label, person.source.number) for person in fitted] == [
        ("people_3", "3", 0), ("people_7", "7", 1),
    ]  # fmt: skip
    source = fitted[1].source
    assert (source.file, source.reading, source.body, source.betas_file) == (str(people), options.reading, "", "")
    assert source.fit["quality"] == "fast" and "betas" in source.fit
    (chosen,) = fit_people(given, chosen=[1], fit=quick_fit)
    assert chosen.name == "people_7" and chosen.track is given.readings[1].track


def test_a_single_person_is_named_after_the_file(tmp_path):
    (tmp_path / "in").mkdir()
    (person,) = fit_people(read_input(save(tmp_path / "in" / "a.b.npz"), ConvertOptions()), fit=quick_fit)
    assert (person.name, person.label) == ("a.b", "")


def test_progress_is_reported_over_all_people(people, options):
    steps = []
    given = read_input(people, options, lambda share, what: steps.append((share, what)))
    assert steps == [(0.0, "Loading the body"), (0.0, "Reading")]
    steps.clear()
    fit_people(given, lambda share, what: steps.append((share, what)), fit=quick_fit, place=Place(floor=False))
    assert [share for share, what in steps if what == "Fitting"] == [0.0, 0.25, 0.5, 0.5, 0.75, 1.0]
    assert [share for share, what in steps if what == "Finding the floor"] == [0.5, 1.0]


@pytest.mark.parametrize("step", ["Loading the body", "Reading", "Fitting", "Finding the floor"])
def test_each_step_can_be_cancelled(people, options, step):
    def progress(share, what):
        return what != step

    with pytest.raises(FitCancelled):
        fit_people(read_input(people, options, progress), progress, fit=quick_fit, place=Place())


def test_readings_are_not_read_again(people, options):
    readings = read_input(people, options).readings
    steps = []
    again = read_input(Path("gone"), options, lambda share, what: steps.append(what), readings=readings)
    assert again.readings is readings and steps == ["Loading the body"]


def test_betas_and_regressor_are_read(people, options, tmp_path):
    np.save(tmp_path / "betas.npy", SCENE.known_betas())
    body = load_free_body()
    np.save(tmp_path / "regressor.npy", np.full((25, len(body.v_template)), 1.0 / len(body.v_template)))
    files = {name: str(tmp_path / f"{name}.npy") for name in ("betas", "regressor")}
    given = read_input(people, ConvertOptions(reading=options.reading, **files))
    np.testing.assert_array_equal(given.options.betas, SCENE.known_betas())
    assert given.options.regressor.shape == (25, len(body.v_template))
    with pytest.raises(BodyError, match="betas"):
        read_input(people, ConvertOptions(reading=options.reading, betas=files["regressor"]))


def test_people_are_placed_at_the_first_persons_frame_rate(people, options):
    first, second = fit_people(read_input(people, options), fit=quick_fit, place=Place(floor=False))
    assert first.placed.place == second.placed.place == Place(30.0, floor=False)


@pytest.mark.parametrize("fps", [15.0, 30.0, 60.0])
def test_each_motion_frame_has_the_error_of_the_nearest_track_frame(tmp_path, fps):
    (tmp_path / "in").mkdir()
    given = read_input(save(tmp_path / "in" / "walk.npz"), ConvertOptions(fit=FitOptions(fps=fps)))
    (person,) = fit_people(given, fit=quick_fit)
    expected = np.arange(person.motion.num_frames) * 30.0 / fps
    assert np.abs(person.frame_errors_mm() - expected).max() <= 0.5


def test_reports_are_valid_json(people, options):
    (person, _) = fit_people(read_input(people, options), fit=quick_fit)
    report = json.loads(json.dumps(person_report(person, person.motion, ["noted"]), allow_nan=False))
    assert (report["name"], report["label"], report["frames"], report["fps"]) == ("people_3", "3", 12, 30.0)
    assert report["notes"] == [*person.track.notes, "noted"]
