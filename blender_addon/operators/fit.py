"""Box 3: the fit."""

from __future__ import annotations

from pathlib import Path

import bpy
from bpy_extras.io_utils import ImportHelper


class SMPLIFY_OT_import_track(bpy.types.Operator, ImportHelper):  # noqa: N801 - the form that Blender asks for
    """Fit an SMPL figure to each person of a 3D keypoint file and add it to the scene, animated"""

    bl_idname = "smplify.import_track"
    bl_label = "Import Keypoints"
    bl_options = {"REGISTER", "UNDO"}

    filter_glob: bpy.props.StringProperty(default="*.trc;*.c3d;*.csv;*.json;*.npy;*.npz;*.pkl", options={"HIDDEN"})
    floor: bpy.props.BoolProperty(
        name="Stand on Floor",
        description="Move each clip as a whole so that its lowest point stands on the floor",
        default=True,
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Return whether objects can be added now."""
        if context.mode != "OBJECT":
            cls.poll_message_set("Leave Edit or Pose Mode first")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Read, fit, and add the figures; select them, as Blender's own importers do."""
        from ..conversion import fit_file, show
        from ..core_access import CoreError
        from ..jobs import ConvertOptions

        window = context.window_manager
        window.progress_begin(0.0, 1.0)
        try:
            source = Path(self.filepath)
            fitted = fit_file(source, ConvertOptions(), lambda share, _: window.progress_update(share))
            figures = show(fitted, source.stem, floor=self.floor)
        except CoreError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        finally:
            window.progress_end()
        for item in context.selected_objects:
            item.select_set(False)
        for figure in figures:
            figure.armature.select_set(True)
        context.view_layer.objects.active = figures[0].armature
        names = ", ".join(figure.armature.name for figure in figures)
        self.report({"INFO"}, f"Added {names}: {figures[0].motion.num_frames} frames")
        return {"FINISHED"}


CLASSES = (SMPLIFY_OT_import_track,)
