"""Write figures to files: .blend, .fbx, .glb, .bvh, .usd by Blender's exporters, AMASS's .npz, OpenSim's .mot and .trc.

Files are written from a temporary scene that contains only the figures, with exactly the clip's frame range and frame
rate. They appear complete or not at all, and never replace a file that the open project consists of or reads. Except in
a .blend, the mesh is written with its shape in the vertices instead of shape keys, so that every reader shows the
correct body; pose correctives are shape keys with keyed values, if asked for.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from shutil import disk_usage
from typing import Any

import addon_utils
import bpy
import numpy as np
from mathutils import Matrix

from ..core_access import (
    BodyData,
    CoreError,
    Motion,
    atomic_path,
    not_written,
    resolve_body,
    write_mot,
    write_motion,
    write_trc,
)
from ..figure.animation import key_motion
from ..figure.armature import create_armature, joint_shape
from ..figure.axes import Y_UP
from ..figure.body_mesh import find_skin, skin_of
from ..figure.evaluated_motion import motion_of
from ..figure.isolated_scene import isolated_scene, played_frames, shape_in_vertices, shown, whole_range
from ..figure.record import RecordError, load
from ..figure.units import in_metres, metres_per_unit
from ..project_files import project_files
from ..result.error_colors import without_colors
from .baked_correctives import bake_correctives, keyed_correctives
from .export_rig import evaluated_bones, export_rig_of, free_name
from .presets import ExportTarget
from .properties import ONE_PERSON

_OPERATORS: dict[str, Any] = {
    "fbx": bpy.ops.export_scene.fbx,
    "glb": bpy.ops.export_scene.gltf,
    "bvh": bpy.ops.export_anim.bvh,
    "usd": bpy.ops.wm.usd_export,
}
_LEAST_FREE_BYTES = 1 << 16
_LEAST_BYTES = 1 << 13
_WRITER_ADDONS = {"fbx": "io_scene_fbx", "glb": "io_scene_gltf2", "bvh": "io_anim_bvh"}
"""Blender's add-ons that write a format; the user may have disabled them."""


class ExportError(CoreError, RuntimeError):
    """Blender could not write a file."""


def export_figures(
    armatures: Sequence[bpy.types.Object],
    path: Path,
    *,
    scene: bpy.types.Scene | None = None,
    target: ExportTarget | None = None,
) -> Path:
    """Write figures to *path*; its suffix determines the format.

    Must be called in Object Mode. The scene, its current frame, selection and active object are restored.

    Args:
        armatures: armatures of imported figures; the formats of `ONE_PERSON` contain one person.
        path: the file; ends in one of the suffixes of `FORMATS`.
        scene: the scene whose frame rate the keys use; None for the current scene.
        target: conventions of the target program for .fbx, .glb and .usd; None writes the figures as they are. The
            other formats have fixed conventions.

    Raises:
        ExportError: the suffix is unknown, several people are given for a format for one, or Blender failed.
        OutputError: *path* refers to a file that the open project consists of or reads; see `project_files`.
        CoreError: an armature does not belong to an imported figure, or is not animated.
    """
    path = Path(path)
    kind = path.suffix.lower().lstrip(".")
    if kind not in FORMATS:
        raise ExportError(f"expected a file name ending in .{', .'.join(FORMATS)}; got {path.name!r} for {path}")
    if kind in ONE_PERSON and len(armatures) != 1:
        raise ExportError(
            f"a .{kind} file holds one person, got {len(armatures)} for {path}; write one file per person"
        )
    with without_colors(armatures), new_file(path) as temporary:
        FORMATS[kind](armatures, scene or bpy.context.scene, temporary, target or ExportTarget())
    return path


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path that is moved to *path* if the block succeeds.

    Raises:
        OutputError: *path* refers to a file that the open project consists of or reads.
    """
    project_files().check(path)
    with atomic_path(path) as temporary:
        yield temporary


def run_exporter(kind: str, path: Path, **settings: object) -> None:
    """Run the exporter of a format on all objects of the context's scene; enable the add-on that provides it.

    Raises:
        ExportError: this Blender has no exporter for the format, or the exporter failed.
        OutputError: the disk is full. Found before the exporter runs, it prints no traceback.
    """
    addon = _WRITER_ADDONS.get(kind)
    if addon is not None and not addon_utils.check(addon)[1]:
        addon_utils.enable(addon, default_set=False)
    operator = _OPERATORS[kind]
    try:
        operator.get_rna_type()
    except KeyError as error:
        raise ExportError(
            f"expected an exporter of .{kind} in this Blender {bpy.app.version_string}, but it was built without one; "
            "leave the format out, or use Blender from blender.org or the bpy module"
        ) from error
    _check_space(path)
    try:
        with shown(bpy.context.scene):
            result = operator(filepath=str(path), **settings)
    except RuntimeError as error:
        raise _failure(path, error) from error
    if "FINISHED" not in result:
        raise ExportError(f"Blender did not write {path.name}: its exporter returned {sorted(result)}")


def _write_blend(
    armatures: Sequence[bpy.types.Object], scene: bpy.types.Scene, path: Path, target: ExportTarget
) -> None:
    objects = [*armatures, *(skin for skin in map(find_skin, armatures) if skin is not None)]
    name = armatures[0].name
    with (
        isolated_scene(objects, scene, name=name, frames=whole_range(armatures)) as isolated,
        asset_collection(objects, isolated, name),
    ):
        bpy.data.libraries.write(str(path), {isolated}, fake_user=False, compress=True)


def _check_space(path: Path) -> None:
    """Write as much to *path* as the smallest file needs, and remove it; a quota counts as a full disk."""
    try:
        path.write_bytes(bytes(_LEAST_BYTES))
    except OSError as error:
        raise not_written(path, error.strerror or str(error)) from error
    finally:
        path.unlink(missing_ok=True)


def _failure(path: Path, error: RuntimeError) -> CoreError:
    """Return why Blender did not write *path*, in one line: exporters raise tracebacks, and some hide a full disk."""
    if disk_usage(path.parent).free < _LEAST_FREE_BYTES:
        return not_written(path, os.strerror(errno.ENOSPC))
    lines = [line for line in str(error).splitlines() if line.strip() and not line.startswith("Location: ")]
    reason = lines[-1].strip() if lines else type(error).__name__
    if reason.partition(":")[0] in ("OSError", "PermissionError", "FileNotFoundError"):
        return not_written(path, reason)
    return ExportError(f"Blender could not write {path.name}: {reason.removeprefix('Error: ')}")


@contextmanager
def asset_collection(objects: Sequence[bpy.types.Object], scene: bpy.types.Scene, name: str) -> Iterator[None]:
    """Temporarily move all *objects* of *scene* into a collection called *name* that is marked as an asset."""
    with free_name(bpy.data.collections, name):
        collection = bpy.data.collections.new(name)
        try:
            for item in objects:
                collection.objects.link(item)
                scene.collection.objects.unlink(item)
            scene.collection.children.link(collection)
            collection.asset_mark()
            yield
        finally:
            bpy.data.collections.remove(collection)


def save_session(path: Path) -> Path:
    """Save the whole session as a regular .blend file, windows included; return *path*.

    For sessions that contain nothing but figures; `export_figures` selects figures from a scene with other objects.

    Raises:
        ExportError: Blender could not write it.
        OutputError: *path* refers to a file that the open project consists of or reads.
    """
    with new_file(path) as temporary:
        try:
            bpy.ops.wm.save_as_mainfile(filepath=str(temporary), copy=True, compress=True, check_existing=False)
        except RuntimeError as error:
            raise _failure(path, error) from error
    return path


@contextmanager
def _prepared_scene(
    kind: str, armatures: Sequence[bpy.types.Object], scene: bpy.types.Scene, target: ExportTarget
) -> Iterator[bpy.types.Scene]:
    """Yield a temporary scene with the figures, or with their export rigs if *target* has other conventions."""
    name, frames = armatures[0].name, whole_range(armatures)
    bodies = [skin_of(armature) for armature in armatures]
    with ExitStack() as stack:
        baked = bake_correctives(armatures, scene) if target.correctives else []
        stack.enter_context(shape_in_vertices(armatures))
        stack.enter_context(keyed_correctives(baked))
        objects = [*armatures, *bodies]
        if not target.plain:
            objects = []
            if len(armatures) > 1:
                target = replace(target, node="")  # each needs a unique name
            for armature, body in zip(armatures, bodies, strict=True):
                with isolated_scene([armature], scene, name=name, frames=played_frames(armature)) as isolated:
                    first = isolated.frame_start
                    bones = evaluated_bones(armature, isolated, range(first, isolated.frame_end + 1))
                    bones[..., :3, 3] *= metres_per_unit(scene)
                objects += stack.enter_context(export_rig_of(armature, body, bones, first, target, fbx=kind == "fbx"))
        elif kind != "fbx":
            objects = stack.enter_context(in_metres(objects, scene))
        isolated = stack.enter_context(isolated_scene(objects, scene, name=name, frames=frames))
        if not target.plain or kind != "fbx":
            isolated.unit_settings.scale_length = 1.0  # Blender's exporter of FBX converts by itself
        yield isolated


def _write_fbx(armatures: Sequence[bpy.types.Object], scene: bpy.types.Scene, path: Path, target: ExportTarget) -> None:
    with _prepared_scene("fbx", armatures, scene, target) as isolated:
        if target.fbx_centimetres:
            isolated.unit_settings.scale_length = 0.01
        run_exporter(
            "fbx", path,
            use_selection=True, object_types={"ARMATURE", "MESH"}, add_leaf_bones=False, mesh_smooth_type="FACE",
            apply_scale_options="FBX_SCALE_ALL", axis_forward="-Z", axis_up="Y",
            bake_anim=True, bake_anim_use_all_bones=True, bake_anim_use_nla_strips=False,
            bake_anim_use_all_actions=False, bake_anim_force_startend_keying=True, bake_anim_step=1.0,
            bake_anim_simplify_factor=0.0,
        )  # fmt: skip


def _write_glb(armatures: Sequence[bpy.types.Object], scene: bpy.types.Scene, path: Path, target: ExportTarget) -> None:
    with _prepared_scene("glb", armatures, scene, target):
        run_exporter(
            "glb", path,
            export_format="GLB", use_selection=True, use_active_scene=True, export_yup=True, export_skins=True,
            export_all_influences=False, export_influence_nb=4, export_morph=target.correctives, export_cameras=False,
            export_lights=False, export_animations=True, export_animation_mode="SCENE",
            export_anim_scene_split_object=False, export_force_sampling=True, export_frame_step=1,
            export_frame_range=True, export_optimize_animation_size=False, export_anim_slide_to_zero=True,
        )  # fmt: skip


def _write_usd(armatures: Sequence[bpy.types.Object], scene: bpy.types.Scene, path: Path, target: ExportTarget) -> None:
    with _prepared_scene("usd", armatures, scene, target):
        run_exporter(
            "usd", path,
            selected_objects_only=True, export_animation=True, export_armatures=True, export_materials=True,
            export_custom_properties=False,
        )  # fmt: skip


def _write_bvh(armatures: Sequence[bpy.types.Object], scene: bpy.types.Scene, path: Path, target: ExportTarget) -> None:
    """Write a Y-up .bvh, as readers expect; Blender's exporter keeps the armature's axes, so it gets a Y-up rig."""
    motion = motion_of(armatures[0], scene)
    frames = (1, motion.num_frames)
    with (
        _y_up_rig(armatures[0], motion, scene) as rig,
        isolated_scene([rig], scene, name=armatures[0].name, frames=frames) as isolated,
    ):
        run_exporter(
            "bvh", path,
            frame_start=isolated.frame_start, frame_end=isolated.frame_end, rotate_mode="ZXY", root_transform_only=True,
        )  # fmt: skip


@contextmanager
def _y_up_rig(armature: bpy.types.Object, motion: Motion, scene: bpy.types.Scene) -> Iterator[bpy.types.Object]:
    """Yield a temporary armature with *motion* in the core's axes.

    At rest its pelvis is at the origin: some readers of .bvh add the root's offset to its positions, others do not.
    """
    shape = joint_shape(armature)
    pelvis = shape.joints(motion.betas)[0]
    collection = bpy.data.collections.new("SMPLify export")
    scene.collection.children.link(collection)
    rig = action = None
    try:
        rig = create_armature(armature.name, shape, motion.betas, collection, axes=Y_UP)
        rig.data.transform(Matrix.Translation((-pelvis).tolist()))
        action = key_motion(rig, replace(motion, trans=motion.trans + pelvis), axes=Y_UP)
        yield rig
    finally:
        if rig is not None:
            bpy.data.armatures.remove(rig.data)
        if action is not None:
            bpy.data.actions.remove(action)
        bpy.data.collections.remove(collection)


def _write_npz(armatures: Sequence[bpy.types.Object], scene: bpy.types.Scene, path: Path, target: ExportTarget) -> None:
    _write_motion(armatures[0], path, scene)


def write_amass(
    armature: bpy.types.Object,
    path: Path,
    *,
    scene: bpy.types.Scene,
    extra: Mapping[str, np.ndarray] | None = None,
    layout: str = "smplh",
) -> None:
    """Write the motion of one figure in AMASS layout, Z up like AMASS.

    Args:
        armature: the armature of an imported figure.
        path: the .npz file.
        scene: the scene whose frame rate the keys use.
        extra: additional arrays to write, by name.
        layout: "smplh" or "smplx", see `core.amass.LAYOUTS`.

    Raises:
        OutputError: *path* refers to a file that the open project consists of or reads.
    """
    with new_file(path) as temporary:
        _write_motion(armature, temporary, scene, extra, layout)


def _write_motion(
    armature: bpy.types.Object,
    path: Path,
    scene: bpy.types.Scene,
    extra: Mapping[str, np.ndarray] | None = None,
    layout: str = "smplh",
) -> None:
    motion = motion_of(armature, scene)
    pelvis = joint_shape(armature).joints(motion.betas)[0]
    write_motion(path, motion, rest_pelvis=pelvis, extra=extra, layout=layout, start_s=_start_s(armature))


def _start_s(armature: bpy.types.Object) -> float:
    """Return when the figure begins in its recording, seconds; 0 without a record that can be read."""
    try:
        record = load(armature)
    except RecordError:
        return 0.0
    return 0.0 if record is None else record.start_s


def _write_opensim(
    write: Callable[[Path, Motion, BodyData, float], None],
    armatures: Sequence[bpy.types.Object],
    scene: bpy.types.Scene,
    path: Path,
    target: ExportTarget,
) -> None:
    record = load(armatures[0])
    body = resolve_body(record.source.body if record is not None else None)
    write(path, motion_of(armatures[0], scene), body, 0.0 if record is None else record.start_s)


FORMATS: dict[str, Callable[[Sequence[bpy.types.Object], bpy.types.Scene, Path, ExportTarget], None]] = {
    "blend": _write_blend,
    "fbx": _write_fbx,
    "glb": _write_glb,
    "bvh": _write_bvh,
    "usd": _write_usd,
    "npz": _write_npz,
    "mot": partial(_write_opensim, write_mot),
    "trc": partial(_write_opensim, write_trc),
}
"""The writers by suffix."""
