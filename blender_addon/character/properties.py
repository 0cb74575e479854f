"""``Scene.smplify_character``: the settings of the Character box, stored with the scene.

A character that has been given a motion keeps its own copy (see `stored`); choosing it shows that copy here.
"""

from __future__ import annotations

import bpy

from ..figure.scene_state import is_among
from ..ui.translations import CONTEXT
from .identity import is_animated, is_figure, may_be_character

STEP_ITEMS = (
    ("leg", "Leg Length", "Steps are as long as the character's legs make them"),
    ("same", "Same Distance", "Steps are as long as the recorded ones, in metres"),
    ("factor", "Factor", "Steps are as long as the recorded ones, times a factor"),
)
REST_ITEMS = (
    ("auto", "Automatic", "Limb by limb: T-pose, A-pose, bent elbows, turned-out feet"),
    (
        "pose",
        "This Frame's Pose",
        "Pose the character like the figure at rest: upright, arms straight to the sides; taken when the motion is "
        "applied",
    ),
)
FINGER_ITEMS = (
    ("follow", "Follow", "The fingers move as those of the motion; relaxed if it has none"),
    ("leave", "Leave", "The fingers stay as they are"),
    ("relaxed", "Relaxed", "The fingers are slightly bent, as those of a hand at rest"),
)
ROOT_ITEMS = (
    ("hips", "Hips", "The hips bone carries the path through the room"),
    ("bone", "Root Bone", "The topmost bone above the hips carries the path over the floor, as game engines expect"),
    ("object", "Object", "The armature object carries the path over the floor"),
)
CONTROL_ITEMS = (
    ("fk", "FK", "The limbs of the control rig follow its FK controls; the IK controls are keyed too"),
    ("ik", "IK", "The limbs of the control rig follow its IK controls; the FK controls are keyed too"),
)

TAKE_ITEMS = (
    ("SHOWN", "Shown Take", "The motion that the character shows now"),
    (
        "ALL",
        "All Takes",
        "Each take as its own animation: takes in FBX, animations in glTF, NLA tracks in a .blend",
    ),
)


def _picked(properties: SMPLIFY_PG_character, context: bpy.types.Context) -> None:
    from .choosing import show_character

    show_character(properties)


def _source_picked(properties: SMPLIFY_PG_character, context: bpy.types.Context) -> None:
    from .choosing import show_character_of

    show_character_of(properties)


def _changed(properties: SMPLIFY_PG_character, context: bpy.types.Context) -> None:
    from .choosing import follow_options

    follow_options(properties)


def _bone_changed(row: SMPLIFY_PG_bone, context: bpy.types.Context) -> None:
    from .bone_rows import bone_chosen

    bone_chosen(row)


def _get_shown(row: SMPLIFY_PG_bone) -> str:
    from .bone_rows import shown_name

    return shown_name(row)


def _set_shown(row: SMPLIFY_PG_bone, value: str) -> None:
    from .bone_rows import show_name

    show_name(row, value)


def _search_shown(row: SMPLIFY_PG_bone, context: bpy.types.Context, text: str) -> list[str]:
    from .bone_rows import shown_names

    return shown_names(row.id_data.smplify_character)


def _in_scene(properties: SMPLIFY_PG_character, item: bpy.types.Object) -> bool:
    return is_among(item, properties.id_data.objects)


def _may_be_picked(properties: SMPLIFY_PG_character, item: bpy.types.Object) -> bool:
    return may_be_character(item) and _in_scene(properties, item)


def _may_be_source(properties: SMPLIFY_PG_character, item: bpy.types.Object) -> bool:
    is_source = is_figure(item) or is_animated(item) and item != properties.armature
    return is_source and _in_scene(properties, item)


class SMPLIFY_PG_bone(bpy.types.PropertyGroup):  # noqa: N801 - Blender's naming convention
    """The bone of one role."""

    bone: bpy.props.StringProperty(
        name="Bone", description="The bone that plays this role", options=set(), update=_bone_changed
    )
    shown: bpy.props.StringProperty(
        name="Bone", description="The bone that plays this role, without the prefix of all bone names",
        get=_get_shown, set=_set_shown, search=_search_shown, options={"SKIP_SAVE"},
    )  # fmt: skip
    others: bpy.props.StringProperty(
        name="Other Bones", description="The further bones of the role, as JSON", options={"HIDDEN"}
    )
    confidence: bpy.props.FloatProperty(
        name="Confidence", description="How sure it is, from 0 to 1", options={"HIDDEN"}
    )


class SMPLIFY_PG_character(bpy.types.PropertyGroup):  # noqa: N801 - Blender's naming convention
    """The settings of the Character box."""

    armature: bpy.props.PointerProperty(
        name="Character", description="The armature that the motion is put onto", type=bpy.types.Object,
        poll=_may_be_picked, update=_picked,
    )  # fmt: skip
    figure: bpy.props.PointerProperty(
        name="Motion Of",
        description="The figure or other animated armature whose motion is used; if empty, the active figure, or the "
        "only one that no character follows",
        type=bpy.types.Object, poll=_may_be_source, update=_source_picked,
    )  # fmt: skip
    bones: bpy.props.CollectionProperty(type=SMPLIFY_PG_bone, description="The bones of the character by role")
    names_before: bpy.props.StringProperty(
        options={"HIDDEN"}, description="The names of all bones when the list was filled, in order, as JSON"
    )
    kind: bpy.props.StringProperty(options={"HIDDEN"}, description="The family of the skeleton")
    notes: bpy.props.StringProperty(options={"HIDDEN"}, description="What is odd about the character")
    rest: bpy.props.StringProperty(options={"HIDDEN"}, description="The character's rest pose in words")
    mirror: bpy.props.BoolProperty(
        name="Mirror Changes", description="Change the bone of the other side too, by its name", default=True,
        options=set(),
    )  # fmt: skip
    feet: bpy.props.FloatProperty(
        name="Feet",
        description="How firmly feet that stand are planted, with the soles on the floor; 0 leaves them where the pose "
        "puts them",
        min=0.0, max=1.0, default=1.0, subtype="FACTOR", options=set(), update=_changed,
    )  # fmt: skip
    hands: bpy.props.FloatProperty(
        name="Hands",
        description="How firmly hands keep what they touch: each other, the head, the hips; 0 leaves them where the "
        "pose puts them",
        min=0.0, max=1.0, default=1.0, subtype="FACTOR", options=set(), update=_changed,
    )  # fmt: skip
    steps: bpy.props.EnumProperty(
        name="Size of Steps", description="How long the steps are", items=STEP_ITEMS, options=set(), update=_changed
    )
    factor: bpy.props.FloatProperty(
        name="Step Factor", description="Length of the steps, as a factor of the recorded ones",
        min=0.01, soft_max=5.0, max=100.0, default=1.0, options=set(), update=_changed,
    )  # fmt: skip
    rest_pose: bpy.props.EnumProperty(
        name="Rest Pose", description="How the character's pose is compared with the figure's", items=REST_ITEMS,
        options=set(), update=_changed,
    )  # fmt: skip
    fingers: bpy.props.EnumProperty(
        name="Fingers", description="What the fingers do", items=FINGER_ITEMS, options=set(), update=_changed
    )
    root_motion: bpy.props.EnumProperty(
        name="Path Carried By", description="What moves through the room", items=ROOT_ITEMS, options=set(),
        update=_changed, translation_context=CONTEXT,
    )  # fmt: skip
    controls: bpy.props.EnumProperty(
        name="Limbs Follow", description="Which controls of a control rig its arms and legs follow",
        items=CONTROL_ITEMS, options=set(), update=_changed,
    )  # fmt: skip
    takes: bpy.props.EnumProperty(
        name="Takes", description="Which takes of the character to write", items=TAKE_ITEMS, options=set(),
        translation_context=CONTEXT,
    )  # fmt: skip
    trouble: bpy.props.StringProperty(options={"HIDDEN"}, description="Why the character cannot be used")
    quiet: bpy.props.BoolProperty(options={"HIDDEN", "SKIP_SAVE"}, description="Changes are not applied")


CLASSES = (SMPLIFY_PG_bone, SMPLIFY_PG_character)


def register() -> None:
    """Add the settings to every scene."""
    bpy.types.Scene.smplify_character = bpy.props.PointerProperty(type=SMPLIFY_PG_character)


def unregister() -> None:
    """Remove the settings."""
    del bpy.types.Scene.smplify_character
