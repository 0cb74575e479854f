"""``Scene.smplify_export``: the settings of the Export box, stored with the scene."""

from __future__ import annotations

import bpy

from ..ui.translations import CONTEXT

PRESET_ITEMS = (
    ("BLENDER", "Blender", "A .blend to append or link from: metres, Z up, SMPL's bone names, shape keys kept"),
    (
        "UNREAL",
        "Unreal Engine",
        "FBX in centimetres without scale on any node, the mannequin's bone names, no leaf bones, a root bone on the "
        "floor that carries the path. In Unreal: import as skeletal mesh with animation, import scale 1; switch Enable "
        "Root Motion on in the animation",
    ),
    (
        "UNITY",
        "Unity",
        "FBX in metres, Y up, without rotation or scale on the top node, Unity's humanoid bone names, no leaf bones. "
        "In Unity: Rig > Animation Type > Humanoid; root motion then comes from the hips",
    ),
    (
        "MIXAMO",
        "Mixamo",
        "FBX in centimetres, Y up, without rotation or scale on any node, Mixamo's bone names, no leaf bones: for "
        "programs that know Mixamo's characters",
    ),
    ("VRM", "VRM", "glTF with the humanoid bone names of VRM, for programs and add-ons that make or move VRM avatars"),
)
_FORMATS = (
    ("blend", "Blender (.blend)", "A library to append or link from: the figures with their keys and shape keys"),
    ("fbx", "FBX (.fbx)", "Skinned mesh, bones and one animation, for game engines and other 3D programs"),
    ("glb", "glTF (.glb)", "Skinned mesh, bones and one animation in one file, for the web and for engines"),
    ("usd", "USD (.usd)", "Skinned mesh, skeleton and animation, for film pipelines"),
    ("bvh", "BVH (.bvh)", "Bones and motion only, Y up, metres, SMPL's bone names; one person per file"),
    ("npz", "AMASS (.npz)", "SMPL pose, shape and translation as arrays, Z up, for research code; one person per file"),
    (
        "mot",
        "OpenSim (.mot)",
        "Joint angles by OpenSim's names, in degrees, for biomechanics; one person per file",
    ),
    (
        "trc",
        "TRC (.trc)",
        "Joints and points of feet and head in metres, for biomechanics; one person per file",
    ),
)
ONE_PERSON = ("bvh", "npz", "mot", "trc")
"""Formats that hold one person."""


def offered_formats(*, usd: bool) -> tuple[tuple[str, str, str, int], ...]:
    """Return the menu of formats of a Blender that was built with USD or without; each keeps its number in files."""
    return tuple((*item, number) for number, item in enumerate(_FORMATS) if usd or item[0] != "usd")


FORMAT_ITEMS = offered_formats(usd=bool(bpy.app.build_options.usd))
BONE_ITEMS = (
    ("smpl", "SMPL", "left_hip, left_knee, spine1, as in the scene"),
    ("unreal", "Unreal Mannequin", "thigh_l, calf_l, spine_01: as Unreal's own characters, for its retargeting"),
    ("unity", "Unity Humanoid", "LeftUpperLeg, LeftLowerLeg, Spine: so that Unity maps the avatar by itself"),
    ("mixamo", "Mixamo", "mixamorig:LeftUpLeg, mixamorig:LeftLeg, mixamorig:Spine: as Mixamo's own characters"),
    ("vrm", "VRM Humanoid", "leftUpperLeg, leftLowerLeg, spine: the humanoid bones of VRM avatars"),
)
FIGURE_ITEMS = (
    ("ACTIVE", "Active", "The active figure only"),
    ("SELECTED", "Selected", "All figures whose armature or body is selected"),
)
TAKE_ITEMS = (
    ("SHOWN", "Shown Take", "The motion that a figure shows now"),
    ("ALL", "All Takes", "A file for each take, with the take's name appended"),
)


def _preset_chosen(properties: SMPLIFY_PG_export, context: bpy.types.Context) -> None:
    from .presets import PRESETS

    preset = PRESETS[properties.preset]
    properties.file_format = preset.suffix
    properties.bones = preset.target.bones
    properties.root_bone = preset.target.root_bone
    properties.correctives = preset.target.correctives
    properties.one_each = preset.one_each


_WITH_SKIN = ("fbx", "glb", "usd")
"""Formats of other programs with a skinned mesh, for which bones can be named."""


def settings_of_format(file_format: str, figures: str) -> tuple[str, ...]:
    """Return the names of the settings that apply to a format, given by suffix, and a choice of figures."""
    options = ("bones", "root_bone", "correctives") if file_format in _WITH_SKIN else ()
    return ("figures", *options, *(("one_each",) if figures == "SELECTED" else ()))


def settings_explained(file_format: str) -> tuple[str, ...]:
    """Return the names of the menus, besides the preset, whose choice is described for a format, given by suffix."""
    return ("file_format", *(("bones",) if file_format in _WITH_SKIN else ()))


class SMPLIFY_PG_export(bpy.types.PropertyGroup):  # noqa: N801 - Blender's naming convention
    """Settings of the next export."""

    preset: bpy.props.EnumProperty(
        name="For",
        description="The program that the file is for: sets the options below, and units and axes",
        items=PRESET_ITEMS,
        update=_preset_chosen,
    )
    file_format: bpy.props.EnumProperty(name="Format", description="What to write", items=FORMAT_ITEMS)
    bones: bpy.props.EnumProperty(
        name="Bone Names", description="Names of the bones in FBX, glTF and USD", items=BONE_ITEMS
    )
    root_bone: bpy.props.BoolProperty(
        name="Root Bone",
        description="Add a parent bone of the pelvis, on the floor, that carries the figure's path and heading, from "
        "which game engines take root motion. In FBX, glTF and USD",
    )
    correctives: bpy.props.BoolProperty(
        name="Pose Correctives",
        description="Write the pose correctives that a figure shows as shape keys with animated values, for programs "
        "that play these. In FBX, glTF and USD",
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


CLASSES = (SMPLIFY_PG_export,)


def register() -> None:
    """Add the export settings to every scene."""
    bpy.types.Scene.smplify_export = bpy.props.PointerProperty(type=SMPLIFY_PG_export)


def unregister() -> None:
    """Remove the settings."""
    del bpy.types.Scene.smplify_export
