"""The bones of an animated person as points. F frames, B bones.

Arm and leg joints are used as points directly. The joints of hips, spine and head lie where the maker of the
skeleton has put them, and show no rotation: in their place, points of the trunk and the head are placed on the
skeleton as it stands at rest, where SMPL's are relative to hips and shoulders, and are carried by the bones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ..body.free_body import load_free_body
from ..body.landmarks import landmark_regressor
from ..errors import TrackFileError
from ..layouts import ARMATURE, ARMATURE_HANDS, FINGERS
from ..math.rotations import unit
from ..retarget.alignment import rest_alignment
from ..retarget.bone_map import CERTAIN, DOUBTFUL, REQUIRED_ROLES, BoneMap, BoneMapError
from ..retarget.hand_bones import find_hands, hand_of
from ..retarget.mapping import map_bones
from ..retarget.rig import Rig, RigError
from ..retarget.summary import rest_pose, stands
from ..smpl_skeleton import JOINT_NAMES, SIDES
from .raw import RawRecording, check_counts

_JOINTS = {
    "clavicle": "clavicle", "upper_arm": "shoulder", "forearm": "elbow", "hand": "wrist", "thigh": "hip",
    "shin": "knee", "foot": "ankle", "toe": "ball",
}  # fmt: skip
"""The point of each side that the joint of a role is."""
_ENDS = {"hand": "hand_end", "toe": "toe_end"}
_CARRIED = {
    "hips": ("hip", ("left_asis", "right_asis", "left_psis", "right_psis")),
    "chest": ("shoulder", ("manubrium", "sternum", "c7", "t10")),
    "head": ("shoulder", ("head_top", "nose", "left_ear", "right_ear")),
    **{f"{side}_foot": (f"{side}_ankle", (f"{side}_heel",)) for side in SIDES},
    **{f"{side}_toe": (f"{side}_ankle", (f"{side}_big_toe", f"{side}_small_toe")) for side in SIDES},
    **{f"{side}_upper_arm": (f"{side}_elbow", (f"{side}_elbow_lateral", f"{side}_elbow_medial")) for side in SIDES},
    **{f"{side}_hand": (f"{side}_wrist", tuple(f"{side}_{finger}_knuckle" for finger in FINGERS)) for side in SIDES},
}
"""The points that bones carry, and the joint, or the middle of two, relative to which they are placed at rest."""
_SHORTEST = 0.01
"""Length of a bone, relative to the height of the skeleton, below which its end shows no direction."""
_METACARPAL = 0.35
"""Where along a finger, from the wrist to its tip, a bone that begins earlier is a metacarpal."""
_FINGER_POINTS = 4
_HAND_ROOTS = tuple(f"{side}_hand_wrist" for side in SIDES)
_MOST_NAMED = 6


@dataclass(frozen=True, eq=False)
class BonePoints:
    """Where N of the bones are over time, in any unit and axes.

    Attributes:
        bones: (N,) indices of the bones in their rig.
        heads: (F, N, 3) positions of their joints, NaN where unknown.
        tails: (F, N, 3) positions of their ends.
    """

    bones: Sequence[int]
    heads: np.ndarray
    tails: np.ndarray

    @cached_property
    def _columns(self) -> dict[int, int]:
        return {bone: column for column, bone in enumerate(self.bones)}

    def head(self, bone: int) -> np.ndarray:
        """Return the positions (F, 3) of the joint of *bone*."""
        return np.asarray(self.heads[:, self._columns[bone]])

    def tail(self, bone: int) -> np.ndarray:
        """Return the positions (F, 3) of the end of *bone*."""
        return np.asarray(self.tails[:, self._columns[bone]])

    def since(self, start: int) -> BonePoints:
        """Return the same without the frames before *start*."""
        return BonePoints(self.bones, self.heads[start:], self.tails[start:])


def find_person(poses: Iterable[Rig], path: Path) -> tuple[Rig, BoneMap]:
    """Return the first of *poses*, the same bones at rest and in other poses, in which a person is found, and its map.

    Raises:
        TrackFileError: there is no person in any of them.
    """
    reasons = []
    for rig in poses:
        try:
            bone_map = map_bones(rig)
        except BoneMapError as error:
            reasons.append(error.reason)
            continue
        unsure = [role for role in REQUIRED_ROLES if bone_map.confidence.get(role, 0.0) < DOUBTFUL]
        if not unsure:
            return rig, bone_map
        reasons.append(f"the bones of {', '.join(role.replace('_', ' ') for role in unsure)} are not found for sure")
    reason = reasons[0] if reasons else "its joints are nowhere, or all in one place"
    raise TrackFileError(
        f"expected the skeleton of a person, found another one in {path}: {reason}; give one of people"
    )


def people_among(parts: Mapping[str, Callable[[], RawRecording]]) -> list[RawRecording]:
    """Return the recordings of those skeletons of a file that are people's.

    Args:
        parts: reads each skeleton, by its name.

    Raises:
        TrackFileError: none of them is a person's; the reason of the first.
    """
    found: dict[str, RawRecording] = {}
    refused: dict[str, TrackFileError] = {}
    for name, read in parts.items():
        try:
            found[name] = read()
        except TrackFileError as error:
            refused[name] = error
    if not found:
        raise next(iter(refused.values()))
    notes = tuple(f"Left out {name}, which is not the skeleton of a person." for name in refused)
    return [
        replace(each, person=name if len(found) > 1 else "", notes=(*notes, *each.notes))
        for name, each in found.items()
    ]  # fmt: skip


def needed_bones(rig: Rig, bone_map: BoneMap) -> list[int]:
    """Return the bones whose positions `armature_recording` uses: those with a role, and the fingers."""
    needed = {rig.index[name] for chain in bone_map.bones.values() for name in chain}
    for hand in find_hands(rig, bone_map):
        needed.update(bone for finger in (hand.thumb, *hand.fingers) for bone in finger)
    return sorted(needed)


def most_upright(rig: Rig, bone_map: BoneMap, bones: BonePoints, up: np.ndarray) -> int:
    """Return the frame in which trunk and legs are most upright, if *up* (3,) is the vertical."""

    def joints(role: str) -> np.ndarray:
        return np.stack([bones.head(rig.index[bone_map.bones[f"{side}_{role}"][0]]) for side in SIDES], axis=1)

    hips, ankles, shoulders = joints("thigh"), joints("foot"), joints("upper_arm")
    trunk, legs = unit(shoulders.mean(axis=1) - hips.mean(axis=1)), unit(hips - ankles)
    return int(np.nan_to_num(trunk @ up + (legs @ up).mean(axis=1), nan=-np.inf).argmax())


def carriers(rig: Rig, bone_map: BoneMap) -> dict[str, int]:
    """Return the bones that carry points, as far as there are; a foot without toes carries what these would."""
    chains = {"chest": bone_map.bones.get("spine", ())[-1:], "head": bone_map.bones.get("head", ())[-1:]}
    chains |= {role: bone_map.bones.get(role, ())[:1] for role in _CARRIED if role not in chains}
    for side in SIDES:
        chains[f"{side}_toe"] = chains[f"{side}_toe"] or chains[f"{side}_foot"]
    return {name: rig.index[chain[0]] for name, chain in chains.items() if chain}


def carried_offsets(rig: Rig, bone_map: BoneMap) -> dict[str, tuple[str, np.ndarray]]:
    """Return the carrier of each point that a bone carries, and the offset (3,) from its joint to the point at rest.

    The rest pose is aligned limb by limb, as for retargeting. Empty if *rig* does not stand upright, for then the pose
    shows no rotation of trunk and head; arms are left out where they hang, since palms face any way then.
    """
    if not stands(rig, bone_map):
        return {}
    body = _body_points()
    try:
        turns, whole = rest_alignment(rig, bone_map, body["rest"])
    except RigError:
        return {}
    joints = {role: rig.heads[rig.index[chain[0]]] for role, chain in bone_map.bones.items()}
    origins = {"hip": _middle(joints, "thigh"), "shoulder": _middle(joints, "upper_arm")}
    origins |= {f"{side}_ankle": joints[f"{side}_foot"] for side in SIDES}
    origins |= {f"{side}_elbow": joints[f"{side}_forearm"] for side in SIDES}
    origins |= {f"{side}_wrist": joints[f"{side}_hand"] for side in SIDES if f"{side}_hand" in joints}
    scale = float(np.linalg.norm(origins["shoulder"] - origins["hip"]) / np.linalg.norm(body["shoulder"] - body["hip"]))
    shows_arms = rest_pose(rig, bone_map) in ("T-pose", "A-pose")
    found = {}
    for carrier, bone in carriers(rig, bone_map).items():
        origin, points = _CARRIED[carrier]
        for point in points if shows_arms or not carrier.endswith(("hand", "upper_arm")) else ():
            place = origins[origin] + scale * (body[point] - body[origin]) @ turns.get(carrier, whole)
            found[point] = carrier, place - rig.heads[bone]
    return found


def carried_points(
    offsets: Mapping[str, tuple[str, np.ndarray]], heads: Mapping[str, np.ndarray], turns: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Return the positions (F, 3) of the points that bones carry.

    Args:
        offsets: what `carried_offsets` returned, in the axes and the unit of *heads*.
        heads: positions (F, 3) of the joint of each carrier.
        turns: its rotations (F, 3, 3) since the pose of the offsets.
    """
    return {point: heads[carrier] + turns[carrier] @ offset for point, (carrier, offset) in offsets.items()}


def _middle(joints: Mapping[str, np.ndarray], role: str) -> np.ndarray:
    middle: np.ndarray = (joints[f"left_{role}"] + joints[f"right_{role}"]) / 2.0
    return middle


@cache
def _body_points() -> dict[str, np.ndarray]:
    """Return the points of `_CARRIED`, and those that they are placed relative to, on the body at rest."""
    body = load_free_body()
    points = {point for _, points in _CARRIED.values() for point in points}
    solver = {point.name: point.solver for point in ARMATURE.points if point.name in points and point.solver}
    solver |= {"hip": "mid_hip", "shoulder": "mid_shoulder"}
    solver |= {joint: joint for side in SIDES for joint in (f"{side}_ankle", f"{side}_elbow", f"{side}_wrist")}
    places = landmark_regressor(body, tuple(solver.values())) @ body.v_template
    joints = landmark_regressor(body, tuple(JOINT_NAMES)) @ body.v_template
    return {**dict(zip(solver, places, strict=True)), "rest": joints}


def armature_recording(
    rig: Rig, bone_map: BoneMap, bones: BonePoints, carried: Mapping[str, np.ndarray], path: Path, **about: Any
) -> RawRecording:
    """Return the points of a person's bones, named as in `core.layouts.ARMATURE` or `ARMATURE_HANDS`.

    Args:
        rig: the bones at rest, which tells lengths and fingers.
        bone_map: their roles.
        bones: where the `needed_bones` are over time.
        carried: the points of `carried_points`; empty if the skeleton stands in no pose.
        path: the file.
        about: other fields of `RawRecording`.

    Raises:
        TrackFileError: there are too many frames.
    """
    points = {**_trunk(rig, bone_map, bones), **carried}
    for side in SIDES:
        points |= _limbs(rig, bone_map, bones, side)
        points |= _hand(rig, bone_map, bones, side)
    layout = ARMATURE_HANDS if any(name in points for name in _HAND_ROOTS) else ARMATURE
    names = [name for name in layout.names if name in points]
    check_counts(len(bones.heads), len(names), path)
    positions = np.stack([points[name] for name in names], axis=1)
    about["notes"] = (*about.get("notes", ()), _bones_note(bone_map))
    about["doubts"] = (*about.get("doubts", ()), *_bone_doubts(bone_map, stood=bool(carried)))
    confidence = np.isfinite(positions).all(-1).astype(np.float64)
    return RawRecording(positions, confidence, source=path, names=tuple(names), layout=layout.name, **about)


def _trunk(rig: Rig, bone_map: BoneMap, bones: BonePoints) -> dict[str, np.ndarray]:
    spine, neck, head = (
        [rig.index[name] for name in bone_map.bones.get(role, ())] for role in ("spine", "neck", "head")
    )
    hips = rig.index[bone_map.bones["hips"][0]]
    points = {"hips": bones.head(hips)}
    chest = spine[-1] if spine else hips
    spine, neck = _with_length(rig, hips, spine), _with_length(rig, chest, neck)
    if spine:
        points["chest"] = bones.head(spine[-1])
    if len(spine) > 1:
        points["spine"] = bones.head(spine[0])
    if neck:
        points["neck"] = bones.head(neck[0])
    if head:
        points["head"] = bones.head(head[-1])
        if np.linalg.norm(rig.tails[head[-1]] - rig.heads[head[-1]]) > _shortest(rig):
            points["head_end"] = bones.tail(head[-1])
    return points


def _with_length(rig: Rig, start: int, chain: list[int]) -> list[int]:
    """Return the bones of *chain* that do not begin where *start* does: some files put two joints in one place."""
    gaps = [float(np.linalg.norm(rig.heads[bone] - rig.heads[start])) for bone in chain]
    return [bone for bone, gap in zip(chain, gaps, strict=True) if gap > _shortest(rig)]


def _limbs(rig: Rig, bone_map: BoneMap, bones: BonePoints, side: str) -> dict[str, np.ndarray]:
    points = {}
    for role, joint in _JOINTS.items():
        name = bone_map.joint(f"{side}_{role}")
        bone = rig.index[name] if name is not None else -1
        if bone < 0 or role == "clavicle" and not _with_length(rig, int(rig.parents[bone]), [bone]):
            continue
        points[f"{side}_{joint}"] = bones.head(bone)
        if role in _ENDS and np.linalg.norm(rig.tails[bone] - rig.heads[bone]) > _shortest(rig):
            points[f"{side}_{_ENDS[role]}"] = bones.tail(bone)
    return points


def _hand(rig: Rig, bone_map: BoneMap, bones: BonePoints, side: str) -> dict[str, np.ndarray]:
    """Return the points of the fingers, from the knuckle to the tip; a hand ends in the middle of its knuckles."""
    found = hand_of(rig, bone_map, side)
    if found is None:
        return {}
    hand, thumb = found.hand, found.thumb
    fingers = [_from_knuckle(rig, rig.heads[hand], finger) for finger in found.fingers]
    points = {f"{side}_hand_wrist": bones.head(hand)}
    points[f"{side}_hand_end"] = np.mean([bones.head(finger[0]) for finger in fingers], axis=0)
    named = (thumb, *fingers) if len(fingers) == len(FINGERS) - 1 else (thumb,)
    for name, chain in zip(FINGERS, named, strict=False):
        along = [*(bones.head(bone) for bone in chain), bones.tail(chain[-1])][:_FINGER_POINTS]
        points |= {f"{side}_hand_{name}{number}": place for number, place in enumerate(along, 1)}
    return points


def _from_knuckle(rig: Rig, wrist: np.ndarray, finger: tuple[int, ...]) -> tuple[int, ...]:
    """Return the bones of a *finger* without its metacarpal, which begins near the *wrist*."""
    length = float(np.linalg.norm(rig.tails[finger[-1]] - wrist))
    begins = float(np.linalg.norm(rig.heads[finger[0]] - wrist))
    return finger[1:] if len(finger) > 1 and begins < _METACARPAL * length else finger


def _shortest(rig: Rig) -> float:
    return _SHORTEST * float(np.ptp(rig.heads, axis=0).max())


def _bones_note(bone_map: BoneMap) -> str:
    kind = f"of a {bone_map.kind} skeleton " if bone_map.kind else ""
    found = ", ".join(f"{role.replace('_', ' ')} {names[0]}" for role, names in bone_map.bones.items())
    return f"The joints {kind}are read by the roles of its bones: {found}."


def _bone_doubts(bone_map: BoneMap, *, stood: bool) -> tuple[str, ...]:
    unsure = [role for role in bone_map.bones if bone_map.confidence.get(role, 1.0) < CERTAIN]
    named = ", ".join(f"{role.replace('_', ' ')} {bone_map.bones[role][0]}" for role in unsure[:_MOST_NAMED])
    more = f" and {len(unsure) - _MOST_NAMED} more" if len(unsure) > _MOST_NAMED else ""
    found = [f"these bones are found by the shape of the skeleton, not by name: {named}{more}"] if unsure else []
    if not stood:
        found.append("the skeleton stands upright in no pose, so the tilt of pelvis, chest and head is uncertain")
    return (*found, *bone_map.notes)
