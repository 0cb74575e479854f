"""Names of points in tables whose columns say what they hold: "RHip_pos_x", "Position.RHip.X", "Hips-Joint-Posi-x".

Such tables often hold velocities, rotations and sensors as well: only the columns of positions are read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_WORDS = "posi|pos|positions?|locations?|loc|translations?|trans|coords?|coordinates?|p3d|kp3d|3d|world|global|xyz"
_BEHIND = re.compile(rf"(.*?[^\s._:|/-])(?:[\s._:|/-]+joint)?(?:[\s._:|/-]+(?:{_WORDS}))+", re.IGNORECASE)
_BEFORE = re.compile(rf"(?:(?:{_WORDS})[\s._:|/-]+)+(.+)", re.IGNORECASE)
_ABBREVIATED = re.compile(r"(.*[^\s._:|/-])[\s._:|/-]+(?:tr?|p)", re.IGNORECASE)
"""A translation or position as a letter, "RHip_Tx", "RHip.px"; too short a word unless every point has it."""
_ABBREVIATED_TURN = re.compile(r".*[^\s._:|/-][\s._:|/-]+[qr]", re.IGNORECASE)
"""A rotation as a letter beside it, "RHip_Qx"."""
_MIN_POINTS = 6
_CALCULATION = re.compile(r"(.+)-X", re.IGNORECASE)
"""A place in Perception Neuron's calculation files, whose bones have -V, -Q, -A and -W too."""
NEURON_BONES = (
    "Hips", "RightUpLeg", "RightLeg", "RightFoot", "LeftUpLeg", "LeftLeg", "LeftFoot", "RightShoulder", "RightArm",
    "RightForeArm", "RightHand", "LeftShoulder", "LeftArm", "LeftForeArm", "LeftHand", "Head", "Neck", "Spine3",
    "Spine2", "Spine1", "Spine",
    *(
        f"{side}{bone}"
        for side in ("Right", "Left")
        for bone in (
            *(f"HandThumb{number}" for number in (1, 2, 3)),
            *(part for finger in ("Index", "Middle", "Ring", "Pinky")
              for part in (f"InHand{finger}", *(f"Hand{finger}{number}" for number in (1, 2, 3)))),
        )
    ),
)  # fmt: skip
"""Bones of Perception Neuron's calculation files in their order; those without gloves have the first 21."""


def is_neuron(names: Iterable[str]) -> bool:
    """Return whether the *names* of columns are those of Perception Neuron: "01-X" and "01-V", or "Hips-Joint-Posi"."""
    known = {name.upper() for name in names}
    bones = [
        name for name in known if name.endswith("-JOINT-POSI") or (name.endswith("-X") and f"{name[:-1]}V" in known)
    ]
    return len(bones) >= _MIN_POINTS


def position_names(names: Iterable[str]) -> dict[str, str] | None:
    """Return the plain names of the points among the *names* of columns, by these; None if they say no quantity."""
    names = list(names)
    if is_neuron(names):
        bones = {name: match.group(1) for name in names if (match := _CALCULATION.fullmatch(name))}
        if bones:
            return {name: _neuron_bone(bone) for name, bone in bones.items()}
    for pattern in (_BEHIND, _BEFORE):
        plain = {name: match.group(1) for name in names if (match := pattern.fullmatch(name[:200]))}
        if len(plain) >= _MIN_POINTS and len(set(plain.values())) == len(plain):
            return plain
    plain = {name: match.group(1) for name in names if (match := _ABBREVIATED.fullmatch(name[:200]))}
    others = [name for name in names if name not in plain and not _ABBREVIATED_TURN.fullmatch(name[:200])]
    return plain if not others and len(plain) >= _MIN_POINTS and len(set(plain.values())) == len(plain) else None


def _neuron_bone(bone: str) -> str:
    """Return the name of a bone that a calculation file numbers from 1."""
    return NEURON_BONES[int(bone) - 1] if bone.isdecimal() and 1 <= int(bone) <= len(NEURON_BONES) else bone
