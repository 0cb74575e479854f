"""The bones of a rig that can have a role, those that move skin, as a tree."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from .rig import Rig, Skin, chain_upwards

_MIN_DEFORM = 12
"""Fewest deforming bones that are taken for the character's whole skeleton."""
_MIN_VERTICES = 200
"""Fewest vertices of a skin that tells which bones matter."""
_SAME_PLACE = 1e-4
"""Distance, relative to the rig's extent, below which two points are the same."""


class BoneTree:
    """Bones of a rig as a tree. K bones, parents before their children.

    Attributes:
        rig: the rig.
        bones: (K,) indices of the bones in *rig*.
        parents: (K,) index of each bone's parent in this tree, -1 for a root.
        heads: (K, 3) positions of the joints.
        children: the children of each bone.
        roots: the bones without a parent.
    """

    def __init__(self, rig: Rig, bones: np.ndarray, parents: np.ndarray) -> None:
        """Take *bones* of *rig* and their *parents*, indices into *bones*; bones in a cycle become roots."""
        order, parents = _parents_first(parents)
        self.rig = rig
        self.bones = bones[order]
        self.parents = parents
        self.heads = rig.heads[self.bones]
        found: list[list[int]] = [[] for _ in bones]
        for bone, parent in enumerate(self.parents):
            if parent >= 0:
                found[parent].append(bone)
        self.children = tuple(tuple(bones) for bones in found)
        self.roots = tuple(int(bone) for bone in np.flatnonzero(self.parents < 0))

    def __len__(self) -> int:
        """Return the number of bones."""
        return len(self.bones)

    @property
    def has_controls(self) -> bool:
        """Whether there are control bones among these: shapes of their own, whose structure is not the body's."""
        return _is_control_rig(self.rig) and not self.rig.deform[self.bones].all()

    def name(self, bone: int) -> str:
        """Return the name of *bone*."""
        return self.rig.names[int(self.bones[bone])]

    def ancestors(self, bone: int) -> list[int]:
        """Return *bone*, its parent, and so on up to a root."""
        return chain_upwards(self.parents, bone)

    def path(self, ancestor: int, bone: int) -> list[int]:
        """Return the bones from below *ancestor* (-1: from the root) down to *bone*."""
        chain = self.ancestors(bone)
        return chain[: chain.index(ancestor)][::-1] if ancestor in chain else chain[::-1]

    def common_ancestor(self, *bones: int) -> int:
        """Return the last common ancestor of all *bones*, -1 if they have different roots."""
        shared = self.ancestors(bones[0])
        for bone in bones[1:]:
            chain = set(self.ancestors(bone))
            shared = [item for item in shared if item in chain]
        return shared[0] if shared else -1

    def is_below(self, bone: int, ancestor: int) -> bool:
        """Return whether *bone* is *ancestor* or a descendant of it."""
        return ancestor in self.ancestors(bone)

    @cached_property
    def lowest(self) -> float:
        """Height of the lowest joint."""
        return float(self.heads[:, 1].min())

    @cached_property
    def tops(self) -> np.ndarray:
        """Height (K,) of the highest joint at or below each bone."""
        tops: np.ndarray = self.heads[:, 1].copy()
        for bone in range(len(self) - 1, 0, -1):
            parent = self.parents[bone]
            if parent >= 0:
                tops[parent] = max(tops[parent], tops[bone])
        return tops

    @cached_property
    def reach(self) -> np.ndarray:
        """Length (K,) of the longest path from each bone down to the joint of a leaf."""
        return self._longest[0]

    @cached_property
    def toward(self) -> np.ndarray:
        """The child (K,) that each bone's longest path leads to; -1 for a leaf."""
        return self._longest[1]

    @cached_property
    def _longest(self) -> tuple[np.ndarray, np.ndarray]:
        reach, toward = np.zeros(len(self)), np.full(len(self), -1)
        for bone in range(len(self) - 1, -1, -1):
            parent = self.parents[bone]
            if parent < 0:
                continue
            length = reach[bone] + np.linalg.norm(self.heads[bone] - self.heads[parent])
            if toward[parent] < 0 or length > reach[parent]:
                reach[parent], toward[parent] = length, bone
        return reach, toward

    def longest_path(self, bone: int, most: int) -> list[int]:
        """Return *bone* and at most the next *most* - 1 bones of its longest path."""
        chain: list[int] = []
        while bone >= 0 and len(chain) < most:
            chain.append(bone)
            bone = int(self.toward[bone])
        return chain


def _parents_first(parents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return an order of the bones in which parents come first, and the parents in that order."""
    depth = np.full(len(parents), -1)
    for start in range(len(parents)):
        chain = []
        bone = start
        while bone >= 0 and depth[bone] == -1:
            depth[bone] = -2
            chain.append(bone)
            bone = int(parents[bone])
        if bone >= 0 and depth[bone] == -2:
            parents = parents.copy()
            parents[chain[-1]] = bone = -1
        for above, link in enumerate(reversed(chain)):
            depth[link] = (depth[bone] + 1 if bone >= 0 else 0) + above
    order = np.argsort(depth, kind="stable")
    place = np.empty(len(parents) + 1, dtype=np.int64)
    place[order], place[-1] = np.arange(len(parents)), -1
    return order, place[parents[order]]


def bone_trees(rig: Rig) -> list[BoneTree]:
    """Return the trees of *rig* in which a person may be found, the most likely one first.

    Of a control rig these are the deforming bones, which are often children of control bones and not of each other; of
    a rig with skin the bones with skin at or below them; at last all bones.
    """
    everything = BoneTree(rig, np.arange(len(rig.names)), rig.parents)
    chosen = everything
    if _is_control_rig(rig):
        chosen = _deforming(rig)
    chosen = _skinned(chosen)
    return [chosen] if len(chosen) == len(everything) else [chosen, everything]


def _is_control_rig(rig: Rig) -> bool:
    return bool(_MIN_DEFORM <= rig.deform.sum() < len(rig.names))


def _deforming(rig: Rig) -> BoneTree:
    """Return the deforming bones of *rig*, each with the nearest deforming bone above it as its parent.

    A control bone with the head and the tail of a deforming bone stands for it: that is how Rigify's deforming bones,
    which follow control bones, tell their place in the body.
    """
    extent = float(np.ptp(rig.heads, axis=0).max()) or 1.0
    ends = np.round(np.concatenate((rig.heads, rig.tails), axis=1) / (_SAME_PLACE * extent)).astype(np.int64)
    double = {tuple(ends[bone]): int(bone) for bone in np.flatnonzero(rig.deform)[::-1]}
    stands_for = [bone if rig.deform[bone] else double.get(tuple(ends[bone]), -1) for bone in range(len(rig.names))]
    nearest = np.full(len(rig.names) + 1, -1)
    """The deforming bone that each bone is or follows."""
    parents = np.full(len(rig.names), -1)
    for bone, parent in enumerate(rig.parents):
        above = nearest[parent]
        if rig.deform[bone] and above == bone:
            above = _above_twin(rig, bone, stands_for)
        parents[bone] = above
        nearest[bone] = stands_for[bone] if stands_for[bone] >= 0 else above
    kept = np.flatnonzero(rig.deform)
    place = np.full(len(rig.names) + 1, -1)
    place[kept] = np.arange(len(kept))
    return BoneTree(rig, kept, place[parents[kept]])


def _above_twin(rig: Rig, bone: int, stands_for: list[int]) -> int:
    """Return the first deforming bone other than *bone* itself that the bones above *bone* are or stand for."""
    others = (stands_for[above] for above in rig.ancestors(bone)[1:])
    return next((other for other in others if other not in (-1, bone)), -1)


def _skinned(tree: BoneTree) -> BoneTree:
    """Return the bones of *tree* with skin at or below them; *tree* itself if there is too little skin to tell."""
    weights = _weights_of(tree.rig.skin, len(tree.rig.names))[tree.bones]
    for bone in range(len(tree) - 1, -1, -1):
        if tree.parents[bone] >= 0:
            weights[tree.parents[bone]] += weights[bone]
    kept = np.flatnonzero(weights > 0.0)
    if len(tree.rig.skin.vertices) < _MIN_VERTICES or len(kept) < _MIN_DEFORM or len(kept) == len(tree):
        return tree
    place = np.full(len(tree) + 1, -1)
    place[kept] = np.arange(len(kept))
    return BoneTree(tree.rig, tree.bones[kept], place[tree.parents[kept]])


def _weights_of(skin: Skin, count: int) -> np.ndarray:
    """Return the sum (count,) of the weights of each bone."""
    return np.bincount(skin.bones.ravel(), weights=skin.weights.ravel(), minlength=count)
