"""The finger bones of a character: found below the hand, put in order, and reduced to phalanges."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from ..math.rotations import unit
from ..smpl_skeleton import SIDES
from .bone_map import BoneMap
from .rig import Rig

_THUMB = re.compile("thumb|daumen|pouce|pulgar|pollice|polegar|親指", re.IGNORECASE)
_LEAF = re.compile(r"(?:^|[^a-z])(?:end|nub|leaf|tip|null)(?:[^a-z]|$)|_end", re.IGNORECASE)
_NEAREST = 0.8
"""A thumb without a name starts nearer to the wrist than this share of the next finger's distance."""
_TINY_M = 1e-6


@dataclass(frozen=True, eq=False)
class HandBones:
    """The fingers of one hand.

    Attributes:
        role: the role of the hand, "left_hand".
        hand: the hand's bone.
        thumb: the thumb's bones, from its base.
        fingers: the bones of each other finger from its knuckle, ordered from the one beside the thumb.
    """

    role: str
    hand: int
    thumb: tuple[int, ...]
    fingers: tuple[tuple[int, ...], ...]

    def palm(self, rig: Rig) -> np.ndarray | None:
        """Return the palm's frame (3, 3) at rest, in the rig's world: see `palm_frame`."""
        bases = rig.heads[[finger[0] for finger in self.fingers]]
        across = bases[0] - bases[-1] if len(bases) > 1 else rig.heads[self.thumb[-1]] - bases[0]
        return palm_frame(bases.mean(axis=0) - rig.heads[self.hand], across)


def palm_frame(ahead: np.ndarray, to_thumb: np.ndarray) -> np.ndarray | None:
    """Return a rotation (3, 3) whose columns point along the hand, across it to the thumb's side, and off the palm.

    None if *ahead* and *to_thumb* have no plane.
    """
    if np.linalg.norm(ahead) < _TINY_M:
        return None
    along = unit(ahead)
    across = to_thumb - to_thumb @ along * along
    if np.linalg.norm(across) < _TINY_M:
        return None
    across = unit(across)
    return np.stack([along, across, np.cross(along, across)], axis=1)


def find_hands(rig: Rig, bone_map: BoneMap) -> list[HandBones]:
    """Return the hands of *rig* that have a thumb and another finger."""
    return [hand for side in SIDES if (hand := hand_of(rig, bone_map, side)) is not None]


def hand_of(rig: Rig, bone_map: BoneMap, side: str) -> HandBones | None:
    """Return the hand of *rig* on *side*; None if it has no thumb or no other finger: a palm shows by its thumb."""
    name = bone_map.joint(f"{side}_hand")
    if name is None:
        return None
    hand = rig.index[name]
    chains = _chains(rig, hand, {rig.index[name] for chain in bone_map.bones.values() for name in chain})
    thumb = _thumb(rig, hand, chains)
    fingers = [_phalanges(rig, hand, chain) for chain in chains if chain is not thumb and len(chain) > 1]
    if thumb is None or not fingers:
        return None
    return HandBones(f"{side}_hand", hand, tuple(thumb), _ordered(rig, hand, thumb, fingers))


def _chains(rig: Rig, bone: int, mapped: set[int]) -> list[list[int]]:
    """Return the chains of bones below *bone*, without bones at their ends that only mark these.

    A bone with several below it belongs to the palm.
    """
    found = []
    for child in rig.children[bone]:
        if child in mapped:
            continue
        chain = [child]
        while len(rig.children[chain[-1]]) == 1:
            chain.append(rig.children[chain[-1]][0])
        if rig.children[chain[-1]]:
            found += _chains(rig, chain[-1], mapped)
            continue
        while len(chain) > 1 and _LEAF.search(rig.names[chain[-1]]):
            chain.pop()
        if len(chain) > 1 or _THUMB.search(rig.names[child]):
            found.append(chain)
    return found


def _thumb(rig: Rig, hand: int, chains: list[list[int]]) -> list[int] | None:
    """Return the chain of the thumb: the one of that name, else the one that clearly starts nearest to the wrist."""
    named = [chain for chain in chains if any(_THUMB.search(rig.names[bone]) for bone in chain)]
    if named or len(chains) < 3:
        return named[0] if len(named) == 1 else None
    bases = [_phalanges(rig, hand, chain)[0] for chain in chains]
    distances = np.linalg.norm(rig.heads[bases] - rig.heads[hand], axis=1)
    first, second = np.argsort(distances)[:2]
    return chains[first] if distances[first] < _NEAREST * distances[second] else None


def _phalanges(rig: Rig, hand: int, chain: list[int]) -> list[int]:
    """Return *chain* without its metacarpal, a bone of the palm that starts nearer to the wrist than it is long."""
    if len(chain) < 3:
        return chain
    reach = np.linalg.norm(rig.heads[chain[0]] - rig.heads[hand])
    length = np.linalg.norm(rig.heads[chain[1]] - rig.heads[chain[0]])
    return chain[1:] if reach < length else chain


def _ordered(rig: Rig, hand: int, thumb: list[int], fingers: list[list[int]]) -> tuple[tuple[int, ...], ...]:
    """Return *fingers* from the one beside the thumb to the last."""
    bases = np.array([rig.heads[finger[0]] for finger in fingers])
    frame = palm_frame(bases.mean(axis=0) - rig.heads[hand], rig.heads[thumb[-1]] - bases.mean(axis=0))
    order = np.arange(len(fingers)) if frame is None else np.argsort(-(bases @ frame[:, 1]), kind="stable")
    return tuple(tuple(fingers[number]) for number in order)
