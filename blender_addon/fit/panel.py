"""Box 3: fit, with progress and cancelling."""

from __future__ import annotations

import bpy
from bpy.app.translations import pgettext_iface as iface_

from ..background.fit_session import FITS, FitState
from ..background.modal_operator import describe
from ..background.task import Task
from ..package import addon_preferences
from ..torch_access import HAS_TORCH_BACKEND, draw_device
from ..ui.box_errors import Box, draw_error
from ..ui.sidebar import SidebarPanel
from ..ui.text import draw_text
from .operators import SMPLIFY_OT_cancel_fit, SMPLIFY_OT_fit

_BUTTON_SCALE = 1.4


class SMPLIFY_PT_fit(SidebarPanel, bpy.types.Panel):  # noqa: N801 - Blender's naming convention
    """The fit."""

    bl_idname = "SMPLIFY_PT_fit"
    bl_label = "3. Fit"
    bl_order = 3

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the box for the state of the fit."""
        layout = self.layout
        settings = context.scene.smplify.fit
        column = layout.column()
        column.enabled = not FITS.busy
        column.use_property_split = True
        column.use_property_decorate = False
        column.prop(settings, "mode")
        column.prop(settings, "quality")
        if context.scene.smplify.track.takes:
            column.prop(settings, "takes")
            column.prop(settings, "strips")
        if FITS.task is not None:
            _draw_progress(layout, context, FITS.task)
            return
        row = layout.row()
        row.scale_y = _BUTTON_SCALE
        row.operator(SMPLIFY_OT_fit.bl_idname, icon="ARMATURE_DATA")
        _draw_outcome(layout, context)


def _draw_progress(layout: bpy.types.UILayout, context: bpy.types.Context, task: Task) -> None:
    if FITS.state is FitState.WAITING:
        draw_text(layout, context, iface_("Done; leave Edit or Pose Mode to see it"), icon="INFO")
    elif FITS.state is FitState.CANCELLING:
        layout.label(text="Cancelling...", icon="CANCEL")
    else:
        share = task.status.share
        layout.progress(factor=share, text=f"{share:.0%}")
        draw_text(layout, context, describe(task))
    layout.operator(SMPLIFY_OT_cancel_fit.bl_idname, icon="CANCEL")


def _draw_outcome(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw the outcome of the last fit."""
    if FITS.state is FitState.DONE:
        draw_text(layout, context, FITS.message, icon="CHECKMARK")
    elif FITS.state is FitState.CANCELLED:
        draw_text(layout, context, iface_(FITS.message), icon="CANCEL")
    draw_error(layout, context, Box.FIT)


class SMPLIFY_PT_fit_options(SidebarPanel, bpy.types.Panel):  # noqa: N801 - Blender's naming convention
    """Smoothing and further options of the fit."""

    bl_idname = "SMPLIFY_PT_fit_options"
    bl_label = "Options"
    bl_parent_id = SMPLIFY_PT_fit.bl_idname
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the options."""
        settings = context.scene.smplify.fit
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.enabled = not FITS.busy
        frame = ("begin_frame",) if settings.begin == "FRAME" else ()
        device = ("device_menu",) if HAS_TORCH_BACKEND or settings.device != "numpy" else ()
        names = ("smoothing", "motion_fps", "timing", "begin", *frame, "floor", "fingers", "hands", "pose_correctives")
        for name in (*names, *device):
            layout.prop(settings, name)
        if settings.device == "numpy":
            layout.prop(settings, "workers")
        else:
            draw_device(layout, context, addon_preferences(context), settings.device)


CLASSES = (SMPLIFY_PT_fit, SMPLIFY_PT_fit_options)
