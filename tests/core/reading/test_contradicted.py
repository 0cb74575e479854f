"""A point whose place contradicts the detected layout is left out, with a doubt, and not fitted to a wrong place."""

from __future__ import annotations

import numpy as np
import pytest

from core.layouts import LAYOUTS
from core.reading import ReadOptions, interpret
from core.reading.choose_layout import recognise

from .conftest import walk_in

PLACES = {name: index for index, name in enumerate(LAYOUTS["named"].names)}


def _at(point: str) -> np.ndarray:
    return walk_in(LAYOUTS["named"])[:, PLACES[point]]


def _walk(layout: str, **moved: np.ndarray) -> np.ndarray:
    """Return the walk in *layout* with the points *moved* elsewhere, by the layout's names."""
    points = walk_in(LAYOUTS[layout])
    for name, place in moved.items():
        points[:, LAYOUTS[layout].names.index(name)] = place
    return points


@pytest.mark.parametrize(
    ("layout", "point", "really", "named", "doubt"),
    [
        ("smpl22", "head", "head_top", True, "not the head's joint, as in smpl22"),
        ("skeleton", "head", "head_top", True, "not the head's joint"),
        ("halpe26", "head", "head", True, "not the top of the head"),
        ("lsp14", "neck", "nose", False, "not the middle of the shoulders, as in lsp14"),
        ("h36m17", "neck_nose", "neck", False, "not the nose, as in h36m17"),
    ],
)
def test_a_point_at_another_place_is_left_out(layout, point, really, named, doubt, make_recording):
    names = LAYOUTS[layout].names
    positions = _walk(layout, **{point: _at(really)})
    recording = make_recording(layout, positions=positions, names=names if named else None)
    reading = interpret(recording)
    column = names.index(point)
    label = point if named else f"point {column}"
    assert reading.track.layout.name == layout
    assert len(reading.doubts) == 1
    assert reading.doubts[0].startswith(f"{label} is left out: ")
    assert doubt in reading.doubts[0]
    assert not reading.track.confidence[:, column].any()
    assert label in reading.ignored
    rest = np.arange(len(names)) != column
    np.testing.assert_allclose(reading.track.positions[:, rest], positions[:, rest], atol=1e-9)
    assert recognise(recording, ReadOptions()).names.points[column].body_point is None


def test_the_top_of_the_head_is_the_point_that_is_named_so(make_recording):
    layout = LAYOUTS["halpe26"]
    names = ["head_top" if name == "head" else name for name in layout.names] + ["head"]
    positions = np.concatenate([walk_in(layout), _at("head")[:, None]], axis=1)
    reading = interpret(make_recording(positions=positions, names=tuple(names)))
    assert (reading.track.layout.name, reading.ignored, reading.doubts) == ("halpe26", ("head",), ())
    np.testing.assert_allclose(reading.track.positions[:, 17], _at("head_top"), atol=1e-9)
    names = [*LAYOUTS["smpl22"].names[:15], "head_top", *LAYOUTS["smpl22"].names[16:]]
    reading = interpret(make_recording("smpl22", positions=_walk("smpl22", head=_at("head_top")), names=tuple(names)))
    assert reading.track.layout.name == "smpl22"
    assert (reading.ignored, reading.doubts) == (("head_top",), ())


def test_a_given_layout_is_trusted(make_recording):
    recording = make_recording("smpl22", positions=_walk("smpl22", head=_at("head_top")))
    reading = interpret(recording, ReadOptions(layout="smpl22"))
    assert not reading.doubts
    np.testing.assert_allclose(reading.track.positions[:, 15], _at("head_top"), atol=1e-9)


def test_left_and_right_at_one_place_are_left_out(make_recording):
    middle = _at("mid_shoulder")
    points = _walk("smpl24", left_collar=middle, right_collar=middle)
    reading = interpret(make_recording("smpl24", positions=points))
    assert reading.doubts == ("left_collar and right_collar are left out: they are at the same place",)
    assert reading.ignored == ("left_collar", "right_collar")


@pytest.mark.parametrize("layout", [name for name in LAYOUTS if name != "named" and not name.startswith("markers")])
def test_no_layouts_own_points_contradict_it(layout, make_recording):
    reading = interpret(make_recording(layout, names=None))
    assert reading.track.layout.name == layout
    assert not reading.finding("layout").doubts
