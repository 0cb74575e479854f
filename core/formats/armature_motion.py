"""An animated armature with evaluated bones, as a recording of its joints. F frames, N bones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import TrackFileError
from ..retarget.armature_source import ArmatureMotion
from ..retarget.bone_map import BoneMap
from ..retarget.rig import Rig
from .armature import BonePoints, armature_recording, carried_offsets, carried_points, carriers, most_upright
from .raw import RawRecording

_STILL = 1e-4
"""Largest movement of the joints of an armature that does not move, relative to its extent."""
_UP = np.array([0.0, 1.0, 0.0])


def motion_recording(rig: Rig, bone_map: BoneMap, animation: ArmatureMotion, path: Path, **about: Any) -> RawRecording:
    """Return the points of a person's armature.

    Args:
        rig: the armature at rest.
        bone_map: its bones by role.
        animation: where the bones that `core.formats.armature.needed_bones` names are over time.
        path: the file, for messages.
        about: other fields of the recording.

    Raises:
        TrackFileError: the armature does not move.
    """
    bones = [rig.index[name] for name in animation.names]
    extent = float(np.ptp(rig.heads, axis=0).max())
    if float(np.ptp(animation.heads, axis=0).max()) <= _STILL * extent:
        raise TrackFileError(
            f"expected an animated armature in {path}, found one that does not move in {len(animation.heads)} frames; "
            "give one with a motion"
        )
    lengths = np.linalg.norm(rig.tails[bones] - rig.heads[bones], axis=1)
    points = BonePoints(bones, animation.heads, animation.heads + lengths[:, None] * animation.rotations[..., 1])
    turned = {name: animation.rotations[:, bones.index(bone)] for name, bone in carriers(rig, bone_map).items()}
    offsets = carried_offsets(rig, bone_map)
    starts = {name: rig.axes[bone] for name, bone in carriers(rig, bone_map).items()}
    if not offsets:
        frame = most_upright(rig, bone_map, points, _UP)
        offsets = carried_offsets(_posed(rig, points, frame), bone_map)
        starts = {name: turns[frame] for name, turns in turned.items()}
    since = {name: turns @ starts[name].T for name, turns in turned.items()}
    heads = {name: points.head(bone) for name, bone in carriers(rig, bone_map).items()}
    carried = carried_points(offsets, heads, since)
    about = {"fps": animation.fps, "units": "m", "up_axis": "+Y", **about}
    return armature_recording(rig, bone_map, points, carried, path, **about)


def _posed(rig: Rig, points: BonePoints, frame: int) -> Rig:
    """Return *rig* with the bones of *points* where they are in a frame."""
    heads, tails = rig.heads.copy(), rig.tails.copy()
    heads[list(points.bones)], tails[list(points.bones)] = points.heads[frame], points.tails[frame]
    return replace(rig, heads=heads, tails=tails)
