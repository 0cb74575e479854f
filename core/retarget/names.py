"""Parse bone names: side, body part, whether it is a twist or control bone."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..smpl_skeleton import SIDES
from .bone_tree import BoneTree
from .name_words import (
    CONTROL_WORDS,
    FAMILY_PREFIX,
    HEAD_WORDS,
    HIPS_WORDS,
    JAPANESE,
    LIMB_WORDS,
    NECK_WORDS,
    NOISE_WORDS,
    SIDE_WORDS,
    SPINE_WORDS,
    TWIST_WORDS,
    WORDS,
)

_MAX_LENGTH = 100
"""Characters of a name that are looked at; Blender allows 63 bytes."""
_SIDE_OF = {word: side for side, words in SIDE_WORDS.items() for word in words.split()}
_PARTS = re.compile(r"[^\W\d_]+|\d+")
_HUMPS = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=(?<![A-Za-z])[LR])(?=[A-Z]{2}[a-z])")
"""Where a word starts inside another: "LeftArm", "IKArm", "LUArm"."""
_VERTEBRA = re.compile(r"[LTC]\d\d?")
_PREFIX = re.compile(r"\w{2,}?[_\-. ]")
_COMMON = 0.7
"""Share of all names from which on what they start with says nothing."""
_FEW = 3
"""Names that may start alike by chance."""
_ARM_ROLES = ("clavicle", "upper_arm", "forearm", "hand")
_LEG_ROLES = ("thigh", "shin", "foot", "toe")
_WORTH = {"clavicle": 2.0, "toe": 2.0}
"""Gain of giving a role a bone; 3 for the others."""
_INDIVIDUAL_TOES = 3
"""Bones called toe on one foot from which on they are single toes, none of them the ball of the foot."""


@dataclass(frozen=True)
class BoneName:
    """A parsed name.

    Attributes:
        place: the words for a place in the body, joined; empty if there are none.
        side: "left", "right" or empty.
        number: the last number in the name, 0 without one.
        is_twist: whether it names a twist bone.
        is_control: whether it names a control, which moves no skin itself.
    """

    place: str
    side: str = ""
    number: int = 0
    is_twist: bool = False
    is_control: bool = False


def parse_name(name: str, prefix: str = "") -> BoneName:
    """Return what *name* says, in whatever way it is written: "mixamorig:LeftArm", "DEF-upper_arm.L", "lShldrBend".

    *prefix* is the common prefix of all names of the skeleton, which is ignored.
    """
    text = unicodedata.normalize("NFKC", name[:_MAX_LENGTH].removeprefix(prefix))
    text = re.split(r"[:|]", text)[-1] or text
    if _VERTEBRA.fullmatch(text):
        return BoneName("vertebra", number=int(text[1:]))
    for part, english in JAPANESE.items():
        text = text.replace(part, english)
    while (stripped := FAMILY_PREFIX.sub("", text)) not in ("", text):
        text = stripped
    words: list[str] = []
    side, number = "", 0
    for part in _PARTS.findall(_HUMPS.sub(" ", text)):
        if part.isdecimal():
            number = int(part)
        else:
            for word in _split_word(part.lower()):
                if word in _SIDE_OF and not side:
                    side = _SIDE_OF[word]
                else:
                    words.append(word)
    kept = [word for word in words if word not in NOISE_WORDS and word not in TWIST_WORDS]
    return BoneName(
        place="".join(kept),
        side=side,
        number=number,
        is_twist=any(word in TWIST_WORDS for word in words),
        is_control=any(word in CONTROL_WORDS for word in words),
    )


def common_prefix(names: Sequence[str]) -> str:
    """Return the prefix of most of *names*, up to a separator ("Hero_" of "Hero_LeftArm"); empty if nothing."""
    starts = Counter(match[0] for name in names if (match := _PREFIX.match(name)))
    prefix, count = starts.most_common(1)[0] if starts else ("", 0)
    is_word = prefix.rstrip("_-. ").lower() in WORDS
    return prefix if count > max(_COMMON * len(names), _FEW) and not is_word else ""


def _split_word(word: str) -> Iterator[str]:
    """Yield the parts of *word*, in lower case, that are written together: "leftupleg", "thightwist", "lhand"."""
    if word in WORDS or word in _SIDE_OF or word in TWIST_WORDS:
        yield word
        return
    for side in ("left", "right", "l", "r"):
        rest = word.removeprefix(side)
        if rest != word and (rest in WORDS or rest.removesuffix("base") in WORDS):
            yield side
            yield rest.removesuffix("base")
            return
    rest = word.removesuffix("twist")
    if rest != word:
        yield from _split_word(rest) if rest else ()
        yield "twist"
    else:
        yield word.removesuffix("base") if word.removesuffix("base") in WORDS else word


@dataclass(frozen=True, eq=False)
class NamedBones:
    """The bones of a tree by the roles that their names suggest: indices into the tree, the most likely first.

    Attributes:
        limbs: candidates for each role of a limb ("left_hand").
        meanings: all roles that the name of a bone of a limb can mean.
        hips: candidates for the hips.
        spine: bones named after a part of the spine.
        necks: bones named after a part of the neck.
        heads: candidates for the head.
        twists: bones named as twist bones.
    """

    limbs: dict[str, tuple[int, ...]]
    meanings: dict[int, frozenset[str]]
    hips: tuple[int, ...]
    spine: frozenset[int]
    necks: frozenset[int]
    heads: tuple[int, ...]
    twists: frozenset[int]


def find_by_names(tree: BoneTree) -> NamedBones:
    """Return the bones of *tree* whose names suggest a role."""
    names = [tree.name(bone) for bone in range(len(tree))]
    prefix = common_prefix(names)
    parsed = [parse_name(name, prefix) for name in names]
    limbs: dict[str, tuple[int, ...]] = {}
    meanings: dict[int, frozenset[str]] = {}
    for side in SIDES:
        places: dict[str, list[int]] = {}
        for bone, name in enumerate(parsed):
            if name.side == side and name.place in LIMB_WORDS and not name.is_control and not name.is_twist:
                places.setdefault(name.place, []).append(bone)
                meanings[bone] = frozenset(f"{side}_{role}" for role in LIMB_WORDS[name.place])
        for roles in (_ARM_ROLES, _LEG_ROLES):
            limbs |= {f"{side}_{role}": bones for role, bones in _assign(places, roles).items()}
    trunk = [(bone, name) for bone, name in enumerate(parsed) if not name.side and not name.is_control]
    hips = sorted((HIPS_WORDS[name.place]["hips"], bone) for bone, name in trunk if name.place in HIPS_WORDS)
    spine = {bone for bone, name in trunk if name.place in SPINE_WORDS}
    necks = {bone for bone, name in trunk if name.place in NECK_WORDS}
    heads = [bone for bone, name in trunk if name.place in HEAD_WORDS]
    heads = [bone for bone in heads if not set(heads) & set(tree.ancestors(bone)[1:])]  # a skull is part of a head
    rigify = _rigify_spine(parsed)
    return NamedBones(
        limbs=limbs,
        meanings=meanings,
        hips=tuple(bone for _, bone in hips) or rigify.get("hips", ()),
        spine=frozenset(spine - {bone for bones in rigify.values() for bone in bones}),
        necks=frozenset(necks | set(rigify.get("neck", ()))),
        heads=tuple(heads) or rigify.get("head", ()),
        twists=frozenset(bone for bone, name in enumerate(parsed) if name.is_twist),
    )


def _assign(places: dict[str, list[int]], roles: tuple[str, ...]) -> dict[str, tuple[int, ...]]:
    """Give each of *roles* the bones at one place.

    A word can stand for several roles: a shoulder is a collar bone, unless there is one and no other upper arm. Of all
    ways to give each word at most one role, the one that fills most roles at least cost is taken.
    """
    words = [word for word in places if any(role in roles for role in LIMB_WORDS[word]) and not _is_toes(word, places)]
    found: dict[frozenset[str], tuple[float, dict[str, str]]] = {frozenset(): (0.0, {})}
    """The best choice for each set of roles; a hostile skeleton may have all words at once."""
    for word in words:
        for taken, (worth, given) in list(found.items()):
            for role, cost in LIMB_WORDS[word].items():
                total = round(worth + _WORTH.get(role, 3.0) - cost, 6)
                if role in roles and role not in taken and total > found.get(taken | {role}, (-1.0, {}))[0]:
                    found[taken | {role}] = total, {**given, role: word}
    _, best = max(found.values(), key=lambda item: item[0])
    return {role: tuple(places[word]) for role, word in best.items()}


def _is_toes(word: str, places: dict[str, list[int]]) -> bool:
    """Return whether *word* names single toes."""
    return "toe" in LIMB_WORDS[word] and "foot" not in LIMB_WORDS[word] and len(places[word]) >= _INDIVIDUAL_TOES


def _rigify_spine(parsed: list[BoneName]) -> dict[str, tuple[int, ...]]:
    """Return hips, neck and head of Rigify's human skeletons, which call them spine, spine.004 to .005, spine.006."""
    spine = {name.number: bone for bone, name in enumerate(parsed) if name.place == "spine" and not name.is_control}
    if sorted(spine) != list(range(7)) or any(name.place in NECK_WORDS for name in parsed):
        return {}
    return {"hips": (spine[0],), "neck": (spine[4], spine[5]), "head": (spine[6],)}
