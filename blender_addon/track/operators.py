"""Operators of box 1: open a keypoint file (dialog, drop or menu), read it, choose a person, view it."""

from __future__ import annotations

from pathlib import Path

import bpy
from bpy_extras.io_utils import ImportHelper

from ..batch.inputs import ARMATURE_SUFFIXES
from ..character.identity import is_animated
from ..ui.box_errors import Box
from ..ui.operator_mixin import OperatorMixin
from ..ui.sidebar import show_tab
from . import point_labels
from .point_rows import stored_names
from .preview import extent, shown_people
from .properties import (
    fps_number,
    frame_rate_choice,
    handedness_choice,
    layout_choice,
    static_file,
    stature_number,
    statures_text,
    swap_sides_choice,
    units_choice,
    up_choice,
)
from .reader import read_now, read_soon, what_was_read
from .request import AUTO, HERE
from .session import TRACKS, TrackState
from .settings import GROUPS, chosen_people, people_names

SUFFIXES = (
    ".trc", ".c3d", ".csv", ".tsv", ".npy", ".npz", ".json", ".jsonl", ".ndjson", ".pkl", ".pickle", ".pt",
    ".pk", ".smpl", ".mvnx", ".skeleton", ".bvh", ".calc",
)  # fmt: skip
_ALSO_OFFERED = (".txt", ".gz", ".bz2", ".xz")
"""Suffixes of many other files too: they are shown in the file browser, but not read when they are dropped."""
READING_SETTINGS = (
    "layout", "units", "stature", "statures", "up", "frame_rate", "fps", "handedness", "swap_sides", "static",
)  # fmt: skip


class _TrackOperator(OperatorMixin):
    """Mixin of the operators of box 1; list it before `bpy.types.Operator`."""

    box = Box.TRACK

    def _read(self, state: TrackState) -> set[str]:
        """End the operator after a read that ended in *state*."""
        return self.succeeded(what_was_read()) if state is TrackState.READ else self.failed(TRACKS.error, is_shown=True)

    def _read_soon(self) -> set[str]:
        """End the operator; a thread reads the file, and the outcome is reported."""
        TRACKS.clear()
        read_soon(report=True)
        return self.succeeded()


class SMPLIFY_OT_open_track(_TrackOperator, bpy.types.Operator, ImportHelper):  # noqa: N801 - Blender's naming convention
    """Choose a file of 3D keypoints or with an animated armature, or a folder of JSON files, and read it; of several
    files, the takes of a fit, the first is shown"""

    bl_idname = "smplify.open_track"
    bl_label = "Open Keypoints"
    bl_options = {"REGISTER", "UNDO"}

    filepath: bpy.props.StringProperty(
        name="Keypoints",
        description="File of 3D keypoints, or folder with one JSON file per frame",
        subtype="FILE_PATH",
        options={"SKIP_SAVE"},
    )
    files: bpy.props.CollectionProperty(
        name="Files", description="The files, if several are chosen", type=bpy.types.OperatorFileListElement,
        options={"HIDDEN", "SKIP_SAVE"},
    )  # fmt: skip
    directory: bpy.props.StringProperty(subtype="DIR_PATH", options={"HIDDEN", "SKIP_SAVE"})
    filter_glob: bpy.props.StringProperty(
        default=";".join(f"*{suffix}" for suffix in (*SUFFIXES, *ARMATURE_SUFFIXES, *_ALSO_OFFERED)),
        options={"HIDDEN", "SKIP_SAVE"},
    )
    # Not "layout": every operator has that attribute for drawing.
    point_layout: layout_choice(default=AUTO, options={"SKIP_SAVE"})
    units: units_choice(default=AUTO, options={"SKIP_SAVE"})
    stature: stature_number(options={"SKIP_SAVE"})
    statures: statures_text(options={"SKIP_SAVE"})
    static: static_file(options={"SKIP_SAVE"})
    up: up_choice(default=AUTO, options={"SKIP_SAVE"})
    frame_rate: frame_rate_choice(default=AUTO, options={"SKIP_SAVE"})
    fps: fps_number(options={"SKIP_SAVE"})
    handedness: handedness_choice(default=AUTO, options={"SKIP_SAVE"})
    swap_sides: swap_sides_choice(options={"SKIP_SAVE"})
    point_names: bpy.props.StringProperty(
        name="Point Names", description="JSON file that says what the points are", subtype="FILE_PATH",
        options={"SKIP_SAVE"},
    )  # fmt: skip
    wait: bpy.props.BoolProperty(
        name="Wait",
        description="Read the file before returning; without a window this is always so",
        options={"HIDDEN", "SKIP_SAVE"},
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Open dropped files, or let the user choose some."""
        if self.filepath or any(item.name for item in self.files):
            return self.execute(context)
        return super().invoke(context, event)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Set the file and the reading options in box 1, and read the file."""
        paths = self._paths()
        if not paths:
            return self.failed("Expected a keypoint file or folder, got none; choose one")
        from ..core_access import CoreError

        try:
            names = stored_names(self.point_names)
        except CoreError as error:
            return self.failed(str(error))
        settings = context.scene.smplify.track
        for name in READING_SETTINGS:
            if name != "fps" or self.frame_rate == "CUSTOM":
                setattr(settings, name, getattr(self, _own_name(name)))
        settings.point_names = names
        settings.person = settings.join = ""
        settings.filepath = paths[0]
        for path in paths[1:]:
            settings.takes.add().path = path
        show_tab(context)
        TRACKS.clear()
        if self.wait or bpy.app.background:
            return self._read(read_now(context.scene))
        return self._read_soon()

    def _paths(self) -> list[str]:
        """Return the files, by name; the chosen one alone where no others are."""
        names = sorted({item.name for item in self.files if item.name})
        if len(names) > 1 or (names and not self.filepath):
            return [str(Path(self.directory, name)) for name in names]
        return [self.filepath] if self.filepath else []

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the reading options beside the file browser."""
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        for name in READING_SETTINGS:
            if name != "fps" or self.frame_rate == "CUSTOM":
                layout.prop(self, _own_name(name))


def _own_name(setting: str) -> str:
    """Return the property name in `SMPLIFY_OT_open_track` for a setting of box 1."""
    return "point_layout" if setting == "layout" else setting


class SMPLIFY_OT_track_armature(_TrackOperator, bpy.types.Operator):  # noqa: N801 - Blender's naming convention
    """Take the joints of the active armature as the track, over the frames of its action, where the fit begins too"""

    bl_idname = "smplify.track_armature"
    bl_label = "Use Active Armature"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Return whether the active object is an animated armature."""
        active = context.active_object
        if active is None or not is_animated(active):
            cls.poll_message_set("Make an animated armature active first")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Set the armature in box 1, and read it."""
        from ..character.read_animation import animated_frames

        settings = context.scene.smplify.track
        for name in READING_SETTINGS:
            settings.property_unset(name)
        settings.person = ""
        settings.filepath = f"{HERE}{context.active_object.name}"
        show_tab(context)
        TRACKS.clear()
        state = read_now(context.scene)
        if state is TrackState.READ:
            fit = context.scene.smplify.fit
            fit.begin, fit.begin_frame = "FRAME", animated_frames(context.active_object).start
        return self._read(state)


def _has_file(cls: type[_TrackOperator], context: bpy.types.Context) -> bool:
    """Return whether a file is set in box 1; if not, set the poll message of the operator *cls*."""
    if not context.scene.smplify.track.filepath:
        cls.poll_message_set("Choose a keypoint file first")
        return False
    return True


class SMPLIFY_OT_read_track(_TrackOperator, bpy.types.Operator):  # noqa: N801 - Blender's naming convention
    """Read the file of box 1 again from the disk"""

    bl_idname = "smplify.read_track"
    bl_label = "Read Again"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Return whether a file is set."""
        return _has_file(cls, context)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Read on a thread."""
        return self.execute(context) if bpy.app.background else self._read_soon()

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Read before returning."""
        TRACKS.clear()
        return self._read(read_now(context.scene))


class SMPLIFY_OT_choose_person(_TrackOperator, bpy.types.Operator):  # noqa: N801 - Blender's naming convention
    """Fit only this person, or everyone"""

    bl_idname = "smplify.choose_person"
    bl_label = "Choose Person"
    bl_options = {"REGISTER", "UNDO"}

    person: bpy.props.StringProperty(name="Person", description="Name, or number from 1; empty for everyone")

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Set the person."""
        settings = context.scene.smplify.track
        before, settings.person = settings.person, self.person
        if TRACKS.readings and not chosen_people(settings):
            settings.person = before
            return self.failed(f"Expected one of {', '.join(people_names())}, got {self.person!r}")
        return self.succeeded()


class SMPLIFY_OT_join_people(_TrackOperator, bpy.types.Operator):  # noqa: N801 - Blender's naming convention
    """Read several identities that a tracker gave to one person as one person"""

    bl_idname = "smplify.join_people"
    bl_label = "Join People"
    bl_options = {"REGISTER", "UNDO"}

    group: bpy.props.StringProperty(
        name="People", description="Names, or numbers from 1, as 3+7", options={"SKIP_SAVE"}
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Return whether a file is set."""
        return _has_file(cls, context)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask for the people if they are not given."""
        return self.execute(context) if self.group else context.window_manager.invoke_props_dialog(self)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Add them to those that are joined, and read the file."""
        settings = context.scene.smplify.track
        settings.join = f"{settings.join}{GROUPS} {self.group}" if settings.join else self.group
        return self._read(read_now(context.scene)) if bpy.app.background else self._read_soon()


class SMPLIFY_MT_person(bpy.types.Menu):  # noqa: N801 - Blender's naming convention
    """The people of the file, and everyone."""

    bl_idname = "SMPLIFY_MT_person"
    bl_label = "Person"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the menu."""
        self.layout.operator(SMPLIFY_OT_choose_person.bl_idname, text="Everyone", icon="COMMUNITY").person = ""
        for name in people_names():
            entry = self.layout.operator(SMPLIFY_OT_choose_person.bl_idname, text=name, icon="USER", translate=False)
            entry.person = name


class SMPLIFY_OT_view_track(_TrackOperator, bpy.types.Operator):  # noqa: N801 - Blender's naming convention
    """Move the view so that the preview fills it"""

    bl_idname = "smplify.view_track"
    bl_label = "View Preview"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Return whether a 3D viewport shows a preview."""

        if context.area is None or context.area.type != "VIEW_3D":
            return False
        return bool(shown_people(context)) or point_labels.shown_points(context) is not None

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Centre the view on all points of the clip, at a distance that shows them all."""

        lowest, highest = extent(context) if shown_people(context) else point_labels.extent(context)
        region = context.space_data.region_3d
        region.view_location = (lowest + highest) / 2.0
        region.view_distance = max(1.5 * float(abs(highest - lowest).max()), 1.0)
        return self.succeeded()


class SMPLIFY_FH_track(bpy.types.FileHandler):  # noqa: N801 - Blender's naming convention
    """Opens keypoint files that are dropped on a 3D viewport."""

    bl_idname = "SMPLIFY_FH_track"
    bl_label = "Keypoints (SMPLify)"
    bl_import_operator = SMPLIFY_OT_open_track.bl_idname
    bl_file_extensions = ";".join(SUFFIXES)

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        """Return whether the file is dropped on a 3D viewport."""
        return context.area is not None and context.area.type == "VIEW_3D"


CLASSES = (
    SMPLIFY_OT_open_track,
    SMPLIFY_OT_track_armature,
    SMPLIFY_OT_read_track,
    SMPLIFY_OT_choose_person,
    SMPLIFY_OT_join_people,
    SMPLIFY_MT_person,
    SMPLIFY_OT_view_track,
    SMPLIFY_FH_track,
)


def _draw_import(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
    menu.layout.operator(SMPLIFY_OT_open_track.bl_idname, text="3D Keypoints for SMPLify (.trc, .c3d, .csv, .json ...)")


def register() -> None:
    """Add the entry of File > Import."""
    bpy.types.TOPBAR_MT_file_import.append(_draw_import)


def unregister() -> None:
    """Remove the entry."""
    bpy.types.TOPBAR_MT_file_import.remove(_draw_import)
