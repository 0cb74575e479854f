"""Choose a character: find its bones, show its settings, and apply changes of them at once."""

from __future__ import annotations

import bpy
import numpy as np

from ..core_access import BoneMap, CoreError, map_bones, rest_pose
from ..figure.axes import Z_UP_FROM_Y_UP
from ..figure.scene_state import is_among
from ..ui.quiet import quiet
from . import stored as storage
from .applying import change_settings
from .bone_rows import fill
from .errors import CharacterError
from .identity import characters_of, has_motion, is_animated, is_figure
from .read_rig import read_rig
from .releasing import release
from .settings import CharacterSettings


def show_character(properties: bpy.types.PropertyGroup) -> None:
    """Show the character that was picked: its own bones and settings if it has a motion, or the detected bones."""
    armature = properties.armature
    properties.trouble = properties.notes = properties.rest = ""
    properties.bones.clear()
    if armature is None:
        return
    try:
        if has_motion(armature):
            kept = storage.load(armature)
            properties.figure = kept.figure
            fill(properties, kept.bone_map)
            show_settings(properties, kept.settings)
        else:
            if properties.figure is not None and characters_of(properties.figure):
                properties.figure = None  # it belongs to the character that was shown before
            detect(properties)
    except CoreError as error:
        properties.trouble = str(error)


def show_character_of(properties: bpy.types.PropertyGroup) -> None:
    """Show the character that has the motion of the figure that was picked, if none is shown."""
    if properties.armature is None and properties.figure is not None:
        characters = [item for item in characters_of(properties.figure) if is_among(item, properties.id_data.objects)]
        if characters:
            properties.armature = characters[0]


def detect(properties: bpy.types.PropertyGroup) -> None:
    """Find the bones of the character that was picked.

    Raises:
        CoreError: it cannot be read, or is not a person's; in the second case the list is empty, to be filled by hand.
    """
    bpy.context.view_layer.update()
    rig = read_rig(properties.armature)
    fill(properties, BoneMap({}))
    bone_map = map_bones(rig)
    fill(properties, bone_map)
    properties.rest = rest_pose(rig, bone_map)
    properties.notes = "; ".join(bone_map.notes)
    properties.trouble = ""


def settings_of(properties: bpy.types.PropertyGroup) -> CharacterSettings:
    """Return the settings that *properties* show; a rest pose that the user has made is read from the character."""
    return CharacterSettings(
        feet=properties.feet,
        hands=properties.hands,
        steps=properties.factor if properties.steps == "factor" else properties.steps,
        fingers=properties.fingers,
        root_motion=properties.root_motion,
        rest_pose=_rest_pose_of(properties) if properties.rest_pose == "pose" else (),
        controls=properties.controls,
    )


def show_settings(properties: bpy.types.PropertyGroup, settings: CharacterSettings) -> None:
    """Show *settings* in *properties* without applying them."""
    with quiet(properties):
        for name in ("feet", "hands", "fingers", "root_motion", "controls"):
            setattr(properties, name, getattr(settings, name))
        if isinstance(settings.steps, str):
            properties.steps = settings.steps
        else:
            properties.steps, properties.factor = "factor", settings.steps
        properties.rest_pose = "pose" if settings.rest_pose else "auto"


def follow_options(properties: bpy.types.PropertyGroup) -> None:
    """Apply a change of the options to a character that has a motion; on an error, revert it and keep the reason."""
    armature = properties.armature
    if properties.quiet or armature is None or not has_motion(armature):
        return
    properties.trouble = ""
    try:
        kept = storage.load(armature)
    except CoreError as error:
        properties.trouble = str(error)
        return
    try:
        settings = settings_of(properties)
    except CoreError as error:
        properties.trouble = str(error)
        settings = kept.settings
    if settings == kept.settings or not change_settings(armature, settings):
        show_settings(properties, kept.settings)


def active_figure(context: bpy.types.Context) -> bpy.types.Object | None:
    """Return the figure that is active, or whose mesh is."""
    active = context.active_object
    owner = active.parent if active is not None and active.type == "MESH" else active
    return owner if owner is not None and is_figure(owner) and is_among(owner, context.scene.objects) else None


def figure_for(properties: bpy.types.PropertyGroup, context: bpy.types.Context) -> bpy.types.Object:
    """Return what has the motion to be used: the chosen figure or animated armature, the one whose motion the character
    has already, the active figure, or the only one, of several the only one that no character has.

    Raises:
        CharacterError: there is none, or there are several.
    """
    chosen = properties.figure
    if chosen is not None and is_among(chosen, context.scene.objects):
        if is_figure(chosen) or is_animated(chosen) and chosen != properties.armature:
            return chosen
    if chosen is None and properties.armature is not None and has_motion(properties.armature):
        kept = storage.load(properties.armature).figure
        if kept is not None and is_among(kept, context.scene.objects) and (is_figure(kept) or is_animated(kept)):
            return kept
    figures = [item for item in context.scene.objects if is_figure(item)]
    active = active_figure(context)
    if active is not None:
        return active
    if len(figures) > 1:
        figures = [item for item in figures if not characters_of(item)] or figures
    if len(figures) != 1:
        found = f"{len(figures)} ({', '.join(item.name for item in figures[:5])})" if figures else "none"
        raise CharacterError(
            f"expected one figure whose motion to use, found {found}; "
            + (
                "choose one in Motion Of"
                if figures
                else "fit a track or import a motion first, or choose an animated armature in Motion Of"
            )
        )
    return figures[0]


def _rest_pose_of(properties: bpy.types.PropertyGroup) -> tuple[float, ...]:
    """Return the world rotations of all bones as the character stands now, or as it stood when it got its motion.

    Raises:
        CharacterError: the character has a motion that was applied with its automatic rest pose.
    """
    armature = properties.armature
    if has_motion(armature):
        pose = storage.load(armature).settings.rest_pose
        if pose:
            return pose
        raise CharacterError(
            f"expected {armature.name} in a pose that you have made, but it has a motion; remove the motion, pose the "
            "character, then apply the motion again"
        )
    release(armature)
    bpy.context.view_layer.update()
    world = np.array(armature.matrix_world, dtype=np.float64)[:3, :3]
    turns = np.array([bone.matrix for bone in armature.pose.bones], dtype=np.float64)[:, :3, :3]
    turns = Z_UP_FROM_Y_UP.T @ world @ turns
    turns /= np.linalg.norm(turns, axis=1, keepdims=True)
    return tuple(turns.ravel().tolist())
