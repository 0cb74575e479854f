"""What can be done to a figure that stands in the scene."""

from __future__ import annotations

import bpy

from .custom_properties import RECORD_KEY, TEMPLATE_KEY


class SMPLIFY_OT_move_bones(bpy.types.Operator):  # noqa: N801 - the form that Blender asks for
    """Move the bones of the active figure to the joints of the shape that its shape keys stand at"""

    bl_idname = "smplify.move_bones"
    bl_label = "Bones to Shape"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Return whether a figure, its armature or its mesh, is active in Object mode."""
        if context.mode != "OBJECT" or active_armature(context) is None:
            cls.poll_message_set("Make a figure's armature or mesh active, in Object Mode")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Move the rest pose; the keys stay exact."""
        from ..core_access import CoreError
        from .body_mesh import body_mesh_of, shape_values
        from .create import set_betas

        armature = active_armature(context)
        try:
            set_betas(armature, shape_values(body_mesh_of(armature)))
        except CoreError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


def active_figure(context: bpy.types.Context) -> bpy.types.Object | None:
    """Return the armature of the active figure that has a record of its motion, or None."""
    armature = active_armature(context)
    return armature if armature is not None and RECORD_KEY in armature else None


def figures_of(context: bpy.types.Context, *, selected: bool) -> list[bpy.types.Object]:
    """Return the armatures of all selected figures, or of the active one; those made without a record are figures too.

    Args:
        context: what is active and selected.
        selected: all that are selected, else the active one.
    """
    if not selected:
        armature = active_armature(context)
        return [armature] if armature is not None and TEMPLATE_KEY in armature.data else []
    owners = [item.parent if item.type == "MESH" else item for item in context.selected_objects]
    found = [item for item in owners if item is not None and item.type == "ARMATURE" and TEMPLATE_KEY in item.data]
    return list(dict.fromkeys(found))


def active_armature(context: bpy.types.Context) -> bpy.types.Object | None:
    """Return the active armature, or the one that the active mesh hangs on, or None."""
    active = context.active_object
    if active is not None and active.type == "MESH":
        active = active.parent
    return active if active is not None and active.type == "ARMATURE" else None


CLASSES = (SMPLIFY_OT_move_bones,)
