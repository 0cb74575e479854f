"""The clean-up on a command line."""

from __future__ import annotations

import argparse

from .options import GROUNDS, ROOTS, CleanupOptions


def add_cleanup_arguments(parser: argparse.ArgumentParser, defaults: CleanupOptions, why: str) -> None:
    """Add the options of `CleanupOptions` to a command line.

    Args:
        parser: of the command.
        defaults: what holds where nothing is given.
        why: the reason for these defaults, for the help.
    """
    group = parser.add_argument_group("cleaning up", f"what is done to the finished motion; {why}")
    group.add_argument(
        "--smooth", type=float, default=defaults.smoothing, metavar="0..1",
        help="calm the motion: 0.5 as much as its own noise calls for, 1 as if it were noisy (default %(default)g)",
    )  # fmt: skip
    group.add_argument(
        "--foot-lock", type=float, default=defaults.foot_lock, metavar="0..1",
        help="keep feet where they stand: 0 not at all, 1 altogether (default %(default)g)",
    )  # fmt: skip
    group.add_argument(
        "--ground", choices=GROUNDS, default=defaults.ground,
        help="contacts: the floor that the feet stand on comes to height 0, the clip's lowest point where no foot ever "
        "stands; keep: as recorded (default %(default)s)",
    )  # fmt: skip
    group.add_argument(
        "--height", type=float, default=defaults.height_m, metavar="METRES",
        help="lift the motion by so much after that (default %(default)g)",
    )  # fmt: skip
    group.add_argument(
        "--root", choices=ROOTS, default=defaults.root,
        help="world: through the room; in_place: the pelvis stays over one spot; treadmill: it stays there but sways; "
        "on_ground: every frame's lower foot stands, as tracks without a place in the room always do "
        "(default %(default)s)",
    )  # fmt: skip


def cleanup_options(args: argparse.Namespace) -> CleanupOptions:
    """Return what the user gave for the arguments of `add_cleanup_arguments`.

    Raises:
        CleanupOptionError: a value is none of those an option may have.
    """
    return CleanupOptions(
        smoothing=args.smooth,
        foot_lock=args.foot_lock,
        ground=args.ground,
        height_m=args.height,
        root=args.root,
    )
