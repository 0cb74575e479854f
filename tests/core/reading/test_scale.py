"""A file whose scale is wrong is settled by the person's height."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from core.body.free_body import load_free_body
from core.body.landmarks import landmark_regressor
from core.convert_options import ConvertOptions
from core.errors import AmbiguousTrackError, TrackError
from core.fit import FitOptions
from core.layouts import LAYOUTS
from core.pipeline import fit_file
from core.reading import ReadOptions, read_all
from core.reading.anatomy import figure_of, stature
from core.reading.options import OWN_UNIT, unit_in_metres
from tests.conftest import REPOSITORY
from tests.core.formats.track_writers import trc_text

NUM_FRAMES = 40


@pytest.fixture(scope="module")
def walk():
    """The sample walk: positions (F, K, 3) in metres, and names."""
    (reading,) = read_all(REPOSITORY / "samples" / "walk.trc")
    return reading.track.positions[:NUM_FRAMES], reading.track.layout.names


@pytest.fixture
def scaled(walk, tmp_path):
    """A writer of the walk as calibrated with a wrong scale, in a file that states millimetres."""

    def write(factor: float) -> Path:
        positions, names = walk
        seen = np.isfinite(positions).all((0, 2))
        path = tmp_path / "walk.trc"
        columns = [name for name, is_seen in zip(names, seen, strict=True) if is_seen]
        path.write_text(trc_text(1000.0 * factor * positions[:, seen], columns, fps=60.0, units="mm"))
        return path

    return write


@pytest.mark.parametrize("factor", [3.1, 0.2])
def test_the_height_of_the_person_settles_a_wrong_scale(scaled, walk, factor):
    path = scaled(factor)
    with pytest.raises(AmbiguousTrackError, match="--stature with the person's height") as caught:
        read_all(path)
    assert caught.value.options == ("units", "stature")
    (reading,) = read_all(path, ReadOptions(stature=1.77))
    assert reading.finding("units").value == "own" and "the file states mm" in reading.doubts[0]
    found = reading.track.positions[:, np.isfinite(reading.track.positions).all((0, 2))]
    expected = walk[0][:, np.isfinite(walk[0]).all((0, 2))]
    ratio = np.linalg.norm(found - found.mean()) / np.linalg.norm(expected - expected.mean())
    assert ratio == pytest.approx(1.0, abs=0.02)


def test_the_fitted_person_is_as_tall_as_given(scaled):
    options = ConvertOptions(reading=ReadOptions(stature=1.60), fit=FitOptions(quality="fast"))
    (person,) = fit_file(scaled(3.1), options)
    assert person.report.stature_m == pytest.approx(1.60, rel=0.03)


@pytest.mark.parametrize("name", ["body25", "coco17", "halpe26", "h36m17", "smpl22", "markers"])
def test_the_person_is_as_tall_as_given(name):
    layout, body, rng = LAYOUTS[name], load_free_body(), np.random.default_rng(0)
    regressor = landmark_regressor(body, tuple(point.solver for point in layout.points))
    heights = []
    for _ in range(30):
        vertices = body.v_template + body.shapedirs @ rng.normal(0.0, 1.0, 10)
        bones = stature(figure_of(layout, (regressor @ vertices)[None]))
        heights.append(unit_in_metres(OWN_UNIT, bones, 1.80) * np.ptp(vertices[:, 1]))
    assert np.mean(heights) == pytest.approx(1.80, abs=0.005) and np.std(heights) < 0.025


@pytest.mark.parametrize("factor", [1.35, 0.6])
def test_a_scale_that_gives_an_unusual_person_is_doubted(scaled, factor):
    (reading,) = read_all(scaled(factor))
    assert "give --stature with the person's height if the scale is wrong" in " ".join(reading.doubts)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"stature": 17.7}, "0.5 to 2.5"),
        ({"stature": 1.7, "units": "mm"}, "got both"),
        ({"stature": "1.80,165"}, "got 1.80,165; give"),
        ({"stature": "tall"}, "got tall"),
        ({"stature": ""}, "0.5 to 2.5"),
        ({"stature": (1.8, 1.6), "units": "mm"}, "got both"),
    ],
)
def test_heights_that_cannot_be_are_refused(options, text):
    with pytest.raises(TrackError, match=text) as caught:
        ReadOptions(**options)
    assert "stature" in caught.value.options


def test_outputs_of_earlier_versions_still_count_as_done():
    assert "stature" not in ConvertOptions().as_dict()["reading"]
    given = ConvertOptions(reading=ReadOptions(stature=1.8))
    assert ConvertOptions.from_dict(given.as_dict()).reading.stature == 1.8


@pytest.fixture
def two_people(walk, tmp_path):
    """A file of two people, the second 0.9 times as tall, in a unit that makes nobody a person."""
    positions = np.nan_to_num(walk[0])
    people = 7.0 * np.stack([positions, 0.9 * positions + [3.0, 0.0, 0.0]])
    seen = np.isfinite(walk[0]).all(-1).astype(float)
    path = tmp_path / "two.npz"
    np.savez(path, positions=people, confidence=np.stack([seen, seen]), names=walk[1], fps=60.0)
    return path


def test_each_person_has_a_height(two_people):
    one, other = (reading.stature_m for reading in read_all(two_people, ReadOptions(stature="1.80, 1.65")))
    assert other / one == pytest.approx(1.65 / 1.80)
    (alone,) = read_all(two_people, ReadOptions(stature=1.65, person="2"))
    assert alone.stature_m == pytest.approx(other) and not any("people" in doubt for doubt in alone.doubts)
    given = ConvertOptions(reading=ReadOptions(stature=(1.8, 1.65)))
    again = ConvertOptions.from_dict(json.loads(json.dumps(given.as_dict())))
    assert again.reading == given.reading == ReadOptions(stature=[1.8, 1.65])


def test_one_height_for_several_people_is_doubted(two_people):
    for reading in read_all(two_people, ReadOptions(stature=1.7)):
        (doubt,) = [doubt for doubt in reading.track.doubts if "each of the 2 people is scaled to 1.70 m" in doubt]
        assert doubt in reading.doubts and f"Doubt: {doubt}." in reading.track.notes


@pytest.mark.parametrize(("options", "people"), [({"person": "1"}, "1 person"), ({}, "2 people")])
def test_other_heights_than_people_are_refused(two_people, options, people):
    with pytest.raises(TrackError, match=f"one for each of the {people} .* got 3; give as many") as caught:
        read_all(two_people, ReadOptions(stature="1.8,1.7,1.6", **options))
    assert caught.value.options == ("stature",)


def test_the_shared_file_with_a_wrong_scale(shared_dir):
    path = shared_dir / "data" / "cases" / "45_freemocap_wrong_scale.csv"
    (reading,) = read_all(path, ReadOptions(fps=60.0, stature=1.75))
    assert reading.stature_m == pytest.approx(1.75, rel=0.03)
