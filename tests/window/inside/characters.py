"""A picture of characters beside the figure whose motion they have, rendered by Cycles."""

from __future__ import annotations

from collections.abc import Sequence
from math import radians

import _cycles
import bpy
from mathutils import Matrix, Vector

SPACING_M = 1.1
FLOOR, SKY = (0.62, 0.65, 0.68, 1.0), (0.75, 0.8, 0.88, 1.0)
COLOURS = ((0.08, 0.2, 0.17, 1.0), (0.4, 0.14, 0.08, 1.0), (0.1, 0.2, 0.42, 1.0))
"""For meshes without a material, by character."""
SAMPLES, THREADS = 48, 2


def meshes_of(armature: bpy.types.Object) -> list[bpy.types.Object]:
    """Return the meshes below *armature*."""
    return [item for item in armature.children_recursive if item.type == "MESH"]


def put_on(paths: Sequence[str]) -> list[bpy.types.Object]:
    """Open characters, put the motion of the only figure onto each, and return figure and characters."""
    (figure,) = [item for item in bpy.context.scene.objects if item.type == "ARMATURE"]
    characters = [figure]
    for path in paths:
        bpy.ops.smplify.open_character(filepath=path)
        bpy.ops.smplify.apply_character()
        characters.append(bpy.context.scene.smplify_character.armature)
    return characters


def hide(armature: bpy.types.Object, words: Sequence[str]) -> None:
    """Leave the meshes of *armature* out whose name has one of *words*: what a character carries, for instance."""
    for mesh in meshes_of(armature):
        if any(word in mesh.name for word in words):
            mesh.hide_render = True
            mesh.hide_set(True)


def line_up(armatures: Sequence[bpy.types.Object], frame: int, ways: Vector) -> Vector:
    """Stand *armatures* side by side in the direction *ways* at *frame*; return the middle of their hips."""
    bpy.context.scene.frame_set(frame)
    first = _hips(armatures[0])
    for number, armature in enumerate(armatures):
        goal = first + SPACING_M * (number - (len(armatures) - 1) / 2) * ways
        top = armature
        while top.parent is not None:
            top = top.parent
        step = goal - _hips(armature)
        top.matrix_world = Matrix.Translation((step.x, step.y, 0.0)) @ top.matrix_world
        material = new_material(f"character {number}", COLOURS[number % len(COLOURS)])
        for mesh in meshes_of(armature):
            if not any(mesh.data.materials):
                mesh.data.materials.clear()
                mesh.data.materials.append(material)
    bpy.context.view_layer.update()
    return first


def render(path: str, middle: Vector, towards: Vector, size: tuple[int, int], distance: float) -> None:
    """Render what stands around *middle*, seen from the direction *towards*, to a PNG of *size* pixels."""
    scene = bpy.context.scene
    bpy.ops.mesh.primitive_plane_add(size=80.0)
    bpy.context.object.data.materials.append(new_material("floor", FLOOR))
    scene.world = bpy.data.worlds.new("sky")
    scene.world.use_nodes = True
    sky = scene.world.node_tree.nodes["Background"]
    sky.inputs[0].default_value, sky.inputs[1].default_value = SKY, 0.7
    sun = bpy.data.lights.new("sun", "SUN")
    sun.energy, sun.angle = 1.8, 0.2
    _add("sun", sun, Vector(), (radians(40), radians(15), radians(30)))
    lens = bpy.data.cameras.new("camera")
    lens.lens = 60.0
    aim = Vector((middle.x, middle.y, 1.18))
    place = aim + distance * towards + Vector((0.0, 0.0, 0.5))
    scene.camera = _add("camera", lens, place, (aim - place).to_track_quat("-Z", "Y").to_euler())
    scene.render.engine, scene.cycles.samples = "CYCLES", SAMPLES
    scene.cycles.use_denoising = _cycles.with_openimagedenoise  # Debian's Blender has none
    scene.render.threads_mode, scene.render.threads = "FIXED", THREADS
    scene.render.resolution_x, scene.render.resolution_y = size
    scene.render.resolution_percentage = 100
    scene.view_settings.view_transform = "Standard"
    scene.render.filepath = path
    bpy.ops.render.render(write_still=True)


def _hips(armature: bpy.types.Object) -> Vector:
    """Return where the hips of *armature* are: the one bone that its action moves through the room."""
    curves = armature.animation_data.action.fcurves
    moved = {curve.data_path.split('"')[1] for curve in curves if curve.data_path.endswith("].location")}
    (name,) = moved
    found: Vector = armature.matrix_world @ armature.pose.bones[name].head
    return found


def new_material(name: str, colour: tuple[float, ...]) -> bpy.types.Material:
    """Return a new matt material of one *colour*, RGBA."""
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    shader = material.node_tree.nodes["Principled BSDF"]
    shader.inputs["Base Color"].default_value = colour
    shader.inputs["Roughness"].default_value = 0.8
    return material


def _add(name: str, data: bpy.types.ID, place: Vector, turn: Sequence[float]) -> bpy.types.Object:
    item = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(item)
    item.location, item.rotation_euler = place, turn
    return item
