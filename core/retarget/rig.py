"""A character's armature at rest, as the retargeting sees it. B bones, V vertices."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ..errors import CoreError

MAX_BONES = 5_000
"""Most bones of an armature: seven times those of a generated Rigify rig."""
_ORTHONORMAL = 1e-3
"""Largest deviation of a bone's axes from a rotation."""


def chain_upwards(parents: np.ndarray, bone: int) -> list[int]:
    """Return *bone*, its parent, and so on up to a root, by each bone's parent in *parents*, -1 for a root."""
    chain = []
    while bone >= 0:
        chain.append(bone)
        bone = int(parents[bone])
    return chain


class RigError(CoreError, ValueError):
    """An armature cannot be used as a character."""


@dataclass(frozen=True, eq=False)
class Skin:
    """A sample of a character's skin at rest: enough vertices to find its soles, its head and its height.

    Attributes:
        vertices: (V, 3) positions, metres, Y up, world space.
        bones: (V, 4) indices of the bones that move each vertex.
        weights: (V, 4) their weights; 0 where a vertex has fewer bones.
    """

    vertices: np.ndarray = field(default_factory=lambda: np.zeros((0, 3)))
    bones: np.ndarray = field(default_factory=lambda: np.zeros((0, 4), dtype=np.int64))
    weights: np.ndarray = field(default_factory=lambda: np.zeros((0, 4)))

    @property
    def main_bones(self) -> np.ndarray:
        """The bone (V,) with the largest weight of each vertex."""
        main: np.ndarray = self.bones[np.arange(len(self.bones)), self.weights.argmax(axis=1)]
        return main


@dataclass(frozen=True, eq=False)
class Rig:
    """A character's armature at rest (its edit bones, not a pose), in world space: metres, Y up.

    Attributes:
        names: names of the bones; parents come before their children.
        parents: (B,) index of each bone's parent, -1 for a root.
        heads: (B, 3) positions of the joints.
        tails: (B, 3) positions of the bones' ends.
        axes: (B, 3, 3) rest rotations; the columns are the bone's axes.
        deform: (B,) bool, whether a bone is meant to move skin.
        skin: a sample of the skin; empty if the armature moves no mesh.
    """

    names: tuple[str, ...]
    parents: np.ndarray
    heads: np.ndarray
    tails: np.ndarray
    axes: np.ndarray
    deform: np.ndarray
    skin: Skin = field(default_factory=Skin)

    def __post_init__(self) -> None:
        """Check shapes and values; raise `RigError` with all faults at once."""
        count = len(self.names)
        faults = []
        if not 0 < count <= MAX_BONES:
            faults.append(f"expected 1 to {MAX_BONES} bones, found {count}")
        if len(set(self.names)) != count:
            faults.append("expected a name of its own for each bone")
        shapes = {"parents": (count,), "heads": (count, 3), "tails": (count, 3), "axes": (count, 3, 3)}
        shapes |= {"deform": (count,)}
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                faults.append(f"expected {name} {shape}, found {getattr(self, name).shape}")
            elif not np.isfinite(getattr(self, name)).all():
                faults.append(f"{name} holds values that are not finite")
        if not faults:
            faults += self._value_faults()
        if faults:
            raise RigError("the armature cannot be used: " + "; ".join(faults))

    def _value_faults(self) -> list[str]:
        faults = []
        if (self.parents >= np.arange(len(self.names))).any() or (self.parents < -1).any():
            faults.append("expected parents before their children")
        grams = np.swapaxes(self.axes, 1, 2) @ self.axes
        if np.abs(grams - np.eye(3)).max() > _ORTHONORMAL or (np.linalg.det(self.axes) < 0.0).any():
            faults.append("expected bone axes that are rotations, found scaled, sheared or mirrored ones")
        skin = self.skin
        if skin.bones.size and not (0 <= skin.bones.min() and skin.bones.max() < len(self.names)):
            faults.append("the skin refers to bones that the armature does not have")
        return faults

    @cached_property
    def index(self) -> dict[str, int]:
        """Index of each bone by its name."""
        return {name: number for number, name in enumerate(self.names)}

    @cached_property
    def children(self) -> tuple[tuple[int, ...], ...]:
        """The children of each bone."""
        found: list[list[int]] = [[] for _ in self.names]
        for bone, parent in enumerate(self.parents):
            if parent >= 0:
                found[parent].append(bone)
        return tuple(tuple(bones) for bones in found)

    def ancestors(self, bone: int) -> list[int]:
        """Return *bone*, its parent, and so on up to a root."""
        return chain_upwards(self.parents, bone)

    def descendants(self, bone: int) -> list[int]:
        """Return *bone* and everything below it, parents first."""
        found = [bone]
        inside = {bone}
        for other in range(bone + 1, len(self.names)):
            if int(self.parents[other]) in inside:
                inside.add(other)
                found.append(other)
        return found
