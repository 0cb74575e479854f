"""Benchmark on a CUDA GPU: network, training, all-reduce over several GPUs, and fit.

    python -m training.benchmark_gpu [--json FILE]

Prints a table of results; without a CUDA GPU, each is "unmeasured". The motion is the samples', so no data is needed.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import distributed
from torch.multiprocessing.spawn import spawn

from core.amass import write_motion
from core.body.free_body import load_free_body
from core.cli.exit_codes import exit_code_of
from core.fit import FitOptions, fit_track
from core.io.own_files import OVERWRITE_HELP
from core.layouts import BODY25
from core.network.architecture import ARCHITECTURE
from core.network.weights import NetworkInfo
from core.track import KeypointTrack

from .benchmark_network import implementations, median_times, random_network
from .config import ModelConfig, RunConfig
from .convert_checkpoint import draw_samples, fold_network
from .data.training_body import TrainingBody, pose_rotations
from .evaluation.metrics_json import write_json
from .network.networks import make_network
from .outputs import check_files
from .run.distributed import Processes
from .run.run_log import RunLog
from .run.trainer import Trainer
from .samples.motion import sample_motion

UNMEASURED = "unmeasured"
_ROUNDS = 7
_WARM_UP_STEPS, _WARM_UP_FRAMES = 5, 60
_NUM_CLIPS, _REPEATS = 4, 4


@dataclass(frozen=True)
class Benchmark:
    """A row of the table.

    Attributes:
        name: what is measured.
        unit: unit of the result.
        measure: runs the measurement on the GPU.
    """

    name: str
    unit: str
    measure: Callable[[], float]


def pass_time_ms(name: str, batch: int) -> float:
    """Return the median time of a pass of *batch* pairs through an implementation of `training.benchmark_network`."""
    network = random_network()
    weights = fold_network(network, NetworkInfo(network.graph, "", ""))
    passes = implementations(network, weights, draw_samples(batch))
    return 1e3 * median_times({name: passes[name]}, _ROUNDS)[name]


def training_rate(device: torch.device, precision: str, *, steps: int = 50, batch: int = 128) -> float:
    """Return the training pairs per second of one process, with the paper's network and all vertices."""
    with tempfile.TemporaryDirectory() as folder:
        _write_clips(Path(folder))
        config = RunConfig().overridden(
            {
                "data.dataset": "folder",
                "data.folder": folder,
                "data.train_share": 0.75,
                "data.trim": 0.0,
                "training.batch_size": batch,
                "training.epochs": 10**5,
                "training.evaluate_every": 10**6,
                "training.workers": 0,
                "training.precision": precision,
            }
        )
        trainer = Trainer(config, Processes(0, 1, device), RunLog(None))
        trainer.train(stop_after_steps=min(_WARM_UP_STEPS, steps))
        seconds = _timed(device, lambda: trainer.train(stop_after_steps=trainer.step + steps))
    return steps * batch / seconds


def _write_clips(folder: Path) -> None:
    motion = sample_motion()
    repeated = np.tile(np.arange(motion.num_frames), _REPEATS)
    clip = replace(motion, poses=motion.poses[repeated], trans=motion.trans[repeated])
    for number in range(_NUM_CLIPS):
        write_motion(folder / f"Sample_{number}_01_poses.npz", clip, up_axis="Y")


def fit_time_ms(device: str, *, num_frames: int = 1000) -> float:
    """Return the time per frame of a fit of *num_frames* on *device*, after a short warm-up."""
    track = _track(num_frames)
    options = FitOptions(device=device, workers=1)
    fit_track(
        replace(track, positions=track.positions[:_WARM_UP_FRAMES], confidence=track.confidence[:_WARM_UP_FRAMES]),
        load_free_body(),
        options,
    )
    return 1e3 * _timed(torch.device("cpu"), lambda: fit_track(track, load_free_body(), options)) / num_frames


def _track(num_frames: int) -> KeypointTrack:
    """Return *num_frames* of the sample's BODY25 keypoints, repeated if necessary."""
    motion = sample_motion()
    frames = np.arange(num_frames) % motion.num_frames
    poses, trans = (torch.tensor(array[frames], dtype=torch.float32) for array in (motion.poses[:, :66], motion.trans))
    points = TrainingBody(load_free_body(), "cpu").keypoints(pose_rotations(poses), torch.zeros(num_frames, 10), trans)
    positions = points.numpy().astype(np.float64)
    return KeypointTrack(positions, np.ones(positions.shape[:2]), motion.fps, BODY25)


def gradient_sum_ms(backend: str, count: int) -> float:
    """Return the median time of an all-reduce of the network's gradients over *count* processes, one per device."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = (count, backend, folder)
        if count == 1:
            _sum_gradients(0, *arguments)
        else:
            spawn(_sum_gradients, arguments, nprocs=count)
        return float((Path(folder) / "ms").read_text(encoding="utf-8"))


def _sum_gradients(rank: int, count: int, backend: str, folder: str) -> None:
    device = torch.device("cuda", rank) if backend == "nccl" else torch.device("cpu")
    distributed.init_process_group(backend, init_method=f"file://{folder}/store", rank=rank, world_size=count)
    try:
        size = sum(one.numel() for one in make_network(ModelConfig(architecture=ARCHITECTURE)).parameters())
        gradients = torch.ones(size, device=device)
        times = [1e3 * _timed(device, lambda: distributed.all_reduce(gradients)) for _ in range(_ROUNDS)]
    finally:
        distributed.destroy_process_group()
    if rank == 0:
        (Path(folder) / "ms").write_text(str(float(np.median(times))), encoding="utf-8")


def _timed(device: torch.device, work: Callable[[], object]) -> float:
    """Return the seconds that *work* takes, including the device's."""

    def wait() -> None:
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    wait()
    start = time.perf_counter()
    work()
    wait()
    return time.perf_counter() - start


def benchmarks() -> list[Benchmark]:
    """Return the rows of the table."""
    cuda, count = torch.device("cuda", 0), torch.cuda.device_count()
    rows = [
        Benchmark(f"network, {batch} pairs a pass, {name}", "ms", partial(pass_time_ms, name, batch))
        for batch in (1, 1024)
        for name in ("numpy, folded", "torch cuda, folded", "torch cuda, folded, recorded")
    ]
    rows += [
        Benchmark(f"training, {precision}", "pairs/s", partial(training_rate, cuda, precision))
        for precision in ("float32", "bfloat16")
    ]
    rows.append(Benchmark(f"sum of the gradients, NCCL, {count} GPUs", "ms", partial(gradient_sum_ms, "nccl", count)))
    rows += [
        Benchmark(f"fit of 1000 frames, {device}", "ms/frame", partial(fit_time_ms, device))
        for device in ("numpy", "cuda")
    ]
    return rows


def table(rows: Sequence[Benchmark], *, measured: bool) -> dict[str, str]:
    """Return each row's result and unit as text; `UNMEASURED` if not *measured*."""
    return {row.name: f"{row.measure():.3f} {row.unit}" if measured else UNMEASURED for row in rows}


def _heading() -> str:
    if not torch.cuda.is_available():
        return f"torch {torch.__version__} finds no CUDA GPU"
    return f"torch {torch.__version__}, {torch.cuda.get_device_name(0)}, {os.cpu_count()} cores"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m training.benchmark_gpu", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the results as JSON")
    parser.add_argument("--overwrite", action="store_true", help=OVERWRITE_HELP)
    options = parser.parse_args(arguments)
    return exit_code_of(parser.prog, lambda: _run(options))


def _run(options: argparse.Namespace) -> None:
    check_files({"the results": options.json}, {}, overwrite=options.overwrite)
    print(_heading())
    found: dict[str, str] = {}
    for row in benchmarks():
        found |= table([row], measured=torch.cuda.is_available())
        print(f"{row.name:<58}{found[row.name]:>20}", flush=True)
    if options.json:
        write_json(options.json, {"machine": _heading(), "figures": found})


if __name__ == "__main__":
    sys.exit(main())
