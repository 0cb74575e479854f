"""The meshes of bodies in SMPL format, and the named vertices of each. Data, no logic."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ..smpl_skeleton import NUM_VERTICES, VERTEX_IDS

NUM_SMPLX_VERTICES = 10475

SMPLX_VERTEX_IDS: dict[str, int] = {
    "nose": 9120,
    "right_eye": 9929,
    "left_eye": 9448,
    "right_ear": 616,
    "left_ear": 6,
    "left_big_toe": 5770,
    "left_small_toe": 5780,
    "left_heel": 8846,
    "right_big_toe": 8463,
    "right_small_toe": 8474,
    "right_heel": 8635,
    "left_thumb_tip": 5361,
    "left_index_tip": 4933,
    "left_middle_tip": 5058,
    "left_ring_tip": 5169,
    "left_pinky_tip": 5286,
    "right_thumb_tip": 8079,
    "right_index_tip": 7669,
    "right_middle_tip": 7794,
    "right_ring_tip": 7905,
    "right_pinky_tip": 8022,
}
"""Named vertices of the SMPL-X mesh (the ids that smplx uses)."""

VERTEX_IDS_BY_COUNT: Mapping[int, Mapping[str, int]] = MappingProxyType(
    {NUM_VERTICES: VERTEX_IDS, NUM_SMPLX_VERTICES: SMPLX_VERTEX_IDS}
)
"""The named vertices of a mesh, by its number of vertices: SMPL's (and SMPL-H's), SMPL-X's."""
