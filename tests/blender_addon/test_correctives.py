"""Pose correctives: the mesh in Blender is where the body's vertices are, with them on; off, it is as before."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

from mathutils.kdtree import KDTree  # noqa: E402

from blender_addon.core_access import BodyError  # noqa: E402
from blender_addon.export.presets import PRESETS, ExportTarget  # noqa: E402
from blender_addon.export.writers import export_figures  # noqa: E402
from blender_addon.figure.correctives import PREFIX, add_correctives  # noqa: E402
from blender_addon.figure.create import FigureOptions, add_figures, set_betas  # noqa: E402
from blender_addon.figure.record import FigureRecord, store  # noqa: E402
from blender_addon.figure.scene_time import set_scene_rate  # noqa: E402
from core.amass import write_motion  # noqa: E402
from core.body.corrective_basis import corrective_basis  # noqa: E402
from core.body.free_body import load_free_body, load_free_body_with_fingers  # noqa: E402
from core.body.model import BodyModel, pose_features  # noqa: E402
from core.fingers import with_fingers  # noqa: E402
from core.motion import Motion  # noqa: E402
from core.pipeline import FitSource  # noqa: E402
from core.placement import Person  # noqa: E402
from core.smpl_skeleton import JOINT_INDEX  # noqa: E402
from tests.blender_addon.blender_oracle import shown_vertices, z_up  # noqa: E402

BODY = load_free_body_with_fingers()
FRAMES = 6


def bending() -> Motion:
    """Return a motion that bends elbows, shoulders, wrists, knees and hips, each once, far."""
    poses = np.zeros((FRAMES, 24, 3))
    for frame, joints in enumerate((
        {"left_elbow": (0.0, -2.0, 0.0), "right_elbow": (0.0, 1.5, 0.0)},
        {"left_shoulder": (0.0, 0.0, -1.2), "right_shoulder": (0.3, 0.8, 1.0)},
        {"left_wrist": (1.0, 0.0, 0.4), "right_wrist": (-1.0, 0.2, 0.0)},
        {"left_knee": (1.6, 0.0, 0.0), "right_knee": (2.0, 0.0, 0.0), "right_hip": (-1.2, 0.0, 0.0)},
        {"left_hip": (-1.4, 0.0, 0.2), "spine1": (0.3, 0.0, 0.0), "spine2": (0.2, 0.2, 0.0), "neck": (0.2, 0.4, 0.0)},
        {},
    )):  # fmt: skip
        for joint, vector in joints.items():
            poses[frame, JOINT_INDEX[joint]] = vector
    betas = np.random.default_rng(0).normal(0.0, 0.7, 10)
    return Motion(poses.reshape(FRAMES, 72), betas, np.full((FRAMES, 3), 0.3), 30.0)


@pytest.fixture
def figure(addon):
    motion = with_fingers(bending())
    (made,) = add_figures([Person("bends", motion, BODY)], addon, name="bends", options=FigureOptions(floor=False))
    store(made.armature, FigureRecord(made.motion, made.first_frame, FitSource(), None, motion.fps, np.zeros(3)))
    return made


def errors_mm(figure, motion: Motion) -> np.ndarray:
    """Return how far the shown vertices are from the body's (F, V)."""
    parts = (part.astype(np.float32) for part in (motion.rotations(), motion.betas, motion.trans))
    expected = z_up(np.asarray(BodyModel(BODY).vertices(*parts), dtype=np.float64))
    shown = np.stack([shown_vertices(figure.mesh, figure.first_frame + frame) for frame in range(motion.num_frames)])
    return 1e3 * np.linalg.norm(shown - expected, axis=-1)


def corrective_keys(figure) -> list[str]:
    return [key.name for key in figure.mesh.data.shape_keys.key_blocks if key.name.startswith(PREFIX)]


def test_the_basis_reproduces_the_pose_correctives() -> None:
    body, basis = load_free_body(), corrective_basis(load_free_body())
    rotations = bending().rotations()
    exact = pose_features(rotations) @ body.posedirs.reshape(-1, 207).T
    values = np.einsum("nab,fnab->fn", basis.coefficients, rotations[:, basis.joints] - np.eye(3))
    assert np.abs(values).max() <= 1.0
    kept = np.einsum("fn,nvc->fvc", values, basis.offsets)
    error = 1e3 * np.linalg.norm(kept - exact.reshape(kept.shape), axis=-1)
    assert error.mean() < 0.05 and error.max() < 2.0


def test_the_mesh_has_the_bodys_vertices(figure):
    motion = figure.motion
    off = errors_mm(figure, motion)
    figure.armature.smplify.correctives = True
    assert figure.armature.smplify.trouble == "" and len(corrective_keys(figure)) == 100
    drivers = figure.mesh.data.shape_keys.animation_data.drivers
    assert all(curve.driver.is_simple_expression for curve in drivers), "evaluated without Python"
    on = errors_mm(figure, motion)
    assert off.max() > 15.0
    assert on.mean() < 0.05 and on.max() < 2.0
    set_betas(figure.armature, np.zeros(10))
    assert errors_mm(figure, replace(motion, betas=np.zeros(10))).max() < 2.0
    figure.armature.smplify.correctives = False
    assert corrective_keys(figure) == [] and not figure.mesh.data.shape_keys.animation_data.drivers
    set_betas(figure.armature, motion.betas)
    np.testing.assert_allclose(errors_mm(figure, motion), off, atol=1e-2)


def test_correctives_follow_edited_poses(figure):
    figure.armature.smplify.correctives = True
    figure.armature.animation_data_clear()
    bone = figure.armature.pose.bones["left_elbow"]
    bpy.context.scene.frame_set(3)
    bpy.context.view_layer.update()
    straight = shown_vertices(figure.mesh, 3)
    bone.rotation_quaternion = (0.7, 0.71, 0.0, 0.0)
    values = [key.value for key in figure.mesh.data.shape_keys.key_blocks if key.name.endswith("left_elbow")]
    bpy.context.view_layer.update()
    assert np.abs(shown_vertices(figure.mesh, 3) - straight).max() > 0.1
    shown = figure.mesh.evaluated_get(bpy.context.evaluated_depsgraph_get()).data.shape_keys.key_blocks
    assert [key.value for key in shown if key.name.endswith("left_elbow")] != values


def test_an_imported_motion_has_correctives_and_undo_restores_them(addon, tmp_path):
    write_motion(tmp_path / "bends.npz", bending(), rest_pelvis=np.zeros(3))
    bpy.ops.smplify.import_motion(filepath=str(tmp_path / "bends.npz"))
    bpy.ops.ed.undo_push(message="imported")
    bpy.data.objects["bends"].smplify.correctives = False
    bpy.ops.ed.undo_push(message="off")
    assert not bpy.data.objects["bends"].smplify.correctives
    bpy.ops.ed.undo()
    armature = bpy.data.objects["bends"]
    keys = armature.children[0].data.shape_keys
    assert armature.smplify.correctives and len(keys.animation_data.drivers) == 100
    armature.smplify.height_m = 0.5
    bpy.context.scene.frame_set(1)
    shown = armature.children[0].evaluated_get(bpy.context.evaluated_depsgraph_get()).data.shape_keys.key_blocks
    bent = [key.value for key in shown if key.name.startswith(PREFIX) and key.name.endswith("left_elbow")]
    assert np.abs(bent).max() > 0.2, "the keys that a live setting wrote are followed"


@pytest.fixture
def elbows(addon):
    """A figure that bends its elbows alone, so that few keys are written."""
    motion = with_fingers(bending())
    motion = replace(motion, poses=motion.poses[[0, -1]], trans=motion.trans[:2])
    (made,) = add_figures([Person("arms", motion, BODY)], addon, name="arms", options=FigureOptions(floor=False))
    return made


def counted() -> dict[str, int]:
    names = ("meshes", "shape_keys", "actions", "objects", "armatures", "collections", "scenes")
    return {name: len(getattr(bpy.data, name)) for name in names}


IMPORTERS = {
    "fbx": lambda path: bpy.ops.import_scene.fbx(filepath=path),
    "glb": lambda path: bpy.ops.import_scene.gltf(filepath=path),
    "usd": lambda path: bpy.ops.wm.usd_import(filepath=path),
}


def skin_of_file(path, frame: int) -> np.ndarray:
    """Return the vertices (N, 3) of the only figure of a file in a frame, counted from 0."""
    bpy.ops.wm.read_homefile(use_empty=True)
    set_scene_rate(bpy.context.scene, 30.0)
    IMPORTERS[path.suffix[1:]](str(path))
    (armature,) = [item for item in bpy.context.scene.objects if item.type == "ARMATURE"]
    (mesh,) = [item for item in bpy.context.scene.objects if item.type == "MESH" and len(item.data.polygons) == 13776]
    return shown_vertices(mesh, round(armature.animation_data.action.frame_range[0]) + frame)


@pytest.mark.parametrize(("kind", "preset"), [
    ("fbx", "UNREAL"), ("glb", "BLENDER"), pytest.param("usd", "UNREAL", marks=pytest.mark.usd)
])  # fmt: skip
def test_exports_have_correctives_on_request(elbows, tmp_path, kind, preset):
    plain = shown_vertices(elbows.mesh, elbows.first_frame)
    add_correctives(elbows.armature, BODY)
    true, before = shown_vertices(elbows.mesh, elbows.first_frame), counted()
    assert np.abs(true - plain).max() > 0.01
    target = replace(PRESETS[preset].target, correctives=True)
    path = export_figures([elbows.armature], tmp_path / f"on.{kind}", target=target)
    assert counted() == before and len(elbows.mesh.data.shape_keys.animation_data.drivers) == 100
    shown = skin_of_file(path, 0)
    if kind == "glb":  # which has a vertex for each point of the UV map, with four weights
        assert farthest(true, shown).mean() < 1e-4 < farthest(plain, shown).mean()
    else:
        np.testing.assert_allclose(shown, true, atol=1e-4)


def farthest(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return how far each of *points* (N, 3) is from the nearest of *others* (M, 3)."""
    tree = KDTree(len(others))
    for number, other in enumerate(others.tolist()):
        tree.insert(other, number)
    tree.balance()
    return np.array([tree.find(point)[2] for point in points.tolist()])


@pytest.mark.parametrize("kind", ["fbx", "glb"])
def test_exports_have_no_correctives_without_request_or_if_the_figure_has_none(elbows, tmp_path, kind):
    first = export_figures([elbows.armature], tmp_path / f"off.{kind}", target=ExportTarget(correctives=True))
    add_correctives(elbows.armature, BODY)
    second = export_figures([elbows.armature], tmp_path / f"on.{kind}")
    assert abs(first.stat().st_size - second.stat().st_size) < 200


def test_a_figure_without_shape_keys_reports_the_reason(figure):
    figure.mesh.shape_key_clear()
    figure.armature.smplify.correctives = True
    assert "shape keys" in figure.armature.smplify.trouble


def test_a_remodelled_mesh_is_refused(figure, addon):
    with pytest.raises(BodyError, match="expected the 10475 vertices of the body 'smplx'"):
        add_correctives(figure.armature, SimpleNamespace(name="smplx", v_template=np.zeros((10475, 3))))


def test_a_body_without_pose_directions_gets_no_keys(figure):
    add_correctives(figure.armature, replace(BODY, posedirs=np.zeros_like(BODY.posedirs)))
    assert corrective_keys(figure) == []
