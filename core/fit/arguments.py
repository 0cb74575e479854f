"""The pose network of a fit on a command line."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from .options import FitOptions
from .priors.pose_predictor import NETWORK_JOINTS


def add_network_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `FitOptions` that concern the pose network to a command line."""
    group = parser.add_argument_group("pose network", "what to expect of a pose beyond what the points show")
    group.add_argument(
        "--network", type=Path, metavar="FILE.npz",
        help="weights of a pose network of your own, as training.convert_checkpoint writes them; without it those "
        "that come along",
    )  # fmt: skip
    group.add_argument(
        "--network-joints", choices=tuple(NETWORK_JOINTS), default=FitOptions.network_joints,
        help="which joints it is asked for; of trunk and legs regressions are asked else, and arms are then expected "
        "as their own bend tells. One that has learned from many people may be good for all (default %(default)s)",
    )  # fmt: skip
    group.add_argument(
        "--network-passes", type=int, default=FitOptions.network_passes, metavar="N",
        help="how often it is asked, each time from its last answer (default %(default)s)",
    )  # fmt: skip


def network_options(args: argparse.Namespace) -> dict[str, Any]:
    """Return what the user gave for the arguments of `add_network_arguments`, by the names in `FitOptions`."""
    return {name: getattr(args, name) for name in ("network", "network_joints", "network_passes")}
