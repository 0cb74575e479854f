"""What all panels of the SMPLify tab have in common."""

from __future__ import annotations


class SidebarPanel:
    """Puts a panel into the SMPLify tab of the 3D viewport's sidebar; inherit from it before `bpy.types.Panel`."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "SMPLify"
