"""What the preview shows at a time, and the marks it draws."""

from __future__ import annotations

import numpy as np
import pytest

from blender_addon.track.playback import NEVER, Playback, Side, last_seen
from blender_addon.track.viewport_markers import CORNERS, View, disc_triangles, ring_lines
from core.layouts import COCO17
from core.track import KeypointTrack

pytestmark = pytest.mark.main_blender


def track_of(num_frames: int = 5, fps: float = 10.0) -> KeypointTrack:
    """Point k of frame f lies at (f, k, 0); point 0 is seen in frames 1 and 2 only, point 1 never."""
    positions = np.zeros((num_frames, 17, 3))
    positions[..., 0] = np.arange(num_frames)[:, None]
    positions[..., 1] = np.arange(17)
    confidence = np.ones((num_frames, 17))
    confidence[:, 0] = [0.0, 1.0, 1.0, 0.0, 0.0]
    confidence[:, 1] = 0.0
    return KeypointTrack(positions, confidence, fps, COCO17)


def test_the_frame_of_the_last_observation_by_point():
    seen = np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0], [1, 1, 0]], dtype=bool)
    expected = [[1, 0, NEVER], [1, 0, NEVER], [1, 0, NEVER], [3, 3, NEVER]]
    np.testing.assert_array_equal(last_seen(seen), expected)


def test_playback_maps_time_to_frames_and_clamps_at_the_ends():
    playback = Playback(track_of())
    assert [playback.frame_at(time) for time in (-3.0, 0.0, 0.04, 0.06, 0.3, 9.0)] == [0, 0, 0, 1, 3, 4]


def test_a_missing_point_stays_at_its_last_observed_position():
    playback = Playback(track_of())
    for time, x, seen in ((0.0, 1.0, False), (0.2, 2.0, True), (0.4, 2.0, False)):
        pose = playback.pose_at(time)
        assert (pose.positions[0, 0], bool(pose.seen[0])) == (x, seen)
        assert not pose.known[1] and pose.known[[0, 2, 16]].all()
    np.testing.assert_allclose(playback.pose_at(0.3).positions[5], (3.0, 0.0, 5.0))  # Y up becomes Z up


def test_sides_and_extent_of_a_track():
    playback = Playback(track_of())
    index = COCO17.names.index
    assert playback.sides[index("left_knee")] == Side.LEFT and playback.sides[index("right_ear")] == Side.RIGHT
    assert playback.sides[index("nose")] == Side.MIDDLE
    lowest, highest = playback.extent()
    np.testing.assert_allclose((lowest, highest), ((0.0, 0.0, 0.0), (4.0, 0.0, 16.0)))


def perspective(distance: float, focal: float = 2.0, width_px: int = 800) -> View:
    """A viewer on +Z looking at the origin."""
    view = np.eye(4)
    view[2, 3] = -distance
    window = np.array([[focal, 0, 0, 0], [0, focal, 0, 0], [0, 0, -1.0, -0.2], [0, 0, -1.0, 0]])
    return View(view, window, width_px)


def test_markers_keep_their_size_on_the_screen():
    points = np.array([[0.0, 0.0, 0.0], [1.0, -1.0, -5.0]])
    view = perspective(10.0)
    circles = view.circles(points, 6.0)
    assert circles.shape == (2, CORNERS, 3)
    clip = view.window @ view.view
    for point, circle in zip(points, circles, strict=True):
        at, around = (np.append(spot, 1.0) @ clip.T for spot in (point, circle[0]))
        across = (around[0] / around[3] - at[0] / at[3]) * view.width_px / 2.0
        np.testing.assert_allclose(across, 6.0, rtol=1e-9)
    np.testing.assert_allclose(circles.mean(axis=1), points, atol=1e-12)


def test_triangles_fill_and_lines_outline_the_circle():
    circle = perspective(10.0).circles(np.zeros((1, 3)), 5.0)
    corners = disc_triangles(circle).reshape(-1, 3, 3)
    area = 0.5 * np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=-1).sum()
    radius = np.linalg.norm(circle[0, 0])
    np.testing.assert_allclose(area, 0.5 * CORNERS * np.sin(2.0 * np.pi / CORNERS) * radius**2)
    lines = ring_lines(circle).reshape(-1, 2, 3)
    np.testing.assert_allclose(lines[:, 1], np.roll(lines[:, 0], -1, axis=0))
    assert disc_triangles(np.empty((0, CORNERS, 3))).shape == (0, 3) == ring_lines(np.empty((0, CORNERS, 3))).shape
