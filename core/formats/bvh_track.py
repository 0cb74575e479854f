"""BVH files as tracks: the positions of a person's joints. F frames, J joints, B bones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..errors import TrackFileError
from ..math.rotations import unit
from ..retarget.bone_map import REQUIRED_ROLES, SIDES, BoneMap
from ..retarget.rig import Rig
from .armature import BonePoints, armature_recording, carried_offsets, carriers, find_person
from .bvh import Bvh, parse_bvh
from .raw import MAX_PEOPLE, RawRecording

KIND = "BVH"
_UP_TURNS = (np.eye(3), np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]]))
"""Rotations to Y up from the axes that files have: Y up, Z up."""
_REST = -1
_FEWEST_BONES = len(REQUIRED_ROLES)
_EXTENTS = (1e-9, 1e9)
_SAME_PLACE = 1e-4
"""Length of a bone, relative to the skeleton's extent, that counts as none."""
_JUMP, _MIN_JUMP = 10.0, 0.05
"""The first frame is a rest pose if the step after it is the largest of the next ones, so many times their median, and
so long relative to the skeleton's extent, in the mean of all joints."""
_NEXT_STEPS = 30


@dataclass(frozen=True, eq=False)
class _Skeleton:
    """One skeleton of a file: its B bones, and the joint or end site (B,) at which each ends."""

    bvh: Bvh
    bones: list[int]
    ends: list[int]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the bones, each different."""
        names = [self.bvh.names[bone] for bone in self.bones]
        first = {name: number for number, name in reversed(list(enumerate(names)))}
        return tuple(
            name if first[name] == number else f"{name} ({number})" for number, name in enumerate(names)
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Pose:
    """A pose in which a person may stand: a frame, or at rest, turned to Y up and scaled to an extent of 1."""

    rig: Rig
    frame: int
    turn: np.ndarray
    extent: float


def is_bvh(text: str) -> bool:
    """Return whether text begins like a BVH file."""
    return text.lstrip()[:9].upper() == "HIERARCHY"


def read_bvh(path: Path) -> list[RawRecording]:
    """Read a BVH file as one recording for each skeleton of a person.

    Raises:
        TrackFileError: the file is damaged, or has no skeleton of a person.
    """
    bvh = parse_bvh(path)
    found: list[RawRecording] = []
    refused: dict[str, TrackFileError] = {}
    for root in [joint for joint, parent in enumerate(bvh.parents) if parent < 0][:MAX_PEOPLE]:
        try:
            found.append(_recording(_skeleton(bvh, root), path))
        except TrackFileError as error:
            refused[bvh.names[root]] = error
    if not found:
        raise next(iter(refused.values()))
    notes = [*bvh.notes, *(f"Left out {name}, which is not the skeleton of a person." for name in refused)]
    return [
        replace(
            each,
            person=each.person if len(found) > 1 else "",
            notes=(*notes, *each.notes),
            doubts=(*bvh.doubts, *each.doubts),
        )
        for each in found
    ]


def _recording(skeleton: _Skeleton, path: Path) -> RawRecording:
    bvh, bones = skeleton.bvh, skeleton.bones
    if len(bones) < _FEWEST_BONES:
        raise TrackFileError(
            f"expected the skeleton of a person, found one of {len(bones)} bones in {path}; give one with arms and legs"
        )
    poses = list(_first_poses(skeleton))
    rig, bone_map = find_person([pose.rig for pose in poses], path)
    carrying = carriers(rig, bone_map)
    places, turns = bvh.motion([bones[bone] for bone in carrying.values()])
    poses += _upright_poses(skeleton, places, rig, bone_map)
    turns_of = dict(zip(carrying, np.moveaxis(turns, 1, 0), strict=True))
    start, notes = _begin(bvh, places)
    poses.sort(key=lambda pose: not 0 <= pose.frame < start)  # a pose put before the motion is made to be the rest pose
    carried = _carried(poses, places[:, bones], turns_of, rig, bone_map)
    heads, tails = places[start:, bones], places[start:, skeleton.ends]
    points = BonePoints(heads, tails, {name: place[start:] for name, place in carried.items()})
    about = {"kind": KIND, "fps": bvh.fps, "person": bvh.names[bones[0]], "first_frame": start, "notes": notes}
    return armature_recording(rig, bone_map, points, path, **about)


def _skeleton(bvh: Bvh, root: int) -> _Skeleton:
    """Return the bones below *root*; each ends at the first place away from its own, on the longest way down."""
    inside = {root}
    for joint in range(root + 1, len(bvh.names)):
        if bvh.parents[joint] in inside:
            inside.add(joint)
    lengths = np.linalg.norm(bvh.offsets, axis=1)
    reach, toward = np.zeros(len(lengths)), np.full(len(lengths), -1)
    for joint in range(len(lengths) - 1, -1, -1):
        parent = bvh.parents[joint]
        if parent >= 0 and (toward[parent] < 0 or lengths[joint] + reach[joint] > reach[parent]):
            reach[parent], toward[parent] = lengths[joint] + reach[joint], joint
    shortest = _SAME_PLACE * float(reach.max())
    bones = [joint for joint in sorted(inside) if bvh.names[joint]]
    ends = []
    for bone in bones:
        end = int(toward[bone])
        while end >= 0 and toward[end] >= 0 and lengths[end] <= shortest:
            end = int(toward[end])
        ends.append(end if end >= 0 else bone)
    return _Skeleton(bvh, bones, ends)


def _first_poses(skeleton: _Skeleton) -> Iterator[_Pose]:
    """Yield the skeleton at rest and in the first frame, as if Y were up and as if Z were."""
    first = replace(skeleton.bvh, values=skeleton.bvh.values[:1]).motion()[0]
    for frame, places in ((_REST, skeleton.bvh.rest()), (0, first[0])):
        for turn in _UP_TURNS:
            yield from _pose(skeleton, places, frame, turn)


def _pose(skeleton: _Skeleton, places: np.ndarray, frame: int, turn: np.ndarray) -> Iterator[_Pose]:
    """Yield the pose with the joints at *places* (J, 3), unless they are nowhere or all in one place."""
    heads = places[skeleton.bones]
    extent = float(np.ptp(heads, axis=0).max())
    if np.isfinite(extent) and _EXTENTS[0] < extent < _EXTENTS[1]:
        index = {bone: number for number, bone in enumerate(skeleton.bones)}
        parents = np.array([index.get(skeleton.bvh.parents[bone], -1) for bone in skeleton.bones])
        heads, tails = (points @ turn.T / extent for points in (heads, places[skeleton.ends]))
        axes = np.broadcast_to(np.eye(3), (len(index), 3, 3))
        rig = Rig(skeleton.names, parents, heads, tails, axes, np.ones(len(index), dtype=bool))
        yield _Pose(rig, frame, turn, extent)


def _upright_poses(skeleton: _Skeleton, places: np.ndarray, rig: Rig, bone_map: BoneMap) -> Iterator[_Pose]:
    """Yield the frame in which trunk and legs are most upright, as if Y were up and as if Z were."""

    def joints(role: str) -> np.ndarray:
        bones = [skeleton.bones[rig.index[bone_map.bones[f"{side}_{role}"][0]]] for side in SIDES]
        return places[:, bones]

    hips, ankles, shoulders = joints("thigh"), joints("foot"), joints("upper_arm")
    trunk, legs = unit(shoulders.mean(axis=1) - hips.mean(axis=1)), unit(hips - ankles)
    for turn in _UP_TURNS:
        upright = np.nan_to_num(trunk @ turn[1] + (legs @ turn[1]).mean(axis=1), nan=-np.inf)
        frame = int(upright.argmax())
        yield from _pose(skeleton, places[frame], frame, turn)


def _carried(
    poses: list[_Pose], heads: np.ndarray, turns: Mapping[str, np.ndarray], rig: Rig, bone_map: BoneMap
) -> dict[str, np.ndarray]:
    """Return the points (F, 3) of trunk and head, as they lie in the first of *poses* in which the person stands.

    Args:
        poses: poses, those at rest first.
        heads: (F, B, 3) joints of the bones.
        turns: world rotations (F, 3, 3) of the bones that carry points.
        rig: the bones.
        bone_map: their roles.
    """
    bones = carriers(rig, bone_map)
    for pose in poses:
        offsets = carried_offsets(pose.rig, bone_map)
        if offsets:
            since = {name: turn if pose.frame == _REST else turn @ turn[pose.frame].T for name, turn in turns.items()}
            return {
                point: heads[:, bones[carrier]] + since[carrier] @ (pose.extent * offset @ pose.turn)
                for point, (carrier, offset) in offsets.items()
            }
    return {}


def _begin(bvh: Bvh, places: np.ndarray) -> tuple[int, tuple[str, ...]]:
    """Return the first frame of the motion, after a rest pose that was put before it, and a note on that."""
    first = places[: _NEXT_STEPS + 2]
    steps = np.linalg.norm(np.diff(first - first[:, :1], axis=0), axis=-1).mean(axis=1)
    extent = float(np.ptp(bvh.rest(), axis=0).max())
    if len(steps) > 2 and steps[0] > max(_JUMP * float(np.median(steps[1:])), steps[1:].max(), _MIN_JUMP * extent):
        return 1, ("The first frame is a rest pose that was put before the motion; it is left out.",)
    return 0, ()
