"""Closing and decimating the surface: holes, mirror, symmetric collapse, areas."""

import numpy as np
import pytest

from training.body_asset.decimation import HalfMesh, decimate_half
from training.body_asset.report import mesh_report
from training.body_asset.shape_space import vertex_areas
from training.body_asset.surface import boundary_loops, mirrored, symmetrise

TETRAHEDRON = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [2, 0, 3]])
CORNERS = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])


def half_of_a_ball(rings: int = 9, steps: int = 8) -> tuple[HalfMesh, np.ndarray]:
    """Return the x >= 0 half of a closed ball (z up) with the mirror map of both halves."""
    angle = np.pi * np.arange(1, rings) / rings
    turn = np.pi * np.arange(steps + 1) / steps - np.pi / 2
    grid = np.stack(
        [
            np.outer(np.sin(angle), np.cos(turn)),
            np.outer(np.sin(angle), np.sin(turn)),
            np.outer(np.cos(angle), np.ones_like(turn)),
        ],
        axis=-1,
    )
    grid[:, [0, -1], 0] = 0
    left = np.concatenate([grid.reshape(-1, 3), [[0, 0, 1.0], [0, 0, -1.0]]])
    number = np.arange((rings - 1) * (steps + 1)).reshape(rings - 1, steps + 1)
    top, bottom = len(left) - 2, len(left) - 1
    faces = []
    for ring, step in np.ndindex(rings - 2, steps):
        a, b = number[ring, step], number[ring, step + 1]
        c, d = number[ring + 1, step + 1], number[ring + 1, step]
        faces += [(a, d, c), (a, c, b)]
    faces += [(top, number[0, step], number[0, step + 1]) for step in range(steps)]
    faces += [(bottom, number[-1, step + 1], number[-1, step]) for step in range(steps)]

    off = np.flatnonzero(left[:, 0] > 0)
    mirror = np.arange(len(left) + len(off))
    mirror[off] = len(left) + np.arange(len(off))
    mirror[len(left) :] = off
    vertices = np.concatenate([left, left[off] * [-1, 1, 1]])
    half = HalfMesh(
        faces=np.array(faces),
        vertices=vertices,
        skinning=np.ones((len(vertices), 1)),
        midline=mirror == np.arange(len(mirror)),
        protected=np.zeros(len(vertices), dtype=bool),
        importance=np.ones(len(vertices)),
    )
    return half, mirror


def test_closed_mesh_has_no_holes() -> None:
    assert boundary_loops(TETRAHEDRON) == []


def test_hole_of_a_missing_face_is_that_face() -> None:
    (loop,) = boundary_loops(TETRAHEDRON[1:])
    assert sorted(loop) == [0, 1, 2]
    start = loop.index(0)
    assert loop[start:] + loop[:start] == TETRAHEDRON[0].tolist()


def test_mesh_report_of_a_tetrahedron() -> None:
    numbers = mesh_report(TETRAHEDRON, CORNERS)
    assert (numbers["euler"], numbers["watertight"], numbers["holes"]) == (2, True, 0)
    assert numbers["volume_litres"] == pytest.approx(1000 / 6)
    assert numbers["smallest_face_mm2"] == pytest.approx(0.5e6)


def test_mesh_report_detects_a_hole() -> None:
    assert not mesh_report(TETRAHEDRON[1:], CORNERS)["watertight"]


def test_vertex_areas_add_up_to_the_surface() -> None:
    areas = vertex_areas(CORNERS, TETRAHEDRON)
    assert areas.sum() == pytest.approx(1.5 + np.sqrt(3) / 2)
    assert areas[0] == pytest.approx(0.5)


def test_symmetrise_is_exact() -> None:
    mirror = np.array([1, 0, 2])
    vertices = symmetrise(np.array([[1.0, 2, 3], [-1.2, 2.1, 3], [0.1, 0, 0]]), mirror)
    np.testing.assert_array_equal(vertices[mirror] * [-1, 1, 1], vertices)
    np.testing.assert_allclose(vertices[0], [1.1, 2.05, 3])


@pytest.mark.parametrize("target", [100, 71, 40])
def test_collapse_keeps_a_ball_closed_symmetric_and_round(target: int) -> None:
    half, mirror = half_of_a_ball()
    faces = mirrored(decimate_half(half, target), mirror)
    number = np.unique(faces)
    compact = np.searchsorted(number, faces)
    numbers = mesh_report(compact, half.vertices[number])
    assert (numbers["vertices"], numbers["euler"], numbers["watertight"]) == (target, 2, True)
    assert numbers["faces"] == 2 * target - 4
    assert numbers["volume_litres"] / 1e3 > 0.75 * 4 / 3 * np.pi * 0.9


def test_collapse_keeps_protected_vertices() -> None:
    half, _ = half_of_a_ball()
    kept = np.flatnonzero(~half.midline)[:5]
    half.protected[kept] = True
    assert np.isin(kept, decimate_half(half, 40)).all()


def test_collapse_preserves_important_regions() -> None:
    half, _ = half_of_a_ball()
    upper = half.vertices[:, 2] > 0.05
    even = upper[np.unique(decimate_half(half, 60))].mean()
    half.importance[upper] = 100.0
    assert upper[np.unique(decimate_half(half, 60))].mean() > even + 0.1


def test_unreachable_vertex_count_is_refused() -> None:
    half, _ = half_of_a_ball()
    half.protected[:] = True
    with pytest.raises(ValueError, match="expected to reach 40 vertices"):
        decimate_half(half, 40)
