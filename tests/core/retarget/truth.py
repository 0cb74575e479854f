"""The right bone map of each fixture in tests/data/rigs."""

from __future__ import annotations

Truth = dict[str, tuple[str, ...]]


def _map(sides: tuple[str, str], hips: str, spine: str, neck: str, head: str, **limbs: str) -> Truth:
    """Return a map; chains are given as names separated by blanks, with # for the side."""
    roles = {"hips": hips, "spine": spine, "neck": neck, "head": head}
    for side, token in zip(("left", "right"), sides, strict=True):
        roles |= {f"{side}_{role}": names.replace("#", token) for role, names in limbs.items()}
    return {role: tuple(names.split()) for role, names in roles.items() if names}


_UNREAL = _map(
    ("l", "r"), "pelvis", "spine_01 spine_02 spine_03", "neck_01", "head", clavicle="clavicle_#",
    upper_arm="upperarm_#", forearm="lowerarm_#", hand="hand_#", thigh="thigh_#", shin="calf_#", foot="foot_#",
    toe="ball_#",
)  # fmt: skip
_CMU = _map(
    ("Left", "Right"), "Hips", "LowerBack Spine Spine1", "Neck Neck1", "Head", clavicle="#Shoulder", upper_arm="#Arm",
    forearm="#ForeArm", hand="#Hand", thigh="#UpLeg", shin="#Leg", foot="#Foot", toe="#ToeBase",
)  # fmt: skip
_MIXAMO = _map(
    ("mixamorig:Left", "mixamorig:Right"), "mixamorig:Hips", "mixamorig:Spine mixamorig:Spine1 mixamorig:Spine2",
    "mixamorig:Neck", "mixamorig:Head", clavicle="#Shoulder", upper_arm="#Arm", forearm="#ForeArm", hand="#Hand",
    thigh="#UpLeg", shin="#Leg", foot="#Foot", toe="#ToeBase",
)  # fmt: skip
_VRM = _map(
    ("L", "R"), "hips", "spine chest", "neck", "head", clavicle="shoulder.#", upper_arm="upper_arm.#",
    forearm="lower_arm.#", hand="hand.#", thigh="upper_leg.#", shin="lower_leg.#", foot="foot.#", toe="toes.#",
)  # fmt: skip
_MPFB = _map(
    ("L", "R"), "root", "spine05 spine04 spine03 spine02 spine01", "neck01 neck02 neck03", "head",
    clavicle="clavicle.#", upper_arm="upperarm01.# upperarm02.#", forearm="lowerarm01.# lowerarm02.#", hand="wrist.#",
    thigh="upperleg01.# upperleg02.#", shin="lowerleg01.# lowerleg02.#", foot="foot.#",
)  # fmt: skip
_KAYKIT = _map(
    ("l", "r"), "hips", "spine chest", "", "head", upper_arm="upperarm.#", forearm="lowerarm.#", hand="wrist.#",
    thigh="upperleg.#", shin="lowerleg.#", foot="foot.#", toe="toes.#",
)  # fmt: skip

TRUTH = {
    "cmu_02_05": _CMU, "cmu_07_01": _CMU, "cmu_35_10": _CMU, "kaykit_barbarian_rig": _KAYKIT, "m2m_bunny": _UNREAL,
    "m2m_male": _UNREAL, "m2m_rig": _UNREAL, "m2m_zombie": _UNREAL, "mpfb_cmu_mb": _CMU, "mpfb_default": _MPFB,
    "mpfb_game_engine": _UNREAL, "mpfb_mixamo": _MIXAMO, "vrmaddon_basic_armature": _VRM,
    "vrmaddon_rest_a_pose_t_position_pose": _VRM,
}  # fmt: skip
KINDS = {
    "cmu_02_05": "CMU BVH", "kaykit_barbarian_rig": "", "m2m_male": "Unreal", "mpfb_default": "MPFB",
    "mpfb_mixamo": "Mixamo", "vrmaddon_basic_armature": "VRM",
}  # fmt: skip
"""The families of some of them."""
ANIMALS = tuple(f"rig_{name}" for name in ("bird", "dragon", "fox", "horse", "kaiju", "shark", "snake", "spider"))
