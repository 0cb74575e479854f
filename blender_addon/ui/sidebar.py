"""Base of all panels of the SMPLify tab."""

from __future__ import annotations


class SidebarPanel:
    """Mixin that places a panel in the SMPLify tab of the 3D viewport's sidebar; list it before `bpy.types.Panel`."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "SMPLify"
