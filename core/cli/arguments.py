"""Command-line options of a fit and of a batch, shared by every command that converts keypoint files."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from ..batch.jobs import BatchError, Shard
from ..cleanup import CleanupOptions, add_cleanup_arguments, cleanup_options
from ..convert_options import NPZ_LAYOUTS, ConvertOptions
from ..fingers import DEFAULT_HANDS, HANDS
from ..fit import FitOptions
from ..fit.arguments import add_network_arguments, network_options
from ..fit.options import MODES
from ..fit.quality import QUALITIES
from ..io.own_files import OVERWRITE_HELP
from ..math.arrays import DEVICES
from ..reading import add_reading_arguments, reading_options


def add_convert_arguments(
    parser: argparse.ArgumentParser, cleanup: CleanupOptions, why: str, *, devices: Sequence[str] = DEVICES
) -> None:
    """Add the options of `ConvertOptions` to a command line, without those of a kind of output.

    Args:
        parser: the command's parser.
        cleanup: the default clean-up.
        why: the reason for it, shown in the help.
        devices: the kinds of devices that the command offers.
    """
    add_reading_arguments(parser)
    fit = parser.add_argument_group("fitting")
    fit.add_argument("--body", metavar="FILE", help="licensed SMPL file (.pkl, .npz); default: the free body")
    fit.add_argument("--regressor", type=Path, metavar="FILE", help="keypoint regressor for that body (.npy)")
    fit.add_argument("--betas", type=Path, metavar="FILE.npy", help="known shape; default: estimated from the track")
    fit.add_argument(
        "--mode", choices=MODES, default=FitOptions.mode, help="fit all frames at once, or one after the other"
    )
    fit.add_argument(
        "--quality", choices=tuple(QUALITIES), default=FitOptions.quality,
        help="work per frame: fast takes half the time but leaves joint jitter; best takes half as long again and "
        "refines every frame towards the motion around it, for about a tenth less error (default %(default)s)",
    )  # fmt: skip
    fit.add_argument(
        "--smoothing", type=float, default=FitOptions.smoothing, metavar="0..1",
        help="how much to smooth the keypoints (default %(default)g)",
    )  # fmt: skip
    fit.add_argument("--out-fps", type=float, metavar="RATE", help="frame rate of the motion; default: the track's")
    fit.add_argument(
        "--device", default=FitOptions.device, metavar="NAME",
        help=f"where to compute: {', '.join(devices)} (default %(default)s)",
    )  # fmt: skip
    fit.add_argument(
        "--npz-layout", choices=NPZ_LAYOUTS, default=NPZ_LAYOUTS[0],
        help="poses in .npz files: smplh has 52 joints, smplx 55 (default %(default)s)",
    )  # fmt: skip
    fit.add_argument(
        "--no-fingers", action="store_true", help="do not fit fingers to the points of hands; hold them as others that "
        "no points show",
    )  # fmt: skip
    fit.add_argument(
        "--rest-hands", choices=tuple(HANDS), default=DEFAULT_HANDS,
        help="how to hold fingers that no points show (default %(default)s)",
    )  # fmt: skip
    fit.add_argument(
        "--no-pose-correctives", action="store_true", help="fit a body whose skin has no blend shapes that depend on "
        "the pose: plain skinning, which its figure in Blender has too",
    )  # fmt: skip
    add_network_arguments(parser)
    add_cleanup_arguments(parser, cleanup, why)


def convert_options(args: argparse.Namespace) -> ConvertOptions:
    """Return the options from the parsed arguments of `add_convert_arguments`.

    Raises:
        CoreError: an option has an invalid value.
    """
    fit = FitOptions(
        mode=args.mode,
        quality=args.quality,
        smoothing=args.smoothing,
        fps=args.out_fps,
        device=args.device,
        fingers=not args.no_fingers,
        pose_correctives=not args.no_pose_correctives,
        **network_options(args),
    )
    return ConvertOptions(
        reading=reading_options(args),
        body=args.body or "",
        betas=str(args.betas or ""),
        regressor=str(args.regressor or ""),
        fit=fit,
        cleanup=cleanup_options(args),
        npz_layout=args.npz_layout,
        hands=args.rest_hands,
    )


def named_points_file(args: argparse.Namespace) -> dict[Path, str]:
    """Return the file that ``--names`` gives, with its role: no input of a batch, and no output may replace it."""
    return {} if args.names is None else {args.names: "the names of the points"}


def add_batch_arguments(parser: argparse.ArgumentParser, when: str = "") -> None:
    """Add the options of a batch to a command line; *when* says in the help when they apply."""
    group = parser.add_argument_group("batch", when or None)
    group.add_argument(
        "--jobs", type=_positive, default=1, metavar="N", help="number of inputs to convert in parallel (default: 1)"
    )
    group.add_argument(
        "--shard", type=_shard, metavar="I/N",
        help="convert only every N-th input, from the I-th: for one of N tasks that share the folder, as those of a "
        "job array do",
    )  # fmt: skip
    add_overwrite_argument(parser, "in a batch, also convert inputs again that are already done")
    parser.add_argument("--force", dest="overwrite", action="store_true", help=argparse.SUPPRESS)  # its earlier name


def add_overwrite_argument(parser: argparse.ArgumentParser, also: str = "") -> None:
    """Add the option ``--overwrite`` to a command line; *also* says in the help what else it does."""
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help=OVERWRITE_HELP + (f"; {also}" if also else ""),
    )


def _shard(text: str) -> Shard:
    try:
        return Shard.parse(text)
    except BatchError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected a number of at least 1, got {text}")
    return number
