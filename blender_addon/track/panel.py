"""Box 1: the keypoint file, and how it is interpreted."""

from __future__ import annotations

from pathlib import Path

import bpy
from bpy.app.translations import pgettext_iface as iface_

from ..ui.box_errors import Box, draw_error
from ..ui.message_terms import in_panel_words, settings_for
from ..ui.sidebar import SidebarPanel
from ..ui.text import draw_text
from .description import Detected, detected, doubts, measures, points
from .operators import (
    READING_SETTINGS,
    SMPLIFY_MT_person,
    SMPLIFY_OT_join_people,
    SMPLIFY_OT_open_track,
    SMPLIFY_OT_read_track,
    SMPLIFY_OT_track_armature,
    SMPLIFY_OT_view_track,
)
from .point_list import draw_points
from .session import TRACKS, TrackState
from .settings import chosen_people, take_requests, track_request

_LONGEST_VALUE = 12
"""Longer values would be cut off beside a menu at the usual sidebar width; they stand above it."""
_VALUE_SHARE = 0.55
_MOST_DOUBTS = 6


class SMPLIFY_PT_track(SidebarPanel, bpy.types.Panel):  # noqa: N801 - Blender's naming convention
    """The file, its people and the detected properties."""

    bl_idname = "SMPLIFY_PT_track"
    bl_label = "1. Track"
    bl_order = 1

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the box for the state of the file."""
        settings = context.scene.smplify.track
        state = TRACKS.state(track_request(settings))
        layout = self.layout
        row = layout.row(align=True)
        row.prop(settings, "filepath", text="")
        row.operator(SMPLIFY_OT_read_track.bl_idname, text="", icon="FILE_REFRESH")
        if settings.takes:
            names = ", ".join(Path(request.path).name for request in take_requests(settings))
            draw_text(layout, context, iface_("Takes: {:s}").format(names), icon="FILE_FOLDER")
        if state is TrackState.NO_FILE:
            layout.operator(SMPLIFY_OT_open_track.bl_idname, icon="FILE_FOLDER")
            layout.operator(SMPLIFY_OT_track_armature.bl_idname, icon="ARMATURE_DATA")
            layout.label(text="Or drop a file on the viewport", icon="INFO")
        elif state is TrackState.UNREAD:
            layout.operator(SMPLIFY_OT_read_track.bl_idname, text="Read", icon="FILE_REFRESH")
        elif state is TrackState.READING:
            layout.label(text="Reading...", icon="SORTTIME")
        elif state is TrackState.BAD_FILE:
            _draw_error(layout, context, settings)
            draw_points(layout, context, settings)
        else:
            _draw_track(layout, context, settings)
            draw_points(layout, context, settings)
        draw_error(layout, context, Box.TRACK)


def _draw_error(layout: bpy.types.UILayout, context: bpy.types.Context, settings: bpy.types.PropertyGroup) -> None:
    """Draw why the file cannot be read, and the settings that may help."""
    box = layout.box()
    box.alert = True
    draw_text(box, context, in_panel_words(TRACKS.error, iface_), icon="ERROR")
    asked = settings_for(TRACKS.options)
    if asked:
        layout.label(text="Set it here:")
        _draw_settings(layout, settings, asked)


def _draw_settings(
    layout: bpy.types.UILayout, settings: bpy.types.PropertyGroup, names: tuple[str, ...] = READING_SETTINGS
) -> None:
    column = layout.column()
    column.use_property_split = True
    column.use_property_decorate = False
    for name in names:
        if name in ("layout", "static"):  # long choices, and a path
            column.label(text=_title(settings, name), translate=False)
            column.prop(settings, name, text="")
        else:
            column.prop(settings, name)
        if name == "stature" and _shows_several(settings):
            column.prop(settings, "statures")
        if name == "frame_rate" and settings.frame_rate == "CUSTOM":
            column.prop(settings, "fps")


def _draw_track(layout: bpy.types.UILayout, context: bpy.types.Context, settings: bpy.types.PropertyGroup) -> None:
    """Draw the track, with a menu for each detected property."""
    people = chosen_people(settings)
    if len(TRACKS.readings) > 1 or not people:
        row = layout.row()
        row.label(text=iface_("{:d} people").format(len(TRACKS.readings)), translate=False)
        if settings.person:
            row.menu(SMPLIFY_MT_person.bl_idname, text=settings.person, icon="USER", translate=False)
        else:
            row.menu(SMPLIFY_MT_person.bl_idname, text="Everyone", icon="COMMUNITY")
    for group in TRACKS.joins:
        text = iface_("Join {:s}").format(group)
        layout.operator(SMPLIFY_OT_join_people.bl_idname, text=text, icon="LINKED", translate=False).group = group
    if settings.join:
        layout.prop(settings, "join")
    if not people:
        draw_text(layout, context, iface_("There is no person {!r} in this file").format(settings.person), icon="ERROR")
        return
    reading = TRACKS.readings[people[0]]
    column = layout.column(align=True)
    draw_text(column, context, reading.kind, icon="CHECKMARK")
    for line in measures(reading, iface_):
        draw_text(column, context, line, icon="BLANK1")
    column = layout.column(align=True)
    for item in detected(reading):
        title = _title(settings, item.setting)
        if item.setting == "layout" or len(item.value) > _LONGEST_VALUE:
            draw_text(column, context, f"{title}: {_value(item)}")
            column.prop(settings, item.setting, text="")
        else:
            split = column.split(factor=_VALUE_SHARE)
            split.label(text=f"{title}: {_value(item)}", translate=False)
            split.prop(settings, item.setting, text="")
        if item.setting == "frame_rate" and settings.frame_rate == "CUSTOM":
            column.prop(settings, "fps")
        has_height = settings.stature or settings.statures or settings.units == "own"
        if item.setting == "units" and (has_height or item.is_doubtful):
            column.prop(settings, "stature")
            if _shows_several(settings):
                column.prop(settings, "statures")
    column.prop(settings, "swap_sides")
    if reading.track.layout.name in ("markers", "markers_hands"):
        column.label(text=_title(settings, "static"), translate=False)
        column.prop(settings, "static", text="")
    for doubt in doubts(reading)[:_MOST_DOUBTS]:
        draw_text(layout, context, doubt, icon="ERROR")
    row = layout.row(align=True)
    row.prop(settings, "show_preview", toggle=True, icon="HIDE_OFF" if settings.show_preview else "HIDE_ON")
    row.operator(SMPLIFY_OT_view_track.bl_idname, text="", icon="ZOOM_SELECTED")


def _shows_several(settings: bpy.types.PropertyGroup) -> bool:
    """Return whether the heights of several people can be given: the file has several, or they are given."""
    return len(TRACKS.recordings) > 1 or bool(settings.statures)


def _title(settings: bpy.types.PropertyGroup, name: str) -> str:
    """Return the name of a setting, in the user's language."""
    setting = settings.bl_rna.properties[name]
    return iface_(setting.name, setting.translation_context)


def _value(item: Detected) -> str:
    """Return a detected value; handedness is translated, other values are names and numbers."""
    return iface_(item.value.capitalize()) if item.setting == "handedness" else item.value


class SMPLIFY_PT_track_details(SidebarPanel, bpy.types.Panel):  # noqa: N801 - Blender's naming convention
    """The reasons for the detected properties, and the points of the file."""

    bl_idname = "SMPLIFY_PT_track_details"
    bl_label = "Why"
    bl_parent_id = SMPLIFY_PT_track.bl_idname
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Return whether a track is read and a person chosen."""
        settings = context.scene.smplify.track
        return TRACKS.state(track_request(settings)) is TrackState.READ and bool(chosen_people(settings))

    def draw(self, context: bpy.types.Context) -> None:
        """Draw reasons, points and checks."""
        settings = context.scene.smplify.track
        reading = TRACKS.readings[chosen_people(settings)[0]]
        layout = self.layout
        draw_text(layout, context, Path(TRACKS.request.path).name, icon="FILE")
        for item in detected(reading):
            title = _title(settings, item.setting)
            draw_text(layout, context, f"{title}: {_value(item)}; {item.reason}", icon="DOT")
        for line in points(reading, iface_):
            draw_text(layout, context, line, icon="DOT")
        for line in reading.checks:
            draw_text(layout, context, line, icon="CHECKMARK")
        for doubt in doubts(reading)[_MOST_DOUBTS:]:
            draw_text(layout, context, doubt, icon="ERROR")


CLASSES = (SMPLIFY_PT_track, SMPLIFY_PT_track_details)
