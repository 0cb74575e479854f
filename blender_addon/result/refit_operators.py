"""Fit a range of frames of the active figure again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import bpy
from bpy.app.translations import pgettext_iface as iface_

from ..background.fit_session import FITS
from ..background.modal_operator import RunsFit
from ..background.task import Progress
from ..figure.custom_properties import MARK_KEY
from ..figure.find import find_object
from ..figure.shape_operators import active_figure
from ..fit.settings import workers_of
from ..package import addon_preferences
from ..torch_access import fit_where_set
from ..track.request import TrackRequest
from ..ui.box_errors import Box
from ..ui.enum_items import QUALITY_ITEMS
from ..ui.modes import in_object_mode
from ..ui.operator_mixin import OperatorMixin
from ..ui.translations import CONTEXT

if TYPE_CHECKING:
    from ..figure.record import FigureRecord

_CHANGES = ("mode", "smoothing", "quality")


class SMPLIFY_OT_fit_again(RunsFit, bpy.types.Operator):  # noqa: N801 - Blender's naming convention
    """Fit a range of the active figure's frames again as set in box 3, and blend it into the motion; keep the shape"""

    bl_idname = "smplify.fit_again"
    bl_label = "Fit Range Again"
    bl_options = {"UNDO"}
    box = Box.RESULT

    first: bpy.props.IntProperty(name="First", description="First frame; if not given, that of the Result box")
    last: bpy.props.IntProperty(name="Last", description="Last frame; if not given, that of the Result box")
    mode: bpy.props.EnumProperty(
        name="Mode",
        description="How to fit the frames; if not given, as in box 3",
        items=(
            ("CLIP", "Whole Clip", "All frames of the range at once"),
            ("FRAMES", "Frame by Frame", "One frame after the other, without looking ahead"),
        ),
        translation_context=CONTEXT,
    )
    smoothing: bpy.props.FloatProperty(
        name="Smoothing", description="Smoothing of the fit; if not given, as in box 3", min=0.0, max=1.0, default=1.0
    )
    quality: bpy.props.EnumProperty(
        name="Quality",
        description="Quality of the fit; if not given, as in box 3",
        items=QUALITY_ITEMS,
        default="BALANCED",
        translation_context=CONTEXT,
    )
    filepath: bpy.props.StringProperty(
        name="Keypoints",
        description="The figure's keypoint file, if it was moved since the fit",
        subtype="FILE_PATH",
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Return whether the active figure can be fitted again now."""
        armature = active_figure(context)
        if armature is None:
            cls.poll_message_set("Make a figure that was fitted with SMPLify active")
            return False
        if armature.library is not None:
            cls.poll_message_set("The figure is linked from another file: open that file, or append the figure")
            return False
        if FITS.busy:
            cls.poll_message_set("A fit is running")
            return False
        return in_object_mode(cls, context)

    def prepare(self, context: bpy.types.Context) -> Callable[[Progress], FigureRecord]:
        """Return the fit of the range."""
        from ..figure.record import adjustable
        from ..track.armatures import read_armatures
        from .live_settings import refuse_edited
        from .refit import RefitOrder, fit_again

        armature = active_figure(context)
        assert armature is not None, "checked by poll"
        record = adjustable(armature)
        refuse_edited(armature)
        settings, is_set = armature.smplify, self.properties.is_property_set
        order = RefitOrder(
            first=self.first if is_set("first") else settings.range_first,
            last=self.last if is_set("last") else settings.range_last,
            changes=self._changes(context),
            file=bpy.path.abspath(self.filepath or settings.moved_file),
        )
        self._uid, self._name, self._mark = armature.session_uid, armature.name, armature.get(MARK_KEY)
        self._range = order.first, order.last
        fit = fit_where_set(addon_preferences(context))
        source = TrackRequest(order.file or record.source.file)
        readings = read_armatures(source.path, record.source.reading) if source.is_armature else []
        return lambda progress: fit_again(record, order, progress, fit, readings)

    def _changes(self, context: bpy.types.Context) -> dict[str, object]:
        fit = context.scene.smplify.fit
        changes = {
            "mode": fit.mode, "smoothing": fit.smoothing, "quality": fit.quality, "device": fit.device,
            "workers": workers_of(fit.workers),
        }  # fmt: skip
        changes |= {name: getattr(self, name) for name in _CHANGES if self.properties.is_property_set(name)}
        return {**changes, **{name: str(changes[name]).lower() for name in ("mode", "quality")}}

    def finish(self, context: bpy.types.Context, result: FigureRecord) -> str:
        """Apply the new frames to the figure."""
        from ..figure.record import AdjustmentError
        from .live_settings import change_motion, refuse_edited

        armature = find_object(self._uid, self._name)
        if armature is None or armature.get(MARK_KEY) != self._mark:
            raise AdjustmentError(
                "expected the figure as it was when the fit began, but it is gone or has another motion now; nothing "
                "was changed"
            )
        refuse_edited(armature)
        change_motion(armature, result)
        armature.smplify.moved_file = ""
        return iface_("Fitted frames {:d} to {:d} of {:s} again").format(*self._range, armature.name)


class SMPLIFY_OT_take_range(OperatorMixin, bpy.types.Operator):  # noqa: N801 - Blender's naming convention
    """Set the range to fit again to the scene's preview range, or to its whole range if there is none"""

    bl_idname = "smplify.take_range"
    bl_label = "Take Preview Range"
    bl_options = {"REGISTER", "UNDO"}
    box = Box.RESULT

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Return whether a figure is active."""
        if active_figure(context) is None:
            cls.poll_message_set("Make a figure that was fitted with SMPLify active")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Set the range."""
        scene, armature = context.scene, active_figure(context)
        assert armature is not None, "checked by poll"
        settings = armature.smplify
        preview = scene.use_preview_range
        settings.range_first = scene.frame_preview_start if preview else scene.frame_start
        settings.range_last = scene.frame_preview_end if preview else scene.frame_end
        return self.succeeded()


CLASSES = (SMPLIFY_OT_fit_again, SMPLIFY_OT_take_range)
