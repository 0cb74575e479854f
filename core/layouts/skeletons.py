"""Layouts of joint trees: animated characters, motion capture suits, SMPL-H, SMPL-X and SOMA. Data, no logic.

The joints of a rig are where its author placed them, so the points of the trunk have small weights.
"""

from __future__ import annotations

from ..smpl_skeleton import SIDES
from .base import FINGERS, Layout, LayoutPoint
from .bodies import SMPL22
from .hands import finger_point, hand_points


def _both(stem: str, solver: str | None, weight: float = 1.0) -> tuple[LayoutPoint, ...]:
    return tuple(LayoutPoint(f"{side}_{stem}", f"{side}_{solver}" if solver else None, weight) for side in SIDES)


SKELETON = Layout(
    "skeleton",
    "Animation skeleton 22",
    (
        LayoutPoint("hips", "pelvis", 0.3),
        LayoutPoint("spine", None),
        LayoutPoint("spine1", None),
        LayoutPoint("spine2", None),
        LayoutPoint("neck", "neck", 0.3),
        LayoutPoint("head", "head", 0.3),
        *_both("clavicle", "collar", 0.2),
        *_both("arm", "shoulder", 0.9),
        *_both("forearm", "elbow", 1.0),
        *_both("hand", "wrist", 1.0),
        *_both("upleg", "hip", 0.9),
        *_both("leg", "knee", 1.0),
        *_both("foot", "ankle", 1.0),
        *_both("toebase", "foot", 0.7),
    ),
)
"""Joint names of animation: a left arm is the left shoulder joint, a left leg is the left knee."""


_ARMATURE_POINTS = (
    LayoutPoint("hips", None),
    LayoutPoint("spine", None),
    LayoutPoint("chest", None),
    LayoutPoint("neck", None),
    LayoutPoint("head", None),
    LayoutPoint("head_end", None),
    *_both("clavicle", None),
    *_both("asis", "asis", 0.5),
    *_both("psis", "psis", 0.5),
    *(LayoutPoint(name, name, 0.5) for name in ("manubrium", "sternum", "c7", "t10")),
    LayoutPoint("head_top", "head_top", 0.6),
    LayoutPoint("nose", "nose", 0.6),
    *_both("ear", "ear", 0.6),
    *_both("shoulder", "shoulder", 0.9),
    *_both("elbow", "elbow", 1.0),
    *_both("elbow_lateral", "elbow_lateral", 0.5),
    *_both("elbow_medial", "elbow_medial", 0.5),
    *_both("wrist", "wrist", 1.0),
    *_both("hand_end", "hand", 0.4),
    *_both("hip", "hip", 0.9),
    *_both("knee", "knee", 1.0),
    *_both("ankle", "ankle", 1.0),
    *_both("ball", "foot", 0.3),
    *_both("toe_end", None),
    *_both("heel", "heel", 0.7),
    *_both("big_toe", "big_toe", 0.7),
    *_both("small_toe", "small_toe", 0.7),
)
ARMATURE = Layout(
    "armature",
    "Bones of an armature",
    (
        *_ARMATURE_POINTS,
        *(point for finger in FINGERS for point in _both(f"{finger}_knuckle", f"{finger}_knuckle", 0.7)),
    ),
)
"""The joints of a person's bones, where head, hands and toes end, and points that the bones carry.

`core.formats.armature` finds them, whatever the names of the bones.
"""
ARMATURE_HANDS = Layout(
    "armature_hands",
    "Bones of an armature with fingers",
    (*_ARMATURE_POINTS, *(point for side in SIDES for point in hand_points(side))),
)
"""The same with the joints of the fingers in place of the knuckles that a hand without fingers carries."""


def _smpl_fingers(side: str) -> tuple[LayoutPoint, ...]:
    """Return SMPL-H's 15 finger joints of one hand."""
    return tuple(
        finger_point(side, finger, joint, f"{side}_{finger}{joint}")
        for finger in ("index", "middle", "pinky", "ring", "thumb")
        for joint in (1, 2, 3)
    )


_SMPL_HANDS = (*_smpl_fingers("left"), *_smpl_fingers("right"))
SMPLH52 = Layout("smplh52", "SMPL-H 52 joints", (*SMPL22.points, *_SMPL_HANDS))
SMPLX55 = Layout(
    "smplx55",
    "SMPL-X 55 joints",
    (
        *SMPL22.points,
        LayoutPoint("jaw", None),
        LayoutPoint("left_eye_smplhf", None),
        LayoutPoint("right_eye_smplhf", None),
        *_SMPL_HANDS,
    ),
)


def _soma_arm(side: str) -> tuple[LayoutPoint, ...]:
    """Return the points of an arm; a long finger's first joint is the root of its metacarpal."""
    fingers = [
        LayoutPoint(f"{side}_thumb{name}", None, finger=f"{side}_thumb{joint}")
        for joint, name in enumerate(("1", "2", "3", "_end"), 1)
    ]
    for finger in FINGERS[1:]:
        fingers.append(LayoutPoint(f"{side}_{finger}1", None))
        fingers += [
            LayoutPoint(
                f"{side}_{finger}{name}",
                f"{side}_{finger}_knuckle" if joint == 1 else None,
                0.5,
                f"{side}_{finger}{joint}",
            )
            for joint, name in enumerate(("2", "3", "4", "_end"), 1)
        ]
    return (
        LayoutPoint(f"{side}_clavicle", f"{side}_collar", 0.2),
        LayoutPoint(f"{side}_shoulder", f"{side}_shoulder", 0.9),
        LayoutPoint(f"{side}_elbow", f"{side}_elbow"),
        LayoutPoint(f"{side}_wrist", f"{side}_wrist"),
        *fingers,
    )


def _soma_leg(side: str) -> tuple[LayoutPoint, ...]:
    return (
        LayoutPoint(f"{side}_hip", f"{side}_hip", 0.9),
        LayoutPoint(f"{side}_knee", f"{side}_knee"),
        LayoutPoint(f"{side}_ankle", f"{side}_ankle"),
        LayoutPoint(f"{side}_toe_base", f"{side}_foot", 0.7),
        LayoutPoint(f"{side}_toe_end", None),
    )


_SOMA_TRUNK = (
    LayoutPoint("hips", "pelvis", 0.3),
    LayoutPoint("spine1", None),
    LayoutPoint("spine2", None),
    LayoutPoint("chest", None),
    LayoutPoint("neck1", "neck", 0.3),
    LayoutPoint("neck2", None),
    LayoutPoint("head", "head", 0.3),
)
_SOMA_FACE = (LayoutPoint("jaw", None), LayoutPoint("left_eyeball", None), LayoutPoint("right_eyeball", None))

SOMA77 = Layout(
    "soma77",
    "SOMA 77 joints (Kimodo, GEM-X)",
    (
        *_SOMA_TRUNK,
        LayoutPoint("head_end", None),
        *_SOMA_FACE,
        *_soma_arm("left"),
        *_soma_arm("right"),
        *_soma_leg("left"),
        *_soma_leg("right"),
    ),
)
"""Order of `SOMASkeleton77` in Kimodo; the left shin of SOMA begins at the left knee."""


def _soma30_arm(side: str) -> tuple[LayoutPoint, ...]:
    ends = (LayoutPoint(f"{side}_thumb_end", None), LayoutPoint(f"{side}_middle_end", None))
    return (*_soma_arm(side)[:4], *ends)


SOMA30 = Layout(
    "soma30",
    "SOMA 30 joints (Kimodo)",
    (
        *_SOMA_TRUNK,
        *_SOMA_FACE,
        *_soma30_arm("left"),
        *_soma30_arm("right"),
        *_soma_leg("left")[:4],
        *_soma_leg("right")[:4],
    ),
)
