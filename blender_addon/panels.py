"""Where the user finds it: the SMPLify tab of the 3D viewport's sidebar."""

from __future__ import annotations

import bpy

from .operators import SMPLIFY_OT_import_track, SMPLIFY_OT_move_bones


class SMPLIFY_PT_main(bpy.types.Panel):  # noqa: N801 - the form that Blender asks for
    """The tab's first panel."""

    bl_label = "Learnable SMPLify"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "SMPLify"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the panel."""
        self.layout.operator(SMPLIFY_OT_import_track.bl_idname, icon="ARMATURE_DATA")
        self.layout.operator(SMPLIFY_OT_move_bones.bl_idname, icon="BONE_DATA")


CLASSES = (SMPLIFY_PT_main,)
