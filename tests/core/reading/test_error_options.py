"""What an error advises to give is a field of it: what is done depends on that, and never on the message's words."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import fields
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
    """Return the recording of a walk, or of somebody of whom something cannot be told."""
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
    """The words of all errors about tracks."""
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
def test_who_of_several_people_is_read(people, read, num_left_out, words, make_recording, monkeypatch):
    recordings = [person(kind, make_recording) for kind in people]
    monkeypatch.setattr(core.reading, "read_recordings", lambda path: recordings)
    readings = read_all(Path("people.test"))
    assert [reading.track.person for reading in readings] == read
    for reading in readings:
        assert len(reading.people_left_out) == num_left_out
        assert set(reading.people_left_out) <= set(reading.remarks) & set(reading.track.notes)
        assert ("reworded" in "".join(reading.people_left_out)) == (words == "reworded" and num_left_out > 0)


@pytest.mark.parametrize(
    ("people", "kind", "options"),
    [
        (("unnamed", "unnamed"), AmbiguousTrackError, ("layout",)),
        (("half", "half"), AmbiguousTrackError, ("handedness",)),
        (("walk", "mirrored"), AmbiguousTrackError, ("handedness", "swap_sides")),
        (("mirrored",), AmbiguousTrackError, ("handedness", "swap_sides")),
    ],
)
def test_what_an_error_advises_to_give(people, kind, options, words, make_recording, monkeypatch):
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
        ({"layout": "dance99", "names": None}, {}, ("layout",)),
        ({"names": None}, {"layout": "smpl24"}, ("layout",)),
        ({"fps": 9000.0}, {}, ("fps", "units")),
        ({"image_space": "pixels"}, {}, ()),
    ],
)
def test_what_an_error_about_one_person_advises_to_give(changes, given, options, make_recording):
    with pytest.raises(TrackError) as caught:
        interpret(make_recording(**changes), ReadOptions(**given))
    assert caught.value.options == options


@pytest.mark.parametrize(
    ("given", "option"),
    [({"layout": "x"}, "layout"), ({"units": "x"}, "units"), ({"up": "W"}, "up"), ({"fps": -1.0}, "fps")],
)
def test_a_value_that_no_option_has_names_the_option(given, option):
    with pytest.raises(TrackError, match=f"--{option}") as caught:
        ReadOptions(**given)
    assert caught.value.options == (option,)


def _options_in(node: ast.expr) -> set[str]:
    """Return the reading options that the constant text within *node* names."""
    names = "|".join(field.name.replace("_", "-") for field in fields(ReadOptions))
    texts = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    return {name.replace("-", "_") for name in re.findall(rf"--({names})\b", " ".join(texts))}


def test_every_error_about_a_track_has_the_options_that_its_text_names():
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
