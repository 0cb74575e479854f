"""Measure the fit on motion of held-out subjects with simulated tracker errors, and print tables of metrics.

    python -m training.evaluate_fit MOTION_FOLDER [--subjects 16 35 05] [--every N] [--rows GLOB ...] [--jobs N]
        [--quality Q] [--network FILE.npz] [--smplify FRAMES] [--json OUT.json]

Each clip is applied to the free body with a random shape. Its keypoints come from the body model and are disturbed
according to the row's condition (`training.evaluation.fit_conditions`). The first table has realistic errors and the
second has faults in some frames. The third checks the solver with clean points and white noise, which no tracker
produces. See `training.evaluation.fit_metrics` for the metrics.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np

from core.cli.exit_codes import exit_code_of
from core.errors import InputMissingError
from core.fit import FitOptions, fit_track
from core.fit.arguments import add_network_arguments, network_options
from core.fit.quality import QUALITIES
from core.io.own_files import OVERWRITE_HELP
from core.track import KeypointTrack

from .arguments import check_torch, positive_int
from .data.motion_folder import Clip, clip_files, read_clips
from .evaluation.fit_conditions import ERROR_ROWS, FAULT_ROWS, SOLVER_ROWS, Condition
from .evaluation.fit_metrics import Evaluation, Row, row_of
from .evaluation.fit_tables import ERROR_COLUMNS, FAULT_COLUMNS, SOLVER_COLUMNS, Column, heads, line
from .evaluation.fit_workers import Measure, measuring
from .evaluation.metrics_json import write_json
from .evaluation.realistic_errors import ErrorModel
from .outputs import check_files
from .pose_prior import HELD_OUT_SUBJECTS

_SPEED_FRAMES = 1000
_SPEED_RUNS = 5

_TABLES: tuple[tuple[str, tuple[Condition, ...], tuple[Column, ...]], ...] = (
    ("Realistic tracker errors, shape estimated", ERROR_ROWS, ERROR_COLUMNS),
    ("Faults in some frames, shape estimated", FAULT_ROWS, FAULT_COLUMNS),
    ("Check of the solver: the body's own points, clean or with white noise", SOLVER_ROWS, SOLVER_COLUMNS),
)


def frames_per_second(evaluation: Evaluation, clips: Sequence[Clip], quality: str) -> tuple[float, list[float]]:
    """Return the median speed, fps, of whole fits of 1000 frames with unknown betas, and each run's seconds."""
    longest = max(clips, key=lambda clip: len(clip.trans))
    track = evaluation.track(longest, Condition("speed", errors=ErrorModel(white_m=0.005)))
    ping_pong = np.concatenate([track.positions, track.positions[::-1]])
    repeats = -(-_SPEED_FRAMES // len(ping_pong))
    positions = np.tile(ping_pong, (repeats, 1, 1))[:_SPEED_FRAMES]
    long_track = KeypointTrack(positions, np.ones(positions.shape[:2]), track.fps, track.layout)
    seconds = []
    for _ in range(_SPEED_RUNS + 1):
        start = time.perf_counter()
        fit_track(long_track, evaluation.data, replace(evaluation.options, quality=quality))
        seconds.append(time.perf_counter() - start)
    timed = seconds[1:]
    return _SPEED_FRAMES / float(np.median(timed)), timed


def chosen_rows(patterns: Sequence[str] | None) -> set[str]:
    """Return the names of the rows that match any of *patterns*; all names for None.

    Raises:
        InputMissingError: a pattern matches no row.
    """
    names = [condition.name for _, conditions, _ in _TABLES for condition in conditions]
    if patterns is None:
        return set(names)
    found = {pattern: [name for name in names if fnmatchcase(name, pattern)] for pattern in patterns}
    missing = [pattern for pattern, matching in found.items() if not matching]
    if missing:
        raise InputMissingError(f"expected names of rows, found no row named {missing}; rows are {'; '.join(names)}")
    return {name for matching in found.values() for name in matching}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m training.evaluate_fit", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("folder", type=Path, help="motion clips in AMASS layout, Y up (CMU_SUBJECT_CLIP_poses.npz)")
    parser.add_argument("--subjects", nargs="+", default=list(HELD_OUT_SUBJECTS))
    parser.add_argument("--quality", choices=tuple(QUALITIES), default="balanced")
    parser.add_argument("--every", type=positive_int, default=1, metavar="N", help="take only every Nth clip")
    parser.add_argument(
        "--rows", nargs="+", metavar="GLOB", help="measure only rows with these names ('*mix*'), and not the speed"
    )
    parser.add_argument("--jobs", type=positive_int, default=1, metavar="N", help="worker processes (default 1)")
    parser.add_argument(
        "--smplify", type=int, default=0, metavar="FRAMES",
        help="also fit this number of frames with a plain SMPLify-3D (needs PyTorch) and compare accuracy and speed",
    )  # fmt: skip
    add_network_arguments(parser)
    parser.add_argument("--json", type=Path, metavar="OUT.json", help="write the metrics as JSON")
    parser.add_argument("--overwrite", action="store_true", help=OVERWRITE_HELP)
    options = parser.parse_args(arguments)
    return exit_code_of(parser.prog, lambda: _run(options))


def _run(options: argparse.Namespace) -> None:
    if options.smplify:
        check_torch("--smplify")
    read = {"the clips": clip_files(options.folder), "the network": options.network, "the prior": options.prior}
    check_files({"the metrics": options.json}, read, overwrite=options.overwrite)
    names = chosen_rows(options.rows)
    clips = read_clips(options.folder, options.subjects)[:: options.every]
    fit_options = FitOptions(quality=options.quality, **network_options(options))
    print(f"{len(clips)} clips, {sum(len(clip.trans) for clip in clips)} frames; {_machine()}")
    results: dict[str, object] = {"machine": _machine()}
    with measuring(fit_options, options.jobs) as measure:
        results["rows"] = [
            asdict(row)
            for title, conditions, columns in _TABLES
            for row in _table(title, [one for one in conditions if one.name in names], columns, measure, clips)
        ]
    if options.rows is None or options.smplify:
        results |= _speed(Evaluation(fit_options), clips, options)
    if options.json is not None:
        write_json(options.json, results)


def _table(
    title: str, conditions: Sequence[Condition], columns: Sequence[Column], measure: Measure, clips: Sequence[Clip]
) -> list[Row]:
    """Measure and print a table, row by row; list the refused clips below it."""
    rows: list[Row] = []
    for condition in conditions:
        if not rows:
            print("", *heads(title, columns), sep="\n", flush=True)
        rows.append(row_of(condition, measure(clips, condition)))
        print(line(rows[-1], columns), flush=True)
    for row in rows:
        for text in row.refused:
            print(f"refused: {row.name}: {text}", flush=True)
    return rows


def _speed(evaluation: Evaluation, clips: Sequence[Clip], options: argparse.Namespace) -> dict[str, object]:
    """Print the speed of the fit, on request beside SMPLify-3D; return the results."""
    rates = {}
    for quality in QUALITIES if options.smplify else (options.quality,):
        rates[quality], seconds = frames_per_second(evaluation, clips, quality)
        spread = ", ".join(f"{value:.2f}" for value in seconds)
        print(
            f"whole fit of {_SPEED_FRAMES} frames, {quality}, betas estimated: {rates[quality]:.0f} frames/s "
            f"(median of {spread} s)",
            flush=True,
        )
    results: dict[str, object] = {"frames_per_second": rates}
    if options.smplify:
        from .compare_smplify import compare

        prior_clips = [clip for clip in read_clips(options.folder) if clip.subject not in options.subjects]
        fit_ms = {quality: 1000.0 / rate for quality, rate in rates.items()}
        compared = compare(clips, prior_clips, options.smplify, fit_ms, options=evaluation.options)
        print(f"{'':<52}{'PVE mm':>9}{'ms/frame':>10}  times slower than " + ", ".join(rates))
        for method in compared:
            ratios = "".join(f"{ratio:>8.1f}" for ratio in method.times_slower.values())
            print(f"{method.name:<52}{method.pve_mm:>9.2f}{method.ms_per_frame:>10.2f}{ratios}")
        results["ways"] = [asdict(method) for method in compared]
    return results


def _machine() -> str:
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, NumPy {np.__version__}"


if __name__ == "__main__":
    sys.exit(main())
