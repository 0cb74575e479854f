"""The free body has a texture map: inside the unit square, each face as large as its surface, few faces turned over."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.body.free_body import load_free_body, load_free_body_with_fingers
from core.errors import BodyError


def perimeters(triangles: np.ndarray) -> np.ndarray:
    return np.linalg.norm(triangles - np.roll(triangles, 1, axis=1), axis=2).sum(axis=1)


def test_every_face_has_a_place_of_its_size_in_the_texture():
    body = load_free_body()
    texture = body.texture
    assert texture.shape == (*body.faces.shape, 2) and 0.0 <= texture.min() and texture.max() <= 1.0
    scale = perimeters(texture) / perimeters(body.v_template[body.faces])
    usual = np.median(scale)
    assert scale.max() < 6.0 * usual and scale.min() > usual / 8.0
    first, second = texture[:, 1] - texture[:, 0], texture[:, 2] - texture[:, 0]
    turned_over = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0] <= 0.0
    assert turned_over.sum() < 20


def test_most_corners_share_their_point_with_their_neighbours():
    points = np.unique(load_free_body().texture.reshape(-1, 2), axis=0)
    assert 6890 <= len(points) < 8000


def test_the_body_with_fingers_has_the_same():
    assert load_free_body_with_fingers().texture is load_free_body().texture


def test_a_texture_of_other_faces_is_refused():
    body = load_free_body()
    with pytest.raises(BodyError, match="texture"):
        replace(body, texture=body.texture[:-1])
