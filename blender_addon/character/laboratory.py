"""Experiments with the controls of a character: pose controls, set switches, record which bones move. B bones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import bpy
import numpy as np
from mathutils import Matrix, Quaternion, Vector

from .experiment import Experiment
from .keys import Link
from .switches import driving_properties

_TURN_RAD = 0.3
"""How far controls are turned; they are not moved, since only the innermost control that carries all is keyed so."""
_MOST_SWITCHES = 60


class Laboratory:
    """The experiments on one character.

    Attributes:
        armature: the character.
        controls: the bones that are posed; all others stay as they are.
        segments: the mapped bones, and for each the mapped bone at whose head it ends, None for a last one.
    """

    def __init__(self, armature: bpy.types.Object, controls: Sequence[str], segments: Mapping[str, str | None]) -> None:
        self.armature, self.controls, self.segments = armature, list(controls), segments
        spans = np.ptp([bone.head_local for bone in armature.data.bones], axis=0)
        self._size = max(float(spans.max()), 1e-9)
        self._rng = np.random.default_rng(1)
        self._rest: tuple[np.ndarray, np.ndarray] | None = None

    def add_control(self, control: str) -> None:
        """Pose the bone *control* too."""
        if control not in self.controls:
            self.controls.append(control)

    def switch_groups(self) -> dict[str, list[bpy.types.PoseBone]]:
        """Return the bones that have each switch; switches of the same name on several limbs form a group."""
        groups: dict[str, list[bpy.types.PoseBone]] = {}
        for bone, name in driving_properties(self.armature)[:_MOST_SWITCHES]:
            groups.setdefault(name, []).append(self.armature.pose.bones[bone])
        return groups

    def switch(self, name: str, bones: Sequence[bpy.types.PoseBone], values: Sequence[float]) -> None:
        """Set the custom property *name* of *bones*."""
        for bone, value in zip(bones, values, strict=True):
            bone[name] = value
        self._rest = None

    def evaluate(self, moved: Iterable[str], count: int) -> Experiment:
        """Turn the controls *moved* at random *count* times, the others at rest; first, all at rest."""
        names = list(moved)
        return self._experiment([{name: self._random_basis() for name in names} for _ in range(count)])

    def evaluate_basis(self, basis: Mapping[str, Matrix]) -> Experiment:
        """Give the controls in *basis* these transforms, the others none; first, all at rest."""
        return self._experiment([basis])

    def _experiment(self, poses: Iterable[Mapping[str, Matrix]]) -> Experiment:
        index = {bone.name: row for row, bone in enumerate(self.armature.pose.bones)}
        self._rest = self._rest or self._pose({})
        found = [self._rest] + [self._pose(basis) for basis in poses]
        return Experiment(index, *(np.array(matrices) for matrices in zip(*found, strict=True)))

    def _pose(self, given: Mapping[str, Matrix]) -> tuple[np.ndarray, np.ndarray]:
        """Set the controls in *given* to these transforms, reset the others; return `pose` and `carried` (B, 4, 4)."""
        bones = self.armature.pose.bones
        basis = {control: Matrix.Identity(4) for control in self.controls} | dict(given)
        for control, matrix in basis.items():
            bones[control].matrix_basis = matrix
        self.armature.update_tag()
        bpy.context.view_layer.update()
        columns = np.empty(16 * len(bones), dtype=np.float32)
        bones.foreach_get("matrix", columns)
        pose = columns.reshape(-1, 4, 4).swapaxes(1, 2).astype(np.float64)
        carried = pose.copy()
        for control in given:
            carried[bones.find(control)] @= np.linalg.inv(np.array(bones[control].matrix_basis, dtype=np.float64))
        for matrices in (pose, carried):
            matrices[:, :3, 3] /= self._size
        return pose, carried

    def _random_basis(self) -> Matrix:
        turn = Quaternion(Vector(self._rng.normal(size=3)).normalized(), self._rng.choice((-_TURN_RAD, _TURN_RAD)))
        return turn.to_matrix().to_4x4()

    def moved_basis(self, rest: Experiment, control: str, way: np.ndarray, *, turned: bool = False) -> Matrix:
        """Return the transform that moves *control* by *way* (3,), relative to the rig's size; *turned* at random."""
        link = self.link(rest, control, None)
        axes = link.rest[:3, :3] if link.location_axes is None else link.location_axes
        shift = Matrix.Translation((self._size * np.linalg.solve(axes, way)).tolist())
        return shift @ self._random_basis() if turned else shift

    def link(self, experiment: Experiment, name: str, parent: str | None) -> Link:
        """Return the relation of the control *name* to *parent*."""
        rest = experiment.pose[0, experiment.index[name]].copy()
        rest[:3, 3] *= self._size
        bone = self.armature.data.bones[name]
        axes = None
        if not bone.use_local_location:
            above = bone.parent
            axes = np.eye(3) if above is None else experiment.pose[0, experiment.index[above.name], :3, :3]
        return Link(parent, rest, location_axes=axes, connected=bone.use_connect and bone.parent is not None)
