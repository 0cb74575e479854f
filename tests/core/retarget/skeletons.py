"""Skeletons with the published bone names of many families, in any body."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from core.retarget.rig import Rig
from tests.core.retarget.bodies import Body


@dataclass(frozen=True)
class Family:
    """The names of a family: for limbs with {s} for the side, and each role as a chain along its segment.

    Attributes:
        above: bones above the hips, on the floor.
        pelvis: a bone between hips and thighs that carries no spine.
        spine, neck: chains.
        end: what ends the head, if anything.
        limbs: chain of each limb role.
        leaves: leaf twist bones of each limb role.
        buttock: a bone between hips and thigh, in the middle.
        fingers: whether there are five fingers; named after the hand.
        sides: what stands for {s}.
    """

    kind: str
    hips: str
    spine: tuple[str, ...]
    neck: tuple[str, ...]
    head: str
    limbs: dict[str, tuple[str, ...]]
    sides: tuple[str, str] = ("L", "R")
    above: tuple[str, ...] = ()
    pelvis: str = ""
    end: str = ""
    leaves: dict[str, tuple[str, ...]] = field(default_factory=dict)
    buttock: str = ""
    fingers: str = ""
    extras: tuple[tuple[str, str, tuple[float, float, float], int], ...] = ()
    """Further chains: first name, parent, step from bone to bone, number of bones."""


def _limbs(clavicle, upper_arm, forearm, hand, thigh, shin, foot, toe="", toe_end=""):  # noqa: ANN001, ANN202
    roles = dict(
        clavicle=clavicle, upper_arm=upper_arm, forearm=forearm, hand=hand, thigh=thigh, shin=shin, foot=foot,
        toe=toe, toe_end=toe_end,
    )  # fmt: skip
    return {role: (names,) if isinstance(names, str) else names for role, names in roles.items() if names}


_MIXAMO = Family(
    "Mixamo", "mixamorig:Hips", ("mixamorig:Spine", "mixamorig:Spine1", "mixamorig:Spine2"), ("mixamorig:Neck",),
    "mixamorig:Head",
    _limbs("mixamorig:{s}Shoulder", "mixamorig:{s}Arm", "mixamorig:{s}ForeArm", "mixamorig:{s}Hand",
           "mixamorig:{s}UpLeg", "mixamorig:{s}Leg", "mixamorig:{s}Foot", "mixamorig:{s}ToeBase",
           "mixamorig:{s}Toe_End"),
    sides=("Left", "Right"), end="mixamorig:HeadTop_End", fingers="mixamorig:{s}Hand{f}{n}",
)  # fmt: skip
_UNREAL_LIMBS = _limbs(
    "clavicle_{s}", "upperarm_{s}", "lowerarm_{s}", "hand_{s}", "thigh_{s}", "calf_{s}", "foot_{s}", "ball_{s}"
)
_UE_TWISTS = {
    role: tuple(f"{name}_twist_0{number}_{{s}}" for number in (1, 2))
    for role, name in (("upper_arm", "upperarm"), ("forearm", "lowerarm"), ("thigh", "thigh"), ("shin", "calf"))
}
_BIPED = "Bip001 "

FAMILIES = {
    "mixamo": _MIXAMO,
    "ready_player_me": Family(
        "Ready Player Me", "Hips", ("Spine", "Spine1", "Spine2"), ("Neck",), "Head",
        _limbs("{s}Shoulder", "{s}Arm", "{s}ForeArm", "{s}Hand", "{s}UpLeg", "{s}Leg", "{s}Foot", "{s}ToeBase",
               "{s}Toe_End"),
        sides=("Left", "Right"), end="HeadTop_End", fingers="{s}Hand{f}{n}", above=("Armature",),
        extras=(("LeftEye", "Head", (0.03, 0.06, 0.08), 1), ("RightEye", "Head", (-0.03, 0.06, 0.08), 1)),
    ),
    "unreal_4": Family(
        "Unreal", "pelvis", ("spine_01", "spine_02", "spine_03"), ("neck_01",), "head", _UNREAL_LIMBS,
        sides=("l", "r"), above=("root",), leaves={role: names[:1] for role, names in _UE_TWISTS.items()},
        fingers="{f}_0{n}_{s}",
        extras=(("ik_foot_root", "root", (0, 0, 0), 1), ("ik_hand_root", "root", (0, 0, 0), 1)),
    ),
    "unreal_5": Family(
        "Unreal", "pelvis", tuple(f"spine_0{number}" for number in range(1, 6)), ("neck_01", "neck_02"), "head",
        _UNREAL_LIMBS, sides=("l", "r"), above=("root",), leaves=_UE_TWISTS, fingers="{f}_0{n}_{s}",
    ),
    "metahuman": Family(
        "MetaHuman", "pelvis", tuple(f"spine_0{number}" for number in range(1, 6)), ("neck_01", "neck_02"), "head",
        _UNREAL_LIMBS, sides=("l", "r"), above=("root",), leaves=_UE_TWISTS, fingers="{f}_0{n}_{s}",
        extras=(("FACIAL_C_FacialRoot", "head", (0, 0.03, 0.05), 1), ("FACIAL_L_Eye", "head", (0.03, 0.06, 0.08), 1),
                ("FACIAL_R_Eye", "head", (-0.03, 0.06, 0.08), 1), ("FACIAL_C_Jaw", "head", (0, -0.01, 0.06), 3)),
    ),
    "daz_8": Family(
        "Daz", "hip", ("abdomenLower", "abdomenUpper", "chestLower", "chestUpper"), ("neckLower", "neckUpper"), "head",
        _limbs("{s}Collar", ("{s}ShldrBend", "{s}ShldrTwist"), ("{s}ForearmBend", "{s}ForearmTwist"), "{s}Hand",
               ("{s}ThighBend", "{s}ThighTwist"), "{s}Shin", "{s}Foot", "{s}Toe"),
        sides=("l", "r"), pelvis="pelvis", fingers="{s}{f}{n}",
        extras=(("lPectoral", "chestLower", (0.08, 0.05, 0.1), 1), ("rPectoral", "chestLower", (-0.08, 0.05, 0.1), 1),
                ("lowerJaw", "head", (0, 0.0, 0.05), 2), ("upperFaceRig", "head", (0, 0.05, 0.08), 1)),
    ),
    "daz_9": Family(
        "Daz", "hip", ("spine1", "spine2", "spine3", "spine4"), ("neck1", "neck2"), "head",
        _limbs("{s}_shoulder", "{s}_upperarm", "{s}_forearm", "{s}_hand", "{s}_thigh", "{s}_shin", "{s}_foot",
               "{s}_toes"),
        sides=("l", "r"), pelvis="pelvis", fingers="{s}_{f}{n}",
        leaves={role: (f"{{s}}_{name}twist1", f"{{s}}_{name}twist2")
                for role, name in (("upper_arm", "upperarm"), ("forearm", "forearm"), ("thigh", "thigh"))},
    ),
    "character_creator": Family(
        "Character Creator", "CC_Base_Hip", ("CC_Base_Waist", "CC_Base_Spine01", "CC_Base_Spine02"),
        ("CC_Base_NeckTwist01", "CC_Base_NeckTwist02"), "CC_Base_Head",
        _limbs("CC_Base_{s}_Clavicle", "CC_Base_{s}_Upperarm", "CC_Base_{s}_Forearm", "CC_Base_{s}_Hand",
               "CC_Base_{s}_Thigh", "CC_Base_{s}_Calf", "CC_Base_{s}_Foot", "CC_Base_{s}_ToeBase"),
        above=("RL_BoneRoot",), pelvis="CC_Base_Pelvis", fingers="CC_Base_{s}_{f}{n}",
        leaves={role: tuple(f"CC_Base_{{s}}_{name}Twist0{number}" for number in (1, 2))
                for role, name in (("upper_arm", "Upperarm"), ("forearm", "Forearm"), ("thigh", "Thigh"),
                                   ("shin", "Calf"))},
        extras=(("CC_Base_FacialBone", "CC_Base_Head", (0, 0.02, 0.02), 2),
                ("CC_Base_L_Breast", "CC_Base_Spine02", (0.08, -0.02, 0.1), 1),
                ("CC_Base_R_Breast", "CC_Base_Spine02", (-0.08, -0.02, 0.1), 1)),
    ),
    "mmd": Family(
        "MMD", "腰", ("上半身", "上半身2"), ("首",), "頭",
        _limbs("{s}肩", ("{s}腕", "{s}腕捩"), ("{s}ひじ", "{s}手捩"), "{s}手首", "{s}足", "{s}ひざ", "{s}足首",
               "{s}つま先"),
        sides=("左", "右"), above=("全ての親", "センター", "グルーブ"), pelvis="下半身", fingers="{s}{f}指{n}",
        extras=(("左足ＩＫ", "全ての親", (0.1, 0.08, 0.0), 1), ("右足ＩＫ", "全ての親", (-0.1, 0.08, 0.0), 1)),
    ),
    "vroid": Family(
        "VRoid", "J_Bip_C_Hips", ("J_Bip_C_Spine", "J_Bip_C_Chest", "J_Bip_C_UpperChest"), ("J_Bip_C_Neck",),
        "J_Bip_C_Head",
        _limbs("J_Bip_{s}_Shoulder", "J_Bip_{s}_UpperArm", "J_Bip_{s}_LowerArm", "J_Bip_{s}_Hand",
               "J_Bip_{s}_UpperLeg", "J_Bip_{s}_LowerLeg", "J_Bip_{s}_Foot", "J_Bip_{s}_ToeBase"),
        above=("Root",), fingers="J_Bip_{s}_{f}{n}",
        extras=tuple((f"J_Sec_Hair1_0{number}", "J_Bip_C_Head", (0.05 * number - 0.1, -0.08, -0.06), 6)
                     for number in range(5))
        + tuple((f"J_Sec_{side}_SkirtFront{number}", "J_Bip_C_Hips", (sign * 0.03, -0.15, 0.03), 4)
                for number in (1, 2) for side, sign in (("L", 1), ("R", -1)))
        + (("J_Sec_L_Bust1", "J_Bip_C_UpperChest", (0.06, -0.05, 0.06), 2),
           ("J_Sec_R_Bust1", "J_Bip_C_UpperChest", (-0.06, -0.05, 0.06), 2),
           ("J_Adj_L_FaceEye", "J_Bip_C_Head", (0.02, 0.05, 0.05), 1),
           ("J_Adj_R_FaceEye", "J_Bip_C_Head", (-0.02, 0.05, 0.05), 1)),
    ),
    "auto_rig_pro": Family(
        "Auto-Rig Pro", "root.x", ("spine_01.x", "spine_02.x", "spine_03.x"), ("neck.x",), "head.x",
        _limbs("shoulder.{s}", "arm_stretch.{s}", "forearm_stretch.{s}", "hand.{s}", "thigh_stretch.{s}",
               "leg_stretch.{s}", "foot.{s}", "toes_01.{s}"),
        sides=("l", "r"), fingers="c_{f}{n}.{s}",
        leaves={"upper_arm": ("arm_twist.{s}",), "forearm": ("forearm_twist.{s}",), "thigh": ("thigh_twist.{s}",),
                "shin": ("leg_twist.{s}",)},
    ),
    "biped": Family(
        "3ds Max Biped", _BIPED + "Pelvis", (_BIPED + "Spine", _BIPED + "Spine1", _BIPED + "Spine2"),
        (_BIPED + "Neck",), _BIPED + "Head",
        _limbs(*(_BIPED + "{s} " + name for name in (
            "Clavicle", "UpperArm", "Forearm", "Hand", "Thigh", "Calf", "Foot", "Toe0", "Toe0Nub"))),
        above=("Bip001",), end=_BIPED + "HeadNub", fingers=_BIPED + "{s} Finger{f}{n}",
    ),
    "valve": Family(
        "Valve", "ValveBiped.Bip01_Pelvis",
        tuple(f"ValveBiped.Bip01_Spine{number}" for number in ("", "1", "2", "4")), ("ValveBiped.Bip01_Neck1",),
        "ValveBiped.Bip01_Head1",
        _limbs(*("ValveBiped.Bip01_{s}_" + name for name in (
            "Clavicle", "UpperArm", "Forearm", "Hand", "Thigh", "Calf", "Foot", "Toe0"))),
        fingers="ValveBiped.Bip01_{s}_Finger{f}{n}",
    ),
    "mhr": Family(
        "MHR", "root", ("c_spine0", "c_spine1", "c_spine2", "c_spine3"), ("c_neck",), "c_head",
        _limbs("{s}_clavicle", "{s}_uparm", "{s}_lowarm", "{s}_wrist", "{s}_upleg", "{s}_lowleg", "{s}_foot",
               "{s}_ball"),
        sides=("l", "r"), above=("body_world",), fingers="{s}_{f}{n}",
        leaves={"upper_arm": tuple(f"{{s}}_uparm_twist{number}_proc" for number in range(1, 5)),
                "forearm": tuple(f"{{s}}_lowarm_twist{number}_proc" for number in range(1, 5)),
                "thigh": tuple(f"{{s}}_upleg_twist{number}_proc" for number in range(1, 5))},
        extras=(("c_jaw", "c_head", (0, 0.0, 0.05), 2), ("l_eye", "c_head", (0.03, 0.06, 0.08), 1),
                ("r_eye", "c_head", (-0.03, 0.06, 0.08), 1)),
    ),
    "bandai": Family(
        "", "Hips", ("Spine", "Chest"), ("Neck",), "Head",
        _limbs("Shoulder_{s}", "UpperArm_{s}", "LowerArm_{s}", "Hand_{s}", "UpperLeg_{s}", "LowerLeg_{s}", "Foot_{s}",
               "Toes_{s}"),
        above=("joint_Root",),
    ),
    "lafan": Family(
        "BVH", "Hips", ("Spine", "Spine1", "Spine2"), ("Neck",), "Head",
        _limbs("{s}Shoulder", "{s}Arm", "{s}ForeArm", "{s}Hand", "{s}UpLeg", "{s}Leg", "{s}Foot", "{s}Toe"),
        sides=("Left", "Right"),
    ),
    "xsens": Family(
        "Xsens", "Pelvis", ("L5", "L3", "T12", "T8"), ("Neck",), "Head",
        _limbs("{s}Shoulder", "{s}UpperArm", "{s}ForeArm", "{s}Hand", "{s}UpperLeg", "{s}LowerLeg", "{s}Foot",
               "{s}Toe"),
        sides=("Left", "Right"),
    ),
    "xsens_bvh": Family(
        "Xsens", "Hips", ("Chest", "Chest2", "Chest3", "Chest4"), ("Neck",), "Head",
        _limbs("{s}Collar", "{s}Shoulder", "{s}Elbow", "{s}Wrist", "{s}Hip", "{s}Knee", "{s}Ankle", "{s}Toe"),
        sides=("Left", "Right"),
    ),
    "rokoko": Family(
        "Rokoko", "Hips", ("Spine1", "Spine2", "Spine3", "Spine4"), ("Neck",), "Head",
        _limbs("{s}Shoulder", "{s}Arm", "{s}ForeArm", "{s}Hand", "{s}Thigh", "{s}Shin", "{s}Foot", "{s}Toe",
               "{s}ToeEnd"),
        sides=("Left", "Right"), fingers="{s}{f}{n}",
    ),
    "poser_bvh": Family(
        "Poser", "hip", ("abdomen", "chest"), ("neck",), "head",
        _limbs("{s}Collar", "{s}Shldr", "{s}ForeArm", "{s}Hand", "{s}Thigh", "{s}Shin", "{s}Foot"),
        sides=("l", "r"), buttock="{s}Buttock",
    ),
    "smpl": Family(
        "SMPL", "pelvis", ("spine1", "spine2", "spine3"), ("neck",), "head",
        _limbs("{s}_collar", "{s}_shoulder", "{s}_elbow", "{s}_wrist", "{s}_hip", "{s}_knee", "{s}_ankle", "{s}_foot"),
        sides=("left", "right"),
    ),
    "optitrack": Family(
        "", "Hip", ("Ab", "Chest"), ("Neck",), "Head",
        _limbs("{s}Shoulder", "{s}UArm", "{s}FArm", "{s}Hand", "{s}Thigh", "{s}Shin", "{s}Foot", "{s}Toe"),
    ),
    "second_life": Family(
        "", "mPelvis", ("mTorso", "mChest"), ("mNeck",), "mHead",
        _limbs("mCollar{s}", "mShoulder{s}", "mElbow{s}", "mWrist{s}", "mHip{s}", "mKnee{s}", "mAnkle{s}", "mFoot{s}"),
        sides=("Left", "Right"), end="mSkull",
    ),
    "unity": Family(
        "Unity", "Hips", ("Spine", "Chest", "UpperChest"), ("Neck",), "Head",
        _limbs("{s}Shoulder", "{s}UpperArm", "{s}LowerArm", "{s}Hand", "{s}UpperLeg", "{s}LowerLeg", "{s}Foot",
               "{s}Toes"),
        sides=("Left", "Right"), fingers="{s}{f}{n}",
    ),
    "eight_vertebrae": Family(
        "", "pelvis", tuple(f"spine.{number:03d}" for number in range(8)), ("neck",), "head",
        _limbs("clavicle.{s}", "upperarm.{s}", "lowerarm.{s}", "hand.{s}", "thigh.{s}", "calf.{s}", "foot.{s}",
               "toe.{s}"),
    ),
    "one_vertebra": Family(
        "", "Hip", ("Chest",), (), "Head",
        _limbs("", "Arm_Upper_{s}", "Arm_Lower_{s}", "Hand_{s}", "Leg_Upper_{s}", "Leg_Lower_{s}", "Foot_{s}"),
    ),
}  # fmt: skip
"""One skeleton of each family."""

_FINGERS = ("Thumb", "Index", "Middle", "Ring", "Pinky")


class _Builder:
    """Collects bones."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.parents: list[int] = []
        self.heads: list[np.ndarray] = []

    def add(self, name: str, parent: str, head: np.ndarray) -> None:
        self.names.append(name)
        self.parents.append(self.names.index(parent) if parent else -1)
        self.heads.append(np.asarray(head, dtype=float))

    def chain(self, names: tuple[str, ...], parent: str, points: list[np.ndarray]) -> str:
        for name, point in zip(names, points, strict=True):
            self.add(name, parent, point)
            parent = name
        return parent


def build(family: Family, body: Body) -> tuple[Rig, dict[str, tuple[str, ...]]]:
    """Return the skeleton of *family* in *body*, and its right map."""
    builder = _Builder()
    truth: dict[str, tuple[str, ...]] = {"hips": (family.hips,), "spine": family.spine, "head": (family.head,)}
    last = builder.chain(family.above, "", [np.zeros(3)] * len(family.above))
    builder.add(family.hips, last, body.trunk_point(0.0))
    steps = [body.trunk_point((number + 0.5) / (len(family.spine) + 0.5)) for number in range(len(family.spine))]
    chest = builder.chain(family.spine, family.hips, steps)
    neck_base = body.trunk_point(1.0) + [0.0, 0.03, 0.0]
    shares = np.arange(len(family.neck)) / max(len(family.neck), 1)
    last = builder.chain(family.neck, chest, [neck_base + [0.0, share * body.neck, 0.01] for share in shares])
    if family.neck:
        truth["neck"] = family.neck
    head = neck_base + [0.0, body.neck, 0.02]
    builder.add(family.head, last, head)
    if family.end:
        builder.add(family.end, family.head, head + [0.0, 2.0 * body.head, 0.0])
    if family.pelvis:
        builder.add(family.pelvis, family.hips, body.trunk_point(-0.02))
    for number, side in enumerate(family.sides):
        limbs = _add_limbs(builder, family, body, side, 1 - 2 * number, chest)
        truth |= {f"{('left', 'right')[number]}_{role}": chain for role, chain in limbs.items()}
    for name, parent, step, count in family.extras:
        start = builder.heads[builder.names.index(parent)]
        names = (name, *(f"{name}_{number}" for number in range(2, count + 1)))
        builder.chain(names, parent, [start + (number + 1) * np.array(step) for number in range(count)])
    return _rig_of(builder), truth


def _add_limbs(
    builder: _Builder, family: Family, body: Body, side: str, sign: int, chest: str
) -> dict[str, tuple[str, ...]]:
    named = {role: tuple(name.format(s=side) for name in names) for role, names in family.limbs.items()}
    last = chest
    if "clavicle" in named:
        start = body.shoulder(sign) * [0, 1, 1] + [sign * (body.shoulder_width / 2.0 - body.clavicle), -0.01, 0.05]
        last = builder.chain(named["clavicle"], last, [start])
    truth = {role: names for role, names in named.items() if role != "toe_end"}
    for number, role in enumerate(("upper_arm", "forearm", "hand")):
        last = _add_segment(
            builder, family, named, role, last, lambda along: body.arm_point(sign, along), number, truth, side
        )
    if family.fingers:
        for finger, name in enumerate(_FINGERS):
            offset = np.array([0.0, -0.02, 0.05]) if finger == 0 else np.array([0.0, 0.0, 0.03 - 0.02 * finger])
            names = tuple(family.fingers.format(s=side, f=name, n=joint) for joint in (1, 2, 3))
            points = [
                body.arm_point(sign, 2.0 + share) + offset
                for share in ((0.2, 0.4, 0.6) if finger == 0 else (0.5, 0.7, 0.85))
            ]
            builder.chain(names, last, points)
    last = family.pelvis or family.hips
    if family.buttock:
        builder.add(family.buttock.format(s=side), last, body.trunk_point(0.0) + [sign * 0.02, -0.01, 0.0])
        last = family.buttock.format(s=side)
    for number, role in enumerate(("thigh", "shin", "foot", "toe", "toe_end")):
        if role in named:
            last = _add_segment(
                builder, family, named, role, last, lambda along: body.leg_point(sign, along), number, truth, side
            )
    return truth


def _add_segment(builder, family, named, role, parent, point, number, truth, side) -> str:  # noqa: ANN001
    chain = named[role]
    points = [point(number + share) for share in np.arange(len(chain)) / len(chain)]
    last = builder.chain(chain, parent, points)
    leaves = tuple(name.format(s=side) for name in family.leaves.get(role, ()))
    for place, name in enumerate(leaves):
        builder.add(name, chain[0], point(number + (place + 1) / (len(leaves) + 1)))
    if leaves:
        truth[role] = chain + leaves
    return last


def _rig_of(builder: _Builder) -> Rig:
    heads = np.array(builder.heads)
    tails = heads + [0.0, 0.0, 0.1]
    for bone in range(len(heads) - 1, 0, -1):
        if builder.parents[bone] >= 0 and np.linalg.norm(heads[bone] - heads[builder.parents[bone]]) > 1e-3:
            tails[builder.parents[bone]] = heads[bone]
    count = len(heads)
    return Rig(
        tuple(builder.names), np.array(builder.parents), heads, tails, np.tile(np.eye(3), (count, 1, 1)),
        np.ones(count, dtype=bool),
    )  # fmt: skip
