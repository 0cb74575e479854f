"""Clean-up of a finished motion: calmer, feet that stay where they stand, on the floor, in place.

`prepare` does once what takes long; `clean` is fast enough to follow a slider::

    source = prepare(motion, body, held_joints(report.flags, motion, track.fps))
    steady = clean(source, CleanupOptions(smoothing=0.5, foot_lock=1.0, ground="contacts"))

`steadied` and `placed` are its two halves, for whoever changes the second one's options alone.
"""

from __future__ import annotations

from .arguments import add_cleanup_arguments, cleanup_options
from .cleaning import clean, placed, steadied
from .contacts import Contact
from .ground import Ground
from .options import GROUNDS, ROOTS, CleanupOptionError, CleanupOptions
from .source import CleanupSource, held_joints, prepare

__all__ = [
    "GROUNDS",
    "ROOTS",
    "CleanupOptionError",
    "CleanupOptions",
    "CleanupSource",
    "Contact",
    "Ground",
    "add_cleanup_arguments",
    "clean",
    "cleanup_options",
    "held_joints",
    "placed",
    "prepare",
    "steadied",
]
