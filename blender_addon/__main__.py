"""``python -m blender_addon``: convert keypoint files to animation files, with bpy from PyPI."""

from __future__ import annotations

import sys

from .batch.cli import main

if __name__ == "__main__":
    sys.exit(main())
