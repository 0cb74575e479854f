"""Symmetric half-edge collapse by quadric error, on the x >= 0 half of a mirror-symmetric mesh.

Vertices keep their identity (the result is a subset), so every per-vertex quantity carries over. Vertices on the
midline only slide along the midline.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from dataclasses import dataclass

import numpy as np

_LENGTH_COST = 2e-3
_SKINNING_COST = 0.02
_MIN_SHAPE = 0.06
"""Smallest ratio of twice the area to the longest squared edge of a face after a collapse."""
_MIN_TURN = 0.3
"""Smallest cosine between a face's normals before and after a collapse."""
_REFLECT = np.diag([-1.0, 1.0, 1.0, 1.0])


@dataclass(frozen=True)
class HalfMesh:
    """Input of the collapse. V vertices of the full-resolution mesh.

    Attributes:
        faces: (F, 3) triangles of the x >= 0 half.
        vertices: (V, 3) positions, metres.
        skinning: (V, J) weights; a collapse across a change of weights costs more.
        midline: (V,) bool, on the plane x = 0.
        protected: (V,) bool, never removed.
        importance: (V,) factor on the error of moving the surface there.
    """

    faces: np.ndarray
    vertices: np.ndarray
    skinning: np.ndarray
    midline: np.ndarray
    protected: np.ndarray
    importance: np.ndarray


class _Collapser:
    def __init__(self, mesh: HalfMesh) -> None:
        self._mesh = mesh
        self._points = mesh.vertices
        self._faces: list[tuple[int, ...]] = [tuple(map(int, face)) for face in mesh.faces]
        self._alive = [True] * len(self._faces)
        self._faces_of: dict[int, set[int]] = defaultdict(set)
        for index, face in enumerate(self._faces):
            for vertex in face:
                self._faces_of[vertex].add(index)
        self._quadrics, self._areas = self._initial_quadrics()
        self._version: dict[int, int] = defaultdict(int)
        self._heap: list[tuple[float, int, int, int, int]] = []

    def _initial_quadrics(self) -> tuple[np.ndarray, np.ndarray]:
        quadrics = np.zeros((len(self._points), 4, 4))
        areas = np.zeros(len(self._points))
        for face in self._faces:
            a, b, c = self._points[list(face)]
            normal = np.cross(b - a, c - a)
            double_area = np.linalg.norm(normal)
            if double_area < 1e-14:
                continue
            normal /= double_area
            plane = np.append(normal, -normal @ a)
            weight = self._mesh.importance[list(face), None, None] * double_area / 2
            quadrics[list(face)] += weight * np.outer(plane, plane)
            areas[list(face)] += double_area / 6
        middle = np.flatnonzero(self._mesh.midline)
        quadrics[middle] += _REFLECT @ quadrics[middle] @ _REFLECT
        areas[middle] *= 2
        return quadrics, areas

    def _neighbours(self, vertex: int) -> set[int]:
        return {other for face in self._faces_of[vertex] for other in self._faces[face]} - {vertex}

    def _topology_allows(self, gone: int, kept: int) -> bool:
        """Return whether collapsing *gone* into *kept* leaves a manifold with its midline in place."""
        middle = self._mesh.midline
        if self._mesh.protected[gone] or (middle[gone] and not middle[kept]):
            return False
        common = self._neighbours(gone) & self._neighbours(kept)
        shared = self._faces_of[gone] & self._faces_of[kept]
        if len(common) != len(shared) or (middle[gone] and middle[kept] and len(shared) != 1):
            return False
        if len(self._faces_of[gone]) < 3 and not middle[gone]:
            return False
        return all(len(self._faces_of[c]) > (2 if middle[c] else 3) for c in common)

    def _geometry_allows(self, gone: int, kept: int) -> bool:
        """Return whether no remaining face flips or becomes a sliver."""
        for index in self._faces_of[gone] - self._faces_of[kept]:
            face = self._faces[index]
            a, b, c = (self._points[v] for v in face)
            old = np.cross(b - a, c - a)
            a, b, c = (self._points[kept if v == gone else v] for v in face)
            new = np.cross(b - a, c - a)
            size = np.sqrt(new @ new)
            longest = max((b - a) @ (b - a), (c - a) @ (c - a), (c - b) @ (c - b))
            if size < _MIN_SHAPE * longest or new @ old < _MIN_TURN * size * np.sqrt(old @ old):
                return False
        return True

    def _cost(self, gone: int, kept: int) -> float:
        point = np.append(self._points[kept], 1.0)
        step = self._points[gone] - self._points[kept]
        length_cost = _LENGTH_COST * self._mesh.importance[gone]
        blend = self._mesh.skinning[gone] - self._mesh.skinning[kept]
        quadric = point @ (self._quadrics[gone] + self._quadrics[kept]) @ point
        return float(quadric + self._areas[gone] * (step @ step) * (length_cost + _SKINNING_COST * (blend @ blend)))

    def _push(self, gone: int, kept: int) -> None:
        entry = (self._cost(gone, kept), gone, kept, self._version[gone], self._version[kept])
        heapq.heappush(self._heap, entry)

    def _collapse(self, gone: int, kept: int) -> None:
        for index in sorted(self._faces_of[gone]):
            face = self._faces[index]
            if kept in face:
                for vertex in face:
                    self._faces_of[vertex].discard(index)
                self._alive[index] = False
            else:
                self._faces[index] = tuple(kept if vertex == gone else vertex for vertex in face)
                self._faces_of[kept].add(index)
        self._quadrics[kept] += self._quadrics[gone]
        self._areas[kept] += self._areas[gone]
        del self._faces_of[gone]
        self._refresh(kept)

    def _refresh(self, centre: int) -> None:
        """Recompute the cost of every edge that touches *centre* or its one-ring."""
        ring = sorted(self._neighbours(centre) | {centre})
        for vertex in ring:
            self._version[vertex] += 1
        for vertex in ring:
            for other in sorted(self._neighbours(vertex)):
                self._push(vertex, other)
                if other not in ring:
                    self._push(other, vertex)

    def run(self, target: int) -> np.ndarray:
        for vertex in list(self._faces_of):
            for other in sorted(self._neighbours(vertex)):
                self._push(vertex, other)
        middle = self._mesh.midline
        count = sum(1 if middle[vertex] else 2 for vertex in self._faces_of)
        while count > target and self._heap:
            _, gone, kept, version_gone, version_kept = heapq.heappop(self._heap)
            if gone not in self._faces_of or kept not in self._faces_of:
                continue
            if (self._version[gone], self._version[kept]) != (version_gone, version_kept):
                continue
            if count - target == 1 and not middle[gone]:
                continue
            if self._topology_allows(gone, kept) and self._geometry_allows(gone, kept):
                self._collapse(gone, kept)
                count -= 1 if middle[gone] else 2
        if count != target:
            raise ValueError(f"expected to reach {target} vertices by collapsing edges; {count} are left")
        return np.array([face for face, alive in zip(self._faces, self._alive, strict=True) if alive])


def decimate_half(mesh: HalfMesh, target: int) -> np.ndarray:
    """Return the faces (F, 3) of *mesh* collapsed until the whole (mirrored) mesh has *target* vertices.

    Raises:
        ValueError: *target* cannot be reached exactly.
    """
    return _Collapser(mesh).run(target)
