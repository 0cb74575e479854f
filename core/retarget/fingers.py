"""A relaxed hand: fingers bent a little towards the palm, more so from the index to the little finger."""

from __future__ import annotations

import numpy as np

from ..math.rotations import axis_angle_to_matrix, unit
from .bone_map import SIDES, BoneMap
from .rig import Rig

_BENDS_DEG = ((14.0, 20.0, 12.0), (24.0, 32.0, 20.0))
"""Bend of the three bones of the index and of the little finger against the hand; the others lie between."""
_THUMB = "thumb"
_TINY_M = 1e-6


def relaxed_fingers(rig: Rig, bone_map: BoneMap) -> dict[int, tuple[str, np.ndarray]]:
    """Return for each finger bone the role of its hand and its rotation (3, 3), in world axes at rest, when relaxed.

    A finger that is bent at rest only gets what is missing. Hands whose fingers are not found stay as they are: a palm
    shows by the thumb, which is the finger of that name.
    """
    found: dict[int, tuple[str, np.ndarray]] = {}
    for side in SIDES:
        thumb, fingers = finger_chains(rig, bone_map, side)
        name = bone_map.joint(f"{side}_hand")
        if name is not None and fingers:
            for bone, turn in _bent(rig, rig.index[name], thumb, fingers, left=side == SIDES[0]).items():
                found[bone] = (f"{side}_hand", turn)
    return found


def finger_chains(rig: Rig, bone_map: BoneMap, side: str) -> tuple[list[int], list[list[int]]]:
    """Return the bones of the thumb and of each finger on *side*, from the one beside the thumb outwards.

    Both are empty where there is no hand with fingers, or not one thumb: a palm shows by it.
    """
    name = bone_map.joint(f"{side}_hand")
    if name is None:
        return [], []
    hand = rig.index[name]
    mapped = _mapped(rig, bone_map)
    chains = [_chain(rig, child) for child in rig.children[hand] if child not in mapped]
    thumbs = [chain for chain in chains if any(_THUMB in rig.names[bone].lower() for bone in chain)]
    fingers = [chain for chain in chains if chain not in thumbs and len(chain) > 1]
    across = _across(rig, hand, thumbs[0], fingers) if len(thumbs) == 1 and fingers else None
    if across is None:
        return [], []
    return thumbs[0], sorted(fingers, key=lambda chain: -float(rig.heads[chain[0]] @ across))


def _across(rig: Rig, hand: int, thumb: list[int], fingers: list[list[int]]) -> np.ndarray | None:
    """Return the direction (3,) across the fingers towards the thumb; None where the thumb shows none."""
    middle = np.mean([rig.heads[finger[0]] for finger in fingers], axis=0)
    ahead = unit(middle - rig.heads[hand])
    to_thumb = rig.heads[thumb[-1]] - middle
    across = to_thumb - to_thumb @ ahead * ahead
    return unit(across) if np.linalg.norm(across) >= _TINY_M else None


def _mapped(rig: Rig, bone_map: BoneMap) -> set[int]:
    return {rig.index[name] for chain in bone_map.bones.values() for name in chain}


def _chain(rig: Rig, bone: int) -> list[int]:
    """Return *bone* and its only descendants, one below the other."""
    chain = [bone]
    while len(rig.children[chain[-1]]) == 1:
        chain.append(rig.children[chain[-1]][0])
    return chain


def _bent(rig: Rig, hand: int, thumb: list[int], fingers: list[list[int]], *, left: bool) -> dict[int, np.ndarray]:
    """Return the rotation (3, 3) of each bone of the *fingers*, ordered as in `finger_chains`, in world axes."""
    across = _across(rig, hand, thumb, fingers)
    if across is None:
        return {}
    ahead = unit(np.mean([rig.heads[finger[0]] for finger in fingers], axis=0) - rig.heads[hand])
    palm = np.cross(ahead, across) if left else np.cross(across, ahead)
    axis = np.cross(ahead, palm)
    found = {}
    for rank, finger in enumerate(fingers):
        share = rank / max(len(fingers) - 1, 1)
        bends = np.deg2rad((1.0 - share) * np.array(_BENDS_DEG[0]) + share * np.array(_BENDS_DEG[1]))
        turn, wanted = np.eye(3), 0.0
        for bone, bend in zip(finger, bends, strict=False):
            wanted += float(bend)
            along = rig.tails[bone] - rig.heads[bone]
            now = float(np.arctan2(along @ palm, along @ ahead))
            turn = axis_angle_to_matrix(axis * max(wanted - now, 0.0))
            found[bone] = turn
        for bone in finger[len(bends) :]:
            found[bone] = turn
    return found
