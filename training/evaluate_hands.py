"""Measure the fit of fingers on generated hand motion with simulated tracker errors, and print tables of metrics.

    python -m training.evaluate_hands [--clips N] [--draws test|choose] [--rows GLOB ...] [--json OUT.json]

Each clip is the sample's body motion on a body of random shape, with generated finger motion
(`training.evaluation.hand_motion`). Its keypoints come from that body and are disturbed
(`training.evaluation.hand_conditions`); shape, palm and bones are estimated. The documentation's tables come from the
test draws; settings are chosen on others. See `training.evaluation.hand_metrics` for the metrics.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np

from core.body.free_body import load_free_body
from core.cli.exit_codes import exit_code_of
from core.errors import InputMissingError
from core.fit import FitOptions, fit_track
from core.fit.hands.fit import fit_hands
from core.io.own_files import OVERWRITE_HELP
from core.layouts import LAYOUTS
from core.motion import Motion

from .arguments import positive_int
from .evaluation.hand_conditions import FAULTS, ROWS, HandCondition, noise
from .evaluation.hand_metrics import (
    compare_hands,
    draw_motion,
    finger_errors_deg,
    fit_disturbed,
    hand_body,
    layout_points,
    track_of,
)
from .evaluation.metrics_json import write_json
from .outputs import check_files

_FIRST_SEEDS = {"choose": 0, "test": 1000}
_NOISE_SEED = 77
_SPEED_FRAMES, _SPEED_RUNS = 1000, 5


@dataclass(frozen=True)
class Row:
    """Metrics of a condition, means over clips.

    Attributes:
        name: name of the condition.
        joint_mm: error of the finger joints relative to the wrist.
        vertex_mm: error of the hands' vertices relative to the wrist.
        finger_deg: rotation error of the finger joints.
        hand_deg: error of the hands' global orientation.
        worst_deg: largest rotation error of a finger joint.
    """

    name: str
    joint_mm: float
    vertex_mm: float
    finger_deg: float
    hand_deg: float
    worst_deg: float


@dataclass(frozen=True)
class FaultRow:
    """Metrics of the left hand with a fault, means over clips.

    Attributes:
        name: name of the fault.
        inside_deg: rotation error of the finger joints in the fault's frames.
        outside_deg: the same in the other frames.
        worst_deg: largest rotation error of a finger joint in the fault's frames.
        flagged: share of the fault's frames that are flagged.
        flagged_outside: share of the other frames that are flagged.
    """

    name: str
    inside_deg: float
    outside_deg: float
    worst_deg: float
    flagged: float
    flagged_outside: float


def measure_row(condition: HandCondition, motions: Sequence[Motion]) -> Row:
    """Return the row of a condition that applies to whole clips."""
    found = []
    for number, motion in enumerate(motions):
        fit = fit_disturbed(motion, condition.layout, condition.disturb, _NOISE_SEED + number)
        metrics = compare_hands(motion, fit.motion)
        found.append((*asdict(metrics).values(), finger_errors_deg(motion, fit.motion).max()))
    means = np.mean(found, axis=0)
    joint_mm, vertex_mm, finger_deg, hand_deg = (float(mean) for mean in means[:-1])
    return Row(condition.name, joint_mm, vertex_mm, finger_deg, hand_deg, float(np.max(found, axis=0)[-1]))


def measure_fault(condition: HandCondition, motions: Sequence[Motion]) -> FaultRow:
    """Return the row of a fault in some frames."""
    found = []
    for number, motion in enumerate(motions):
        fit = fit_disturbed(motion, condition.layout, condition.disturb, _NOISE_SEED + number)
        errors = finger_errors_deg(motion, fit.motion)[:, 0]
        first, last = (round(share * motion.num_frames) for share in condition.faulty)
        inside = np.zeros(motion.num_frames, dtype=bool)
        inside[first:last] = True
        flagged = np.zeros_like(inside)
        for flag in fit.flags:
            flagged[flag.first : flag.last + 1] |= flag.what in ("left hand", "hands")
        metrics = errors[inside].mean(), errors[~inside].mean(), errors[inside].max()
        found.append((*metrics, flagged[inside].mean(), flagged[~inside].mean()))
    means, worst = np.mean(found, axis=0), np.max(found, axis=0)[2]
    inside_deg, outside_deg, _, flagged_inside, flagged_outside = (float(mean) for mean in means)
    return FaultRow(condition.name, inside_deg, outside_deg, float(worst), flagged_inside, flagged_outside)


def time_finger_fit() -> list[float]:
    """Return the CPU times, seconds, of several fits of both hands' fingers in 1000 frames."""
    layout = LAYOUTS["wholebody133"]
    motion = draw_motion(_FIRST_SEEDS["test"])
    motion = motion.sampled(np.arange(_SPEED_FRAMES) % motion.num_frames)
    points = noise(0.005)(layout_points(motion, layout), layout, np.random.default_rng(_NOISE_SEED))
    track = track_of(points, layout, motion.fps)
    fitted, _ = fit_track(track, load_free_body(), FitOptions())
    seconds = []
    for _ in range(_SPEED_RUNS + 1):
        began = time.process_time()
        fit_hands(track, fitted, hand_body().data)
        seconds.append(time.process_time() - began)
    return seconds[1:]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m training.evaluate_hands", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--clips", type=positive_int, default=4, metavar="N", help="number of clips (default 4)")
    parser.add_argument(
        "--draws", choices=tuple(_FIRST_SEEDS), default="test", help="which random clips (default test)"
    )
    parser.add_argument(
        "--rows", nargs="+", metavar="GLOB", help="measure only rows with these names ('*noise'), and not the time"
    )
    parser.add_argument("--json", type=Path, metavar="OUT.json", help="write the metrics as JSON")
    parser.add_argument("--overwrite", action="store_true", help=OVERWRITE_HELP)
    options = parser.parse_args(arguments)
    return exit_code_of(parser.prog, lambda: _run(options))


def _chosen(patterns: Sequence[str] | None, conditions: Sequence[HandCondition]) -> list[HandCondition]:
    """Return the *conditions* whose names match any of *patterns*; all if it is None."""
    if patterns is None:
        return list(conditions)
    return [one for one in conditions if any(fnmatchcase(one.name, pattern) for pattern in patterns)]


def _run(options: argparse.Namespace) -> None:
    check_files({"the metrics": options.json}, {}, overwrite=options.overwrite)
    rows, faults = _chosen(options.rows, ROWS), _chosen(options.rows, FAULTS)
    if not rows and not faults:
        names = "; ".join(condition.name for condition in (*ROWS, *FAULTS))
        raise InputMissingError(f"expected names of rows, found no row named {options.rows}; rows are {names}")
    first = _FIRST_SEEDS[options.draws]
    motions = [draw_motion(seed) for seed in range(first, first + options.clips)]
    print(f"{options.clips} clips, {sum(motion.num_frames for motion in motions)} frames, draws to {options.draws}")
    results: dict[str, object] = {"rows": [], "faults": []}
    if rows:
        print("\n| all through | joints mm | vertices mm | fingers deg | hand deg | worst deg |")
        print("|---|---|---|---|---|---|")
        results["rows"] = [asdict(_printed_row(measure_row(condition, motions))) for condition in rows]
    if faults:
        print("\n| in some frames | inside deg | outside deg | worst deg | flagged | flagged outside |")
        print("|---|---|---|---|---|---|")
        results["faults"] = [asdict(_printed_fault(measure_fault(condition, motions))) for condition in faults]
    if options.rows is None:
        seconds = time_finger_fit()
        results["seconds"] = seconds
        print(f"\nfingers of {_SPEED_FRAMES} frames, both hands: {np.median(seconds):.2f} s of processor time")
    if options.json is not None:
        write_json(options.json, results)


def _printed_row(row: Row) -> Row:
    print(
        f"| {row.name} | {row.joint_mm:.2f} | {row.vertex_mm:.2f} | {row.finger_deg:.1f} | {row.hand_deg:.1f} "
        f"| {row.worst_deg:.0f} |",
        flush=True,
    )
    return row


def _printed_fault(row: FaultRow) -> FaultRow:
    print(
        f"| {row.name} | {row.inside_deg:.1f} | {row.outside_deg:.1f} | {row.worst_deg:.0f} | {row.flagged:.0%} "
        f"| {row.flagged_outside:.1%} |",
        flush=True,
    )
    return row


if __name__ == "__main__":
    sys.exit(main())
