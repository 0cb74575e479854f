"""Box 5: put the motion of a figure onto the user's own character."""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum
from typing import TYPE_CHECKING

import bpy
from bpy.app.translations import pgettext_iface as iface_

from ..ui.box_errors import Box, draw_error
from ..ui.sidebar import SidebarPanel
from ..ui.text import draw_text
from .doubts import in_language
from .identity import characters_in, has_motion, picked
from .operators import (
    SMPLIFY_OT_apply_all_characters,
    SMPLIFY_OT_apply_character,
    SMPLIFY_OT_detect_bones,
    SMPLIFY_OT_export_character,
    SMPLIFY_OT_go_out_of_reach,
    SMPLIFY_OT_load_bones,
    SMPLIFY_OT_open_character,
    SMPLIFY_OT_pick_character,
    SMPLIFY_OT_remove_character,
    SMPLIFY_OT_save_bones,
)

if TYPE_CHECKING:
    from .properties import SMPLIFY_PG_bone, SMPLIFY_PG_character
    from .settings import Facts

_ICONS = {"certain": "CHECKMARK", "check": "QUESTION", "missing": "ERROR", "absent": "BLANK1"}
_ROLE_NAMES = {
    "hips": "Hips",
    "spine": "Spine",
    "neck": "Neck",
    "head": "Head",
    "clavicle": "Clavicle",
    "upper_arm": "Upper Arm",
    "forearm": "Forearm",
    "hand": "Hand",
    "thigh": "Thigh",
    "shin": "Shin",
    "foot": "Foot",
    "toe": "Toe",
}
_GROUPS = (("Body", ""), ("Left", "left_"), ("Right", "right_"))


class CharacterState(Enum):
    """The states of the box."""

    NONE = "no character is picked"
    UNUSABLE = "the character cannot be read"
    MISSING = "required bones are missing"
    DOUBTFUL = "some bones must be checked"
    READY = "the bones are known"
    APPLIED = "the character has a motion"
    DAMAGED = "what is kept with the character cannot be read"


def character_state(properties: SMPLIFY_PG_character, gone: Collection[str] | None = None) -> CharacterState:
    """Return the state of the box; *gone* is what `gone_bones` returned, if it is known."""
    from ..core_access import CoreError
    from .bone_rows import gone_bones, mark_of
    from .stored import load

    armature = picked(properties.id_data)
    if armature is None:
        return CharacterState.NONE
    if has_motion(armature):
        try:
            load(armature)
        except CoreError:
            return CharacterState.DAMAGED
        return CharacterState.APPLIED
    gone = gone_bones(properties) if gone is None else gone
    marks = {mark_of(row, gone) for row in properties.bones}
    if not marks:
        return CharacterState.UNUSABLE
    if gone or "missing" in marks:
        return CharacterState.MISSING
    return CharacterState.DOUBTFUL if "check" in marks else CharacterState.READY


class SMPLIFY_PT_character(SidebarPanel, bpy.types.Panel):  # noqa: N801 - Blender's naming convention
    """Box 5."""

    bl_idname = "SMPLIFY_PT_character"
    bl_label = "5. Character"
    bl_order = 5
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the box for the state of the picked character."""
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        from .bone_rows import follow_renames_soon, gone_bones

        properties = context.scene.smplify_character
        row = layout.row(align=True)
        row.prop(properties, "armature")
        row.operator(SMPLIFY_OT_open_character.bl_idname, text="", icon="FILEBROWSER")
        _draw_characters(layout, context, properties)
        draw_error(layout, context, Box.CHARACTER)
        gone = gone_bones(properties) if picked(context.scene) is not None else []
        state = character_state(properties, gone)
        if state is CharacterState.NONE:
            draw_text(layout, context, iface_("Choose the armature of your character, or open its file"), icon="INFO")
            return
        follow_renames_soon(properties)
        _draw_what_it_is(layout, context, properties, state, gone)
        if state in (CharacterState.UNUSABLE, CharacterState.DAMAGED):
            return
        _draw_bones(layout, context, properties, state, gone)
        layout.prop(properties, "figure")
        text = "Apply Again" if state is CharacterState.APPLIED else "Apply"
        column = layout.column(align=True)
        column.enabled = state is not CharacterState.MISSING
        column.operator(SMPLIFY_OT_apply_character.bl_idname, text=text, icon="ARMATURE_DATA")
        if state is CharacterState.APPLIED:
            column.operator(SMPLIFY_OT_remove_character.bl_idname, text="Remove Motion", icon="LOOP_BACK")
            _draw_applied(layout, context, properties)
        _draw_options(layout, properties)


def _draw_characters(layout: bpy.types.UILayout, context: bpy.types.Context, properties: SMPLIFY_PG_character) -> None:
    """Draw a row for each character of the scene that has a motion, if there are others than the picked one."""
    from ..core_access import CoreError
    from .stored import load

    characters = characters_in(context.scene)
    if not set(characters) - {properties.armature}:
        return
    column = layout.column(align=True)
    for armature in characters:
        try:
            figure = load(armature).figure
        except CoreError:
            figure = None
        text = f"{armature.name}: {figure.name}" if figure is not None else armature.name
        icon = "RADIOBUT_ON" if armature == properties.armature else "RADIOBUT_OFF"
        row = column.operator(SMPLIFY_OT_pick_character.bl_idname, text=text, translate=False, icon=icon)
        row.armature = armature.name
    if len(characters) > 1:
        column.operator(SMPLIFY_OT_apply_all_characters.bl_idname, text="Apply Again to All", icon="FILE_REFRESH")


def _draw_what_it_is(
    layout: bpy.types.UILayout,
    context: bpy.types.Context,
    properties: SMPLIFY_PG_character,
    state: CharacterState,
    gone: Collection[str],
) -> None:
    """Draw one line on the skeleton, and what is wrong."""
    from ..core_access import CoreError
    from .bone_rows import mark_of
    from .stored import load

    trouble = properties.trouble
    if state is CharacterState.DAMAGED:
        try:
            load(properties.armature)
        except CoreError as error:
            trouble = str(error)
    if trouble:
        draw_text(layout, context, trouble, icon="ERROR")
    if state in (CharacterState.UNUSABLE, CharacterState.DAMAGED):
        return
    if properties.notes:
        draw_text(layout, context, properties.notes, icon="INFO")
    if gone:
        text = iface_("It no longer has these bones of the list: {:s}. Press Detect, or choose others")
        draw_text(layout, context, text.format(", ".join(gone)), icon="ERROR")
    marks = [mark_of(row, gone) for row in properties.bones]
    kind = iface_("{:s} skeleton").format(properties.kind) if properties.kind else iface_("Unknown kind of skeleton")
    parts = [kind, *([iface_(properties.rest)] if properties.rest else [])]
    found = iface_("{:d} of {:d} bones found").format(sum(mark in ("certain", "check") for mark in marks), len(marks))
    parts.append(found)
    if "check" in marks:
        parts.append(iface_("{:d} to check").format(marks.count("check")))
    if "missing" in marks:
        parts.append(iface_("{:d} missing").format(marks.count("missing")))
    is_doubtful = state in (CharacterState.MISSING, CharacterState.DOUBTFUL)
    draw_text(layout, context, ", ".join(parts), icon="ERROR" if is_doubtful else "CHECKMARK")


def _draw_bones(
    layout: bpy.types.UILayout,
    context: bpy.types.Context,
    properties: SMPLIFY_PG_character,
    state: CharacterState,
    gone: Collection[str],
) -> None:
    """Draw the bone list, collapsed at first unless something is in doubt."""
    in_doubt = state in (CharacterState.MISSING, CharacterState.DOUBTFUL)
    name = "SMPLIFY_character_doubtful_bones" if in_doubt else "SMPLIFY_character_bones"
    header, inside = layout.panel(name, default_closed=not in_doubt)
    header.label(text="Bones")
    if inside is None:
        return
    column = inside.column(align=True)
    column.operator(SMPLIFY_OT_detect_bones.bl_idname, icon="VIEWZOOM", text="Detect")
    row = column.row(align=True)
    row.operator(SMPLIFY_OT_save_bones.bl_idname, icon="EXPORT", text="Save JSON")
    row.operator(SMPLIFY_OT_load_bones.bl_idname, icon="IMPORT", text="Load JSON")
    unsplit = inside.column(align=True)
    unsplit.use_property_split = False  # the texts have the whole width, and are not cut off
    unsplit.prop(context.window_manager, "smplify_bone_colors", toggle=True, icon="COLOR")
    unsplit.prop(properties, "mirror")
    for title, prefix in _GROUPS:
        inside.label(text=title)
        column = inside.column(align=True)
        for bone in properties.bones:
            side = bone.name.partition("_")[0]
            if prefix.rstrip("_") == (side if side in ("left", "right") else ""):
                _draw_bone(column, bone, prefix, gone)


def _draw_bone(layout: bpy.types.UILayout, bone: SMPLIFY_PG_bone, prefix: str, gone: Collection[str]) -> None:
    from .bone_rows import mark_of

    mark = mark_of(bone, gone)
    row = layout.row(align=True)
    row.alert = mark == "missing"
    name = iface_(_ROLE_NAMES.get(bone.name.removeprefix(prefix), bone.name))
    row.prop(bone, "shown", text=name, translate=False, icon="BONE_DATA")
    row.label(text="", icon=_ICONS[mark])


def _draw_applied(layout: bpy.types.UILayout, context: bpy.types.Context, properties: SMPLIFY_PG_character) -> None:
    """Draw how well it went, and why the last change was not followed."""
    from .stored import load

    kept = load(properties.armature)
    if kept.trouble:
        draw_text(layout, context, kept.trouble, icon="ERROR")
    if kept.figure is not None and kept.figure.users_scene:
        text = iface_("It moves like {:s}").format(kept.figure.name)
        draw_text(layout, context, text, icon="ARMATURE_DATA")
    elif not kept.trouble:
        draw_text(layout, context, iface_("The figure whose motion it has was removed"), icon="INFO")
    if kept.others:
        text = iface_("{:d} takes, an action each").format(len(kept.actions))
        draw_text(layout, context, text, icon="ACTION")
    if kept.old_action is not None:
        text = iface_("Its action {:s} is kept").format(kept.old_action.name)
        draw_text(layout, context, text, icon="ACTION")
    _draw_facts(layout, context, kept.facts)
    if kept.facts.ik_limbs:
        layout.row().prop(properties, "controls", expand=True)
    if kept.others:
        layout.prop(properties, "takes")
    layout.operator_context = "INVOKE_DEFAULT"
    layout.operator(SMPLIFY_OT_export_character.bl_idname, icon="EXPORT")


def _draw_facts(layout: bpy.types.UILayout, context: bpy.types.Context, facts: Facts) -> None:
    column = layout.column(align=True)
    text = iface_("Feet slide {:.1f} mm in a contact, in the figure {:.1f} mm")
    draw_text(column, context, text.format(facts.slide_mm, facts.slide_before_mm))
    if facts.lowest_mm is not None:
        text = iface_("Lowest point of the feet {:.1f} mm")
        draw_text(column, context, text.format(_without_sign_of_zero(facts.lowest_mm)))
    if facts.contacts:
        text = iface_("Hands keep {:d} of {:d} contacts")
        draw_text(column, context, text.format(facts.contacts_kept, facts.contacts))
    if facts.out_of_reach:
        text = iface_("Frames out of reach: {:d}").format(len(facts.out_of_reach))
        column.operator(SMPLIFY_OT_go_out_of_reach.bl_idname, text=text, translate=False, icon="VIEWZOOM")
    for note in facts.notes:
        draw_text(column, context, in_language(note, iface_), icon="INFO")


def _without_sign_of_zero(number: float) -> float:
    """Return *number* to one decimal; 0.0 instead of -0.0."""
    return round(number, 1) + 0.0


def _draw_options(layout: bpy.types.UILayout, properties: SMPLIFY_PG_character) -> None:
    header, inside = layout.panel("SMPLIFY_character_options", default_closed=True)
    header.label(text="Options")
    if inside is None:
        return
    for name in ("feet", "hands"):
        inside.prop(properties, name, slider=True)
    inside.prop(properties, "steps")
    if properties.steps == "factor":
        inside.prop(properties, "factor")
    for name in ("rest_pose", "fingers", "root_motion"):
        inside.prop(properties, name)


CLASSES = (SMPLIFY_PT_character,)
