"""Learnable SMPLify for Blender: from a file of 3D keypoints to a skinned, animated SMPL figure.

Importing this package needs no Blender, so that ``python -m blender_addon`` can explain what is missing if bpy cannot
be loaded. Blender calls `register` and `unregister`.
"""

from __future__ import annotations


def register() -> None:
    """Add the add-on's classes and its command-line command to Blender."""
    from . import registration

    registration.register()


def unregister() -> None:
    """Remove everything that `register` added."""
    from . import registration

    registration.unregister()
