"""Make tests/data/rigs/*.npz out of rig files: run by hand, see tests/data/rigs/README.md."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import bpy
import numpy as np

from blender_addon.character.read_rig import read_rig
from core.retarget.rig import Rig, Skin

_FOLDER = Path(__file__).with_name("rigs")
_KEPT_VERTICES = 2500
_SOLE_SHARE = 0.05
"""Lowest share of a character's height in which every vertex is kept: the soles must not lose their lowest point."""


def open_armature(path: Path) -> bpy.types.Object:
    """Return the armature with most bones in the file *path*."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    if path.suffix == ".blend":
        bpy.ops.wm.open_mainfile(filepath=str(path))
    elif path.suffix == ".bvh":
        bpy.ops.import_anim.bvh(filepath=str(path))
    else:
        bpy.ops.import_scene.gltf(filepath=str(path))
    bpy.context.view_layer.update()
    armatures = [item for item in bpy.data.objects if item.type == "ARMATURE"]
    if not armatures:
        sys.exit(f"{path} holds no armature")
    return max(armatures, key=lambda item: len(item.data.bones))


def thin(skin: Skin) -> Skin:
    """Return about `_KEPT_VERTICES` vertices of *skin*, and all of its soles."""
    height = skin.vertices[:, 1] - skin.vertices[:, 1].min(initial=np.inf)
    step = max(1, len(height) // _KEPT_VERTICES)
    kept = (np.arange(len(height)) % step == 0) | (height < _SOLE_SHARE * height.max(initial=0.0))
    return Skin(skin.vertices[kept], skin.bones[kept], skin.weights[kept])


def save_fixture(rig: Rig, name: str) -> None:
    """Store *rig* in the folder of fixtures: single precision, weights in steps of 1 / 255."""
    skin = thin(rig.skin)
    np.savez_compressed(
        _FOLDER / f"{name}.npz",
        names=np.array(rig.names),
        parents=rig.parents.astype(np.int16),
        heads=rig.heads.astype(np.float32),
        tails=rig.tails.astype(np.float32),
        axes=rig.axes.astype(np.float32),
        deform=rig.deform,
        vertices=skin.vertices.astype(np.float32),
        bones=skin.bones.astype(np.uint8),
        weights=np.round(skin.weights * 255.0).astype(np.uint8),
    )


def main() -> None:
    """Read the files that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, help=".glb, .blend and .bvh files")
    for path in parser.parse_args().files:
        prefix = "cmu_" if path.suffix == ".bvh" else ""
        save_fixture(read_rig(open_armature(path)), prefix + path.stem)


if __name__ == "__main__":
    main()
