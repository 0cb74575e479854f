"""Write figures to files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import bpy
from bpy_extras.io_utils import ExportHelper

from ..figure.shape_operators import figures_of
from ..figure.takes import recalled
from ..ui.box_errors import Box
from ..ui.modes import in_object_or_pose_mode
from ..ui.operator_mixin import OperatorMixin
from ..ui.property_options import FILE_OPTIONS
from ..ui.translations import CONTEXT
from .files import ExportFile, files_to_write, has_takes
from .properties import BONE_ITEMS, FIGURE_ITEMS, ONE_PERSON, PRESET_ITEMS, TAKE_ITEMS, settings_of_format

if TYPE_CHECKING:
    from .presets import ExportTarget

_TARGET_SETTINGS = ("bones", "root_bone", "correctives")
_SETTINGS = ("preset", *_TARGET_SETTINGS, "figures", "one_each", "takes")


class SMPLIFY_OT_export(OperatorMixin, bpy.types.Operator, ExportHelper):  # noqa: N801 - Blender's naming convention
    """Write the active figure, or all selected ones; the file's suffix determines the format"""

    bl_idname = "smplify.export"
    bl_label = "Export Figures"
    bl_options = {"REGISTER"}
    box = Box.EXPORT

    check_extension = None  # the user may type the suffix of any supported format
    filename_ext = ""

    filepath: bpy.props.StringProperty(
        name="File Path", description="The file to write; its suffix determines the format", subtype="FILE_PATH",
        options=FILE_OPTIONS,
    )  # fmt: skip
    filter_glob: bpy.props.StringProperty(
        default="*.blend;*.fbx;*.glb;*.usd;*.bvh;*.npz;*.mot;*.trc", options={"HIDDEN"}
    )
    preset: bpy.props.EnumProperty(
        name="For", description="The program that the file is for: sets units, axes and the options not given below",
        items=PRESET_ITEMS,
    )  # fmt: skip
    bones: bpy.props.EnumProperty(
        name="Bone Names", description="Names of the bones in FBX, glTF and USD; if not given, those of the preset",
        items=BONE_ITEMS,
    )  # fmt: skip
    root_bone: bpy.props.BoolProperty(
        name="Root Bone",
        description="Add a parent bone of the pelvis, on the floor, that carries path and heading; if not given, as in "
        "the preset",
    )
    correctives: bpy.props.BoolProperty(
        name="Pose Correctives",
        description="Write the pose correctives that a figure shows as shape keys with animated values, in FBX, glTF "
        "and USD",
    )
    figures: bpy.props.EnumProperty(
        name="Figures", description="Which figures to write", items=FIGURE_ITEMS, translation_context=CONTEXT
    )
    one_each: bpy.props.BoolProperty(
        name="One File Each",
        description="Write each figure to its own file, with the figure's name appended. BVH, AMASS and OpenSim "
        "always do",
    )
    takes: bpy.props.EnumProperty(
        name="Takes", description="Which takes of the figures to write", items=TAKE_ITEMS, translation_context=CONTEXT
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Return whether there is a figure to write and the mode is Object or Pose Mode."""
        if not in_object_or_pose_mode(cls, context):
            return False
        if not figures_of(context, selected=False) and not figures_of(context, selected=True):
            cls.poll_message_set("Make a figure active, or select figures")
            return False
        return True

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Take the settings from the Export box and ask for the file name."""
        from ..core_access import CoreError

        settings = context.scene.smplify_export
        for name in _SETTINGS:
            if not self.properties.is_property_set(name):
                setattr(self, name, getattr(settings, name))
        try:
            chosen = self._chosen(context)
        except CoreError as error:
            return self.failed(str(error))
        if not self.properties.is_property_set("filepath"):
            self.filepath = str(_default_path(chosen, settings.file_format))
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def check(self, context: bpy.types.Context) -> bool:
        """Keep the file name as the user typed it."""
        return False

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Write the files."""
        return self.done(self._export, context)

    def _export(self, context: bpy.types.Context) -> str:
        from ..core_access import CoreError, OutputError
        from ..project_files import project_files
        from .writers import export_figures

        files = self._files(self._chosen(context), Path(bpy.path.abspath(self.filepath)))
        protected = project_files()
        for file in files:  # all of them before the first is written
            protected.check(file.path)
        written: list[str] = []
        for file in files:
            try:
                with recalled(file.figures[0], file.take):
                    export_figures(file.figures, file.path, scene=context.scene, target=self._target())
                written.append(file.path.name)
            except (CoreError, OSError) as error:
                if not written:
                    raise
                raise OutputError(f"{error} ({', '.join(written)} was written before)") from error
        return f"Wrote {', '.join(written)}"

    def _chosen(self, context: bpy.types.Context) -> list[bpy.types.Object]:
        """Return the figures to write.

        Raises:
            InputMissingError: there are none.
        """
        from ..core_access import InputMissingError

        chosen = figures_of(context, selected=self.figures == "SELECTED")
        if not chosen:
            raise InputMissingError(f"expected a figure that is {self.figures.lower()}, found none; choose one")
        return chosen

    def _target(self) -> ExportTarget:
        from dataclasses import replace

        from .presets import PRESETS

        given = {name: getattr(self, name) for name in _TARGET_SETTINGS if self.properties.is_property_set(name)}
        return replace(PRESETS[self.preset].target, **given)

    def _files(self, chosen: list[bpy.types.Object], path: Path) -> list[ExportFile]:
        """Return the files to write."""
        from .presets import PRESETS

        each = self.one_each if self.properties.is_property_set("one_each") else PRESETS[self.preset].one_each
        each = each or path.suffix.lower().lstrip(".") in ONE_PERSON
        return files_to_write(chosen, path, one_each=each, all_takes=self.takes == "ALL")

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the options beside the file browser."""
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        # The preset is chosen in the box and sets these options.
        for name in settings_of_format(Path(self.filepath).suffix.lower().lstrip("."), self.figures):
            layout.prop(self, name)
        if has_takes(figures_of(context, selected=self.figures == "SELECTED")):
            layout.prop(self, "takes")


def _default_path(figures: list[bpy.types.Object], suffix: str) -> Path:
    """Return a free path beside the project, named after the first of *figures*."""
    from ..project_files import project_files

    folder = Path(bpy.data.filepath).parent if bpy.data.filepath else Path.home()

    def files_of(path: Path) -> list[Path]:
        # The file browser still offers the choice between one file and one file per figure.
        return [path, *(file.path for takes in (False, True)
                        for file in files_to_write(figures, path, one_each=True, all_takes=takes))]  # fmt: skip

    return project_files().free_path(folder / f"{bpy.path.clean_name(figures[0].name)}.{suffix}", files_of)


CLASSES = (SMPLIFY_OT_export,)


def _draw_export(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
    menu.layout.operator(SMPLIFY_OT_export.bl_idname, text="SMPLify Figures (.blend, .fbx, .glb, .bvh ...)")


def register() -> None:
    """Add the entry of File > Export."""
    bpy.types.TOPBAR_MT_file_export.append(_draw_export)


def unregister() -> None:
    """Remove the entry."""
    bpy.types.TOPBAR_MT_file_export.remove(_draw_export)
