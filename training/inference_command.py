"""Command line of `training.inference`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from core.amass import write_motion
from core.cli.exit_codes import exit_code_of
from core.io.own_files import OVERWRITE_HELP
from core.math.rotations import matrix_to_axis_angle
from core.motion import Motion
from core.network.residual import ResidualNetwork
from core.network.weights import NetworkInfo

from .arguments import positive_int
from .config import DATASETS, RunConfig, config_from_dict
from .convert_checkpoint import fold_network
from .data.prepared import MotionArrays, load_motions, sample_poses
from .data.sources import find_sources
from .data.splits import split_clips
from .data.training_body import TrainingBody, load_body, load_regressor, pose_rotations
from .evaluation.metrics_json import write_json
from .evaluation.smplify import Smplify, SmplifyOptions, fit_prior
from .network.checkpoints import Checkpoint, load_checkpoint
from .network.networks import network_of
from .outputs import check_files
from .run.distributed import choose_device
from .run.published import COLUMN, comparison
from .run.sequence_metrics import measure, summarise
from .run.sequential import PROTOCOLS, Predictor, TrackedClip, TrueClip, track_clips
from .run.train_command import parse_overrides

PUBLISHED_SAMPLE_RATIO = 50
"""The published code runs every fiftieth test clip of AMASS."""

BASELINES: dict[str, SmplifyOptions] = {
    "adam": SmplifyOptions(),
    "lbfgs": SmplifyOptions(optimizer="lbfgs"),
    "adam-clip": SmplifyOptions(mode="clip", iterations=200),
    "lbfgs-clip": SmplifyOptions(optimizer="lbfgs", mode="clip", iterations=200),
    "lbfgs-vertices": SmplifyOptions(optimizer="lbfgs", full_forward=True),
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="training/inference.py", description="Run a checkpoint over whole clips, each frame from the previous one."
    )
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("dataset", nargs="?", help="AMASS, 3DPW, RICH (in any case), or a folder in AMASS layout")
    parser.add_argument(
        "sample_ratio",
        nargs="?",
        type=positive_int,
        help=f"use every n-th test clip (AMASS: {PUBLISHED_SAMPLE_RATIO}, as published; else all)",
    )
    parser.add_argument("--protocol", nargs="+", choices=PROTOCOLS, default=list(PROTOCOLS))
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="folder for metrics and motions (logs/inference)")
    parser.add_argument("--overwrite", action="store_true", help=OVERWRITE_HELP)
    parser.add_argument("--all_clips", action="store_true", help="use all clips, not only the test clips")
    parser.add_argument("--max_frames", type=int, metavar="F", help="truncate every clip to F frames")
    parser.add_argument(
        "--baseline", nargs="+", choices=tuple(BASELINES), default=[], help="SMPLify-3D variants to compare with"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.NAME=VALUE", help="override a setting")
    return parser


def settings_of(options: argparse.Namespace, checkpoint: Checkpoint) -> RunConfig:
    """Return the checkpoint's settings (defaults for the published one) with the command line's overrides.

    Raises:
        ConfigError: a setting is unknown or invalid.
    """
    config = config_from_dict(checkpoint.config, str(options.checkpoint)) if checkpoint.config else RunConfig()
    named = (options.dataset or "").lower()
    if named in DATASETS and named != config.data.dataset:
        config = replace(config, data=replace(config.data, dataset=named, folder=f"data/{named}", cache=""))
    elif named and named not in DATASETS:
        config = replace(config, data=replace(config.data, dataset="folder", folder=options.dataset, cache=""))
    return config.overridden(parse_overrides(options.set))


def true_clips(motions: MotionArrays, clips: Sequence[int], max_frames: int | None) -> list[TrueClip]:
    """Return the true motion of the clips that have at least two frames."""
    found = []
    for clip in clips:
        frames = motions.frames(int(clip))
        frames = slice(frames.start, min(frames.stop, frames.start + (max_frames or frames.stop)))
        poses = torch.from_numpy(np.array(motions.poses[frames]))
        trans, betas = torch.from_numpy(np.array(motions.trans[frames])), torch.from_numpy(motions.betas[clip])
        if len(trans) >= 2:
            found.append(TrueClip(motions.names[clip], pose_rotations(poses), trans, betas, motions.fps))
    return found


def make_predictor(checkpoint: Checkpoint, path: Path, device: torch.device) -> Predictor:
    """Return the checkpoint's network, folded for inference, on *device*.

    Raises:
        CheckpointError: its weights belong to another network.
    """
    network = network_of(checkpoint, path)
    info = NetworkInfo(checkpoint.graph, checkpoint.body or "smpl", "")
    folded = ResidualNetwork(fold_network(network, info), str(device))

    def predict(start: Tensor, target: Tensor, rotations: Tensor, betas: Tensor) -> Tensor:
        predicted: Tensor = folded.predict(start, target, rotations, betas)
        return predicted

    return predict


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return the exit code."""
    parser = _parser()
    options = parser.parse_intermixed_args(arguments)
    return exit_code_of(parser.prog, lambda: _run(options))


def _run(options: argparse.Namespace) -> None:
    output = options.output or Path("logs") / "inference"
    check_files(
        {"the metrics": output / "summary.json"}, {"the checkpoint": options.checkpoint}, overwrite=options.overwrite
    )
    checkpoint = load_checkpoint(options.checkpoint)
    config = settings_of(options, checkpoint)
    device = choose_device(options.device)
    body_data = load_body(config.body)
    if checkpoint.body and checkpoint.body != body_data.name:
        print(f"note: the checkpoint was trained on the body {checkpoint.body!r}, this run is on {body_data.name!r}")
    body = TrainingBody(body_data, device, engine=config.body.engine, regressor=load_regressor(config.body, body_data))
    motions = load_motions(config.data, body_data)
    all_clips = np.arange(len(motions.lengths))
    split = None if options.all_clips else split_clips(motions, config.data, trains=False)
    selected = all_clips if split is None else split.test
    every = options.sample_ratio or (PUBLISHED_SAMPLE_RATIO if config.data.dataset == "amass" else 1)
    clips = true_clips(motions, selected[::every].tolist(), options.max_frames)
    targets = {protocol: [_motion_file(output, protocol, clip) for clip in clips] for protocol in options.protocol}
    read = {"the checkpoint": options.checkpoint, "the motions": [source.path for source in find_sources(config.data)]}
    check_files({"a motion": [path for paths in targets.values() for path in paths]}, read, overwrite=options.overwrite)
    predictor = make_predictor(checkpoint, options.checkpoint, device)
    print(f"{len(clips)} of {len(selected)} clips, {sum(len(clip.trans) for clip in clips)} frames, on {device}")
    print(f"{'':<44}{'MPVE mm':>9}{COLUMN:>10}{'MPAPVE mm':>11}{'drift mm':>10}{'ms/frame':>10}")
    report: dict[str, Any] = {"checkpoint": str(options.checkpoint), "device": str(device), "rows": {}}
    for protocol in options.protocol:
        tracked = track_clips(predictor, clips, body, protocol)
        _report(report, f"network, {protocol} protocol", clips, tracked, body)
        report["rows"][f"network, {protocol} protocol"]["fallback_frames"] = sum(one.fallbacks for one in tracked)
        for true, one, path in zip(clips, tracked, targets[protocol], strict=True):
            _write_motion(path, true, one, body)
    if options.baseline:
        known = all_clips if split is None or not len(split.train) else split.train
        _compare(options, report, clips, body, sample_poses(motions, known))
        _report_alone(predictor, report, clips, body, options.protocol[0])
    print(comparison(config.data.dataset))
    write_json(output / "summary.json", report)
    print(f"wrote {output / 'summary.json'} and {len(options.protocol) * len(clips)} motions beside it")


def _compare(
    options: argparse.Namespace, report: dict[str, Any], clips: list[TrueClip], body: TrainingBody, poses: np.ndarray
) -> None:
    """Run SMPLify-3D on the clips with the true betas and no initial pose."""
    prior = fit_prior(poses)
    for name in options.baseline:
        smplify = Smplify(body, prior, BASELINES[name])
        tracked = []
        for clip in clips:
            betas = clip.betas.to(body.device)
            result = smplify.fit(clip.points(body), betas)
            tracked.append(TrackedClip(result.rotations.cpu(), result.trans.cpu(), clip.betas, 0, result.seconds))
        _report(report, BASELINES[name].title, clips, tracked, body)


def _report_alone(
    predictor: Predictor, report: dict[str, Any], clips: list[TrueClip], body: TrainingBody, protocol: str
) -> None:
    """Run the clips again one at a time, like SMPLify-3D, for a fair comparison of speed."""
    track: Callable[[TrueClip], TrackedClip] = lambda clip: track_clips(predictor, [clip], body, protocol)[0]  # noqa: E731
    track(clips[0])
    _report(report, f"network, {protocol}, one clip at a time", clips, [track(clip) for clip in clips], body)


def _report(
    report: dict[str, Any], title: str, clips: list[TrueClip], tracked: list[TrackedClip], body: TrainingBody
) -> None:
    """Measure the clips; print the row and add it to *report*."""
    metrics = summarise([measure(true, one, body) for true, one in zip(clips, tracked, strict=True)])
    frames = sum(len(one.trans) for one in tracked)
    milliseconds = 1000.0 * sum(one.seconds for one in tracked) / frames
    report["rows"][title] = {**metrics, "ms_per_frame": milliseconds}
    drift = "-" if metrics["drift_mm"] is None else f"{metrics['drift_mm']:.2f}"
    print(
        f"{title:<44}{metrics['mpve_mm']:>9.2f}{metrics['mpve_at_ankle_mm']:>10.2f}{metrics['mpapve_mm']:>11.2f}"
        f"{drift:>10}{milliseconds:>10.2f}",
        flush=True,
    )


def _motion_file(output: Path, protocol: str, clip: TrueClip) -> Path:
    return output / protocol / f"{Path(clip.name).name}.npz"


def _write_motion(path: Path, true: TrueClip, tracked: TrackedClip, body: TrainingBody) -> None:
    """Write a predicted motion in AMASS layout, Y up."""
    poses = matrix_to_axis_angle(tracked.rotations.numpy().astype(np.float64)).reshape(len(tracked.trans), -1)
    motion = Motion(
        poses,
        tracked.betas.numpy().astype(np.float64),
        tracked.trans.numpy().astype(np.float64),
        true.fps,
        gender=body.data.gender,
        body=body.data.name,
    )
    write_motion(path, motion, up_axis="Y")
