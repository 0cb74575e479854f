"""Menu items that several boxes and operators have. Needs neither Blender nor the core."""

from __future__ import annotations

QUALITY_ITEMS = (
    ("FAST", "Fast", "About half the time: few iterations per frame, jitter is not corrected. For a first look"),
    ("BALANCED", "Balanced", "Single-frame outliers and jitter are corrected from neighbouring frames"),
    (
        "BEST",
        "Best",
        "Half as much time again: every frame is refined over time. About a tenth less error on clean points and where "
        "points are missing; hardly any gain on noisy points",
    ),
)

HANDS_DESCRIPTION = "How fingers are held that no points show"
HANDS_ITEMS = (
    ("RELAXED", "Relaxed", "The fingers are slightly bent, as those of a hand that hangs loosely"),
    ("FLAT", "Flat", "The fingers are straight, as in the body's rest pose"),
)
