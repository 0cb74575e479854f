"""Operators of the Result box: go to doubtful frames, keep or undo edits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy
from bpy.app.translations import pgettext_iface as iface_

from ..figure.custom_properties import RECORD_KEY
from ..figure.shape_operators import active_figure, figures_of
from ..ui.box_errors import Box
from ..ui.operator_mixin import OperatorMixin
from .flag_list import fill, is_current

if TYPE_CHECKING:
    from ..core_access import FitReport
    from ..figure.record import FigureRecord


class _FigureOperator(OperatorMixin):
    """Mixin for operators on the active figure; list it before `bpy.types.Operator`."""

    bl_options = {"REGISTER", "UNDO"}
    box = Box.RESULT

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Return whether the armature or mesh of a figure with a record is active."""
        armature = active_figure(context)
        if armature is None:
            cls.poll_message_set("Make a figure that was fitted or imported with SMPLify active")
            return False
        if armature.library is not None:
            cls.poll_message_set("The figure is linked from another file: open that file, or append the figure")
            return False
        return True


class SMPLIFY_OT_choose_take(_FigureOperator, bpy.types.Operator):  # noqa: N801 - Blender's naming convention
    """Show this take of the figure, with its own settings, errors and flags"""

    bl_idname = "smplify.choose_take"
    bl_label = "Choose Take"

    take: bpy.props.StringProperty(
        name="Take", description="Name of its action; empty for the strips of the NLA editor", options={"SKIP_SAVE"}
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Give the figure the action of the take."""
        return self.done(_choose_take, context, self.take)


def _choose_take(context: bpy.types.Context, name: str) -> None:
    from ..figure.key_listeners import notify
    from ..figure.record import AdjustmentError
    from ..figure.takes import set_action, takes_of
    from .takes import choose_take

    armature = active_figure(context)
    assert armature is not None, "checked by poll"
    if not name:
        if armature.animation_data is None or not armature.animation_data.nla_tracks:
            raise AdjustmentError(f"expected strips in the NLA editor for {armature.name!r}, found none; choose a take")
        set_action(armature, None)
        if takes_of(armature):
            notify(armature)
        return
    actions = {action.name: action for action in takes_of(armature)}
    if name not in actions:
        raise AdjustmentError(
            f"expected a take of {armature.name!r} ({', '.join(actions) or 'it has one motion'}), got {name!r}; "
            "choose one of these"
        )
    choose_take(armature, actions[name])


class SMPLIFY_MT_take(bpy.types.Menu):  # noqa: N801 - Blender's naming convention
    """The takes of the active figure."""

    bl_idname = "SMPLIFY_MT_take"
    bl_label = "Take"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the menu."""
        from ..figure.takes import takes_of

        armature = active_figure(context)
        if armature is None:
            return
        for action in takes_of(armature):
            entry = self.layout.operator(
                SMPLIFY_OT_choose_take.bl_idname, text=action.name, icon="ACTION", translate=False
            )
            entry.take = action.name
        if armature.animation_data is not None and armature.animation_data.nla_tracks:
            self.layout.operator(SMPLIFY_OT_choose_take.bl_idname, text="NLA Strips", icon="NLA").take = ""


class SMPLIFY_OT_go_to_worst(_FigureOperator, bpy.types.Operator):  # noqa: N801 - Blender's naming convention
    """Jump to the frame in which the figure is farthest from the measured points"""

    bl_idname = "smplify.go_to_worst"
    bl_label = "Go to Worst Frame"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Set the scene's frame."""
        return self.done(_go_to_worst, context)


def _go_to_worst(context: bpy.types.Context) -> None:
    _, record, report = _fitted(context)
    context.scene.frame_set(record.scene_frame(report.worst_frame))


def _fitted(context: bpy.types.Context) -> tuple[bpy.types.Object, FigureRecord, FitReport]:
    """Return the active figure, its record and its fit report.

    Raises:
        CoreError: the figure was not fitted, or its record is damaged.
    """
    from ..figure.record import AdjustmentError, adjustable

    armature = active_figure(context)
    assert armature is not None, "checked by poll"
    record = adjustable(armature)
    if record.report is None:
        raise AdjustmentError(
            f"expected a figure that was fitted to keypoints, but {armature.name!r} came from a motion file: it has no "
            "errors and no doubtful stretches"
        )
    return armature, record, record.report


class SMPLIFY_OT_go_to_flag(_FigureOperator, bpy.types.Operator):  # noqa: N801 - Blender's naming convention
    """Jump to the next or previous doubtful stretch of the fit"""

    bl_idname = "smplify.go_to_flag"
    bl_label = "Go to Doubtful Stretch"

    which: bpy.props.EnumProperty(
        name="Which",
        description="Which stretch, relative to the current frame",
        items=(
            ("NEXT", "Next", "The first stretch that begins after the current frame"),
            ("PREVIOUS", "Previous", "The last stretch that begins before the current frame"),
        ),
        default="NEXT",
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Select the stretch in the list, which jumps to it."""
        return self.done(self._go, context)

    def _go(self, context: bpy.types.Context) -> str:
        armature, _, _ = _fitted(context)
        if not is_current(armature):
            fill(armature)
        current = context.scene.frame_current
        firsts = [(row.first, index) for index, row in enumerate(armature.smplify.flags)]
        if self.which == "NEXT":
            found = min((item for item in firsts if item[0] > current), default=None)
        else:
            found = max((item for item in firsts if item[0] < current), default=None)
        if found is None:
            return f"No doubtful stretch {'after' if self.which == 'NEXT' else 'before'} frame {current}"
        armature.smplify.flag_index = found[1]
        return ""


class SMPLIFY_OT_keep_edits(_FigureOperator, bpy.types.Operator):  # noqa: N801 - Blender's naming convention
    """Keep the keys as they were edited: the live settings are reset and work on top of the edits from now on"""

    bl_idname = "smplify.keep_edits"
    bl_label = "Keep My Edits"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Make the keys the figure's motion."""
        from .live_settings import keep_edits

        return self.done(keep_edits, active_figure(context))


class SMPLIFY_OT_overwrite_edits(_FigureOperator, bpy.types.Operator):  # noqa: N801 - Blender's naming convention
    """Write the keys again according to the live settings; edits made since are lost"""

    bl_idname = "smplify.overwrite_edits"
    bl_label = "Overwrite My Edits"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Write the keys."""
        from .live_settings import overwrite_edits

        return self.done(overwrite_edits, active_figure(context))


class SMPLIFY_OT_restore_motion(_FigureOperator, bpy.types.Operator):  # noqa: N801 - Blender's naming convention
    """Restore the motion that the figure was fitted or imported with; edits and live settings are discarded"""

    bl_idname = "smplify.restore_motion"
    bl_label = "Back to the Fit"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Write the original keys."""
        from .live_settings import restore_original

        return self.done(restore_original, active_figure(context))


class SMPLIFY_OT_copy_settings(_FigureOperator, bpy.types.Operator):  # noqa: N801 - Blender's naming convention
    """Copy the live settings of the active figure to all other selected figures and apply them there"""

    bl_idname = "smplify.copy_settings"
    bl_label = "Same for Selected"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Return whether a figure other than the active one is selected."""
        if not super().poll(context):
            return False
        if not others_selected(context):
            cls.poll_message_set("Select other figures that were fitted or imported with SMPLify too")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Copy the settings; figures whose keys were edited are left unchanged and reported."""
        from .live_settings import settings_of, take_settings

        options = settings_of(active_figure(context))
        refused = [item.name for item in others_selected(context) if not take_settings(item, options)]
        if refused:
            text = iface_("Not changed: {:s}; the Result box says why when one is active")
            return self.succeeded(doubts=text.format(", ".join(refused)))
        return self.succeeded()


def others_selected(context: bpy.types.Context) -> list[bpy.types.Object]:
    """Return the selected figures that have a record, without the active one."""
    chosen = figures_of(context, selected=True)
    active = active_figure(context)
    return [item for item in chosen if item != active and RECORD_KEY in item and item.library is None]


CLASSES = (
    SMPLIFY_OT_choose_take,
    SMPLIFY_MT_take,
    SMPLIFY_OT_go_to_worst,
    SMPLIFY_OT_go_to_flag,
    SMPLIFY_OT_keep_edits,
    SMPLIFY_OT_overwrite_edits,
    SMPLIFY_OT_restore_motion,
    SMPLIFY_OT_copy_settings,
)
