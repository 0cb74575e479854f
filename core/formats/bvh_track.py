"""BVH files as tracks: the positions of a person's joints. F frames, J joints, B bones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from ..errors import TrackFileError
from ..retarget.bone_map import REQUIRED_ROLES, BoneMap
from ..retarget.rig import Rig
from .armature import (
    BonePoints,
    armature_recording,
    carried_offsets,
    carried_points,
    carriers,
    find_person,
    most_upright,
    needed_bones,
    people_among,
)
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
    roots = [joint for joint, parent in enumerate(bvh.parents) if parent < 0][:MAX_PEOPLE]
    names = [bvh.names[root] for root in roots]
    parts = {
        name if names.count(name) == 1 else f"{name} {number}": partial(_recording, _skeleton(bvh, root), path)
        for number, (name, root) in enumerate(zip(names, roots, strict=True), 1)
    }
    return [
        replace(each, notes=(*bvh.notes, *each.notes), doubts=(*bvh.doubts, *each.doubts))
        for each in people_among(parts)
    ]  # fmt: skip


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
    needed = needed_bones(rig, bone_map)
    points = BonePoints(
        needed, places[:, [bones[bone] for bone in needed]], places[:, [skeleton.ends[bone] for bone in needed]]
    )
    for turn in _UP_TURNS:
        frame = most_upright(rig, bone_map, points, turn[1])
        poses += _pose(skeleton, places[frame], frame, turn)
    start, notes = _begin(bvh, places)
    poses.sort(key=lambda pose: not 0 <= pose.frame < start)  # a pose put before the motion is made to be the rest pose
    carried = _carried(poses, points, dict(zip(carrying, np.moveaxis(turns, 1, 0), strict=True)), rig, bone_map)
    carried = {name: place[start:] for name, place in carried.items()}
    about = {"kind": KIND, "fps": bvh.fps, "first_frame": start, "notes": notes}
    return armature_recording(rig, bone_map, points.since(start), carried, path, **about)


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


def _carried(
    poses: list[_Pose], points: BonePoints, turns: Mapping[str, np.ndarray], rig: Rig, bone_map: BoneMap
) -> dict[str, np.ndarray]:
    """Return the points (F, 3) of trunk and head, as they lie in the first of *poses* in which the person stands.

    Args:
        poses: poses, those at rest first.
        points: the bones over time.
        turns: world rotations (F, 3, 3) of the bones that carry points.
        rig: the bones.
        bone_map: their roles.
    """
    heads = {carrier: points.head(bone) for carrier, bone in carriers(rig, bone_map).items()}
    for pose in poses:
        offsets = carried_offsets(pose.rig, bone_map)
        if offsets:
            in_file = {name: (by, pose.extent * offset @ pose.turn) for name, (by, offset) in offsets.items()}
            since = {name: turn if pose.frame == _REST else turn @ turn[pose.frame].T for name, turn in turns.items()}
            return carried_points(in_file, heads, since)
    return {}


def _begin(bvh: Bvh, places: np.ndarray) -> tuple[int, tuple[str, ...]]:
    """Return the first frame of the motion, after a rest pose that was put before it, and a note on that."""
    first = places[: _NEXT_STEPS + 2]
    steps = np.linalg.norm(np.diff(first - first[:, :1], axis=0), axis=-1).mean(axis=1)
    extent = float(np.ptp(bvh.rest(), axis=0).max())
    if len(steps) > 2 and steps[0] > max(_JUMP * float(np.median(steps[1:])), steps[1:].max(), _MIN_JUMP * extent):
        return 1, ("The first frame is a rest pose that was put before the motion; it is left out.",)
    return 0, ()
