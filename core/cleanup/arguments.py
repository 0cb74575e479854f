"""Command-line options of the clean-up."""

from __future__ import annotations

import argparse

from .options import GROUNDS, ROOTS, CleanupOptions


def add_cleanup_arguments(parser: argparse.ArgumentParser, defaults: CleanupOptions, why: str) -> None:
    """Add the options of `CleanupOptions` to a command line.

    Args:
        parser: the command's parser.
        defaults: the default values.
        why: the reason for these defaults, shown in the help.
    """
    group = parser.add_argument_group("clean-up", f"applied to the fitted motion; {why}")
    group.add_argument(
        "--smooth", type=float, default=defaults.smoothing, metavar="0..1",
        help="smooth the motion: 0.5 according to its own noise, 1 as if it were noisy (default %(default)g)",
    )  # fmt: skip
    group.add_argument(
        "--foot-lock", type=float, default=defaults.foot_lock, metavar="0..1",
        help="keep planted feet in place: 0 not at all, 1 completely (default %(default)g)",
    )  # fmt: skip
    group.add_argument(
        "--ground", choices=GROUNDS, default=defaults.ground,
        help="contacts: move the floor that the feet stand on to height 0 (the clip's lowest point if no foot is ever "
        "planted); keep: as recorded (default %(default)s)",
    )  # fmt: skip
    group.add_argument(
        "--height", type=float, default=defaults.height_m, metavar="METRES",
        help="then raise the motion by this height (default %(default)g)",
    )  # fmt: skip
    group.add_argument(
        "--root", choices=ROOTS, default=defaults.root,
        help="world: move through the room; in_place: keep the pelvis over one spot; treadmill: in place, but keep the "
        "sway; on_ground: put the lower foot of every frame on the floor, as root-relative tracks do instead "
        "of world (default %(default)s)",
    )  # fmt: skip


def cleanup_options(args: argparse.Namespace) -> CleanupOptions:
    """Return the options that the user gave for the arguments of `add_cleanup_arguments`.

    Raises:
        CleanupOptionError: a value is out of range or not one of the choices.
    """
    return CleanupOptions(
        smoothing=args.smooth,
        foot_lock=args.foot_lock,
        ground=args.ground,
        height_m=args.height,
        root=args.root,
    )
