"""The points of a track that the solver uses, and errors for missing ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.body.free_body import load_free_body
from core.body.landmarks import landmark_regressor
from core.errors import BodyError, TrackError
from core.fit.observations import body_regressor, layout_points, solver_points
from core.layouts import BODY25, COCO17, LAYOUTS, MEDIAPIPE33, WHOLEBODY133
from core.track import KeypointTrack


def _track(layout=BODY25, num_frames=4, **more) -> KeypointTrack:
    generator = np.random.default_rng(0)
    shape = (num_frames, len(layout.points))
    return KeypointTrack(generator.normal(size=(*shape, 3)), generator.uniform(0.1, 1.0, shape), 30.0, layout, **more)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=lambda layout: layout.name)
def test_points_with_a_solver_point_are_selected(layout):
    track = _track(layout)
    points = solver_points(track)
    for number, name in enumerate(points.names):
        column = layout.solver_index[name]
        np.testing.assert_array_equal(points.positions[:, number], track.positions[:, column])
        assert points.trust[number] == layout.points[column].weight
        np.testing.assert_allclose(points.weights[:, number], track.confidence[:, column] * points.trust[number])
    assert set(points.names) == set(layout.solver_index)


def test_an_empty_set_has_the_layouts_points():
    empty = layout_points(WHOLEBODY133).empty()
    assert empty.positions.shape == (0, len(empty.names), 3) and empty.weights.shape == (0, len(empty.names))


@pytest.mark.parametrize("gone", [("left_hip",), ("left_hip", "right_shoulder")])
def test_missing_hips_or_shoulders_are_an_error(gone):
    track = _track(source=Path("walk.trc"))
    confidence = track.confidence.copy()
    confidence[:, [BODY25.names.index(name) for name in gone]] = 0.0
    with pytest.raises(TrackError) as caught:
        solver_points(KeypointTrack(track.positions, confidence, 30.0, BODY25, source=track.source))
    message = str(caught.value)
    for word in (*gone, "never", "--layout", "body25", "walk.trc"):
        assert word in message
    assert "right_hip" not in message and "--person" not in message
    with pytest.raises(TrackError, match="of person Ann in walk.trc.*--person"):
        solver_points(KeypointTrack(track.positions, confidence, 30.0, BODY25, person="Ann", source=track.source))


def test_one_frame_with_hips_and_shoulders_is_enough():
    confidence = np.zeros((4, len(COCO17.points)))
    confidence[2] = 1.0
    points = solver_points(KeypointTrack(_track(COCO17).positions, confidence, 30.0, COCO17))
    assert (points.weights.any(axis=1) == [False, False, True, False]).all()


def test_hips_and_shoulders_never_seen_together_are_an_error():
    confidence = np.zeros((4, len(COCO17.points)))
    confidence[:2, [COCO17.names.index(f"{side}_hip") for side in ("left", "right")]] = 1.0
    confidence[2:, [COCO17.names.index(f"{side}_shoulder") for side in ("left", "right")]] = 1.0
    with pytest.raises(TrackError, match="together.*--layout"):
        solver_points(KeypointTrack(_track(COCO17).positions, confidence, 30.0, COCO17))


def test_built_in_and_custom_regressor():
    body = load_free_body()
    names = layout_points(MEDIAPIPE33).names
    rule = body_regressor(MEDIAPIPE33, body, None)
    np.testing.assert_array_equal(rule, landmark_regressor(body, names))
    given = np.full((len(MEDIAPIPE33.points), len(body.v_template)), 7.0)
    given[[MEDIAPIPE33.solver_index[name] for name in names]] = rule
    np.testing.assert_array_equal(body_regressor(MEDIAPIPE33, body, given), rule)


@pytest.mark.parametrize("shape", [(24, 6890), (25, 6889), (25,), (26, 6890)])
def test_a_regressor_of_another_shape_is_an_error(shape):
    with pytest.raises(BodyError, match=r"\(25, 6890\).*body25.*one row for each point"):
        body_regressor(BODY25, load_free_body(), np.zeros(shape))


def test_a_regressor_that_is_not_finite_is_an_error():
    regressor = landmark_regressor(load_free_body(), layout_points(BODY25).names)
    regressor[3, 5] = np.nan
    with pytest.raises(BodyError, match="finite"):
        body_regressor(BODY25, load_free_body(), regressor)
