"""Anatomical roles of marker labels: Plug-in Gait, CMU's Vicon set, OpenCap and common laboratory labels."""

from __future__ import annotations

from collections.abc import Sequence

from .name_keys import Key, name_keys

_SIDED_ROLES: dict[str, tuple[str, ...]] = {
    "asis": ("asi", "asis", "fwt", "iasis"),
    "psis": ("psi", "psis", "bwt", "ipsis"),
    "waist_side": ("mwt",),
    "hip_centre": ("hjc",),
    "thigh": ("thi", "thigh", "thigh1"),
    "knee_lateral": ("kne", "knee", "lepi", "kneelat", "kneelateral", "lfe", "fle"),
    "knee_medial": ("kni", "mknee", "mkne", "mepi", "kneemed", "kneemedial", "mfe", "fme", "knm"),
    "shank": ("tib", "shn", "shank", "shankantsup"),
    "ankle_lateral": ("ank", "ankle", "lmal", "anklelat", "anklelateral", "fal"),
    "ankle_medial": ("mankle", "mank", "mmal", "anklemed", "anklemedial", "tam", "anm"),
    "heel": ("hee", "heel", "hel", "calc", "fcc"),
    "toe": ("toe", "hlx"),
    "first_metatarsal": ("mt1", "p1mt", "fm1", "1meta"),
    "fifth_metatarsal": ("mt5", "p5mt", "fm5", "5meta"),
    "sternoclavicular": ("sternum", "sc", "scj"),
    "acromion": ("sho", "shoulder", "sh", "acr", "acromion", "cac"),
    "shoulder_front": ("fsh",),
    "shoulder_back": ("bsh",),
    "elbow_lateral": ("elb", "elbow", "elbowlat", "elbowlateral", "lelbow", "hle"),
    "elbow_medial": ("iel", "elbowmed", "elbowmedial", "melbow", "hme", "elbm"),
    "wrist_bar_thumb_side": ("wra",),
    "wrist_bar_little_finger_side": ("wrb",),
    "wrist_thumb_side": ("iwr", "wristradius", "lwrist", "rsp"),
    "wrist_little_finger_side": ("owr", "wristulna", "mwrist", "usp"),
    "wrist": ("wrist", "wr", "wri"),
    "index_knuckle": ("fin", "ihand", "hm2"),
    "little_finger_knuckle": ("ohand", "hm5"),
    "head_front": ("fhd",),
    "head_back": ("bhd",),
}
_SINGLE_ROLES: dict[str, tuple[str, ...]] = {
    "sacrum": ("sacr", "s2", "sac", "sacrum", "vsacral"),
    "c7": ("c7", "cv7"),
    "t10": ("t10", "tv10"),
    "manubrium": ("clav", "man", "manubrium", "sjn"),
    "sternum": ("strn", "sternum", "sxs", "xiph"),
}


def _known_keys() -> dict[Key, str]:
    keys: dict[Key, str] = {("", stem): role for role, stems in _SINGLE_ROLES.items() for stem in stems}
    for role, stems in _SIDED_ROLES.items():
        for stem in stems:
            keys.update({(side, stem): f"{side}_{role}" for side in ("left", "right")})
    return keys


_ROLE_OF_KEY: dict[Key, str] = _known_keys()

_SETS: tuple[tuple[str, frozenset[str]], ...] = (
    ("Plug-in Gait", frozenset(("asi", "kne", "tib", "sho", "elb"))),
    ("CMU Vicon", frozenset(("fwt", "kne", "shn", "sho", "elb"))),
    ("OpenCap", frozenset(("asis", "knee", "calc", "5meta", "shoulder"))),
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


def marker_set_title(names: Sequence[str]) -> str:
    """Return the common name of the marker set that these labels belong to."""
    stems = {stem for name in names for _, stem in name_keys(name)}
    return next((title for title, needed in _SETS if needed <= stems), "laboratory markers")


def missing_roles(roles: dict[str, int]) -> tuple[str, ...]:
    """Return descriptions of the markers that are missing for joint centres; empty if there are enough."""

    def both(*choices: str) -> bool:
        return all(any(f"{side}_{choice}" in roles for choice in choices) for side in ("left", "right"))

    lacking = []
    if not both("asis", "hip_centre"):
        lacking.append("the front of the pelvis on both sides (LASI, RASI) or both hip centres (LHJC, RHJC)")
    if not both("knee_lateral"):
        lacking.append("the outside of both knees (LKNE, RKNE)")
    if not both("acromion", "shoulder_front"):
        lacking.append("both shoulders (LSHO, RSHO)")
    return tuple(lacking)
