"""Clean-up of a finished motion: smoothing, foot lock, ground alignment and root motion.

`analyse_motion` is slow and runs once per motion; `clean_up` is fast enough to follow a slider::

    source = analyse_motion(motion, body, held_joints(report.flags, motion, track.fps))
    cleaned = clean_up(source, CleanupOptions(smoothing=0.5, foot_lock=1.0, ground="contacts"))

`clean_up` runs `smooth_and_lock_feet`, then `place_in_room`. Call them separately if only the options of the second
change.
"""

from __future__ import annotations

from .arguments import add_cleanup_arguments, cleanup_options
from .cleaning import clean_up, place_in_room, smooth_and_lock_feet
from .contacts import Contact
from .ground import Ground
from .options import GROUNDS, PLANTED, ROOTS, CleanupOptionError, CleanupOptions
from .source import CleanupSource, analyse_motion, find_floor, held_joints

__all__ = [
    "GROUNDS",
    "PLANTED",
    "ROOTS",
    "CleanupOptionError",
    "CleanupOptions",
    "CleanupSource",
    "Contact",
    "Ground",
    "add_cleanup_arguments",
    "analyse_motion",
    "clean_up",
    "cleanup_options",
    "find_floor",
    "held_joints",
    "place_in_room",
    "smooth_and_lock_feet",
]
