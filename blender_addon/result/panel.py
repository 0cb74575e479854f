"""Box 4: the result of the fit of the active figure, and the settings that need no new fit."""

from __future__ import annotations

from contextlib import suppress
from enum import Enum
from typing import TYPE_CHECKING, Any

import bpy
from bpy.app.translations import pgettext_iface as iface_

from ..character.identity import has_motion, is_figure
from ..figure.custom_properties import LIVE_KEY
from ..figure.shape_operators import SMPLIFY_OT_move_bones, active_armature, active_figure, figures_of
from ..figure.takes import takes_of
from ..motion_import.operators import SMPLIFY_OT_import_motion
from ..ui.box_errors import Box, draw_error
from ..ui.sidebar import SidebarPanel
from ..ui.text import draw_text
from .flag_list import ask_for_rows, is_current, why
from .operators import (
    SMPLIFY_MT_take,
    SMPLIFY_OT_copy_settings,
    SMPLIFY_OT_go_to_flag,
    SMPLIFY_OT_go_to_worst,
    SMPLIFY_OT_keep_edits,
    SMPLIFY_OT_overwrite_edits,
    SMPLIFY_OT_restore_motion,
    others_selected,
)
from .refit_operators import SMPLIFY_OT_fit_again, SMPLIFY_OT_take_range

if TYPE_CHECKING:
    from ..core_access import FitReport
    from ..figure.record import FigureRecord

_FLAG_ICONS = {
    "held": "HIDE_ON",
    "missing": "GHOST_DISABLED",
    "implausible": "ERROR",
    "swapped": "MOD_MIRROR",
    "strained": "CON_ROTLIMIT",
}
_LIMB_SHARE = 0.62
"""How much of a row of the list is for the limb; frames with five digits fit into the rest."""


class SMPLIFY_UL_flags(bpy.types.UIList):  # noqa: N801 - Blender's naming convention
    """The doubtful stretches of a fit."""

    def draw_item(  # noqa: PLR0913 - Blender's signature
        self,
        context: bpy.types.Context,
        layout: bpy.types.UILayout,
        data: Any,
        item: Any,
        icon: int,
        active_data: Any,
        active_property: str,
    ) -> None:
        """Draw one stretch: the reason as an icon, limb, frames; the reason of the chosen one stands below the list."""
        row = layout.split(factor=_LIMB_SHARE)
        row.label(text=item.name.replace("_", " "), icon=_FLAG_ICONS.get(item.kind, "ERROR"))
        row.label(text=str(item.first) if item.first == item.last else f"{item.first}–{item.last}", translate=False)


class SMPLIFY_PT_result(SidebarPanel, bpy.types.Panel):  # noqa: N801 - Blender's naming convention
    """Box 4."""

    bl_label = "4. Result"
    bl_order = 4

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the panel for the state of the active figure."""
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        draw_error(layout, context, Box.RESULT)
        state, found = figure_state(context)
        if state is FigureState.NONE:
            layout.label(text="No figure is active", icon="INFO")
            layout.operator(SMPLIFY_OT_import_motion.bl_idname, icon="IMPORT")
        elif state is FigureState.STRANGER:
            draw_text(layout, context, _what_else_it_is(context), icon="INFO")
            if figures_of(context, selected=False):  # a figure whose record was removed
                layout.operator(SMPLIFY_OT_move_bones.bl_idname, icon="BONE_DATA")
        elif isinstance(found, str):
            draw_text(layout, context, found, icon="ERROR")
        elif found is not None:
            _draw_figure(layout, context, found)


class FigureState(Enum):
    """The states of box 4."""

    NONE = "no figure is active"
    STRANGER = "the active armature is not a figure of this add-on"
    DAMAGED = "the record of the figure cannot be read"
    FITTED = "fitted to keypoints"
    IMPORTED = "from a motion file"


def figure_state(context: bpy.types.Context) -> tuple[FigureState, FigureRecord | str | None]:
    """Return the state of the active figure, and its record, an error text if that is damaged, or None."""
    from ..core_access import CoreError
    from ..figure.record import load

    armature = active_figure(context)
    if armature is None:
        return (FigureState.NONE if active_armature(context) is None else FigureState.STRANGER), None
    try:
        record = load(armature)
    except CoreError as error:
        return FigureState.DAMAGED, str(error)
    assert record is not None, "an active figure has a record"
    return (FigureState.IMPORTED if record.report is None else FigureState.FITTED), record


def _what_else_it_is(context: bpy.types.Context) -> str:
    """Return what the active armature is, which has no record of a motion."""
    from ..character.errors import CharacterError
    from ..character.stored import load

    armature = active_armature(context)
    if armature is not None and LIVE_KEY in armature:
        return iface_("This figure follows live points; a recording gives it a motion to adjust")
    if armature is not None and has_motion(armature):
        with suppress(CharacterError):
            figure = load(armature).figure
            if figure is not None and figure.users_scene and is_figure(figure):
                text = iface_("This character moves like {:s}; select that figure to adjust the motion")
                return text.format(figure.name)
    return iface_("The active armature was not fitted here")


def _draw_figure(layout: bpy.types.UILayout, context: bpy.types.Context, record: FigureRecord) -> None:
    """Draw the report and the settings of the active figure."""
    from .live_settings import analyse_ahead

    armature = active_figure(context)
    assert armature is not None, "a record implies an active figure"
    if not bpy.app.background:
        analyse_ahead(armature, record)
    draw_text(layout, context, armature.name, icon="ARMATURE_DATA")
    _draw_takes(layout, armature)
    if record.report is not None:
        _draw_report(layout, context, armature, record)
        _draw_flags(layout, context, armature, record.report)
        _draw_views(layout, context, armature)
    inside = _section(layout, "adjust", "Adjust Without Fitting")
    if inside is not None:
        _draw_settings(inside, context, armature)
    if record.report is not None:
        inside = _section(layout, "again", "Fit Again")
        if inside is not None:
            _draw_range(inside, armature)


def _draw_takes(layout: bpy.types.UILayout, armature: bpy.types.Object) -> None:
    """Draw the menu of the takes of a figure that has several."""
    if len(takes_of(armature)) < 2:
        return
    animation = armature.animation_data
    name = animation.action.name if animation is not None and animation.action is not None else iface_("NLA Strips")
    layout.menu(SMPLIFY_MT_take.bl_idname, text=name, icon="ACTION", translate=False)


def _section(layout: bpy.types.UILayout, name: str, text: str) -> bpy.types.UILayout | None:
    """Draw the header of a collapsible section; return its layout, None while it is collapsed."""
    header, inside = layout.panel(f"SMPLIFY_result_{name}")
    header.label(text=text)
    return inside


def _draw_report(
    layout: bpy.types.UILayout, context: bpy.types.Context, armature: bpy.types.Object, record: FigureRecord
) -> None:
    from ..figure.body_mesh import stature_of

    report = record.report
    assert report is not None, "a fitted figure"
    stature = stature_of(armature) or report.stature_m
    column = layout.column(align=True)
    column.label(text=iface_("Stature {:.2f} m").format(stature), translate=False)
    column.label(text=iface_("Mean error {:.1f} mm").format(report.mean_error_mm), translate=False)
    worst = report.keypoint_error_mm[report.worst_frame]
    frame = record.scene_frame(report.worst_frame)
    text = iface_("Worst {:.1f} mm at frame {}").format(worst, frame)
    column.operator(SMPLIFY_OT_go_to_worst.bl_idname, text=text, translate=False, icon="VIEWZOOM")
    if (errors := report.point_errors) is not None:
        text = iface_("Points: {:.1f} mm white, {:.1f} smooth, {:.1f} constant")
        parts = errors.white_mm, errors.smooth_mm, errors.constant_mm
        draw_text(column, context, text.format(*parts))


def _draw_flags(
    layout: bpy.types.UILayout, context: bpy.types.Context, armature: bpy.types.Object, report: FitReport
) -> None:
    """Draw the doubtful stretches, and why the chosen one is doubtful."""
    properties = armature.smplify
    if not is_current(armature):
        ask_for_rows()
    if not report.flags:
        layout.label(text="No doubtful stretches", icon="CHECKMARK")
        return
    row = layout.row(align=True)
    row.label(text=iface_("Doubtful stretches: {}").format(len(report.flags)), translate=False)
    for which, icon in (("PREVIOUS", "TRIA_LEFT"), ("NEXT", "TRIA_RIGHT")):
        row.operator(SMPLIFY_OT_go_to_flag.bl_idname, text="", icon=icon).which = which
    layout.template_list("SMPLIFY_UL_flags", "", properties, "flags", properties, "flag_index", rows=3)
    text = iface_("Click one to go there")
    if 0 <= properties.flag_index < len(properties.flags):
        chosen = properties.flags[properties.flag_index]
        text = f"{iface_(chosen.name.replace('_', ' '))}: {iface_(why(chosen.kind))}"
    draw_text(layout, context, text)


def _draw_views(layout: bpy.types.UILayout, context: bpy.types.Context, armature: bpy.types.Object) -> None:
    row = layout.row(align=True)
    row.use_property_split = False
    row.prop(context.window_manager, "smplify_error_strip", toggle=True, icon="SEQ_HISTOGRAM")
    row.prop(armature.smplify, "color_by_error", toggle=True, icon="COLOR")
    layout.prop(armature.smplify, "color_limit_mm")
    layout.prop(armature.smplify, "correctives")


def _draw_settings(layout: bpy.types.UILayout, context: bpy.types.Context, armature: bpy.types.Object) -> None:
    properties = armature.smplify
    if properties.edited:
        box = layout.box()
        text = iface_("The keys were edited since they were written. Choose before changing more:")
        draw_text(box, context, text, icon="ERROR")
        column = box.column(align=True)
        column.operator(SMPLIFY_OT_keep_edits.bl_idname, icon="CHECKMARK")
        column.operator(SMPLIFY_OT_overwrite_edits.bl_idname, icon="TRASH")
    column = layout.column()
    column.enabled = not properties.edited and armature.library is None
    for name in ("smoothing", "foot_lock"):
        column.prop(properties, name, slider=True)
    for name in ("ground", "height_m", "root"):
        column.prop(properties, name)
    if properties.trouble:
        draw_text(layout, context, properties.trouble, icon="ERROR")
    column = layout.column(align=True)
    if others_selected(context):
        column.operator(SMPLIFY_OT_copy_settings.bl_idname, icon="PASTEDOWN")
    column.operator(SMPLIFY_OT_restore_motion.bl_idname, icon="LOOP_BACK")
    column.operator(SMPLIFY_OT_move_bones.bl_idname, icon="BONE_DATA")


def _draw_range(layout: bpy.types.UILayout, armature: bpy.types.Object) -> None:
    column = layout.column(align=True)
    row = column.row(align=True)
    row.use_property_split = False
    row.prop(armature.smplify, "range_first")
    row.prop(armature.smplify, "range_last")
    row.operator(SMPLIFY_OT_take_range.bl_idname, text="", icon="PREVIEW_RANGE")
    column.operator(SMPLIFY_OT_fit_again.bl_idname, icon="FILE_REFRESH")
    # Drawing does not look for the file: a .blend from elsewhere may name one on another machine.
    layout.prop(armature.smplify, "moved_file")


CLASSES = (SMPLIFY_UL_flags, SMPLIFY_PT_result)
