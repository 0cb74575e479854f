"""Measure the fit on real tracks against independent solutions of the same trials, and print tables of metrics.

    python -m training.evaluate_real FOLDER [FOLDER ...] [--quality Q] [--network FILE.npz]
        [--smplify FRAMES --motions MOTION_FOLDER] [--json OUT.json]

A trial is NAME.trc (or another track) beside NAME_ik.mot or NAME.mot (OpenSim's coordinates), or NAME_mocap.json
(bodies solved from markers) beside NAME_OTHER.json (the same trial by another tracker). Angles are root mean square
errors in degrees, raw / with one constant per trial and side removed. See
`training.evaluation.real_metrics` for the metrics and `core.joint_angles` for the definition of the angles.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from core.body.data import BodyData
from core.body.free_body import load_free_body
from core.cli.exit_codes import exit_code_of
from core.errors import CoreError
from core.fit import FitOptions, fit_track
from core.fit.arguments import add_network_arguments, network_options
from core.fit.quality import QUALITIES
from core.io.own_files import OVERWRITE_HELP
from core.motion import Motion

from .arguments import check_torch
from .data.motion_folder import clip_files, read_clips
from .evaluation.metrics_json import write_json
from .evaluation.real_metrics import TrialMetrics, mean_metrics, trial_metrics
from .evaluation.real_tables import angle_head, angle_line, tables
from .evaluation.real_trials import KINDS, Trial, find_trials, trial_files
from .outputs import check_files
from .pose_prior import HELD_OUT_SUBJECTS

_LONGEST_STEP_S = 0.2
_TINY = 1e-6


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m training.evaluate_real", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER", help="tracks and their solutions")
    parser.add_argument("--quality", choices=tuple(QUALITIES), default="balanced")
    parser.add_argument(
        "--smplify", type=int, default=0, metavar="FRAMES",
        help="also fit at most this number of frames of each track, evenly spaced and at most 0.2 s apart, by a plain "
        "SMPLify-3D with this fit's betas (needs PyTorch and --motions)",
    )  # fmt: skip
    parser.add_argument(
        "--motions", type=Path, metavar="MOTION_FOLDER", help="motions that SMPLify's pose prior is fitted to (AMASS)"
    )
    add_network_arguments(parser)
    parser.add_argument("--json", type=Path, metavar="OUT.json", help="write the metrics as JSON")
    parser.add_argument("--overwrite", action="store_true", help=OVERWRITE_HELP)
    options = parser.parse_args(arguments)
    if options.smplify and options.motions is None:
        parser.error("expected --motions MOTION_FOLDER with --smplify; its pose prior is fitted to motions")
    return exit_code_of(parser.prog, lambda: _run(options))


def _run(options: argparse.Namespace) -> None:
    if options.smplify:
        check_torch("--smplify")
    motions = None if options.motions is None else clip_files(options.motions)
    read = {
        "the trials": trial_files(options.folders),
        "the motions": motions,
        "the network": options.network,
        "the prior": options.prior,
    }
    check_files({"the metrics": options.json}, read, overwrite=options.overwrite)
    data = load_free_body()
    fit_options = FitOptions(quality=options.quality, **network_options(options))
    rows: list[TrialMetrics] = []
    fitted: list[tuple[Trial, Motion]] = []
    left_out: list[str] = []
    print(angle_head(), flush=True)
    for trial in find_trials(options.folders):
        outcome = trial if isinstance(trial, str) else _fit(trial, data, fit_options)
        if isinstance(outcome, str):
            left_out.append(outcome)
            continue
        fitted.append(outcome[:2])
        rows.append(outcome[2])
        print(angle_line(rows[-1]), flush=True)
    means = [mean_metrics(kind, of_kind) for kind in KINDS if (of_kind := [row for row in rows if row.kind == kind])]
    print(*tables(rows, means), *(f"left out: {text}" for text in left_out), sep="\n", flush=True)
    compared: list[TrialMetrics] = []
    if options.smplify:
        print(f"\nBeside SMPLify-3D, on at most {options.smplify} frames of each track", angle_head(), sep="\n")
        for row in _compare_smplify(fitted, data, options.smplify, options.motions):
            compared.append(row)
            print(angle_line(row), flush=True)
    if options.json is not None:
        metrics = {
            "trials": [asdict(row) for row in rows],
            "means": [asdict(row) for row in means],
            "compared": [asdict(row) for row in compared],
            "left_out": left_out,
        }
        write_json(options.json, metrics)


def _fit(trial: Trial, data: BodyData, options: FitOptions) -> tuple[Trial, Motion, TrialMetrics] | str:
    """Return the fit of a trial and its metrics, or the reason why it was refused."""
    try:
        motion, report = fit_track(trial.track, data, options)
    except (CoreError, ValueError, ArithmeticError, MemoryError) as error:
        return f"{trial.name}: {type(error).__name__}: {error}"
    return trial, motion, trial_metrics(trial, motion, data, report)


def evenly_spaced_frames(num_frames: int, fps: float, most: int) -> np.ndarray:
    """Return at most *most* evenly spaced frames of the whole clip, or of its middle if the clip is long.

    They are at most 0.2 s apart: SMPLify initialises each frame from the previous one and fails if the person has moved
    too far.
    """
    step = max(1, min(-(-num_frames // most), int(_LONGEST_STEP_S * fps + _TINY)))
    count = min(most, -(-num_frames // step))
    first = (num_frames - 1 - (count - 1) * step) // 2
    return first + step * np.arange(count)


def _compare_smplify(
    fitted: Sequence[tuple[Trial, Motion]], data: BodyData, most: int, motions: Path
) -> Iterator[TrialMetrics]:
    """Yield, for each trial, the metrics of this fit and of SMPLify-3D with its betas, on the same frames."""
    from .evaluation.real_smplify import METHOD, fit_pose_prior, smplify_motion

    prior = fit_pose_prior([clip for clip in read_clips(motions) if clip.subject not in HELD_OUT_SUBJECTS])
    for trial, motion in fitted:
        frames = evenly_spaced_frames(motion.num_frames, trial.track.fps, most)
        subset = trial.select(frames)
        ours = replace(motion, poses=motion.poses[frames], trans=motion.trans[frames], fps=subset.track.fps)
        yield replace(trial_metrics(subset, ours, data), name=f"{trial.name}, this fit")
        theirs = smplify_motion(subset, motion.betas, data, prior)
        yield replace(trial_metrics(subset, theirs, data), name=f"{trial.name}, {METHOD.title}")


if __name__ == "__main__":
    sys.exit(main())
