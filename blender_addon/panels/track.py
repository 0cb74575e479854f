"""The first box: which keypoints."""

from __future__ import annotations

import bpy

from ..operators.figure import SMPLIFY_OT_move_bones
from ..operators.track import SMPLIFY_OT_import_track
from .sidebar import SidebarPanel


class SMPLIFY_PT_track(SidebarPanel, bpy.types.Panel):  # noqa: N801 - the form that Blender asks for
    """The tab's first box."""

    bl_label = "1. Track"
    bl_order = 1

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the panel."""
        self.layout.operator(SMPLIFY_OT_import_track.bl_idname, icon="ARMATURE_DATA")
        self.layout.operator(SMPLIFY_OT_move_bones.bl_idname, icon="BONE_DATA")


CLASSES = (SMPLIFY_PT_track,)
