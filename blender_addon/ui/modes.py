"""Conditions on Blender's mode that operators state in their polls."""

from __future__ import annotations

import bpy

from .operator_mixin import OperatorMixin


def in_object_mode(cls: type[OperatorMixin], context: bpy.types.Context) -> bool:
    """Return whether objects can be added: in Object Mode, in a scene of this file.

    If not, the poll message of the operator *cls* is set.
    """
    if context.scene.library is not None:
        cls.poll_message_set("This scene is linked from another file; show a scene of this file")
        return False
    if context.mode != "OBJECT":
        cls.poll_message_set("Leave Edit or Pose Mode first")
        return False
    return True


def in_object_or_pose_mode(cls: type[OperatorMixin], context: bpy.types.Context) -> bool:
    """Return whether the mode is Object or Pose Mode; if not, set the poll message of the operator *cls*."""
    if context.mode not in ("OBJECT", "POSE"):
        cls.poll_message_set("Leave Edit Mode first")
        return False
    return True
