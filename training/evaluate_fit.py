"""Measure the fit on real motion of people it never saw, and print the table of figures.

    python -m training.evaluate_fit MOTION_FOLDER [--subjects 16 35 05] [--every N] [--quality Q] [--network FILE.npz]
        [--smplify FRAMES] [--json OUT.json]

Each clip is put on the free body with a random shape; its keypoints come from the body model, then are disturbed as the
row says. No initial pose is given but in the row that says so. See `training.fit_figures`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from core.exit_codes import exit_code_of
from core.files import atomic_path
from core.fit import FitOptions, fit_track
from core.fit.arguments import add_network_arguments, network_options
from core.fit.quality import QUALITIES
from core.track import KeypointTrack

from .fit_figures import CONDITIONS, Condition, Evaluation, Row, summarise
from .motion_folder import Clip, read_clips
from .pose_prior import HELD_OUT_SUBJECTS

_SPEED_FRAMES = 1000
_SPEED_RUNS = 5
_FIGURES = (
    "pve_mm", "keypoint_mm", "true_keypoint_mm", "shape_mm", "arm_deg", "wrist_deg", "acceleration_mm", "drift_mm",
)  # fmt: skip
_HEADS = ("PVE", "points", "true pts", "shape", "arms", "wrists", "accel", "drift")
_UNITS = ("mm", "mm", "mm", "mm", "deg", "deg", "mm/f2", "mm")


def frames_per_second(evaluation: Evaluation, clips: Sequence[Clip], quality: str) -> tuple[float, list[float]]:
    """Return the median frames a second of whole fits of 1000 frames with unknown betas, and each run's seconds."""
    longest = max(clips, key=lambda clip: len(clip.trans))
    track = evaluation.track(longest, Condition("speed", noise_m=0.005))
    there_and_back = np.concatenate([track.positions, track.positions[::-1]])
    repeats = -(-_SPEED_FRAMES // len(there_and_back))
    positions = np.tile(there_and_back, (repeats, 1, 1))[:_SPEED_FRAMES]
    long_track = KeypointTrack(positions, np.ones(positions.shape[:2]), track.fps, track.layout)
    seconds = []
    for _ in range(_SPEED_RUNS + 1):
        began = time.perf_counter()
        fit_track(long_track, evaluation.data, replace(evaluation.options, quality=quality))
        seconds.append(time.perf_counter() - began)
    counted = seconds[1:]
    return _SPEED_FRAMES / float(np.median(counted)), counted


def _print_row(row: Row) -> None:
    print(f"{row.name:<52}" + "".join(f"{getattr(row, name):>9.2f}" for name in _FIGURES), flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m training.evaluate_fit", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("folder", type=Path, help="motion clips in AMASS layout, Y up (CMU_SUBJECT_CLIP_poses.npz)")
    parser.add_argument("--subjects", nargs="+", default=list(HELD_OUT_SUBJECTS))
    parser.add_argument("--quality", choices=tuple(QUALITIES), default="balanced")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="take every Nth clip only")
    parser.add_argument(
        "--smplify", type=int, default=0, metavar="FRAMES",
        help="also fit so many frames by a plain SMPLify-3D (needs PyTorch) and compare accuracy and speed",
    )  # fmt: skip
    add_network_arguments(parser)
    parser.add_argument("--json", type=Path, metavar="OUT.json", help="write the figures")
    options = parser.parse_args(arguments)
    return exit_code_of(parser.prog, lambda: _run(options))


def _run(options: argparse.Namespace) -> None:
    clips = read_clips(options.folder, options.subjects)[:: options.every]
    evaluation = Evaluation(FitOptions(quality=options.quality, **network_options(options)))
    print(f"{len(clips)} clips, {sum(len(clip.trans) for clip in clips)} frames; {_machine()}")
    for heads in (_HEADS, _UNITS):
        print(f"{'':<52}" + "".join(f"{head:>9}" for head in heads))
    rows = []
    for condition in CONDITIONS:
        rows.append(summarise([evaluation.measure(clip, condition) for clip in clips]))
        _print_row(rows[-1])
    rates = {}
    for quality in QUALITIES if options.smplify else (options.quality,):
        rates[quality], seconds = frames_per_second(evaluation, clips, quality)
        spread = ", ".join(f"{value:.2f}" for value in seconds)
        print(
            f"whole fit of {_SPEED_FRAMES} frames, {quality}, betas estimated: {rates[quality]:.0f} frames/s "
            f"(median of {spread} s)",
            flush=True,
        )
    figures = {"machine": _machine(), "rows": [asdict(row) for row in rows], "frames_per_second": rates}
    if options.smplify:
        from .compare_smplify import compare

        seen = [clip for clip in read_clips(options.folder) if clip.subject not in options.subjects]
        fit_ms = {quality: 1000.0 / rate for quality, rate in rates.items()}
        ways = compare(clips, seen, options.smplify, fit_ms, options=evaluation.options)
        print(f"{'':<52}{'PVE mm':>9}{'ms/frame':>10}  times slower than " + ", ".join(rates))
        for way in ways:
            ratios = "".join(f"{ratio:>8.1f}" for ratio in way.times_slower.values())
            print(f"{way.name:<52}{way.pve_mm:>9.2f}{way.ms_per_frame:>10.2f}{ratios}")
        figures["ways"] = [asdict(way) for way in ways]
    if options.json is not None:
        with atomic_path(options.json) as path:
            path.write_text(json.dumps(figures, indent=1), encoding="utf-8")


def _machine() -> str:
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, NumPy {np.__version__}"


if __name__ == "__main__":
    sys.exit(main())
