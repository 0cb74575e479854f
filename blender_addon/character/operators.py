"""Operators of the Character box: open a character, map its bones, apply a motion, remove it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bpy
from bpy.app.translations import pgettext_iface as iface_
from bpy_extras.io_utils import ExportHelper, ImportHelper

from ..figure.key_listeners import KEY_LISTENERS
from ..figure.scene_state import select_alone
from ..ui.box_errors import Box
from ..ui.modes import in_object_mode, in_object_or_pose_mode
from ..ui.operator_mixin import OperatorMixin
from ..ui.property_options import FILE_OPTIONS
from ..ui.sidebar import show_tab
from ..ui.translations import CONTEXT
from .identity import characters_in, characters_of, has_motion, may_be_character, picked
from .properties import TAKE_ITEMS


class _CharacterOperator(OperatorMixin):
    """Mixin for operators on the picked character; list it before `bpy.types.Operator`."""

    bl_options = {"REGISTER", "UNDO"}
    box = Box.CHARACTER

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Return whether a character is picked, in Object or Pose Mode."""
        if picked(context.scene) is None:
            cls.poll_message_set("Choose a character first")
            return False
        return in_object_or_pose_mode(cls, context)


class SMPLIFY_OT_open_character(OperatorMixin, bpy.types.Operator, ImportHelper):  # noqa: N801 - Blender's convention
    """Add a character from a file (.fbx, .glb, .gltf, .vrm, .blend) to the scene and choose it"""

    bl_idname = "smplify.open_character"
    bl_label = "Open Character"
    bl_options = {"REGISTER", "UNDO"}
    box = Box.CHARACTER

    filepath: bpy.props.StringProperty(
        name="File Path", description="The character's file", subtype="FILE_PATH", options={*FILE_OPTIONS, "SKIP_SAVE"}
    )
    filter_glob: bpy.props.StringProperty(default="*.fbx;*.glb;*.gltf;*.vrm;*.blend", options={"HIDDEN"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Return whether objects can be added now."""
        return in_object_mode(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Open the file and pick its armature."""
        show_tab(context)
        return self.done(self._open, context)

    def _open(self, context: bpy.types.Context) -> str:
        from .choosing import active_figure
        from .file import open_character

        properties, figure = context.scene.smplify_character, active_figure(context)
        armature = open_character(Path(bpy.path.abspath(self.filepath)))
        properties.armature = armature
        if properties.figure is None:
            properties.figure = figure  # Apply would take it, but the character is active then
        if armature.name in context.view_layer.objects:
            select_alone([armature])
        text = iface_("Opened {:s}. Next: check its bones in box 5 of the SMPLify tab, then Apply")
        return text.format(armature.name)


class SMPLIFY_OT_detect_bones(_CharacterOperator, bpy.types.Operator):  # noqa: N801 - Blender's naming convention
    """Find the bones of the character by the shape of its skeleton and by their names; the list is filled anew"""

    bl_idname = "smplify.detect_bones"
    bl_label = "Detect Bones"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Fill the bone list."""
        from .choosing import detect

        return self.done(detect, context.scene.smplify_character)


class SMPLIFY_OT_save_bones(_CharacterOperator, bpy.types.Operator, ExportHelper):  # noqa: N801 - Blender's convention
    """Save the bone list to a JSON file, for other characters with the same bones"""

    bl_idname = "smplify.save_bones"
    bl_label = "Save Bones"
    bl_options = {"REGISTER"}

    filename_ext = ".json"
    filter_glob: bpy.props.StringProperty(default="*.json", options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Write the file."""
        return self.done(self._save, context)

    def _save(self, context: bpy.types.Context) -> None:
        from ..project_files import save_text
        from .bone_rows import present_bone_map

        save_text(self.filepath, present_bone_map(context.scene.smplify_character).to_json())


class SMPLIFY_OT_load_bones(_CharacterOperator, bpy.types.Operator, ImportHelper):  # noqa: N801 - Blender's convention
    """Read the bone list from a JSON file"""

    bl_idname = "smplify.load_bones"
    bl_label = "Load Bones"

    filename_ext = ".json"
    filter_glob: bpy.props.StringProperty(default="*.json", options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Read the file and fill the list."""
        return self.done(self._load, context)

    def _load(self, context: bpy.types.Context) -> None:
        from ..core_access import read_bone_map
        from .bone_rows import fill
        from .read_rig import read_rig

        properties = context.scene.smplify_character
        bone_map = read_bone_map(Path(bpy.path.abspath(self.filepath)))
        bone_map.check(read_rig(properties.armature))
        fill(properties, bone_map)


class SMPLIFY_OT_apply_character(_CharacterOperator, bpy.types.Operator):  # noqa: N801 - Blender's naming convention
    """Put the figure's motion onto the character, as a new action; its earlier action is kept, NLA tracks are muted"""

    bl_idname = "smplify.apply_character"
    bl_label = "Put Motion on Character"

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask first if the bones are in doubt."""
        from ..core_access import CoreError
        from .bone_rows import present_bone_map
        from .file import doubts_of

        try:
            bone_map = present_bone_map(context.scene.smplify_character)
        except CoreError as error:
            return self.failed(str(error))
        doubts = "" if bone_map.missing else doubts_of(bone_map)
        if not doubts:
            return self.execute(context)
        result: set[str] = context.window_manager.invoke_confirm(
            self, event, title=iface_("Apply with bones that are in doubt?"), message=doubts, icon="QUESTION"
        )
        return result

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Solve and key the motion."""
        return self.done(self._apply, context)

    def _apply(self, context: bpy.types.Context) -> None:
        from .applying import apply_motion
        from .bone_rows import present_bone_map
        from .choosing import figure_for, settings_of

        properties = context.scene.smplify_character
        figure = figure_for(properties, context)
        apply_motion(properties.armature, figure, present_bone_map(properties), settings_of(properties))
        properties.trouble = ""


class SMPLIFY_OT_apply_all_characters(OperatorMixin, bpy.types.Operator):  # noqa: N801 - Blender's naming convention
    """Put the motions of all characters of the scene onto them again, each with its own bones and options"""

    bl_idname = "smplify.apply_all_characters"
    bl_label = "Put Motions on All Characters Again"
    bl_options = {"REGISTER", "UNDO"}
    box = Box.CHARACTER

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Return whether a character of the scene has a motion, in Object or Pose Mode."""
        if not characters_in(context.scene):
            cls.poll_message_set("No character has a motion of this add-on")
            return False
        return in_object_or_pose_mode(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Solve and key all motions; report those that failed."""
        from .applying import apply_all_again, has_edited_keys

        edited = [armature.name for armature in characters_in(context.scene) if has_edited_keys(armature)]
        found = apply_all_again(context.scene)
        failed = {armature.name: trouble for armature, trouble in found.items() if trouble}
        troubles = "; ".join(f"{name}: {trouble}" for name, trouble in failed.items())
        if len(failed) == len(found):
            return self.failed(troubles)
        replaced = ", ".join(name for name in edited if name not in failed)
        text = iface_("Replaced the edited keys of {:s}; undo restores them")
        return self.succeeded(doubts="; ".join(filter(None, (replaced and text.format(replaced), troubles))))


class SMPLIFY_OT_pick_character(OperatorMixin, bpy.types.Operator):  # noqa: N801 - Blender's naming convention
    """Show a character in the box, with its bones and options: the one that the active object is or moves"""

    bl_idname = "smplify.pick_character"
    bl_label = "Show Character"
    bl_options = {"REGISTER", "UNDO"}
    box = Box.CHARACTER

    armature: bpy.props.StringProperty(
        name="Armature", description="Name of the armature object; empty for the active one", options={"SKIP_SAVE"}
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Pick the armature."""
        active = context.active_object
        item = context.scene.objects.get(self.armature) if self.armature else active
        if item is not None and item.type == "MESH":
            item = item.parent
        if item is not None and not may_be_character(item):
            item = next((found for found in characters_in(context.scene) if found in characters_of(item)), None)
        if item is None:
            what = repr(self.armature) if self.armature else "the active object" if active else "no active object"
            return self.failed(f"expected a character in the scene or the figure of one, found {what}; select one")
        context.scene.smplify_character.armature = item
        return self.succeeded()


class SMPLIFY_OT_remove_character(_CharacterOperator, bpy.types.Operator):  # noqa: N801 - Blender's naming convention
    """Take the motion away from the character: its earlier action, NLA tracks and pose are restored"""

    bl_idname = "smplify.remove_character"
    bl_label = "Remove Motion from Character"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Return whether the picked character has a motion."""
        if not super().poll(context):
            return False
        if not has_motion(context.scene.smplify_character.armature):
            cls.poll_message_set("The character has no motion of this add-on")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Restore the character."""
        from .applying import remove_motion

        return self.done(remove_motion, context.scene.smplify_character.armature)


class SMPLIFY_OT_export_character(_CharacterOperator, bpy.types.Operator, ExportHelper):  # noqa: N801 - as Blender names
    """Write the character, its meshes and its motion to a file; the suffix determines the format"""

    bl_idname = "smplify.export_character"
    bl_label = "Export Character"
    bl_options = {"REGISTER"}

    filename_ext = ".glb"
    check_extension = None  # the user may type the suffix of any supported format
    filter_glob: bpy.props.StringProperty(default="*.glb;*.fbx;*.blend", options={"HIDDEN"})
    takes: bpy.props.EnumProperty(
        name="Takes", description="Which takes of the character to write", items=TAKE_ITEMS,
        translation_context=CONTEXT,
    )  # fmt: skip

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Take the choice of takes from the box and ask for the file name."""
        if not self.properties.is_property_set("takes"):
            self.takes = context.scene.smplify_character.takes
        return ExportHelper.invoke(self, context, event)

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the choice of takes beside the file browser if the character has several."""
        if len(_takes_of(context.scene.smplify_character.armature)) > 1:
            self.layout.use_property_split = True
            self.layout.prop(self, "takes")

    def check(self, context: bpy.types.Context) -> bool:
        """Keep the file name as the user typed it."""
        return False

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Write the file."""
        return self.done(self._export, context)

    def _export(self, context: bpy.types.Context) -> str:
        from .writing import export_character

        armature = context.scene.smplify_character.armature
        takes = _takes_of(armature) if self.takes == "ALL" else ()
        with _mode_kept(context):
            path = export_character(
                armature, Path(bpy.path.abspath(self.filepath)), context.scene, takes if len(takes) > 1 else ()
            )
        return f"Wrote {path.name}"


def _takes_of(armature: bpy.types.Object) -> tuple[bpy.types.Action, ...]:
    """Return the actions of all takes of a character, by name; none for one without a motion of this add-on."""
    from .stored import load

    return tuple(sorted(load(armature).actions, key=lambda action: action.name)) if has_motion(armature) else ()


@contextmanager
def _mode_kept(context: bpy.types.Context) -> Iterator[None]:
    """Go back to the mode of the active object afterwards: Blender's exporters leave Pose Mode."""
    active = context.active_object
    mode = "OBJECT" if active is None else active.mode
    try:
        yield
    finally:
        if active is not None and active.mode != mode:
            bpy.ops.object.mode_set(mode=mode)


class SMPLIFY_OT_go_out_of_reach(_CharacterOperator, bpy.types.Operator):  # noqa: N801 - Blender's naming convention
    """Jump to the next frame in which a hand or foot of the character cannot reach its goal"""

    bl_idname = "smplify.go_out_of_reach"
    bl_label = "Go to Frame out of Reach"
    bl_options = {"REGISTER"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Set the scene's frame."""
        return self.done(_go_out_of_reach, context)


def _go_out_of_reach(context: bpy.types.Context) -> str:
    from .stored import load

    frames, scene = load(context.scene.smplify_character.armature).facts.out_of_reach, context.scene
    if not frames:
        return iface_("Every hand and foot reaches its goal")
    scene.frame_set(next((frame for frame in frames if frame > scene.frame_current), frames[0]))
    return ""


CLASSES = (
    SMPLIFY_OT_open_character,
    SMPLIFY_OT_detect_bones,
    SMPLIFY_OT_save_bones,
    SMPLIFY_OT_load_bones,
    SMPLIFY_OT_apply_character,
    SMPLIFY_OT_apply_all_characters,
    SMPLIFY_OT_pick_character,
    SMPLIFY_OT_remove_character,
    SMPLIFY_OT_export_character,
    SMPLIFY_OT_go_out_of_reach,
)


def _follow(figure: bpy.types.Object) -> None:
    """Put the motion of *figure* anew onto the characters that have it."""
    characters = characters_of(figure)
    if characters:
        from .applying import follow_figure

        for character in characters:
            follow_figure(character)


def register() -> None:
    """Let characters follow changes of their figures."""
    KEY_LISTENERS.append(_follow)


def unregister() -> None:
    """Stop following."""
    KEY_LISTENERS.remove(_follow)
