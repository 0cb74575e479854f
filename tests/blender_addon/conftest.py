"""Fixtures of the tests that need Blender's Python module."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.body.data import BodyData
from core.body.free_body import load_free_body
from core.motion import Motion


@pytest.fixture(scope="session")
def body() -> BodyData:
    """The free body."""
    return load_free_body()


@pytest.fixture
def scene():
    """The scene of an empty session."""
    bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")
    bpy.ops.wm.read_homefile(use_empty=True)
    return bpy.context.scene


@pytest.fixture
def addon(scene):
    """The scene of an empty session, with the add-on enabled; no fit is left at work."""
    import blender_addon
    from blender_addon.background.fit_session import FITS

    blender_addon.register()
    yield scene
    blender_addon.unregister()
    assert not FITS.busy


@pytest.fixture(scope="session")
def make_motion() -> Callable[..., Motion]:
    """A maker of procedural motions: all 22 joints swing, the person walks in a circle and spins twice."""

    def make(num_frames: int = 40, fps: float = 30.0, seed: int = 0, betas: np.ndarray | None = None) -> Motion:
        rng = np.random.default_rng(seed)
        phase = np.linspace(0.0, 2.0 * np.pi, num_frames)
        poses = np.zeros((num_frames, 24, 3))
        offset = rng.uniform(0.0, 2.0 * np.pi, (22, 3))
        poses[:, :22] = rng.normal(0.0, 0.35, (22, 3)) * np.sin(phase[:, None, None] + offset)
        spin = np.linspace(0.0, 4.0 * np.pi, num_frames)
        root = np.stack([0.2 * np.sin(phase), spin, 0.1 * np.cos(phase)], axis=-1)
        angle = np.linalg.norm(root, axis=-1, keepdims=True)
        poses[:, 0] = root / angle * ((angle + np.pi) % (2.0 * np.pi) - np.pi)  # as a fit gives it: no angle over pi
        trans = np.stack([np.cos(phase), 0.9 + 0.1 * np.sin(3.0 * phase), 2.0 * np.sin(phase)], axis=-1)
        betas = rng.normal(0.0, 0.8, 10) if betas is None else betas
        return Motion(poses=poses.reshape(num_frames, 72), betas=betas, trans=trans, fps=fps)

    return make


@pytest.fixture
def add_person(scene, body) -> Callable[..., object]:
    """A function that puts a motion on the free body into the scene and returns its figure."""
    from blender_addon.figure.create import FigureOptions, add_figures
    from core.placement import Person

    def add(motion: Motion, name: str = "walk", *, floor: bool = True):
        return add_figures([Person(name, motion, body)], scene, name=name, options=FigureOptions(floor=floor))[0]

    return add


@pytest.fixture(scope="session")
def write_track(body, make_motion) -> Callable[..., Path]:
    """A writer of keypoint files: BODY25 points of a procedural motion, in the project's own NPZ form."""
    from core.body.landmarks import landmark_regressor
    from core.body.model import BodyModel
    from core.layouts import LAYOUTS

    layout = LAYOUTS["body25"]
    model = BodyModel(body)
    regressor = landmark_regressor(body, tuple(point.solver for point in layout.points))

    def write(path: Path, num_frames: int = 12, seed: int = 0) -> Path:
        motion = make_motion(num_frames, seed=seed)
        calm = (0.3 * motion.poses).reshape(num_frames, 24, 3)
        calm[:, 0] = 0.0
        still = replace(motion, poses=calm.reshape(num_frames, 72), trans=0.02 * motion.trans)
        arrays = (still.rotations(), still.betas, still.trans)
        vertices = model.vertices(*(model.array(array) for array in arrays))
        positions = np.einsum("kv,fvc->fkc", regressor, vertices)
        path.parent.mkdir(parents=True, exist_ok=True)
        confidence = np.ones(positions.shape[:2])
        np.savez(path, positions=positions, confidence=confidence, fps=still.fps, layout=layout.name)
        return path

    return write


@pytest.fixture(scope="session")
def fit_folder(tmp_path_factory) -> Path:
    """The folder with the track and the .blend of `fitted_walk`."""
    return tmp_path_factory.mktemp("fitted")


@pytest.fixture
def fitted_walk(addon, write_track, fit_folder):
    """A fitted figure, active: fitted once, and opened from its file by each test."""
    import bpy

    path = fit_folder / "fitted.blend"
    if not path.exists():
        bpy.ops.smplify.open_track(filepath=str(write_track(fit_folder / "walk.npz")))
        addon.smplify.fit.quality = "FAST"
        bpy.ops.smplify.fit()
        bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.open_mainfile(filepath=str(path))
    return bpy.data.objects["walk"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what this Blender cannot do: a program has no Python of its own to start, some builds have no USD."""
    bpy = sys.modules.get("bpy")
    if bpy is None:
        return
    for item in items:
        if bpy.app.binary_path and item.get_closest_marker("bpy_module"):
            item.add_marker(pytest.mark.skip(reason="needs the Python that imports bpy, not a Blender program"))
        if not bpy.app.build_options.usd and item.get_closest_marker("usd"):
            item.add_marker(pytest.mark.skip(reason="this Blender was built without USD"))


def pytest_configure(config: pytest.Config) -> None:
    """Name the markers of this folder."""
    config.addinivalue_line("markers", "bpy_module: starts the Python that imports bpy; skipped in a Blender program")
    config.addinivalue_line("markers", "usd: needs Blender's USD")
