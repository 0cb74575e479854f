"""Write the sample recordings in ``samples/``: simulated tracks of the procedural motion.

    python -m training.make_samples [--output samples] --overwrite

The motion (`training.samples.motion`) is written three times, with the noise and gaps of real tracking:
``walk.trc`` with Pose2Sim's markers, ``walk.npz`` in the project's own format with OpenPose's BODY25, and
``walk_wrong_units.trc``, with millimetres under a header that states metres, for the tests. F frames, K keypoints.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.body.free_body import load_free_body
from core.body.keypoints import KeypointModel
from core.body.landmarks import landmark_regressor
from core.body.model import BodyModel
from core.cli.exit_codes import exit_code_of
from core.io.atomic_files import atomic_path
from core.io.own_files import OVERWRITE_HELP
from core.layouts import BODY25
from core.motion import Motion

from .outputs import check_files
from .samples.motion import sample_motion

_TRC_SCALES = {"walk.trc": 1.0, "walk_wrong_units.trc": 1000.0}
"""The TRC recordings and their units per metre; both headers state metres."""
_NPZ_NAME = "walk.npz"

NOISE_M = 0.005
"""Standard deviation of the noise on every coordinate, metres."""
SEED = 20260301
LOST_SHARE = 0.004
"""Share of points dropped at random."""

POSE2SIM_MARKERS: dict[str, str] = {
    "RHip": "right_hip",
    "RKnee": "right_knee",
    "RAnkle": "right_ankle",
    "RBigToe": "right_big_toe",
    "RSmallToe": "right_small_toe",
    "RHeel": "right_heel",
    "LHip": "left_hip",
    "LKnee": "left_knee",
    "LAnkle": "left_ankle",
    "LBigToe": "left_big_toe",
    "LSmallToe": "left_small_toe",
    "LHeel": "left_heel",
    "Neck": "mid_shoulder",
    "Head": "head_top",
    "Nose": "nose",
    "RShoulder": "right_shoulder",
    "RElbow": "right_elbow",
    "RWrist": "right_wrist",
    "LShoulder": "left_shoulder",
    "LElbow": "left_elbow",
    "LWrist": "left_wrist",
}
"""Pose2Sim's markers in its own order, and the solver point of each."""


@dataclass(frozen=True)
class Gap:
    """A range of frames in which the tracker loses points.

    Attributes:
        points: names of the solver points.
        start: first frame.
        length: number of frames.
    """

    points: tuple[str, ...]
    start: int
    length: int


GAPS: tuple[Gap, ...] = (
    Gap(("right_big_toe", "right_small_toe"), 70, 14),
    Gap(("left_wrist",), 118, 22),
    Gap(("left_heel",), 161, 9),
    Gap(("right_elbow", "right_wrist"), 247, 6),
    Gap(("nose", "head_top", "left_eye", "right_eye", "left_ear", "right_ear"), 300, 10),
    Gap(("left_knee",), 372, 18),
)


def observe(motion: Motion, names: tuple[str, ...], seed: int) -> np.ndarray:
    """Simulate a tracker's points (F, K, 3), metres: noisy, NaN where lost.

    Args:
        motion: the person's motion, on the free body.
        names: the solver points to observe.
        seed: seed of the noise.
    """
    body = BodyModel(load_free_body())
    keypoints = KeypointModel(body, landmark_regressor(body.data, names)).shaped(motion.betas.astype(np.float32))
    points = keypoints.points(motion.rotations().astype(np.float32), motion.trans.astype(np.float32))
    generator = np.random.default_rng(seed)
    seen = points.astype(np.float64) + NOISE_M * generator.standard_normal(points.shape)
    seen[generator.random(points.shape[:2]) < LOST_SHARE] = np.nan
    for gap in GAPS:
        columns = [names.index(name) for name in gap.points if name in names]
        seen[gap.start : gap.start + gap.length, columns] = np.nan
    return seen


def trc_text(positions: np.ndarray, markers: tuple[str, ...], fps: float, *, scale: float, file_name: str) -> str:
    """Return a TRC file's text; its header states metres regardless of *scale*.

    Args:
        positions: (F, K, 3) metres; NaN is written as an empty cell.
        markers: names of the K markers.
        fps: frames per second.
        scale: factor on the coordinates: 1 for metres, as the header states.
        file_name: file name in the header.
    """
    num_frames, num_markers, _ = positions.shape
    rate = f"{fps:g}"
    digits = max(0, 4 - round(np.log10(scale)))
    axes = "\t".join(f"{axis}{number}" for number in range(1, num_markers + 1) for axis in "XYZ")
    lines = [
        f"PathFileType\t4\t(X/Y/Z)\t{file_name}",
        "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames",
        f"{rate}\t{rate}\t{num_frames}\t{num_markers}\tm\t{rate}\t1\t{num_frames}",
        "Frame#\tTime\t" + "\t\t\t".join(markers) + "\t\t",
        "\t\t" + axes,
    ]
    for frame, row in enumerate(positions.reshape(num_frames, -1) * scale):
        cells = ["" if np.isnan(value) else f"{value:.{digits}f}" for value in row]
        lines.append("\t".join((str(frame + 1), f"{frame / fps:.6f}", *cells)))
    return "\n".join(lines) + "\n"


def write_samples(folder: Path) -> list[Path]:
    """Write the three sample files into *folder*; return their paths."""
    motion = sample_motion()
    markers = tuple(POSE2SIM_MARKERS)
    seen = observe(motion, tuple(POSE2SIM_MARKERS.values()), SEED)
    written = []
    for name, scale in _TRC_SCALES.items():
        text = trc_text(seen, markers, motion.fps, scale=scale, file_name=name)
        with atomic_path(folder / name) as path:
            path.write_text(text, encoding="utf-8", newline="\n")
        written.append(folder / name)
    names = tuple(point.solver for point in BODY25.points if point.solver is not None)
    positions = observe(motion, names, SEED + 1).round(4).astype(np.float32)
    confidence = np.isfinite(positions).all(axis=-1).astype(np.float32)
    with atomic_path(folder / _NPZ_NAME) as path:
        np.savez_compressed(
            path, positions=positions, confidence=confidence, fps=np.float64(motion.fps), layout=np.str_(BODY25.name)
        )
    return [*written, folder / _NPZ_NAME]


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m training.make_samples", description="Write the sample recordings.")
    parser.add_argument("--output", type=Path, default=Path("samples"), help="folder to write to (default: samples)")
    parser.add_argument("--overwrite", action="store_true", help=OVERWRITE_HELP)
    options = parser.parse_args(arguments)
    return exit_code_of(parser.prog, lambda: _run(options))


def _run(options: argparse.Namespace) -> None:
    check_files(
        {"a sample": [options.output / name for name in (*_TRC_SCALES, _NPZ_NAME)]}, {}, overwrite=options.overwrite
    )
    for path in write_samples(options.output):
        print(f"{path}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    sys.exit(main())
