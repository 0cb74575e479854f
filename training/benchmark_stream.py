"""Time the streaming fit (milliseconds per frame: median, 99th percentile, worst) and measure its memory growth.

    python -m training.benchmark_stream MOTION_FOLDER [--subjects 16 35 05] [--frames N] [--layout NAME]
        [--noise-mm MM] [--quality Q] [--json OUT.json]

The longest clip, played forwards and backwards for N frames, goes through one stream, so the times include the one-off
work at the beginning. Run it on an idle core; BLAS is limited to one thread. Memory is the resident set size, measured
every 100 frames after the shape has been estimated.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from core.cli.exit_codes import exit_code_of
from core.fit import FitOptions, FitStream
from core.fit.quality import QUALITIES
from core.io.own_files import OVERWRITE_HELP
from core.layouts import LAYOUTS
from core.math.arrays import one_blas_thread
from core.track import KeypointTrack

from .arguments import positive_int
from .data.motion_folder import clip_files, read_clips
from .evaluation.fit_conditions import Condition
from .evaluation.fit_metrics import Evaluation
from .evaluation.metrics_json import write_json
from .evaluation.realistic_errors import ErrorModel
from .outputs import check_files
from .pose_prior import HELD_OUT_SUBJECTS

_STATM, _MEMORY_EVERY = Path("/proc/self/statm"), 100


@dataclass(frozen=True)
class FrameTimes:
    """Times per frame of a stream, milliseconds.

    Attributes:
        what: which frames.
        frames: number of frames.
        median_ms: median.
        most_ms: 99th percentile.
        worst_ms: maximum.
    """

    what: str
    frames: int
    median_ms: float
    most_ms: float
    worst_ms: float

    @classmethod
    def of(cls, what: str, seconds: np.ndarray) -> FrameTimes:
        """Return the statistics of frames that took *seconds* (F,)."""
        ms = 1000.0 * seconds
        return cls(what, len(ms), float(np.median(ms)), float(np.quantile(ms, 0.99)), float(ms.max()))


def ping_pong(track: KeypointTrack, num_frames: int) -> KeypointTrack:
    """Return *num_frames* of the track, played forwards and backwards in turn."""
    period = max(1, 2 * track.num_frames - 2)
    phase = np.arange(num_frames) % period
    frames = np.where(phase < track.num_frames, phase, period - phase)
    return KeypointTrack(track.positions[frames], track.confidence[frames], track.fps, track.layout)


def resident_mb() -> float | None:
    """Return this process's resident memory, megabytes; None where /proc/self/statm does not exist."""
    if not _STATM.exists():
        return None
    return int(_STATM.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def frame_times(track: KeypointTrack, evaluation: Evaluation) -> tuple[tuple[FrameTimes, ...], float | None]:
    """Return the frame times of one stream and its memory growth.

    The times are of all frames, of those during the shape estimation, and of those after. The growth is the largest
    increase of the resident memory after that, megabytes; None if unknown.

    Args:
        track: the keypoints to stream.
        evaluation: provides the body and the fit's options.
    """
    stream = FitStream(track.layout, track.fps, evaluation.data, evaluation.options)
    seconds, estimating = np.full(track.num_frames, np.nan), np.ones(track.num_frames, dtype=bool)
    resident: list[float | None] = []
    with one_blas_thread():
        for frame, points in enumerate(zip(track.positions, track.confidence, strict=True)):
            estimating[frame] = not stream.calibrated
            start = time.perf_counter()
            stream.push(*points)
            seconds[frame] = time.perf_counter() - start
            if stream.calibrated and (estimating[frame] or frame % _MEMORY_EVERY == 0):
                resident.append(resident_mb())
    times = [FrameTimes.of("all frames", seconds), FrameTimes.of("while estimating shape", seconds[estimating])]
    if not estimating.all():
        times.append(FrameTimes.of("after that", seconds[~estimating]))
    known = [megabytes for megabytes in resident if megabytes is not None]
    return tuple(times), max(known) - known[0] if known else None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m training.benchmark_stream", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("folder", type=Path, help="motion clips in AMASS layout, Y up (CMU_SUBJECT_CLIP_poses.npz)")
    parser.add_argument("--subjects", nargs="+", default=list(HELD_OUT_SUBJECTS))
    parser.add_argument("--frames", type=positive_int, default=2000)
    parser.add_argument("--layout", choices=tuple(LAYOUTS), default="body25")
    parser.add_argument("--noise-mm", type=float, default=5.0, help="standard deviation of the noise per axis")
    parser.add_argument("--quality", choices=tuple(QUALITIES), default="balanced")
    parser.add_argument("--json", type=Path, metavar="OUT.json", help="write the results as JSON")
    parser.add_argument("--overwrite", action="store_true", help=OVERWRITE_HELP)
    options = parser.parse_args(arguments)
    return exit_code_of(parser.prog, lambda: _run(options))


def _run(options: argparse.Namespace) -> None:
    check_files({"the metrics": options.json}, {"the clips": clip_files(options.folder)}, overwrite=options.overwrite)
    evaluation = Evaluation(FitOptions(quality=options.quality))
    condition = Condition("stream", errors=ErrorModel(white_m=0.001 * options.noise_mm), layout=options.layout)
    longest = max(read_clips(options.folder, options.subjects), key=lambda clip: len(clip.trans))
    track = ping_pong(evaluation.track(longest, condition), options.frames)
    print(f"{track.num_frames} frames of {options.layout} at {track.fps:.0f} fps, NumPy {np.__version__}")
    print(f"{'ms per frame':<28}{'frames':>8}{'median':>9}{'99 %':>9}{'worst':>9}")
    times, growth_mb = frame_times(track, evaluation)
    for row in times:
        print(f"{row.what:<28}{row.frames:>8}{row.median_ms:>9.2f}{row.most_ms:>9.2f}{row.worst_ms:>9.2f}")
    if growth_mb is not None:
        print(f"Resident memory grew by at most {growth_mb:.2f} MB after the shape was estimated.")
    if options.json is not None:
        write_json(options.json, {"times": [asdict(row) for row in times], "memory_growth_mb": growth_mb})


if __name__ == "__main__":
    sys.exit(main())
