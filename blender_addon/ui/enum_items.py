"""The qualities of a fit, as menus show them. Needs neither Blender nor the core."""

from __future__ import annotations

QUALITY_ITEMS = (
    ("FAST", "Fast", "About half the time: few steps a frame, and joints that tremble are left so. For a first look"),
    ("BALANCED", "Balanced", "Joints that pop or tremble are settled by the frames around them"),
    (
        "BEST",
        "Best",
        "Half as much time again: every frame is drawn towards the motion around it. On clean points, and where points "
        "are missing, about a tenth nearer to the truth; on noisy ones hardly",
    ),
)
