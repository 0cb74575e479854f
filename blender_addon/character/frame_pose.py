"""One frame of a motion on a character's bones, without keys: the same poses as by `keys`, for all bones at once.

B held bones; all in the armature's space, as there. The hips carry the path.
"""

from __future__ import annotations

from collections.abc import Sequence

import bpy
import numpy as np
from mathutils import Matrix

from ..core_access import Rig
from ..figure.axes import Z_UP_FROM_Y_UP
from ..figure.units import world_in_metres
from .keys import Link, Links, basis_of, held_bones, traveller_of, turn_since_rest
from .read_rig import rotation_of


class FramePose:
    """Turns world rotations of a character's moved bones into poses of these and of the bones that carry them.

    Attributes:
        names: the B held bones, parents first.
    """

    def __init__(self, armature: bpy.types.Object, links: Links, rig: Rig, moved: np.ndarray) -> None:
        """Take *armature*, whose object stands where its *rig* was read.

        Args:
            armature: the character.
            links: how its bones hang on each other.
            rig: its rest pose.
            moved: (M,) the moved bones of *rig*, the hips first.
        """
        row = {rig.names[int(bone)]: number for number, bone in enumerate(moved)}
        hips = next(iter(row))
        self.names = held_bones(links, row)
        place = {name: number for number, name in enumerate(self.names)}
        found = [links[name] for name in self.names]
        world = world_in_metres(armature, bpy.context.scene)
        self._world_turn, self._from_world = rotation_of(world, armature.name), np.linalg.inv(world)
        self._rest = np.stack([link.rest[:3, :3] for link in found])
        self._own = np.array([place[name] for name in row])
        self._carried = [(place[name], place[link.parent]) for name, link in zip(self.names, found, strict=True)
                         if name not in row and link.parent is not None]  # fmt: skip
        self._parents = np.array([-1 if link.parent is None else place[link.parent] for link in found])
        self._inherits = np.array([link.inherits_rotation for link in found])
        traveller = traveller_of(links, hips)
        self._traveller, self._axes = place[traveller], _location_axes(links[traveller])
        self._hips_at_rest = links[hips].rest[:3, 3]

    def matrices(self, rotations: np.ndarray, root: np.ndarray) -> np.ndarray:
        """Return the basis matrices (B, 4, 4) of the held bones.

        Args:
            rotations: (M, 3, 3) world rotations of the moved bones, Y up.
            root: (3,) position of the head of the hips, metres, Y up.
        """
        turns = np.tile(np.eye(3), (len(self.names) + 1, 1, 1))  # the last one is that of no parent
        turns[self._own] = turn_since_rest(rotations, self._world_turn, self._rest[self._own])
        for bone, parent in self._carried:
            turns[bone] = turns[parent]
        inherited = np.where(self._inherits[:, None, None], turns[self._parents], np.eye(3))
        found = np.tile(np.eye(4), (len(self.names), 1, 1))
        found[:, :3, :3] = basis_of(turns[:-1], inherited, self._rest)
        where = self._from_world[:3, :3] @ (Z_UP_FROM_Y_UP @ root) + self._from_world[:3, 3]
        found[self._traveller, :3, 3] = self._axes.T @ (where - self._hips_at_rest)
        return found


def _location_axes(link: Link) -> np.ndarray:
    """Return the axes (3, 3) of a bone's location while nothing above it turns."""
    return link.rest[:3, :3] if link.location_axes is None else link.location_axes


def show_matrices(armature: bpy.types.Object, names: Sequence[str], matrices: np.ndarray) -> None:
    """Pose the bones *names* of *armature* by basis *matrices* (B, 4, 4), whatever their rotation modes."""
    bones = armature.pose.bones
    for name, matrix in zip(names, matrices.tolist(), strict=True):
        bone = bones.get(name)
        if bone is not None:
            bone.matrix_basis = Matrix(matrix)
