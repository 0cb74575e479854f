"""The custom properties that identify a figure, and whether objects have the live settings."""

from __future__ import annotations

import json
from typing import Any

import bpy
import numpy as np

TEMPLATE_KEY = "smplify_joint_template"
"""Custom property of the armature data of every figure: the mean rest joints, written by `figure.armature`."""

RECORD_KEY = "smplify_record"
"""Custom property of an armature that can be adjusted: the record, written by `figure.record`."""

MARK_KEY = "smplify_record_mark"
"""Custom property with the hash of the record, the key of the cache of decoded records."""

KEYS_KEY = "smplify_keys"
"""Custom property of the armature: hash of the keys as they were last written, by `figure.keyframe_hash`."""

APPLIED_KEY = "smplify_applied"
"""Custom property of the armature: the live settings that the keys were written with, as JSON."""

FILE_KEY = "smplify_file"
"""Custom property of the armature of a character: the file that it was opened from, which no export replaces."""

KEPT_KEY = "smplify_pose_before_live"
"""Custom property of the armature of a character while it is in a live pose: the pose before, by `live.kept_pose`."""

LIVE_KEY = "smplify_live"
"""Custom property of the armature of a figure that live sessions made: the body file, empty for the free body."""


def text_of(owner: bpy.types.ID, key: str, default: str = "") -> str:
    """Return the text in the custom property *key*; *default* if there is none, or no text."""
    found = owner.get(key)
    return found if isinstance(found, str) else default


def json_of(owner: bpy.types.ID, key: str) -> Any:
    """Return the value whose JSON the custom property *key* is; None if there is none, or no JSON."""
    try:
        return json.loads(text_of(owner, key, "null"))
    except (ValueError, RecursionError):
        return None


def numbers_of(owner: bpy.types.ID, key: str, shape: tuple[int, ...]) -> np.ndarray | None:
    """Return the finite numbers of the custom property *key* in *shape*; None for anything else."""
    try:
        numbers = np.array(owner.get(key), dtype=np.float64)
    except (TypeError, ValueError):
        return None
    return numbers.reshape(shape) if numbers.size == np.prod(shape) and np.isfinite(numbers).all() else None


def has_live_settings() -> bool:
    """Return whether objects have the live settings (`Object.smplify`); on the command line they may be missing."""
    return hasattr(bpy.types.Object, "smplify")
