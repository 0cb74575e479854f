"""Conventions of target programs for exported figures: bone names, root bone, units, axes. Needs no Blender.

Sources: Unreal Engine's FBX documentation and importer (a node called "Armature" above the bones is dropped when the
file is Blender's; bones are in centimetres; root motion is the path of the topmost bone), Unity's humanoid bone names
(`HumanBodyBones`) and its FBX importer (a file in metres and a node without rotation and scale import unchanged);
Mixamo's own files (centimetres, Y up); the humanoid bones of the VRM 1.0 specification (glTF, metres, Y up).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..core_access import FINGERS, JOINT_NAMES, SMPLH, UNITY_BONES

_SIDED = ("hip", "knee", "ankle", "foot", "collar", "shoulder", "elbow", "wrist", "hand")
_SPINE = ("pelvis", "spine1", "spine2", "spine3", "neck", "head")


def _named(
    spine: tuple[str, ...], limbs: tuple[str, ...], fingers: dict[str, tuple[str, ...]], left: str, right: str
) -> dict[str, str]:
    """Return bone names by SMPL name; *left* and *right* are patterns such as "{}_l"."""
    names = dict(zip(_SPINE, spine, strict=True))
    of_fingers = {f"{finger}{number}": name for finger in FINGERS for number, name in enumerate(fingers[finger], 1)}
    for side, pattern in (("left", left), ("right", right)):
        names |= {f"{side}_{part}": pattern.format(name) for part, name in zip(_SIDED, limbs, strict=True)}
        names |= {f"{side}_{joint}": pattern.format(name) for joint, name in of_fingers.items()}
    return names


def _numbered(pattern: str) -> dict[str, tuple[str, ...]]:
    """Return the names of each finger's bones by *pattern*, of its name and number."""
    return {finger: tuple(pattern.format(finger, number) for number in (1, 2, 3)) for finger in FINGERS}


def _vrm_fingers() -> dict[str, tuple[str, ...]]:
    """Return the names of each finger's bones in VRM, which differ from Unity's in the thumb."""
    thumb, others = ("Metacarpal", "Proximal", "Distal"), ("Proximal", "Intermediate", "Distal")
    names = {finger: finger.title().replace("Pinky", "Little") for finger in FINGERS}
    return {f: tuple(name + bone for bone in (thumb if f == "thumb" else others)) for f, name in names.items()}


BONE_NAMES: dict[str, dict[str, str]] = {
    "smpl": {name: name for name in (*JOINT_NAMES, *SMPLH.names)},
    "unreal": _named(
        ("pelvis", "spine_01", "spine_02", "spine_03", "neck_01", "head"),
        ("thigh", "calf", "foot", "ball", "clavicle", "upperarm", "lowerarm", "hand", "fingers"),
        _numbered("{}_{:02d}"),
        "{}_l",
        "{}_r",
    ),
    "unity": {**UNITY_BONES, "left_hand": "LeftFingers", "right_hand": "RightFingers"},
    "mixamo": _named(
        tuple(f"mixamorig:{name}" for name in ("Hips", "Spine", "Spine1", "Spine2", "Neck", "Head")),
        ("UpLeg", "Leg", "Foot", "ToeBase", "Shoulder", "Arm", "ForeArm", "Hand", "Fingers"),
        {finger: tuple(f"Hand{finger.title()}{number}" for number in (1, 2, 3)) for finger in FINGERS},
        "mixamorig:Left{}",
        "mixamorig:Right{}",
    ),
    "vrm": _named(
        ("hips", "spine", "chest", "upperChest", "neck", "head"),
        ("UpperLeg", "LowerLeg", "Foot", "Toes", "Shoulder", "UpperArm", "LowerArm", "Hand", "Fingers"),
        _vrm_fingers(),
        "left{}",
        "right{}",
    ),
}
"""Bone names by convention and SMPL name."""

ROOT_NAMES = {"smpl": "root", "unreal": "root", "unity": "Root", "mixamo": "root", "vrm": "root"}
"""Name of the optional root bone by convention."""


@dataclass(frozen=True)
class ExportTarget:
    """How a figure is written.

    Attributes:
        bones: convention of the bone names, a key of `BONE_NAMES`.
        root_bone: add a parent bone of the pelvis, on the floor, that carries the figure's path and heading, from which
            game engines take root motion; the pelvis keeps the remaining motion.
        fbx_centimetres: write the numbers of an .fbx in centimetres, so that no node has a scale.
        fbx_upright: write the bones of an .fbx Y up, so that its topmost node has no rotation.
        node: name of the armature's node; empty for the figure's name.
        correctives: write the pose correctives that a figure shows, as shape keys with animated values.
    """

    bones: str = "smpl"
    root_bone: bool = False
    fbx_centimetres: bool = False
    fbx_upright: bool = False
    node: str = ""
    correctives: bool = False

    @property
    def plain(self) -> bool:
        """Whether bones are written as they are in the scene."""
        return replace(self, correctives=False) == ExportTarget()


@dataclass(frozen=True)
class ExportPreset:
    """Export settings for a program.

    Attributes:
        suffix: suffix of the preferred format, without the dot.
        target: how to write the figure.
        one_each: write one file per figure.
    """

    suffix: str
    target: ExportTarget
    one_each: bool


PRESETS: dict[str, ExportPreset] = {
    "BLENDER": ExportPreset("blend", ExportTarget(), one_each=False),
    "UNREAL": ExportPreset(
        "fbx", ExportTarget(bones="unreal", root_bone=True, fbx_centimetres=True, node="Armature"), one_each=True
    ),
    "UNITY": ExportPreset("fbx", ExportTarget(bones="unity", fbx_upright=True), one_each=True),
    "MIXAMO": ExportPreset("fbx", ExportTarget(bones="mixamo", fbx_centimetres=True, fbx_upright=True), one_each=True),
    "VRM": ExportPreset("glb", ExportTarget(bones="vrm"), one_each=True),
}
"""The presets of the Export box; `properties.PRESET_ITEMS` describes them."""
