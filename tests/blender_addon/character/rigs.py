"""Armatures and motions to test retargeting in Blender with."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix

from blender_addon.character.read_rig import read_rig
from blender_addon.figure.axes import Z_UP_FROM_Y_UP
from core.math.rotations import axis_angle_to_matrix
from core.retarget.retargeted import RetargetedMotion, RetargetReport
from core.retarget.rig import Rig
from core.retarget.root import Carrier

BONES = {
    "root": (None, (0, 0, 0), (0, 0.3, 0)),
    "hips": ("root", (0, 0, 0.95), (0, 0, 1.1)),
    "spine": ("hips", (0, 0.02, 1.1), (0, 0, 1.25)),
    "chest": ("spine", (0, 0, 1.25), (0, 0, 1.5)),
    "neck": ("chest", (0, 0, 1.5), (0, 0, 1.6)),
    "head": ("neck", (0, 0, 1.6), (0, 0, 1.8)),
    **{
        f"{name}.{side}": (f"{parent}.{side}" if parent not in ("hips", "chest") else parent,
                           (sign * head[0], *head[1:]), (sign * tail[0], *tail[1:]))
        for side, sign in (("L", 1.0), ("R", -1.0))
        for name, parent, head, tail in (
            ("thigh", "hips", (0.1, 0, 0.9), (0.1, -0.02, 0.5)),
            ("shin", "thigh", (0.1, -0.02, 0.5), (0.1, 0.02, 0.1)),
            ("foot", "shin", (0.1, 0.02, 0.1), (0.1, -0.12, 0.02)),
            ("toe", "foot", (0.1, -0.12, 0.02), (0.1, -0.2, 0.02)),
            ("arm", "chest", (0.2, 0, 1.45), (0.5, 0.02, 1.45)),
            ("forearm", "arm", (0.5, 0.02, 1.45), (0.75, 0, 1.45)),
            ("hand", "forearm", (0.75, 0, 1.45), (0.9, 0, 1.45)),
            ("finger", "hand", (0.9, 0, 1.45), (0.95, 0, 1.45)),
        )
    },
}  # fmt: skip
"""Parent, head and tail of each bone of the test character: a T-pose that faces -Y."""
ROLES = {
    "hips": ["hips"], "spine": ["spine", "chest"], "neck": ["neck"], "head": ["head"],
    **{
        f"{side}_{role}": [f"{bone}.{side[0].upper()}"]
        for side in ("left", "right")
        for role, bone in (("thigh", "thigh"), ("shin", "shin"), ("foot", "foot"), ("toe", "toe"),
                           ("upper_arm", "arm"), ("forearm", "forearm"), ("hand", "hand"))
    },
}  # fmt: skip
"""The bone map of the test character."""
MODES = ("QUATERNION", "XYZ", "AXIS_ANGLE", "XZY", "YXZ", "YZX", "ZXY", "ZYX")


def make_character(name: str = "hero", *, roll: int | None = None) -> bpy.types.Object:
    """Add the test character to the scene; with *roll*, a seed, every bone is rolled about itself at random."""
    data = bpy.data.armatures.new(name)
    armature = bpy.data.objects.new(name, data)
    bpy.context.collection.objects.link(armature)
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    rng = np.random.default_rng(roll)
    for bone, (parent, head, tail) in BONES.items():
        made = data.edit_bones.new(bone)
        made.head, made.tail = head, tail
        made.parent = data.edit_bones[parent] if parent else None
        made.roll = 0.0 if roll is None else rng.uniform(-3.0, 3.0)
    bpy.ops.object.mode_set(mode="OBJECT")
    return armature


def place_object(armature: bpy.types.Object, *, scale: float = 1.0, seed: int | None = None) -> None:
    """Scale the object evenly; with *seed*, turn and move it at random."""
    turn, where = np.eye(3), np.zeros(3)
    if seed is not None:
        rng = np.random.default_rng(seed)
        turn, where = axis_angle_to_matrix(rng.normal(0.0, 2.0, 3)), rng.normal(0.0, 1.0, 3)
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = scale * turn, where
    armature.matrix_world = Matrix(matrix.tolist())
    bpy.context.view_layer.update()


REPORT = RetargetReport(0.8, 1.0, 0.01, 0.002, 0.004, 0.0, 10, 9, np.array([3, 4]))


def random_motion(
    armature: bpy.types.Object, bones: list[str], num_frames: int = 12, seed: int = 0
) -> RetargetedMotion:
    """Return a motion in which every one of *bones*, the hips first, turns anyhow, and the hips travel."""
    rig = read_rig(armature)
    rng = np.random.default_rng(seed)
    number = np.array([rig.index[bone] for bone in bones])
    steps = np.cumsum(rng.normal(0.0, 0.35, (num_frames, len(bones), 3)), axis=0)
    turns = axis_angle_to_matrix(steps)
    root = rig.heads[number[0]] + np.cumsum(rng.normal(0.0, 0.1, (num_frames, 3)), axis=0)
    path = np.cumsum(rng.normal(0.0, 0.1, (num_frames, 3)) * (1.0, 0.0, 1.0), axis=0)
    carrier = Carrier(path, np.cumsum(rng.normal(0.0, 0.5, num_frames)))
    return RetargetedMotion(rig, number, turns @ rig.axes[number], root, 30.0, REPORT, carrier)


def expected_heads(motion: RetargetedMotion) -> np.ndarray:
    """Return the heads (F, B, 3) of all bones by forward kinematics in the core's world axes."""
    rig = motion.rig
    row = {int(bone): index for index, bone in enumerate(motion.bones)}
    turns = np.empty((motion.num_frames, len(rig.names), 3, 3))
    heads = np.empty((motion.num_frames, len(rig.names), 3))
    for bone, parent in enumerate(rig.parents):
        above = np.eye(3) if parent < 0 else turns[:, parent]
        turns[:, bone] = motion.rotations[:, row[bone]] @ rig.axes[bone].T if bone in row else above
        if bone == motion.bones[0]:
            heads[:, bone] = motion.root
        elif parent < 0:
            heads[:, bone] = rig.heads[bone]
        else:
            heads[:, bone] = heads[:, parent] + turns[:, parent] @ (rig.heads[bone] - rig.heads[parent])
    return heads


def evaluated(armature: bpy.types.Object, frames: range) -> tuple[np.ndarray, np.ndarray]:
    """Return the heads (F, B, 3) and axes (F, B, 3, 3) of all bones in the core's world axes, as Blender has them."""
    scene = bpy.context.scene
    heads, axes = [], []
    for frame in frames:
        scene.frame_set(frame)
        posed = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
        world = np.array(posed.matrix_world, dtype=np.float64)
        bones = world @ np.array([bone.matrix for bone in posed.pose.bones], dtype=np.float64)
        heads.append(bones[:, :3, 3] @ Z_UP_FROM_Y_UP)
        turns = bones[:, :3, :3]
        axes.append(Z_UP_FROM_Y_UP.T @ (turns / np.linalg.norm(turns, axis=1, keepdims=True)))
    return np.array(heads), np.array(axes)


def below(rig: Rig, bone: str) -> list[int]:
    """Return the indices of everything that hangs on *bone*."""
    return rig.descendants(rig.index[bone])


def add_skin(armature: bpy.types.Object, *, per_bone: int = 8, name: str = "skin") -> bpy.types.Object:
    """Add a mesh that *armature* moves: for each bone a ring of vertices at both ends, moved by that bone alone."""
    world = np.array(armature.matrix_world)
    rng = np.random.default_rng(0)
    points, owners = [], []
    for bone in armature.data.bones:
        for end in (bone.head_local, bone.tail_local):
            spread = rng.normal(0.0, 0.03, (per_bone, 3))
            points.append((np.array(end) + spread) @ world[:3, :3].T + world[:3, 3])
            owners += [bone.name] * per_bone
    vertices = np.concatenate(points)
    faces = [(3 * number, 3 * number + 1, 3 * number + 2) for number in range(len(vertices) // 3)]
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(vertices.tolist(), [], faces)
    skin = bpy.data.objects.new(name, mesh)
    bpy.context.collection.objects.link(skin)
    for bone in armature.data.bones:
        group = skin.vertex_groups.new(name=bone.name)
        group.add([number for number, owner in enumerate(owners) if owner == bone.name], 1.0, "REPLACE")
    skin.modifiers.new("Armature", "ARMATURE").object = armature
    skin.parent = armature
    skin.matrix_parent_inverse = armature.matrix_world.inverted()
    bpy.context.view_layer.update()
    return skin


def write_character(path: Path) -> None:
    """Write the test character, at rest and with a skin, to a file of any kind."""
    armature = make_character("hero")
    skin = add_skin(armature)
    for item in bpy.data.objects:
        item.select_set(item in (armature, skin))
    if path.suffix == ".blend":
        bpy.data.libraries.write(str(path), {armature, skin})
    elif path.suffix == ".fbx":
        bpy.ops.export_scene.fbx(filepath=str(path), use_selection=True, add_leaf_bones=False, bake_anim=False)
    else:
        kind = "GLTF_SEPARATE" if path.suffix == ".gltf" else "GLB"
        written = path.with_suffix(".glb") if path.suffix == ".vrm" else path
        bpy.ops.export_scene.gltf(filepath=str(written), export_format=kind, use_selection=True)
        written.rename(path)
    bpy.data.batch_remove((armature, armature.data, skin, skin.data))
