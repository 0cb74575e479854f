"""The menus Object > SMPLify and Pose > SMPLify: all operators of the boxes, for the keyboard and Blender's search.

The search (F3) finds menu entries, but not buttons.
"""

from __future__ import annotations

import bpy

from .package import HAS_LIVE, PACKAGE
from .result.operators import SMPLIFY_MT_take
from .torch_access import HAS_TORCH_BACKEND
from .track.operators import SMPLIFY_MT_person

_LIVE_ENTRIES = (
    (), ("smplify.start_live", "PLAY"), ("smplify.record_live", "REC"), ("smplify.stop_live", "SNAP_FACE"),
)  # fmt: skip
_ENTRIES = (
    ("smplify.open_track", "FILE_FOLDER"), ("smplify.track_armature", "ARMATURE_DATA"),
    ("smplify.read_track", "FILE_REFRESH"),
    ("smplify.join_people", "LINKED"), ("smplify.view_track", "ZOOM_SELECTED"),
    ("smplify.load_points", "IMPORT"), ("smplify.save_points", "EXPORT"), ("smplify.detect_points", "LOOP_BACK"),
    (),
    ("smplify.fit", "ARMATURE_DATA"), ("smplify.cancel_fit", "CANCEL"),
    (),
    ("smplify.go_to_worst", "VIEWZOOM"), ("smplify.go_to_flag", "TRIA_RIGHT"), ("smplify.take_range", "PREVIEW_RANGE"),
    ("smplify.fit_again", "FILE_REFRESH"),
    (),
    ("smplify.copy_settings", "PASTEDOWN"), ("smplify.keep_edits", "CHECKMARK"), ("smplify.overwrite_edits", "TRASH"),
    ("smplify.restore_motion", "LOOP_BACK"), ("smplify.move_bones", "BONE_DATA"),
    (),
    ("smplify.open_character", "FILEBROWSER"), ("smplify.detect_bones", "VIEWZOOM"),
    ("smplify.load_bones", "IMPORT"), ("smplify.save_bones", "EXPORT"),
    ("smplify.apply_character", "ARMATURE_DATA"), ("smplify.remove_character", "LOOP_BACK"),
    ("smplify.apply_all_characters", "FILE_REFRESH"), ("smplify.pick_character", "EYEDROPPER"),
    ("smplify.go_out_of_reach", "TRIA_RIGHT"), ("smplify.export_character", "EXPORT"),
    (),
    ("smplify.import_motion", "IMPORT"), ("smplify.export", "EXPORT"),
    *(_LIVE_ENTRIES if HAS_LIVE else ()),
)  # fmt: skip
"""The operators with their icons; empty tuples are separators."""


_MENUS_AFTER = {
    "smplify.read_track": (SMPLIFY_MT_person.bl_idname, "COMMUNITY"),
    "smplify.fit_again": (SMPLIFY_MT_take.bl_idname, "ACTION"),
}
"""The menus, with their icons, that follow an operator."""


class SMPLIFY_MT_smplify(bpy.types.Menu):  # noqa: N801 - Blender's naming convention
    """The operators on keypoints and figures."""

    bl_idname = "SMPLIFY_MT_smplify"
    bl_label = "SMPLify"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the menu."""
        layout = self.layout
        layout.operator_context = "INVOKE_DEFAULT"
        for entry in _ENTRIES:
            if not entry:
                layout.separator()
                continue
            layout.operator(entry[0], icon=entry[1])
            if entry[0] in _MENUS_AFTER:
                name, icon = _MENUS_AFTER[entry[0]]
                layout.menu(name, icon=icon)
        if HAS_TORCH_BACKEND:
            layout.separator()
            layout.operator("preferences.addon_show", text="GPU Acceleration", icon="PREFERENCES").module = PACKAGE


CLASSES = (SMPLIFY_MT_smplify,)

_MENUS = ("VIEW3D_MT_object", "VIEW3D_MT_pose")


def _draw_menu(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
    menu.layout.separator()
    menu.layout.menu(SMPLIFY_MT_smplify.bl_idname, icon="OUTLINER_OB_ARMATURE")


def register() -> None:
    """Add the menu to the menus of the 3D viewport."""
    for name in _MENUS:
        getattr(bpy.types, name).append(_draw_menu)


def unregister() -> None:
    """Remove the menu."""
    for name in _MENUS:
        getattr(bpy.types, name).remove(_draw_menu)
