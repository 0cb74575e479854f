"""Find the active and selected figures, and move bones to the shape of the mesh."""

from __future__ import annotations

import bpy

from ..ui.box_errors import Box
from ..ui.operator_mixin import OperatorMixin
from .custom_properties import RECORD_KEY, TEMPLATE_KEY


class SMPLIFY_OT_move_bones(OperatorMixin, bpy.types.Operator):  # noqa: N801 - Blender's naming convention
    """Move the bones of the active figure to the joints of the shape that its shape keys give"""

    bl_idname = "smplify.move_bones"
    bl_label = "Bones to Shape"
    bl_options = {"REGISTER", "UNDO"}
    box = Box.RESULT

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Return whether a figure's armature or mesh is active in Object Mode."""
        if context.mode != "OBJECT" or not figures_of(context, selected=False):
            cls.poll_message_set("Make a figure's armature or mesh active, in Object Mode")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Move the rest joints; the animation keys stay exact."""
        from .body_mesh import body_mesh_of, shape_values
        from .create import set_betas

        armature = active_armature(context)
        return self.done(lambda: set_betas(armature, shape_values(body_mesh_of(armature))))


def active_figure(context: bpy.types.Context) -> bpy.types.Object | None:
    """Return the armature of the active figure, if it has a record, else None."""
    armature = active_armature(context)
    return armature if armature is not None and RECORD_KEY in armature else None


def figures_of(context: bpy.types.Context, *, selected: bool) -> list[bpy.types.Object]:
    """Return the armatures of the selected figures or of the active one; figures need not have a record.

    Args:
        context: the context with the active and selected objects.
        selected: return all selected figures, else the active one.
    """
    if not selected:
        armature = active_armature(context)
        return [armature] if armature is not None and TEMPLATE_KEY in armature.data else []
    owners = [item.parent if item.type == "MESH" else item for item in context.selected_objects]
    found = [item for item in owners if item is not None and item.type == "ARMATURE" and TEMPLATE_KEY in item.data]
    return list(dict.fromkeys(found))


def active_armature(context: bpy.types.Context) -> bpy.types.Object | None:
    """Return the active armature, or the parent armature of the active mesh, or None."""
    active = context.active_object
    if active is not None and active.type == "MESH":
        active = active.parent
    return active if active is not None and active.type == "ARMATURE" else None


CLASSES = (SMPLIFY_OT_move_bones,)
