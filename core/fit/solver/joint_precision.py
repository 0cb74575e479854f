"""Joint precision matrices: priors that couple the rotations of several joints. F frames, J joints."""

from __future__ import annotations

from dataclasses import dataclass

from ...math.arrays import Array, contiguous, namespace


@dataclass(frozen=True, eq=False)
class JointPrecision:
    """The precision of several joints' expected rotations, with the correlations between them.

    Attributes:
        joints: (J,) joint indices, all in the trunk or all in one limb (`core.body.skinned_keypoints`); the solver
            relies on it.
        precision: (F, 3 J, 3 J) square metres per square radian, in the joints' own axes, joint by joint.
    """

    joints: tuple[int, ...]
    precision: Array

    def select(self, frames: slice | list[int]) -> JointPrecision:
        """Return the precision of the selected frames."""
        return JointPrecision(self.joints, self.precision[frames])


@dataclass(frozen=True, eq=False)
class SolverJointPrecision:
    """A `JointPrecision` in the solver's memory layout, with the frames last.

    Attributes:
        joints: (J,) joint indices.
        precision: (3 J, 3 J, F) square metres per square radian.
    """

    joints: tuple[int, ...]
    precision: Array

    @classmethod
    def of(cls, joint_precision: JointPrecision) -> SolverJointPrecision:
        """Return *joint_precision* with the frames last."""
        precision = namespace(joint_precision.precision).permute_dims(joint_precision.precision, (1, 2, 0))
        return cls(joint_precision.joints, contiguous(precision))

    def select(self, frames: slice | list[int]) -> SolverJointPrecision:
        """Return the precision of the selected frames."""
        return SolverJointPrecision(self.joints, self.precision[..., frames])

    def scaled(self, share: Array) -> SolverJointPrecision:
        """Return the precision multiplied by a factor *share* (F,) per frame."""
        return SolverJointPrecision(self.joints, self.precision * share)

    def moment(self, away: Array) -> Array:
        """Return the moments (3, J, F) that pull the joints to their expected rotations, in the joints' own axes.

        Args:
            away: (3, J, F) rotation vectors from the current to the expected rotations, radians.
        """
        xp = namespace(away)
        flat = xp.reshape(xp.permute_dims(away, (1, 0, 2)), (self.precision.shape[0], -1))
        moments = xp.sum(self.precision * flat, axis=1)
        return xp.permute_dims(xp.reshape(moments, (len(self.joints), 3, -1)), (1, 0, 2))

    def turned(self, world: Array) -> Array:
        """Return the matrix (3 J, 3 J, F) from rotations about the joints' own axes to moments about world axes.

        Args:
            world: (3, 3, 24, F) the joints' rotations relative to the world.
        """
        return self._turned(self._axes(world))

    def about_world(self, world: Array) -> Array:
        """Return the precision (3 J, 3 J, F) about world axes; *world* as for `turned`."""
        axes = self._axes(world)
        columns = namespace(world).reshape(self._turned(axes), (-1, len(self.joints), 3, 1, axes.shape[-1]))
        turned = columns[:, :, 0] * axes[0]
        for own in (1, 2):
            turned += columns[:, :, own] * axes[own]
        return namespace(world).reshape(turned, self.precision.shape)

    def _turned(self, axes: Array) -> Array:
        xp = namespace(axes)
        rows = xp.reshape(self.precision, (len(self.joints), 3, 1, -1, axes.shape[-1]))
        turned = axes[0][:, :, None] * rows[:, 0]
        for own in (1, 2):
            turned += axes[own][:, :, None] * rows[:, own]
        return xp.reshape(turned, self.precision.shape)

    def _axes(self, world: Array) -> Array:
        """Return the joints' own axes (3, J, 3, F) in world coordinates, indexed by axis, joint and coordinate."""
        return namespace(world).permute_dims(world[:, :, list(self.joints)], (1, 2, 0, 3))
