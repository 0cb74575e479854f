"""Write motions of the free body as BVH, in the forms that tools have. F frames.

The joints are SMPL's, so positions that are read back are the motion's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.spatial.transform import Rotation

from core.body.free_body import load_free_body
from core.body.model import BodyModel
from core.motion import Motion
from core.smpl_skeleton import JOINT_INDEX, JOINT_NAMES, JOINT_PARENTS

MIXAMO = {
    "pelvis": "Hips", "spine1": "Spine", "spine2": "Spine1", "spine3": "Spine2", "neck": "Neck", "head": "Head",
    "{s}_collar": "{S}Shoulder", "{s}_shoulder": "{S}Arm", "{s}_elbow": "{S}ForeArm", "{s}_wrist": "{S}Hand",
    "{s}_hip": "{S}UpLeg", "{s}_knee": "{S}Leg", "{s}_ankle": "{S}Foot", "{s}_foot": "{S}ToeBase",
}  # fmt: skip
BIPED = {
    "pelvis": "Bip01 Pelvis", "spine1": "Bip01 Spine", "spine2": "Bip01 Spine1", "spine3": "Bip01 Spine2",
    "neck": "Bip01 Neck", "head": "Bip01 Head", "{s}_collar": "Bip01 {S1} Clavicle",
    "{s}_shoulder": "Bip01 {S1} UpperArm", "{s}_elbow": "Bip01 {S1} Forearm", "{s}_wrist": "Bip01 {S1} Hand",
    "{s}_hip": "Bip01 {S1} Thigh", "{s}_knee": "Bip01 {S1} Calf", "{s}_ankle": "Bip01 {S1} Foot",
    "{s}_foot": "Bip01 {S1} Toe0",
}  # fmt: skip
ENDS = {
    "head": (0.0, 0.15, 0.02), "left_hand": (0.0, 0.0, 0.0), "right_hand": (0.0, 0.0, 0.0),
    "left_foot": (0.0, -0.01, 0.07), "right_foot": (0.0, -0.01, 0.07),
}  # fmt: skip
"""End sites, metres from their joint; a hand is one itself."""


@dataclass(frozen=True)
class BvhForm:
    """The form of a BVH file.

    Attributes:
        names: the name of each SMPL joint, with {s}, {S} and {S1} for the side; empty for joint_0, joint_1 ..
        order: the order of the rotation channels.
        unit_m: length of the file's unit.
        z_up: whether the file's Z axis is up.
        moves: "root", or "all" joints have position channels, as they are or "added" to the offsets.
        rest_first: put a rest pose before the motion.
        along: give all bones the direction of one axis at rest, as some exporters do.
        frame_time: as it is written; None for many digits.
    """

    names: Mapping[str, str] = field(default_factory=lambda: MIXAMO)
    order: str = "ZXY"
    unit_m: float = 0.01
    z_up: bool = False
    moves: str = "root"
    rest_first: bool = False
    along: bool = False
    frame_time: str | None = None


def joint_names(names: Mapping[str, str]) -> list[str]:
    """Return the names of the 24 joints."""
    found = []
    for joint in JOINT_NAMES:
        side, _, stem = joint.partition("_")
        pattern = names.get(f"{{s}}_{stem}" if side in ("left", "right") else joint, "")
        found.append(pattern.format(S=side.capitalize(), S1=side[0].upper()) or f"joint_{JOINT_INDEX[joint]}")
    return found


def bvh_text(motion: Motion, form: BvhForm | None = None) -> str:
    """Return *motion* as a BVH file."""
    form = form or BvhForm()
    rest = np.asarray(BodyModel(load_free_body()).rest_joints(motion.betas.astype(np.float32)), dtype=np.float64)
    turns, trans = motion.rotations(), motion.trans
    if form.rest_first:
        turns = np.concatenate([np.broadcast_to(np.eye(3), (1, 24, 3, 3)), turns])
        trans = np.concatenate([trans[:1], trans])
    offsets = rest - rest[list(JOINT_PARENTS)]
    offsets[0] = 0.0
    places = rest[0] + trans
    if form.z_up:
        up = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
        offsets, places, turns = offsets @ up.T, places @ up.T, up @ turns @ up.T
    ends = {name: np.array(end) @ (up.T if form.z_up else np.eye(3)) for name, end in ENDS.items()}
    if form.along:
        offsets, turns, ends = _along_x(offsets, turns, ends)
    return _text(motion.fps, form, offsets / form.unit_m, places / form.unit_m, turns, ends)


def _along_x(
    offsets: np.ndarray, turns: np.ndarray, ends: dict[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Return the same motion of a skeleton whose bones all lie along X at rest."""
    child = {parent: joint for joint, parent in reversed(list(enumerate(JOINT_PARENTS)))}
    bases = []
    for joint, name in enumerate(JOINT_NAMES):
        ahead = offsets[child[joint]] if joint in child and joint else ends.get(name, np.array([0.0, 1.0, 0.0]))
        ahead = ahead if np.linalg.norm(ahead) > 1e-6 else np.array([1.0, 0.0, 0.0])
        side = np.cross(ahead, [0.3, 0.2, 0.9])
        bases.append(np.stack([v / np.linalg.norm(v) for v in (ahead, side, np.cross(ahead, side))], axis=1))
    parents = [0, *JOINT_PARENTS[1:]]
    new = np.stack([bases[parent].T @ offset for parent, offset in zip(parents, offsets, strict=True)])
    local = np.stack(
        [
            (bases[parent].T if joint else np.eye(3)) @ turns[:, joint] @ bases[joint]
            for joint, parent in enumerate(parents)
        ],
        axis=1,
    )
    return new, local, {name: bases[JOINT_INDEX[name]].T @ end for name, end in ends.items()}


def _text(
    fps: float, form: BvhForm, offsets: np.ndarray, places: np.ndarray, turns: np.ndarray, ends: dict[str, np.ndarray]
) -> str:
    names = joint_names(form.names)
    lines, columns = ["HIERARCHY"], []

    def write(joint: int, indent: str) -> None:
        children = [other for other in range(1, 24) if JOINT_PARENTS[other] == joint]
        if "hand" in JOINT_NAMES[joint]:
            lines.extend(
                [f"{indent}End Site", f"{indent}{{", f"{indent}\tOFFSET {_cells(offsets[joint])}", f"{indent}}}"]
            )
            return
        moves = joint == 0 or form.moves != "root"
        channels = [f"{axis}position" for axis in "XYZ"] * moves + [f"{axis}rotation" for axis in form.order]
        lines.extend([f"{indent}{'JOINT' if joint else 'ROOT'} {names[joint]}", f"{indent}{{"])
        lines.append(f"{indent}\tOFFSET {_cells(offsets[joint])}")
        lines.append(f"{indent}\tCHANNELS {len(channels)} {' '.join(channels)}")
        if moves:
            static = np.broadcast_to(offsets[joint] if form.moves == "all" else np.zeros(3), places.shape)
            columns.append(places if joint == 0 else static)
        columns.append(Rotation.from_matrix(turns[:, joint]).as_euler(form.order, degrees=True))
        for other in children:
            write(other, indent + "\t")
        if JOINT_NAMES[joint] in ends and not children:
            end = _cells(ends[JOINT_NAMES[joint]] / form.unit_m)
            lines.extend([f"{indent}\tEnd Site", f"{indent}\t{{", f"{indent}\t\tOFFSET {end}", f"{indent}\t}}"])
        lines.append(f"{indent}}}")

    write(0, "")
    lines += ["MOTION", f"Frames: {len(places)}", f"Frame Time: {form.frame_time or repr(1.0 / fps)}"]
    lines += [_cells(row) for row in np.concatenate(columns, axis=1)]
    return "\n".join(lines) + "\n"


def _cells(values: np.ndarray) -> str:
    return " ".join(f"{value:.6f}" for value in values)


def tree_text(names: Sequence[str], parents: Sequence[int], offsets: np.ndarray, num_frames: int = 2) -> str:
    """Return a BVH file of any joints at rest, parents first."""
    below = {joint: [other for other, parent in enumerate(parents) if parent == joint] for joint in range(len(names))}
    lines, stack = ["HIERARCHY"], [joint for joint, parent in reversed(list(enumerate(parents))) if parent < 0]
    while stack:
        joint = stack.pop()
        if joint == -1:
            lines.append("}")
            continue
        lines.append(f"{'ROOT' if parents[joint] < 0 else 'JOINT'} {names[joint]} {{ OFFSET {_cells(offsets[joint])}")
        lines.append("CHANNELS 3 Zrotation Xrotation Yrotation")
        stack += [-1, *reversed(below[joint])]
    rows = [_cells(np.zeros(3 * len(names)))] * num_frames
    return "\n".join([*lines, "MOTION", f"Frames: {num_frames}", "Frame Time: 0.0333333", *rows]) + "\n"
