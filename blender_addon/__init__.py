"""Learnable SMPLify for Blender: from a file of 3D keypoints to a skinned, keyed SMPL figure.

Importing this package needs no Blender: ``python -m blender_addon`` has to explain what is missing where bpy cannot be
loaded. Blender itself calls `register` and `unregister`.
"""

from __future__ import annotations


def register() -> None:
    """Add the add-on's classes and its command line command to Blender."""
    from . import registration

    registration.register()


def unregister() -> None:
    """Take away everything that `register` added."""
    from . import registration

    registration.unregister()
