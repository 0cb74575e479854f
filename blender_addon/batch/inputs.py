"""What the batch with Blender takes as inputs besides keypoint files. Needs no Blender."""

from __future__ import annotations

from pathlib import Path

ANIMATION_SUFFIXES = (".bvh", ".fbx", ".glb", ".gltf", ".vrm", ".blend")
"""Suffixes of files with animated armatures, whose motions are put onto a character without a fit."""
ARMATURE_SUFFIXES = tuple(suffix for suffix in ANIMATION_SUFFIXES if suffix != ".bvh")
"""Those that are tracks too, once Blender has opened them; the core reads BVH files on its own."""


def is_animation(path: Path) -> bool:
    """Return whether *path* is named as a file with animated armatures."""
    return path.suffix.lower() in ANIMATION_SUFFIXES


def is_armature(path: Path) -> bool:
    """Return whether *path* is named as a file whose armatures are tracks once Blender has opened it."""
    return path.suffix.lower() in ARMATURE_SUFFIXES
