"""The custom properties that identify a figure, and whether objects have the live settings."""

from __future__ import annotations

import bpy

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


def has_live_settings() -> bool:
    """Return whether objects have the live settings (`Object.smplify`); on the command line they may be missing."""
    return hasattr(bpy.types.Object, "smplify")
