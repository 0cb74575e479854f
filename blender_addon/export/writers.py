"""Figures as files: .blend, .fbx, .glb, .bvh and .usd by Blender's own exporters, .npz in AMASS layout.

Everything is written from a stage: a scene of its own that holds only the figures, with exactly the clip's frame range
and the rate it plays at. Files appear whole or not at all, and never in place of one that the open project lives in or
reads. Except in a .blend, the mesh is written with its shape in
the vertices instead of shape keys, so that every reader shows the right body.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import addon_utils
import bpy
import numpy as np
from mathutils import Matrix

from ..core_access import CoreError, Motion, atomic_path, write_motion
from ..figure.animation import key_motion
from ..figure.armature import create_armature, joint_shape
from ..figure.axes import Y_UP
from ..figure.body_mesh import body_mesh_of
from ..figure.evaluated_motion import motion_of
from ..figure.isolated_scene import played_frames, shape_in_vertices, stage_of, whole_range
from ..project_files import project_files
from ..result.error_colors import without_colors
from .export_rig import shown_bones, twin_of
from .presets import ExportTarget

_OPERATORS: dict[str, Any] = {
    "fbx": bpy.ops.export_scene.fbx,
    "glb": bpy.ops.export_scene.gltf,
    "bvh": bpy.ops.export_anim.bvh,
    "usd": bpy.ops.wm.usd_export,
}
_WRITER_ADDONS = {"fbx": "io_scene_fbx", "glb": "io_scene_gltf2", "bvh": "io_anim_bvh"}
"""Blender's add-ons that write a format; a user may have switched them off."""


class ExportError(CoreError, RuntimeError):
    """Blender could not write a file."""


def export_figures(
    armatures: Sequence[bpy.types.Object],
    path: Path,
    *,
    scene: bpy.types.Scene | None = None,
    target: ExportTarget | None = None,
) -> Path:
    """Write figures to *path*; its suffix says in which format.

    Called in Object mode. The scene, its current frame, selection and active object are as before afterwards.

    Args:
        armatures: of imported figures; .bvh and .npz hold one person.
        path: ends in one of the suffixes of `FORMATS`.
        scene: whose frame rate the keys play at; None is the current scene.
        target: what another program expects of .fbx, .glb and .usd; None writes the figures as they are. The other
            formats have rules of their own.

    Raises:
        ExportError: the suffix is unknown, a format for one person is asked to hold several, or Blender failed.
        OutputError: *path* leads to a file that the open project lives in or reads; see `project_files`.
        CoreError: an armature is not one of an imported figure, or not animated.
    """
    path = Path(path)
    kind = path.suffix.lower().lstrip(".")
    if kind not in FORMATS:
        raise ExportError(f"expected a file name ending in .{', .'.join(FORMATS)}; got {path.name!r} for {path}")
    if kind in ("bvh", "npz") and len(armatures) != 1:
        raise ExportError(f"a .{kind} file holds one person, got {len(armatures)} for {path}; write one file a person")
    with without_colors(armatures), _new_file(path) as temporary:
        FORMATS[kind](armatures, scene or bpy.context.scene, temporary, target or ExportTarget())
    return path


@contextmanager
def _new_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path that takes the place of *path* when the block ends well.

    Raises:
        OutputError: *path* leads to a file that the open project lives in or reads.
    """
    project_files().check(path)
    with atomic_path(path) as temporary:
        yield temporary


def _run(kind: str, path: Path, **settings: object) -> None:
    """Run the exporter of a format, with the add-on it belongs to switched on.

    Raises:
        ExportError: this Blender has none for the format, or it failed or refused.
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
    try:
        result = operator(filepath=str(path), **settings)
    except RuntimeError as error:
        raise ExportError(f"Blender could not write {path.name}: {error}") from error
    if "FINISHED" not in result:
        raise ExportError(f"Blender did not write {path.name}: its exporter returned {sorted(result)}")


def _write_blend(
    armatures: Sequence[bpy.types.Object], scene: bpy.types.Scene, path: Path, target: ExportTarget
) -> None:
    players = [*armatures, *map(body_mesh_of, armatures)]
    with stage_of(players, scene, name=armatures[0].name, frames=whole_range(armatures)) as stage:
        bpy.data.libraries.write(str(path), {stage}, fake_user=False, compress=True)


def save_session(path: Path) -> Path:
    """Save everything in this Blender as a file that opens like any other, windows and all; return *path*.

    For a session that holds nothing but figures; `export_figures` picks figures out of a scene of other things.

    Raises:
        ExportError: Blender could not write it.
        OutputError: *path* leads to a file that the open project lives in or reads.
    """
    with _new_file(path) as temporary:
        try:
            bpy.ops.wm.save_as_mainfile(filepath=str(temporary), copy=True, compress=True, check_existing=False)
        except RuntimeError as error:
            raise ExportError(f"Blender could not write {path.name}: {error}") from error
    return path


@contextmanager
def _played(
    kind: str, armatures: Sequence[bpy.types.Object], scene: bpy.types.Scene, target: ExportTarget
) -> Iterator[bpy.types.Scene]:
    """Yield a stage that holds the figures, or their twins where *target* asks for other than they are."""
    name, frames = armatures[0].name, whole_range(armatures)
    bodies = [body_mesh_of(armature) for armature in armatures]
    with ExitStack() as stack:
        stack.enter_context(shape_in_vertices(armatures))
        players = [*armatures, *bodies]
        if not target.plain:
            players = []
            if len(armatures) > 1:
                target = replace(target, node="")  # each needs a name of its own
            for armature, body in zip(armatures, bodies, strict=True):
                with stage_of([armature], scene, name=name, frames=played_frames(armature)) as stage:
                    first = stage.frame_start
                    bones = shown_bones(armature, stage, range(first, stage.frame_end + 1))
                players += stack.enter_context(twin_of(armature, body, bones, first, target, fbx=kind == "fbx"))
        yield stack.enter_context(stage_of(players, scene, name=name, frames=frames))


def _write_fbx(armatures: Sequence[bpy.types.Object], scene: bpy.types.Scene, path: Path, target: ExportTarget) -> None:
    with _played("fbx", armatures, scene, target) as stage:
        if target.fbx_centimetres:
            stage.unit_settings.scale_length = 0.01
        _run(
            "fbx", path,
            use_selection=True, object_types={"ARMATURE", "MESH"}, add_leaf_bones=False, mesh_smooth_type="FACE",
            apply_scale_options="FBX_SCALE_ALL", axis_forward="-Z", axis_up="Y",
            bake_anim=True, bake_anim_use_all_bones=True, bake_anim_use_nla_strips=False,
            bake_anim_use_all_actions=False, bake_anim_force_startend_keying=True, bake_anim_step=1.0,
            bake_anim_simplify_factor=0.0,
        )  # fmt: skip


def _write_glb(armatures: Sequence[bpy.types.Object], scene: bpy.types.Scene, path: Path, target: ExportTarget) -> None:
    with _played("glb", armatures, scene, target):
        _run(
            "glb", path,
            export_format="GLB", use_selection=True, use_active_scene=True, export_yup=True, export_skins=True,
            export_all_influences=False, export_influence_nb=4, export_morph=False, export_cameras=False,
            export_lights=False, export_animations=True, export_animation_mode="SCENE",
            export_anim_scene_split_object=False, export_force_sampling=True, export_frame_step=1,
            export_frame_range=True, export_optimize_animation_size=False, export_anim_slide_to_zero=True,
        )  # fmt: skip


def _write_usd(armatures: Sequence[bpy.types.Object], scene: bpy.types.Scene, path: Path, target: ExportTarget) -> None:
    with _played("usd", armatures, scene, target):
        _run(
            "usd", path,
            selected_objects_only=True, export_animation=True, export_armatures=True, export_materials=True,
            export_custom_properties=False,
        )  # fmt: skip


def _write_bvh(armatures: Sequence[bpy.types.Object], scene: bpy.types.Scene, path: Path, target: ExportTarget) -> None:
    """Write a Y-up .bvh, as its readers expect; Blender's exporter writes an armature's own axes: it gets a twin."""
    motion = motion_of(armatures[0], scene)
    frames = (1, motion.num_frames)
    with (
        _y_up_twin(armatures[0], motion, scene) as twin,
        stage_of([twin], scene, name=armatures[0].name, frames=frames) as stage,
    ):
        _run(
            "bvh", path,
            frame_start=stage.frame_start, frame_end=stage.frame_end, rotate_mode="ZXY", root_transform_only=True,
        )  # fmt: skip


@contextmanager
def _y_up_twin(armature: bpy.types.Object, motion: Motion, scene: bpy.types.Scene) -> Iterator[bpy.types.Object]:
    """Yield an armature that does *motion* in the core's axes, for the time being.

    Its pelvis is at the origin at rest: some readers of .bvh add the root's offset to its places, others do not.
    """
    shape = joint_shape(armature)
    pelvis = shape.joints(motion.betas)[0]
    collection = bpy.data.collections.new("SMPLify export")
    scene.collection.children.link(collection)
    twin = action = None
    try:
        twin = create_armature(armature.name, shape, motion.betas, collection, axes=Y_UP)
        twin.data.transform(Matrix.Translation((-pelvis).tolist()))
        action = key_motion(twin, replace(motion, trans=motion.trans + pelvis), axes=Y_UP)
        yield twin
    finally:
        if twin is not None:
            bpy.data.armatures.remove(twin.data)
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
) -> None:
    """Write what one figure does in AMASS layout, Z up as AMASS is.

    Args:
        armature: of an imported figure.
        path: the .npz file.
        scene: whose frame rate the keys play at.
        extra: more arrays to write, by name.

    Raises:
        OutputError: *path* leads to a file that the open project lives in or reads.
    """
    with _new_file(path) as temporary:
        _write_motion(armature, temporary, scene, extra)


def _write_motion(
    armature: bpy.types.Object,
    path: Path,
    scene: bpy.types.Scene,
    extra: Mapping[str, np.ndarray] | None = None,
) -> None:
    motion = motion_of(armature, scene)
    pelvis = joint_shape(armature).joints(motion.betas)[0]
    write_motion(path, motion, rest_pelvis=pelvis, extra=extra)


FORMATS: dict[str, Callable[[Sequence[bpy.types.Object], bpy.types.Scene, Path, ExportTarget], None]] = {
    "blend": _write_blend,
    "fbx": _write_fbx,
    "glb": _write_glb,
    "bvh": _write_bvh,
    "usd": _write_usd,
    "npz": _write_npz,
}
"""The writers by suffix."""
