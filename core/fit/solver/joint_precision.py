"""Joints that are expected to turn together. F frames, J joints."""

from __future__ import annotations

from dataclasses import dataclass

from ...math.arrays import Array, contiguous, namespace


@dataclass(frozen=True, eq=False)
class JointPrecision:
    """How firmly some joints are held to what is expected of them, all together.

    Attributes:
        joints: (J,) which: all of the trunk or all of one limb (`core.body.skinned_keypoints`); the solver relies on
            it.
        precision: (F, 3 J, 3 J) square metres per square radian, in the joints' own axes, joint by joint.
    """

    joints: tuple[int, ...]
    precision: Array

    def select(self, frames: slice | list[int]) -> JointPrecision:
        """Return the coupling in some frames."""
        return JointPrecision(self.joints, self.precision[frames])


@dataclass(frozen=True, eq=False)
class SolverJointPrecision:
    """The same for the solver, with the frames last.

    Attributes:
        joints: (J,) which.
        precision: (3 J, 3 J, F).
    """

    joints: tuple[int, ...]
    precision: Array

    @classmethod
    def of(cls, joint_precision: JointPrecision) -> SolverJointPrecision:
        """Return *joint_precision* with the frames last."""
        precision = namespace(joint_precision.precision).permute_dims(joint_precision.precision, (1, 2, 0))
        return cls(joint_precision.joints, contiguous(precision))

    def select(self, frames: slice | list[int]) -> SolverJointPrecision:
        """Return the coupling in some frames."""
        return SolverJointPrecision(self.joints, self.precision[..., frames])

    def scaled(self, share: Array) -> SolverJointPrecision:
        """Return the coupling times a *share* (F,)."""
        return SolverJointPrecision(self.joints, self.precision * share)

    def moment(self, away: Array) -> Array:
        """Return the moments (3, J, F) that draw the joints, which are *away* (3, J, F), radians; in their own axes."""
        xp = namespace(away)
        flat = xp.reshape(xp.permute_dims(away, (1, 0, 2)), (self.precision.shape[0], -1))
        drawn = xp.sum(self.precision * flat, axis=1)
        return xp.permute_dims(xp.reshape(drawn, (len(self.joints), 3, -1)), (1, 0, 2))

    def turned(self, world: Array) -> Array:
        """Return the precision (3 J, 3 J, F) from turns about the joints' own axes to moments about the world's.

        Args:
            world: (3, 3, 24, F) the joints' rotations relative to the world.
        """
        return self._turned(self._axes(world))

    def about_world(self, world: Array) -> Array:
        """Return the precision (3 J, 3 J, F) about the world's axes; *world* as for `turned`."""
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
        """Return the joints' own axes (3, J, 3, F) in the world: which axis, of which joint, where it points."""
        return namespace(world).permute_dims(world[:, :, list(self.joints)], (1, 2, 0, 3))
