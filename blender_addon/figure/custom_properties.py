"""The custom properties by which a figure is known, and whether objects have the live settings."""

from __future__ import annotations

import bpy

TEMPLATE_KEY = "smplify_joint_template"
"""The custom property of an armature's data that every figure has: its mean joints, which `armature` keeps there."""

RECORD_KEY = "smplify_record"
"""The custom property with which an armature can be adjusted: what `figure_record` keeps with it."""

MARK_KEY = "smplify_record_mark"
"""A hash of the record, so that one that was read before need not be read again."""


def has_live_settings() -> bool:
    """Return whether objects have the live settings (`Object.smplify`); a command line does without them."""
    return hasattr(bpy.types.Object, "smplify")
