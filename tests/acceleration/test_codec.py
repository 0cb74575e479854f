"""What a fit takes and gives, sent as plain values and arrays."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from blender_addon.background.codec import decode, encode
from blender_addon.background.messages import PipeError
from core.errors import TrackError
from core.fit import FitOptions
from core.layouts import LAYOUTS
from core.track import KeypointTrack


def sent(value: object) -> object:
    arrays: list[np.ndarray] = []
    return decode(json.loads(json.dumps(encode(value, arrays))), arrays)


@pytest.mark.parametrize(
    "value",
    [None, True, 3, 0.1, "Zoë", (1, (2.5, "x")), [1, (2,)], {"a": (1,), 2: None}, {"array": 1}, Path("a") / "b.trc"],
)
def test_plain_values_keep_their_types(value):
    got = sent(value)
    assert got == value and type(got) is type(value)


def test_a_number_of_numpy_becomes_a_plain_one():
    assert sent(np.float64(0.1)) == 0.1 and type(sent(np.int32(3))) is int


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_track_arrives_as_it_was(name):
    num_points = len(LAYOUTS[name].points)
    positions = np.random.default_rng(0).normal(size=(5, num_points, 3))
    positions[2, 1] = np.nan
    track = KeypointTrack(
        positions, np.ones((5, num_points)), 29.97, LAYOUTS[name], person="P1", source=Path("a.trc"), notes=("one",),
        left_out=np.arange(5 * num_points).reshape(5, num_points) % 7 == 0,
    )  # fmt: skip
    got = sent(track)
    np.testing.assert_array_equal(got.positions, track.positions)
    np.testing.assert_array_equal(got.confidence, track.confidence)
    np.testing.assert_array_equal(got.left_out, track.left_out)
    for field in fields(track):
        if field.name not in ("positions", "confidence", "left_out"):
            assert getattr(got, field.name) == getattr(track, field.name), field.name


def test_options_arrive_as_they_were():
    got = sent(FitOptions(betas=np.arange(10.0), device="cuda", smoothing=0.5))
    np.testing.assert_array_equal(got.betas, np.arange(10.0))
    assert (got.device, got.smoothing, got.regressor) == ("cuda", 0.5, None)


def test_what_cannot_be_sent_is_named():
    with pytest.raises(TypeError, match="module"):
        encode((1, json), [])


@pytest.mark.parametrize(
    "plain",
    [
        [1],
        {},
        {"array": 5},
        {"unknown": 1},
        {"array": "x"},
        {"list": 5},
        {"dict": [[1]]},
        {"dict": [[{"list": []}, 1]]},
        {"path": 5},
        {"core": "fit.options.FitOptions", "fields": []},
        {"core": "fit.options.FitOptions", "fields": {"betas": {"list": [{"dict": 1}]}}},
        {"core": "os.system", "fields": {}},
        {"core": "files.Path", "fields": {}},
        {"core": "..jobs.Job", "fields": {}},
        {"core": "nowhere.Thing", "fields": {}},
        {"core": "errors.TrackError", "fields": {}},
        {"core": "fit.options.FitOptions", "fields": {"no_such_field": 1}},
    ],
)
def test_what_is_no_value_is_refused(plain):
    with pytest.raises(PipeError, match="expected"):
        decode(plain, [])


def test_a_dataclass_checks_what_it_is_given():
    arrays: list[np.ndarray] = []
    track = KeypointTrack(np.zeros((2, 17, 3)), np.ones((2, 17)), 30.0, LAYOUTS["coco17"])
    plain = encode(track, arrays)
    with pytest.raises(TrackError, match=r"\(frames, 17, 3\)"):
        decode(plain, [array[:, :3] for array in arrays])
