"""Import motion files in AMASS layout, or that other tools solved, as figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import bpy
from bpy.app.translations import pgettext_iface as iface_
from bpy_extras.io_utils import ImportHelper

from ..figure.scene_state import select_alone
from ..figure.scene_time import SceneTime
from ..package import addon_preferences, body_file
from ..ui.box_errors import Box
from ..ui.enum_items import HANDS_DESCRIPTION, HANDS_ITEMS
from ..ui.modes import in_object_mode
from ..ui.operator_mixin import OperatorMixin
from ..ui.property_options import MAX_FPS
from ..ui.sidebar import show_tab
from ..ui.translations import CONTEXT

if TYPE_CHECKING:
    from .importing import MotionImport


class SMPLIFY_OT_import_motion(OperatorMixin, bpy.types.Operator, ImportHelper):  # noqa: N801 - Blender's naming convention
    """Add a figure for each person in motion files in AMASS layout, or that other tools solved, to be adjusted"""

    bl_idname = "smplify.import_motion"
    bl_label = "Import AMASS Motion"
    bl_options = {"REGISTER", "UNDO"}
    box = Box.RESULT

    filename_ext = ".npz"
    filter_glob: bpy.props.StringProperty(default="*.npz;*.npy;*.pkl;*.pickle;*.pt;*.pth", options={"HIDDEN"})
    files: bpy.props.CollectionProperty(
        name="Files", description="The files, if several are chosen", type=bpy.types.OperatorFileListElement,
        options={"HIDDEN", "SKIP_SAVE"},
    )  # fmt: skip
    directory: bpy.props.StringProperty(subtype="DIR_PATH", options={"HIDDEN", "SKIP_SAVE"})
    body: bpy.props.EnumProperty(
        name="Body",
        description="The body to show the motion on",
        items=(
            (
                "FREE",
                "Free Body",
                "The body of the extension. Betas of other bodies are ignored: the mean shape is shown",
            ),
            ("LICENSED", "Licensed SMPL", "The SMPL file set in the preferences; betas must belong to that body"),
        ),
    )
    up_axis: bpy.props.EnumProperty(
        name="Up Axis",
        description="Which axis of the file points up",
        items=(
            ("AUTO", "Auto", "As stated by the file, else detected from the orientation of the pelvis"),
            ("Z", "Z", "As in AMASS"),
            ("Y", "Y", "As in many later files"),
        ),
        translation_context=CONTEXT,
    )
    fps: bpy.props.FloatProperty(
        name="Frame Rate",
        description="Frame rate of the file, in frames per second; 0 uses the rate stated by the file",
        min=0.0,
        max=MAX_FPS,
    )
    floor: bpy.props.BoolProperty(
        name="Stand on Floor",
        description="Move each clip as a whole so that its lowest point stands on the floor; else it is not moved",
        default=False,
    )

    hands: bpy.props.EnumProperty(
        name="Fingers", description=HANDS_DESCRIPTION, items=HANDS_ITEMS, translation_context=CONTEXT
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Return whether objects can be added now."""
        return in_object_mode(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Read the files, add the figures and select them."""
        show_tab(context)
        return self.done(self._import, context)

    def _import(self, context: bpy.types.Context) -> str:
        from .importing import import_motions

        before = SceneTime.of(context.scene)
        figures, notes = import_motions(self._paths(), context.scene, self._options(context))
        select_alone([figure.armature for figure in figures])
        for note in notes:
            self.report({"WARNING"}, note)
        names = ", ".join(figure.armature.name for figure in figures)
        last = max(figure.last_frame for figure in figures)
        said = before.changes(context.scene, figures[0].own_fps, last)
        added = iface_("Added {:s}.").format(names)
        return " ".join([added, *said, iface_("Next: adjust it in box 4 of the SMPLify tab, or export it")])

    def _paths(self) -> list[Path]:
        names = [item.name for item in self.files if item.name]
        return [Path(self.directory, name) for name in names] if names else [Path(bpy.path.abspath(self.filepath))]

    def _options(self, context: bpy.types.Context) -> MotionImport:
        from ..core_access import InputMissingError
        from .importing import MotionImport

        licensed = body_file(addon_preferences(context)) if self.body == "LICENSED" else ""
        if self.body == "LICENSED" and not licensed:
            raise InputMissingError(
                "expected a licensed SMPL file, found none set; choose one in the extension's preferences, or the "
                "free body"
            )
        return MotionImport(
            body_file=licensed,
            up_axis=None if self.up_axis == "AUTO" else self.up_axis,
            fps=self.fps or None,
            floor=self.floor,
            mean_shape=self.body == "FREE",
            hands=self.hands.lower(),
        )


CLASSES = (SMPLIFY_OT_import_motion,)


def _draw_import(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
    menu.layout.operator(SMPLIFY_OT_import_motion.bl_idname, text="SMPL Motion for SMPLify (.npz, .pkl, .pt)")


def register() -> None:
    """Add the entry of File > Import."""
    bpy.types.TOPBAR_MT_file_import.append(_draw_import)


def unregister() -> None:
    """Remove the entry."""
    bpy.types.TOPBAR_MT_file_import.remove(_draw_import)
