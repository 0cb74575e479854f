"""Command-line arguments for what predicts the pose in a fit: the pose network and the regressions."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from .options import FitOptions
from .priors.pose_predictor import NETWORK_JOINTS


def add_network_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `FitOptions` that concern the expected pose to a command line."""
    group = parser.add_argument_group("expected pose", "predicted where the keypoints do not show it")
    group.add_argument(
        "--network", type=Path, metavar="FILE.npz",
        help="weights file of your own pose network, as written by training.convert_checkpoint (default: the network "
        "that ships with the project)",
    )  # fmt: skip
    group.add_argument(
        "--network-joints", choices=tuple(NETWORK_JOINTS), default=FitOptions.network_joints,
        help="joints that the network predicts; regressions predict the other joints of trunk and legs, and other arm "
        "joints are expected as in the initial pose, which follows from the arm's bend; 'all' suits a network that was "
        "trained on many people (default %(default)s)",
    )  # fmt: skip
    group.add_argument(
        "--network-passes", type=int, default=FitOptions.network_passes, metavar="N",
        help="number of times the network is applied, each time to its last prediction (default %(default)s)",
    )  # fmt: skip
    group.add_argument(
        "--prior", type=Path, metavar="FILE.npz",
        help="regressions for trunk and legs from motions of your own, as written by training.pose_prior (default: "
        "those that ship with the project)",
    )  # fmt: skip


def network_options(args: argparse.Namespace) -> dict[str, Any]:
    """Return the parsed values of `add_network_arguments`, keyed by the names in `FitOptions`."""
    return {name: getattr(args, name) for name in ("network", "network_joints", "network_passes", "prior")}
