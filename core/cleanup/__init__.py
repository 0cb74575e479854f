"""Clean-up of a finished motion: calmer, feet that stay where they stand, on the floor, in place.

`analyse_motion` does once what takes long; `clean_up` is fast enough to follow a slider::

    source = analyse_motion(motion, body, held_joints(report.flags, motion, track.fps))
    steady = clean_up(source, CleanupOptions(smoothing=0.5, foot_lock=1.0, ground="contacts"))

`smooth_and_lock_feet` and `place_in_room` are its two halves, for whoever changes the second one's options alone.
"""

from __future__ import annotations

from .arguments import add_cleanup_arguments, cleanup_options
from .cleaning import clean_up, place_in_room, smooth_and_lock_feet
from .contacts import Contact
from .ground import Ground
from .options import GROUNDS, ROOTS, CleanupOptionError, CleanupOptions
from .source import CleanupSource, analyse_motion, held_joints

__all__ = [
    "GROUNDS",
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
    "held_joints",
    "place_in_room",
    "smooth_and_lock_feet",
]
