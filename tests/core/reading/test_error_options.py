"""Test that errors list the options that resolve them in `options`, and that no code depends on message texts."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

import core.reading
from core.errors import AmbiguousTrackError, TrackError
from core.formats.raw import RawRecording
from core.layouts import LAYOUTS
from core.reading import ReadOptions, interpret, read_all

from .conftest import walk_in

ROOT = Path(__file__).resolve().parents[3]
BODY25 = LAYOUTS["body25"]
TORSO_AND_ARMS = ("neck", "mid_hip", "hip", "shoulder", "elbow", "wrist")
MIRROR_X = np.array([-1.0, 1.0, 1.0])

Make = Callable[..., RawRecording]


def person(kind: str, make: Make) -> RawRecording:
    """Return the recording of a walk, or of a person with an ambiguous or missing property."""
    walk = walk_in(BODY25)
    if kind == "unnamed":
        order = np.random.default_rng(2).permutation(len(BODY25.points))
        return make(positions=walk[:, order], names=None, person=kind)
    if kind == "unseen":
        return make(positions=np.full_like(walk, np.nan), person=kind)
    if kind == "half":
        walk[:, [not name.endswith(TORSO_AND_ARMS) for name in BODY25.names]] = np.nan
    if kind == "mirrored":
        walk = walk * MIRROR_X
    return make(positions=walk, person=kind)


@pytest.fixture(params=["as written", "reworded"])
def words(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run the test with the original messages of track errors, and with other ones."""
    if request.param == "reworded":
        plain = TrackError.__init__

        def reworded(error: TrackError, message: str, *, options: tuple[str, ...] = ()) -> None:
            plain(error, "--layout reworded" if "layout" not in options else "reworded", options=options)

        monkeypatch.setattr(TrackError, "__init__", reworded)
    return request.param


@pytest.mark.parametrize(
    ("people", "read", "num_left_out"),
    [
        (("walk", "unnamed"), ["walk"], 1),
        (("unnamed", "walk", "unseen"), ["walk"], 2),
        (("half", "walk"), ["half", "walk"], 0),
        (("walk",), ["walk"], 0),
    ],
)
def test_people_who_cannot_be_interpreted_are_left_out(people, read, num_left_out, words, make_recording, monkeypatch):
    recordings = [person(kind, make_recording) for kind in people]
    monkeypatch.setattr(core.reading, "read_recordings", lambda path: recordings)
    readings = read_all(Path("people.test"))
    assert [reading.track.person for reading in readings] == read
    for reading in readings:
        assert len(reading.people_left_out) == num_left_out
        assert set(reading.people_left_out) <= set(reading.remarks) & set(reading.track.notes)
        assert set(reading.people_left_out) <= set(reading.track.doubts), "so that fits and batches tell it"
        assert ("reworded" in "".join(reading.people_left_out)) == (words == "reworded" and num_left_out > 0)


@pytest.mark.parametrize("people", [("unnamed", "mirrored"), ("mirrored", "unseen", "unnamed")])
def test_every_persons_reason_is_reported_if_all_are_refused(people, make_recording, monkeypatch):
    recordings = [replace(person(kind, make_recording), person=kind) for kind in people]
    alone = []
    for recording in recordings:
        with pytest.raises(TrackError) as caught:
            interpret(recording)
        alone.append(caught.value)
    monkeypatch.setattr(core.reading, "read_recordings", lambda path: recordings)
    with pytest.raises(AmbiguousTrackError, match=f"none among {len(people)}") as caught:
        read_all(Path("people.test"))
    for kind, error in zip(people, alone, strict=True):
        assert f"{kind}: {error}" in str(caught.value)
        assert set(error.options) <= set(caught.value.options)


@pytest.mark.parametrize(
    ("people", "kind", "options"),
    [
        (("unnamed", "unnamed"), AmbiguousTrackError, ("layout", "names")),
        (("half", "half"), AmbiguousTrackError, ("handedness",)),
        (("walk", "mirrored"), AmbiguousTrackError, ("handedness", "swap_sides")),
        (("mirrored",), AmbiguousTrackError, ("handedness", "swap_sides")),
    ],
)
def test_errors_about_several_people_name_the_options_that_help(
    people, kind, options, words, make_recording, monkeypatch
):
    recordings = [person(kind, make_recording) for kind in people]
    monkeypatch.setattr(core.reading, "read_recordings", lambda path: recordings)
    with pytest.raises(kind, match="reworded" if words == "reworded" else "--") as caught:
        read_all(Path("people.test"))
    assert caught.value.options == options


@pytest.mark.parametrize(
    ("changes", "given", "options"),
    [
        ({"fps": None}, {}, ("fps",)),
        ({"positions": 39.37 * walk_in(BODY25)}, {}, ("units",)),
        ({"units": "mm"}, {}, ("units",)),
        ({"units": "furlong"}, {}, ("units",)),
        ({"up_axis": "sideways"}, {}, ("up",)),
        ({"up_axis": "-Y"}, {}, ("up",)),
        ({"layout": "dance99", "names": None}, {}, ("layout", "names")),
        ({"names": None}, {"layout": "smpl24"}, ("layout",)),
        ({"fps": 9000.0}, {}, ("fps", "units")),
        ({"image_space": "pixels"}, {}, ()),
    ],
)
def test_errors_about_one_person_name_the_options_that_help(changes, given, options, make_recording):
    with pytest.raises(TrackError) as caught:
        interpret(make_recording(**changes), ReadOptions(**given))
    assert caught.value.options == options


@pytest.mark.parametrize(
    ("given", "option"),
    [
        ({"layout": "x"}, "layout"),
        ({"units": "x"}, "units"),
        ({"up": "W"}, "up"),
        ({"fps": -1.0}, "fps"),
        ({"names": {"a": "x"}}, "names"),
    ],
)
def test_an_invalid_value_names_its_option(given, option):
    with pytest.raises(TrackError, match=f"--{option}") as caught:
        ReadOptions(**given)
    assert caught.value.options == (option,)


def _options_in(node: ast.expr) -> set[str]:
    """Return the reading options named in the string constants within *node*."""
    names = "|".join(field.name.replace("_", "-") for field in fields(ReadOptions))
    texts = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    return {name.replace("-", "_") for name in re.findall(rf"--({names})\b", " ".join(texts))}


def test_every_track_error_lists_the_options_in_its_message():
    checked = 0
    for path in (ROOT / "core").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Raise) or not isinstance(node.exc, ast.Call):
                continue
            call = node.exc
            if not (isinstance(call.func, ast.Name) and call.func.id.endswith("TrackError")) or not call.args:
                continue
            named = _options_in(call.args[0])
            given = next((keyword.value for keyword in call.keywords if keyword.arg == "options"), None)
            where = f"{path.relative_to(ROOT)}:{node.lineno}"
            assert (given is not None) or not named, f"{where} names {sorted(named)}, but has no options"
            if isinstance(given, ast.Tuple) and all(isinstance(item, ast.Constant) for item in given.elts):
                assert named <= {item.value for item in given.elts}, where
                checked += 1
    assert checked > 10
