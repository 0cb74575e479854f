"""Anatomical roles of marker labels: Plug-in Gait, CGM2, CMU, SSM, OpenCap, ISB, Stanford, OptiTrack, Davis, others."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ..smpl_skeleton import SIDES
from .finger_labels import FINGER_ROLES, finger_roles
from .name_keys import Key, name_keys

_SIDED_ROLES: dict[str, tuple[str, ...]] = {
    "asis": ("asi", "asis", "fwt", "iasis", "ias", "waistfront"),
    "psis": ("psi", "psis", "bwt", "ipsis", "ips", "waistback"),
    "waist_side": ("mwt",),
    "hip_centre": ("hjc",),
    "thigh": ("thi", "thigh", "thigh1"),
    "knee_lateral": (
        "kne", "knee", "lepi", "kneelat", "kneelateral", "lfe", "fle", "lfc", "lfep", "kneeout", "knee1",
    ),
    "knee_medial": (
        "kni", "mknee", "mkne", "mepi", "kneemed", "kneemedial", "mfe", "fme", "knm", "mfc", "mfep", "kneein", "knee2",
    ),
    "shank": ("tib", "shn", "shank", "shankantsup", "shin"),
    "ankle_lateral": ("ank", "ankle", "lmal", "anklelat", "anklelateral", "fal", "ankleout", "mall"),
    "ankle_medial": (
        "mankle", "mank", "mmal", "anklemed", "anklemedial", "tam", "anm", "anklein", "med", "anki",
    ),
    "heel": ("hee", "heel", "hel", "calc", "fcc", "cal"),
    "toe": ("toe", "hlx", "toetip", "smh"),
    "first_metatarsal": ("mt1", "p1mt", "fm1", "1meta", "toein", "fmh"),
    "fifth_metatarsal": ("mt5", "p5mt", "fm5", "5meta", "toeout", "vmh", "met"),
    "sternoclavicular": ("sternum", "sc", "scj"),
    "acromion": ("sho", "shoulder", "sh", "acr", "acromion", "cac", "saj", "should", "shouldertop"),
    "shoulder_front": ("fsh",),
    "shoulder_back": ("bsh",),
    "elbow_lateral": ("elb", "elbow", "elbowlat", "elbowlateral", "lelbow", "hle", "lel", "elbowout"),
    "elbow_medial": ("iel", "elbowmed", "elbowmedial", "melbow", "hme", "elbm", "mel", "elbin", "elbowin"),
    "wrist_bar_thumb_side": ("wra",),
    "wrist_bar_little_finger_side": ("wrb",),
    "wrist_thumb_side": ("iwr", "wristradius", "lwrist", "rsp", "wristin"),
    "wrist_little_finger_side": ("owr", "wristulna", "mwrist", "usp", "uhe", "wristout"),
    "wrist": ("wrist", "wr", "wri"),
    "index_knuckle": ("fin", "ihand", "hm2"),
    "little_finger_knuckle": ("ohand", "hm5"),
    "head_front": ("fhd", "hdf"),
    "head_back": ("bhd", "hdb"),
}  # fmt: skip
_SINGLE_ROLES: dict[str, tuple[str, ...]] = {
    "sacrum": ("sacr", "s2", "sac", "sacrum", "vsacral"),
    "c7": ("c7", "cv7", "backtop"),
    "t10": ("t10", "tv10"),
    "manubrium": ("clav", "man", "manubrium", "sjn", "snj", "chest"),
    "sternum": ("strn", "sternum", "sxs", "xiph"),
}


_SPOTS = {
    "lateral": ("lateral", "lat", "outer", "outside", "out"),
    "medial": ("medial", "med", "inner", "inside", "in"),
}
"""The words for the outside and the inside of a joint."""
_BONES = {
    "knee": ("knee", "kne", "femoralepicondyle", "femurepicondyle", "femepi", "femoralcondyle", "femcond", "femcon"),
    "ankle": ("ankle", "ank", "malleolus", "malleoli", "mal"),
    "elbow": ("elbow", "elb", "humeralepicondyle", "humerusepicondyle", "humepi"),
}
"""The words for the bones at a joint, before or after which such a word stands (R.MedialKnee, LKneeLat)."""
_METATARSALS = {
    "first_metatarsal": ("1stmetatarsal", "firstmetatarsal", "1stmet", "metatarsal1", "met1", "1stmtp", "mtp1", "mh1"),
    "fifth_metatarsal": ("5thmetatarsal", "fifthmetatarsal", "5thmet", "metatarsal5", "met5", "5thmtp", "mtp5", "mh5"),
}
_STYLOIDS = {
    "wrist_thumb_side": ("radialstyloid", "styloidradius", "radstyloid", "wristrad", "radialwrist", "wristlat"),
    "wrist_little_finger_side": ("ulnarstyloid", "styloidulna", "ulnstyloid", "wristuln", "ulnarwrist", "wristmed"),
}


def _spelt_out() -> dict[str, tuple[str, ...]]:
    """Return the stems of sided roles that are written as words for the bone and the spot."""
    found = {**_METATARSALS, **_STYLOIDS, "heel": ("calcaneus", "heelbone"), "acromion": ("acromionprocess",)}
    for joint, bones in _BONES.items():
        for spot, words in _SPOTS.items():
            found[f"{joint}_{spot}"] = tuple(
                stem for bone in bones for word in words for stem in (f"{bone}{word}", f"{word}{bone}")
            )
    return found


def _known_keys() -> dict[Key, str]:
    keys: dict[Key, str] = {("", stem): role for role, stems in _SINGLE_ROLES.items() for stem in stems}
    for role, stems in (*_spelt_out().items(), *_SIDED_ROLES.items()):
        for stem in stems:
            keys.update({(side, stem): f"{side}_{role}" for side in SIDES})
    return keys


_ROLE_OF_KEY: dict[Key, str] = _known_keys()

ROLES: tuple[str, ...] = (*dict.fromkeys(_ROLE_OF_KEY.values()), *FINGER_ROLES)
"""Every role that a marker can have."""

_SETS: tuple[tuple[str, frozenset[str]], ...] = (
    ("Plug-in Gait", frozenset(("asi", "kne", "tib", "sho", "elb"))),
    ("CMU Vicon", frozenset(("fwt", "kne", "shn", "sho", "elb"))),
    ("OpenCap", frozenset(("asis", "knee", "calc", "5meta", "shoulder"))),
    ("ISB", frozenset(("ias", "ips", "fle", "fal", "saj"))),
    ("OptiTrack", frozenset(("waistfront", "waistback", "kneeout", "ankleout"))),
    ("Stanford", frozenset(("asi", "lfc", "lmal", "acr"))),
    ("Davis", frozenset(("asis", "should", "mall", "sacrum"))),
)


def marker_roles(names: Sequence[str]) -> dict[str, int]:
    """Return the index into *names* of the marker with each anatomical role ("left_asis", "c7").

    OpenCap's ``_study`` names take precedence: they are always markers, and a plain "RKnee" beside them is a keypoint.
    """
    roles: dict[str, int] = {}
    for index in sorted(range(len(names)), key=lambda number: not names[number].lower().endswith("study")):
        role = next((_ROLE_OF_KEY[key] for key in name_keys(names[index]) if key in _ROLE_OF_KEY), None)
        if role is not None:
            roles.setdefault(role, index)
    return roles


def roles_with_fingers(names: Sequence[str]) -> dict[str, int]:
    """Return the index into *names* of the marker with each role, with those on fingers."""
    return {**finger_roles(names), **marker_roles(names)}


def marker_set_title(names: Sequence[str]) -> str:
    """Return the common name of the marker set that these labels belong to."""
    stems = {stem for name in names for _, stem in name_keys(name)}
    return next((title for title, needed in _SETS if needed <= stems), "laboratory markers")


def are_on_skin(names: Sequence[str]) -> bool:
    """Return whether labels are those of an optical set, whatever its other labels look like.

    No estimator of joints marks both the front and the rear of the pelvis; ``_study`` names are OpenCap's estimates.
    """
    roles = marker_roles([name for name in names if not name.lower().endswith("study")])
    rear = ("left_psis", "right_psis", "sacrum")
    return "left_asis" in roles and "right_asis" in roles and any(role in roles for role in rear)


def has_joint_centres(names: Sequence[str]) -> bool:
    """Return whether labels of joint centres (LHJC) are among the markers, so that those name joints and no others."""
    roles = marker_roles(names)
    return "left_hip_centre" in roles and "right_hip_centre" in roles


def missing_roles(roles: Collection[str]) -> tuple[str, ...]:
    """Return descriptions of the markers that are missing for joint centres; empty if there are enough."""

    def both(role: str) -> bool:
        return f"left_{role}" in roles and f"right_{role}" in roles

    lacking = []
    if not (both("hip_centre") or both("hip")):
        if not both("asis"):
            lacking.append("the front of the pelvis on both sides (LASI, RASI) or both hip centres (LHJC, RHJC)")
        elif not (both("psis") or "sacrum" in roles):
            lacking.append("the rear of the pelvis (LPSI and RPSI, or SACR) or both hip centres (LHJC, RHJC)")
    if not both("knee_lateral"):
        lacking.append("the outside of both knees (LKNE, RKNE)")
    if not (both("acromion") or both("shoulder_front")):
        lacking.append("both shoulders (LSHO, RSHO)")
    return tuple(lacking)
