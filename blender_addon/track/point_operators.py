"""Operators on the list of point names: save, load, detect again."""

from __future__ import annotations

from pathlib import Path

import bpy
from bpy_extras.io_utils import ExportHelper, ImportHelper

from ..ui.box_errors import Box
from ..ui.message_terms import in_panel_words
from ..ui.operator_mixin import OperatorMixin
from .point_rows import names_of_rows, stored_names
from .reader import read_now, read_soon
from .session import TRACKS, TrackState


class _PointOperator(OperatorMixin):
    """Mixin of the operators of the list; list it before `bpy.types.Operator`."""

    box = Box.TRACK

    def _read_by(self, names: str, context: bpy.types.Context) -> TrackState:
        """Read the points by *names*, as they are stored: before returning without a window, else in the background."""
        context.scene.smplify.track.point_names = names
        if bpy.app.background:
            return read_now(context.scene)
        read_soon(report=True)
        return TrackState.READING


class SMPLIFY_OT_save_points(_PointOperator, bpy.types.Operator, ExportHelper):  # noqa: N801 - Blender's convention
    """Save the names of the points to a JSON file, for other files with the same points"""

    bl_idname = "smplify.save_points"
    bl_label = "Save Names"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Return whether a file with points that can be named is read."""
        if TRACKS.recognition is None:
            cls.poll_message_set("Open a file of points first")
            return False
        return True

    filename_ext = ".json"
    filter_glob: bpy.props.StringProperty(default="*.json", options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Write the file."""
        return self.done(self._save, context)

    def _save(self, context: bpy.types.Context) -> None:
        from ..project_files import save_text

        points = f"Points of {Path(TRACKS.request.path).name}"
        save_text(self.filepath, names_of_rows(context.scene.smplify.track).to_json(points))


class SMPLIFY_OT_load_points(_PointOperator, bpy.types.Operator, ImportHelper):  # noqa: N801 - Blender's convention
    """Read the names of the points from a JSON file, and the points by these names"""

    bl_idname = "smplify.load_points"
    bl_label = "Load Names"
    bl_options = {"REGISTER", "UNDO"}

    filename_ext = ".json"
    filter_glob: bpy.props.StringProperty(default="*.json", options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Read the file."""
        from ..core_access import CoreError

        if not self.filepath:
            return self.failed("Expected a JSON file with names of points, got none; choose one")
        try:
            names = stored_names(self.filepath)
        except CoreError as error:
            return self.failed(str(error))
        state = self._read_by(names, context)
        return self.failed(TRACKS.error, is_shown=True) if state is TrackState.BAD_FILE else self.succeeded()


class SMPLIFY_OT_detect_points(_PointOperator, bpy.types.Operator):  # noqa: N801 - Blender's naming convention
    """Discard all choices and recognise the points by their names or their order again"""

    bl_idname = "smplify.detect_points"
    bl_label = "Detect Again"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Return whether anything was chosen."""
        if not context.scene.smplify.track.point_names:
            cls.poll_message_set("No point was named by hand")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Read the file without names given by hand."""
        if self._read_by("", context) is TrackState.BAD_FILE:  # the choices are discarded all the same
            self.report({"WARNING"}, in_panel_words(TRACKS.error))
        return self.succeeded()


CLASSES = (SMPLIFY_OT_save_points, SMPLIFY_OT_load_points, SMPLIFY_OT_detect_points)
