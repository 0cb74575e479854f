"""Build the closed, symmetric surface: cavities removed, holes capped, decimated to SMPL's vertex count."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from core.smpl_skeleton import JOINT_INDEX, NUM_VERTICES, VERTEX_IDS

from .decimation import HalfMesh, decimate_half
from .landmarks import find_left_landmarks
from .makehuman import MakeHuman

_CAVITY_ISLANDS = {398: 1, 293: 2}
"""Number of texture islands by face count: the mouth cavity and the two eye sockets."""
_FACE_IMPORTANCE = 10.0
"""Cost factor of the head's surface, to keep small facial features."""
_EYELID_IMPORTANCE, _EYELID_WIDTH = 60.0, 0.012
"""Additional cost around the eyelids, within this distance of the rim, metres."""
NUM_BODY_VERTICES = 13380
"""Number of vertices in the group "body"; the helpers follow."""


@dataclass(frozen=True)
class Surface:
    """The final mesh. V = 6890.

    Attributes:
        source: (V,) MakeHuman vertex of each vertex.
        faces: (F, 3) triangles.
        mirror: (V,) mirror vertex of each vertex.
    """

    source: np.ndarray
    faces: np.ndarray
    mirror: np.ndarray


def symmetrise(vertices: np.ndarray, mirror: np.ndarray) -> np.ndarray:
    """Return *vertices* (..., V, 3) averaged with their mirror image, exactly symmetric."""
    image = vertices[..., mirror, :] * np.array([-1, 1, 1], dtype=vertices.dtype)
    return np.asarray((vertices + image) / 2)


def outer_quads(human: MakeHuman) -> np.ndarray:
    """Return the body's quads (N, 4) without mouth, eye sockets and nipple detail."""
    quads, corners = human.quads["body"], human.body_uv
    edges = np.concatenate([corners[:, [i, i + 1]] for i in range(3)])
    size = corners.max() + 1
    graph = sp.coo_matrix((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(size, size))
    island = sp.csgraph.connected_components(graph, directed=False)[1][corners[:, 0]]
    names, counts = np.unique(island, return_counts=True)
    found = {size: int((counts == size).sum()) for size in _CAVITY_ISLANDS}
    if found != _CAVITY_ISLANDS:
        raise ValueError(f"expected texture islands {_CAVITY_ISLANDS} (faces: how many); found {found}")
    cavity = np.isin(island, names[np.isin(counts, list(_CAVITY_ISLANDS))])
    nipple = np.isin(quads, human.target_vertices("breast/nipple-point-incr")).any(1)
    return np.asarray(quads[~cavity & ~nipple])


def _half_triangles(quads: np.ndarray, vertices: np.ndarray) -> np.ndarray:
    """Split the quads of the x >= 0 half along their shorter diagonal (no quad crosses the midline)."""
    left = quads[vertices[quads, 0].mean(1) > 0]
    a, b, c, d = left.T
    first = np.linalg.norm(vertices[a] - vertices[c], axis=1) <= np.linalg.norm(vertices[b] - vertices[d], axis=1)
    upper = np.where(first[:, None], np.stack([a, b, c], 1), np.stack([a, b, d], 1))
    lower = np.where(first[:, None], np.stack([a, c, d], 1), np.stack([b, c, d], 1))
    return np.stack([upper, lower], axis=1).reshape(-1, 3)


def mirrored(faces: np.ndarray, mirror: np.ndarray) -> np.ndarray:
    """Return the half's *faces* with their mirror images."""
    return np.concatenate([faces, mirror[faces][:, ::-1]])


def boundary_loops(faces: np.ndarray) -> list[list[int]]:
    """Return the holes of a triangle mesh, each a vertex loop oriented as the missing faces would be."""
    edges = {(int(face[i]), int(face[(i + 1) % 3])) for face in faces for i in range(3)}
    following = {b: a for a, b in sorted(edges) if (b, a) not in edges}
    loops = []
    while following:
        start = min(following)
        loop, vertex = [start], following.pop(start)
        while vertex != start:
            loop.append(vertex)
            vertex = following.pop(vertex)
        loops.append(loop)
    return loops


def _fill(loop: list[int], vertices: np.ndarray) -> np.ndarray:
    """Fill a loop by ear clipping, shortest new edge first."""
    loop = list(loop)
    triangles = []
    while len(loop) > 3:
        spans = [np.linalg.norm(vertices[loop[i - 1]] - vertices[loop[(i + 1) % len(loop)]]) for i in range(len(loop))]
        ear = int(np.argmin(spans))
        triangles.append((loop[ear - 1], loop[ear], loop[(ear + 1) % len(loop)]))
        del loop[ear]
    return np.array([*triangles, tuple(loop)])


def _left_part(loop: list[int], vertices: np.ndarray, mirror: np.ndarray) -> list[int]:
    """Return the x >= 0 part of a loop that crosses the midline twice, closed by its chord on the midline."""
    first, second = (i for i, vertex in enumerate(loop) if mirror[vertex] == vertex)
    part = loop[first : second + 1]
    return part if vertices[part, 0].mean() > 0 else loop[second:] + loop[: first + 1]


def _cap(half: np.ndarray, vertices: np.ndarray, mirror: np.ndarray) -> tuple[list[np.ndarray], list[list[int]]]:
    """Return the triangles that close the left half's holes, and the closed loops off the midline."""
    caps, side_loops = [], []
    for loop in boundary_loops(mirrored(half, mirror)):
        centre = vertices[loop, 0].mean()
        if abs(centre) < 1e-6:
            caps.append(_fill(_left_part(loop, vertices, mirror), vertices))
        elif centre > 0:
            caps.append(_fill(loop, vertices))
            side_loops.append(loop)
    return caps, side_loops


def build_surface(human: MakeHuman, vertices: np.ndarray, skinning: np.ndarray) -> Surface:
    """Build the closed, symmetric surface with SMPL's counts, and landmarks at the vertex ids that SMPL tools use.

    Args:
        human: the MakeHuman data.
        vertices: (13380, 3) symmetric full-resolution mean body in the T-pose.
        skinning: (13380, 24) SMPL weights.
    """
    mirror = human.mirror[:NUM_BODY_VERTICES]
    half = _half_triangles(outer_quads(human), vertices)
    used = np.unique(half)
    midline = np.zeros(len(vertices), dtype=bool)
    midline[used] = mirror[used] == used
    caps, side_loops = _cap(half, vertices, mirror)
    half = np.concatenate([half, *caps])

    head = skinning[:, JOINT_INDEX["head"]]
    (eye_rim,) = (loop for loop in side_loops if head[loop].mean() > 0.5)
    weights = human.rig.weights[:NUM_BODY_VERTICES]
    left = find_left_landmarks(human.rig, weights, skinning, vertices, np.unique(half), midline, eye_rim)
    protected = np.zeros(len(vertices), dtype=bool)
    protected[list(left.values())] = True
    protected[eye_rim] = True

    to_rim = np.linalg.norm(vertices[:, None] - vertices[eye_rim], axis=-1).min(1)
    importance = 1 + (_FACE_IMPORTANCE - 1) * head + _EYELID_IMPORTANCE * np.exp(-((to_rim / _EYELID_WIDTH) ** 2))
    half = decimate_half(HalfMesh(half, vertices, skinning, midline, protected, importance), NUM_VERTICES)
    return _ordered(mirrored(half, mirror), mirror, left)


def _ordered(faces: np.ndarray, mirror: np.ndarray, left: dict[str, int]) -> Surface:
    """Number the vertices so that each landmark has its SMPL id; the rest keep MakeHuman's order."""
    landmarks = left | {name.replace("left_", "right_"): int(mirror[vertex]) for name, vertex in left.items()}
    slots = {VERTEX_IDS[name]: vertex for name, vertex in landmarks.items()}
    if len(slots) != len(VERTEX_IDS) or len(set(slots.values())) != len(VERTEX_IDS):
        raise ValueError(f"expected {len(VERTEX_IDS)} distinct landmarks; found {sorted(landmarks)}")
    kept = np.unique(faces)
    others = iter(kept[~np.isin(kept, list(slots.values()))])
    source = np.array([slots[i] if i in slots else next(others) for i in range(len(kept))])
    number = np.full(len(mirror), -1)
    number[source] = np.arange(len(source))
    return Surface(source=source, faces=number[faces], mirror=number[mirror[source]])
