"""What the batch with Blender takes as inputs besides keypoint files. Needs no Blender."""

from __future__ import annotations

from pathlib import Path

ANIMATION_SUFFIXES = (".bvh", ".fbx", ".glb", ".gltf", ".vrm", ".blend")
"""Suffixes of files with animated armatures, whose motions are put onto a character without a fit."""


def is_animation(path: Path) -> bool:
    """Return whether *path* is named as a file with animated armatures."""
    return path.suffix.lower() in ANIMATION_SUFFIXES
