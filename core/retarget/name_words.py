"""The words that bone names are made of, and the roles they stand for."""

from __future__ import annotations

import re

SIDE_WORDS = {
    "left": "left l lft lf links linke linker linkes gauche izquierda izquierdo izq sinistra sinistro sx esquerda",
    "right": "right r rgt rt rechts rechte rechter rechtes droite droit derecha derecho der destra destro dx direita",
}
"""What left and right are called, in lower case; German, French, Spanish, Italian and Portuguese too."""

FAMILY_PREFIX = re.compile(
    r"^(?:mixamorig\d*|cc_base|valvebiped[._]?|bip0*\d*|character\d*|def|org|genesis\w*?|skel|sk|jnt|bn)(?=[\W_A-Z]|$)[\W_]*",
    re.IGNORECASE,
)
"""What a family of rigs puts before each name."""

NOISE_WORDS = frozenset(
    "def org cc base bip j c x b m d jnt joint joints bn bone bones bind rig skel sk mixamorig stretch bend proc main "
    "armature".split()
)
"""Words that say nothing about the place in the body."""
CONTROL_WORDS = frozenset(
    "ik fk mch ctrl ctl control target pole tweak vis goal handle helper socket attach slot end nub leaf tip effector "
    "site corrective share sec adj gizmo widget cor dummy parent master null sensor collider".split()
)
"""Words of bones that move no skin of their own, or only correct it; they play no role."""
TWIST_WORDS = frozenset("twist roll tw twst".split())

JAPANESE = {
    "左": " left ", "右": " right ", "上半身": " upperbody ", "下半身": " lowerbody ", "センター": " center ",
    "グルーブ": " groove ", "全ての親": " master ", "腰": " waist ", "肩P": " dummy ", "肩C": " dummy ",
    "肩": " shoulder ", "捩": " twist ", "手首": " wrist ", "親指": " thumb ", "指": " finger ", "足首": " ankle ",
    "つま先": " toe ", "足先EX": " toe ", "爪先": " toe ", "腕": " arm ", "ひじ": " elbow ", "肘": " elbow ",
    "手": " wrist ", "ひざ": " knee ", "膝": " knee ", "足": " leg ", "首": " neck ", "頭": " head ",
    "先": " tip ", "目": " eye ",
}  # fmt: skip
"""Parts of MikuMikuDance names in English; longer ones stand before those that they hold."""


def _table(rows: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    return {word: roles for words, roles in rows.items() for word in words.split()}


LIMB_WORDS = _table(
    {
        "clavicle collar collarbone scapula clav shouldergirdle shoulderblade schluesselbein schlüsselbein": {
            "clavicle": 0.0
        },
        "shoulder schulter": {"clavicle": 0.5, "upper_arm": 1.0},
        "upperarm uparm armupper armup shldr bicep biceps uarm humerus oberarm": {"upper_arm": 0.0},
        "arm": {"upper_arm": 0.5},
        "forearm lowerarm lowarm armlower armlow ulna unterarm farm": {"forearm": 0.0},
        "elbow ellbogen": {"forearm": 0.3},
        "wrist handgelenk": {"hand": 0.0},
        "hand": {"hand": 0.2},
        "palm": {"hand": 1.0},
        "thigh upperleg upleg legupper legup uleg femur oberschenkel": {"thigh": 0.0},
        "hip": {"thigh": 0.5},
        "leg bein": {"shin": 0.5, "thigh": 0.6},
        "shin calf lowerleg lowleg leglower leglow tibia unterschenkel": {"shin": 0.0},
        "knee knie": {"shin": 0.3},
        "ankle": {"foot": 0.0},
        "foot feet fuss fuß": {"foot": 0.2, "toe": 1.0},
        "toe toes ball zehen": {"toe": 0.0},
        "metatarsal metatarsals": {"toe": 0.8},
    }
)
"""The roles of each name of a limb, with a cost: the less usual a meaning, the higher."""

HIPS_WORDS = _table(
    {
        "hips pelvis hüfte becken": {"hips": 0.0},
        "hip": {"hips": 0.1},
        "cog centerofmass lowertorso hipcenter": {"hips": 0.5},
        "center groove waist": {"hips": 1.0},
        "lowerbody root torso": {"hips": 1.5},
    }
)
"""What the bone that carries legs and spine is called, with a cost."""
SPINE_WORDS = frozenset(
    "spine abdomen abdomenlower abdomenupper lowerback back waist chest upperchest chestlower chestupper lowerchest "
    "thorax torso uppertorso ribcage ribs upperbody spinelower spineupper spinemid spinemiddle stomach belly vertebra "
    "brust bauch wirbelsäule".split()
)
NECK_WORDS = frozenset("neck necklower neckupper necktwist lowerneck upperneck hals".split())
HEAD_WORDS = frozenset("head skull kopf".split())

WORDS = frozenset(LIMB_WORDS) | frozenset(HIPS_WORDS) | SPINE_WORDS | NECK_WORDS | HEAD_WORDS
"""All names of places in the body."""
