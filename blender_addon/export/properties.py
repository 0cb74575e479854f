"""``Scene.smplify_export``: what the Export box is set to, kept with the scene."""

from __future__ import annotations

import bpy

from ..ui.translations import CONTEXT

PRESET_ITEMS = (
    ("BLENDER", "Blender", "A .blend to append or link from: metres, Z up, SMPL's bone names, shape keys kept"),
    (
        "UNREAL",
        "Unreal Engine",
        "FBX in centimetres without scale on any node, the mannequin's bone names, no leaf bones, a root bone on the "
        "floor that carries the way. In Unreal: import as skeletal mesh with animation, import scale 1; switch Enable "
        "Root Motion on in the animation",
    ),
    (
        "UNITY",
        "Unity",
        "FBX in metres, Y up, without turn or scale on the top node, Unity's humanoid bone names, no leaf bones. In "
        "Unity: Rig > Animation Type > Humanoid; root motion then comes from the hips",
    ),
)
FORMAT_ITEMS = (
    ("blend", "Blender (.blend)", "A library to append or link from: the figures with their keys and shape keys"),
    ("fbx", "FBX (.fbx)", "Skinned mesh, bones and one animation, for game engines and other 3D programs"),
    ("glb", "glTF (.glb)", "Skinned mesh, bones and one animation in one file, for the web and for engines"),
    ("usd", "USD (.usd)", "Skinned mesh, skeleton and animation, for film pipelines"),
    ("bvh", "BVH (.bvh)", "Bones and motion only, Y up, metres, SMPL's bone names; one person a file"),
    ("npz", "AMASS (.npz)", "SMPL pose, shape and place as arrays, Z up, for research code; one person a file"),
)
BONE_ITEMS = (
    ("smpl", "SMPL", "left_hip, left_knee, spine1: as in the scene"),
    ("unreal", "Unreal Mannequin", "thigh_l, calf_l, spine_01: as Unreal's own characters, for its retargeting"),
    ("unity", "Unity Humanoid", "LeftUpperLeg, LeftLowerLeg, Spine: so that Unity maps the avatar by itself"),
)
FIGURE_ITEMS = (
    ("ACTIVE", "Active", "The active figure only"),
    ("SELECTED", "Selected", "All figures of which the armature or the body is selected"),
)


def _preset_chosen(properties: SMPLIFY_PG_export, context: bpy.types.Context) -> None:
    from .presets import PRESETS

    preset = PRESETS[properties.preset]
    properties.file_format = preset.suffix
    properties.bones = preset.target.bones
    properties.root_bone = preset.target.root_bone
    properties.one_each = preset.one_each


_WITH_BONE_NAMES = ("fbx", "glb", "usd")


def settings_of_format(file_format: str, figures: str) -> tuple[str, ...]:
    """Return the names of the settings that say something for a format, as its suffix, and a choice of figures."""
    bones = ("bones", "root_bone") if file_format in _WITH_BONE_NAMES else ()
    return ("figures", *bones, *(("one_each",) if figures == "SELECTED" else ()))


def settings_explained(file_format: str) -> tuple[str, ...]:
    """Return the names of the menus whose choice is explained for a format, as its suffix, besides the preset."""
    return ("file_format", *(("bones",) if file_format in _WITH_BONE_NAMES else ()))


class SMPLIFY_PG_export(bpy.types.PropertyGroup):  # noqa: N801 - the form that Blender asks for
    """How the next export is written."""

    preset: bpy.props.EnumProperty(
        name="For",
        description="The program that the file is for: sets the options below, and units and axes",
        items=PRESET_ITEMS,
        update=_preset_chosen,
    )
    file_format: bpy.props.EnumProperty(name="Format", description="What to write", items=FORMAT_ITEMS)
    bones: bpy.props.EnumProperty(
        name="Bone Names", description="What the bones are called in FBX, glTF and USD", items=BONE_ITEMS
    )
    root_bone: bpy.props.BoolProperty(
        name="Root Bone",
        description="Put a bone on the floor above the pelvis that carries the figure's way and heading, from which "
        "game engines take root motion. In FBX, glTF and USD",
    )
    figures: bpy.props.EnumProperty(
        name="Figures", description="Which figures to write", items=FIGURE_ITEMS, translation_context=CONTEXT
    )
    one_each: bpy.props.BoolProperty(
        name="One File Each",
        description="Write each figure to a file of its own, with its name after the file's. BVH and AMASS always do",
    )


CLASSES = (SMPLIFY_PG_export,)


def register() -> None:
    """Give every scene its export settings."""
    bpy.types.Scene.smplify_export = bpy.props.PointerProperty(type=SMPLIFY_PG_export)


def unregister() -> None:
    """Take the settings away again."""
    del bpy.types.Scene.smplify_export
