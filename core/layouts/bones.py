"""The bones that connect the points of a layout in drawings."""

from __future__ import annotations

from collections.abc import Mapping

from ..smpl_skeleton import SIDES

_PARENTS: dict[str, tuple[str, ...]] = {
    "pelvis": ("mid_hip",),
    "spine1": ("pelvis", "mid_hip"),
    "spine2": ("spine1", "pelvis", "mid_hip"),
    "spine3": ("spine2", "spine1", "mid_hip", "pelvis"),
    "mid_shoulder": ("spine3", "spine2", "pelvis", "mid_hip"),
    "neck": ("spine3", "mid_shoulder", "spine2", "pelvis"),
    "head": ("neck", "mid_shoulder"),
    "nose": ("head", "neck", "mid_shoulder"),
    "head_top": ("nose", "head", "neck", "mid_shoulder"),
    "left_collar": ("spine3", "neck"),
    "left_shoulder": ("left_collar", "mid_shoulder", "neck", "right_shoulder"),
    "left_elbow": ("left_shoulder",),
    "left_wrist": ("left_elbow",),
    "left_hand": ("left_wrist",),
    "left_thumb_knuckle": ("left_wrist",),
    "left_index_knuckle": ("left_wrist",),
    "left_middle_knuckle": ("left_wrist",),
    "left_ring_knuckle": ("left_wrist",),
    "left_pinky_knuckle": ("left_wrist",),
    "left_hip": ("pelvis", "mid_hip", "right_hip"),
    "left_knee": ("left_hip",),
    "left_ankle": ("left_knee",),
    "left_foot": ("left_ankle",),
    "left_heel": ("left_ankle",),
    "left_big_toe": ("left_foot", "left_ankle"),
    "left_small_toe": ("left_foot", "left_ankle"),
    "left_asis": ("left_hip",),
    "left_psis": ("left_hip",),
    "left_elbow_lateral": ("left_elbow",),
    "left_elbow_medial": ("left_elbow",),
    "left_fifth_metatarsal": ("left_foot", "left_ankle"),
    "left_sternoclavicular": ("neck", "left_shoulder"),
    "sacrum": ("left_psis", "left_hip"),
    "c7": ("neck", "left_shoulder"),
    "manubrium": ("neck", "left_shoulder"),
    "t10": ("c7", "neck"),
    "sternum": ("manubrium", "neck"),
    "left_eye": ("nose",),
    "left_ear": ("left_eye", "nose", "head", "neck"),
}
"""Possible parents of each point, in order of preference; the right side mirrors the left."""


def _mirrored(name: str) -> str:
    for side, other in (("left", "right"), ("right", "left")):
        if name.startswith(side):
            return other + name[len(side) :]
    return name


def _all_parents() -> dict[str, tuple[str, ...]]:
    right = {
        _mirrored(name): tuple(_mirrored(parent) for parent in parents)
        for name, parents in _PARENTS.items()
        if name.startswith("left")
    }
    return {**_PARENTS, **right}


BODY_PARENTS: dict[str, tuple[str, ...]] = _all_parents()


def bones_between(index: Mapping[str, int]) -> tuple[tuple[int, int], ...]:
    """Return the bones between the solver points in *index*.

    Args:
        index: index of the keypoint of each solver point.

    Returns:
        Pairs of keypoint indices, parent first. A point whose possible parents are all absent starts a new branch.
        Two sides that have only each other as parent are joined once.
    """
    bones: list[tuple[int, int]] = []
    for name, parents in BODY_PARENTS.items():
        parent = next((candidate for candidate in parents if candidate in index), None)
        if name in index and parent is not None:
            bone = (index[parent], index[name])
            if bone[::-1] not in bones:
                bones.append(bone)
    has_hips, has_neck = bool({"mid_hip", "pelvis"} & set(index)), bool({"mid_shoulder", "neck"} & set(index))
    for side in SIDES:
        # Layouts without a spine: connect each shoulder to its hip, and the face to the shoulders.
        if not (has_hips and has_neck) and f"{side}_hip" in index and f"{side}_shoulder" in index:
            bones.append((index[f"{side}_hip"], index[f"{side}_shoulder"]))
        if not has_neck and f"{side}_shoulder" in index and f"{side}_ear" in index:
            bones.append((index[f"{side}_shoulder"], index[f"{side}_ear"]))
    return tuple(bones)
