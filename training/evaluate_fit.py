"""Measure the fit on real motion of people it never saw, and print the table of figures.

    python -m training.evaluate_fit MOTION_FOLDER [--subjects 16 35 05] [--every N] [--json OUT.json]

Each clip is put on the free body with a random shape, N(0, 0.8); its BODY25 keypoints come from the body model, then
are disturbed as the row says. No initial pose is given. PVE is the mean distance between fitted and true vertices with
the pelvis joints brought together.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from core.body.free_body import load_free_body
from core.body.keypoints import KeypointModel
from core.body.landmarks import landmark_regressor
from core.body.model import BodyModel
from core.files import atomic_path
from core.fit import FitOptions, fit_track
from core.layouts import LAYOUTS, Layout
from core.motion import Motion
from core.rotations import matrix_to_axis_angle
from core.skeletons import JOINT_INDEX
from core.track import KeypointTrack

from .motion_folder import Clip, read_clips
from .pose_prior import HELD_OUT_SUBJECTS

_VERTEX_FRAMES = 40
_SPEED_FRAMES = 1000
_SPEED_RUNS = 5
_ARM = ("left_elbow", "left_wrist")


@dataclass(frozen=True)
class Condition:
    """How a row of the table disturbs the keypoints.

    Attributes:
        name: the row's name.
        know_betas: the true betas are given.
        noise_m: standard deviation of Gaussian noise per axis.
        missing: share of points dropped at random.
        arm_gap_s: seconds in the middle of each clip in which the left elbow and wrist are gone.
        layout: the layout's name.
        mode: "clip" or "frames".
    """

    name: str
    know_betas: bool = True
    noise_m: float = 0.0
    missing: float = 0.0
    arm_gap_s: float = 0.0
    layout: str = "body25"
    mode: str = "clip"


CONDITIONS = (
    Condition("clean, true betas"),
    Condition("clean, betas estimated", know_betas=False),
    Condition("10 mm noise, true betas", noise_m=0.01),
    Condition("10 mm noise, betas estimated", know_betas=False, noise_m=0.01),
    Condition("20 mm noise, true betas", noise_m=0.02),
    Condition("20 % of points missing, true betas", missing=0.2),
    Condition("left arm missing for 1 s, true betas", arm_gap_s=1.0),
    Condition("with hand knuckles (133 points), true betas", layout="wholebody133"),
    Condition("17 points (COCO), betas estimated", know_betas=False, layout="coco17"),
    Condition("frame by frame, clean, true betas", mode="frames"),
    Condition("frame by frame, clean, betas estimated", know_betas=False, mode="frames"),
)


@dataclass(frozen=True)
class Row:
    """Figures of one condition, means over frames.

    Attributes:
        name: the condition's.
        pve_mm: vertices, pelvis joints together.
        keypoint_mm: fitted points against the disturbed ones.
        true_keypoint_mm: fitted points against the undisturbed ones.
        shape_mm: rest vertices of the estimated shape against the true one.
        arm_deg: rotation error of upper arms and forearms.
        wrist_deg: rotation error of wrists.
        acceleration_mm: error of the joints' second difference, per frame squared.
        frames: how many frames.
    """

    name: str
    pve_mm: float
    keypoint_mm: float
    true_keypoint_mm: float
    shape_mm: float
    arm_deg: float
    wrist_deg: float
    acceleration_mm: float
    frames: int


class Evaluation:
    """The body, and what is measured on it."""

    def __init__(self) -> None:
        """Load the free body."""
        self.data = load_free_body()
        self.body = BodyModel(self.data)
        self._models: dict[str, KeypointModel] = {}

    def keypoints(self, clip: Clip, layout: Layout) -> np.ndarray:
        """Return the clip's true points (F, K, 3) of a *layout*, NaN for points that no fit reads."""
        columns = [index for index, point in enumerate(layout.points) if point.solver]
        if layout.name not in self._models:
            names = tuple(str(layout.points[index].solver) for index in columns)
            self._models[layout.name] = KeypointModel(self.body, landmark_regressor(self.data, names))
        model = self._models[layout.name]
        seen = model.shaped(clip.drawn_betas()).points(clip.rotations, clip.trans)
        points = np.full((len(seen), len(layout.points), 3), np.nan)
        points[:, columns] = seen
        return points

    def track(self, clip: Clip, condition: Condition) -> KeypointTrack:
        """Return the clip's keypoints as *condition* disturbs them, always alike."""
        layout = LAYOUTS[condition.layout]
        generator = np.random.default_rng(zlib.crc32(f"{clip.name} {condition.name}".encode()))
        points = self.keypoints(clip, layout)
        points = points + generator.normal(0.0, 1.0, points.shape) * condition.noise_m
        confidence = np.ones(points.shape[:2])
        confidence[generator.random(confidence.shape) < condition.missing] = 0.0
        if condition.arm_gap_s:
            middle, half = len(points) / 2, condition.arm_gap_s * clip.fps / 2
            gone = slice(max(0, round(middle - half)), round(middle + half))
            confidence[gone, [layout.names.index(name) for name in _ARM]] = 0.0
        return KeypointTrack(points, confidence, clip.fps, layout)

    def measure(self, clip: Clip, condition: Condition) -> Row:
        """Return the figures of one clip."""
        betas = clip.drawn_betas()
        track = self.track(clip, condition)
        options = FitOptions(betas=betas if condition.know_betas else None, mode=condition.mode)
        motion, report = fit_track(track, self.data, options)
        return self._compare(clip, condition, motion, report.mean_error_mm)

    def _compare(self, clip: Clip, condition: Condition, motion: Motion, keypoint_mm: float) -> Row:
        betas = clip.drawn_betas()
        fitted = (
            motion.rotations().astype(np.float32),
            motion.betas.astype(np.float32),
            motion.trans.astype(np.float32),
        )
        true = (clip.rotations, betas, clip.trans)
        picked = np.linspace(0, len(clip.trans) - 1, min(_VERTEX_FRAMES, len(clip.trans))).round().astype(int)
        centred = []
        for rotations, shape, trans in (fitted, true):
            some = (rotations[picked], shape, trans[picked])
            centred.append(self.body.vertices(*some) - self.body.joints(*some)[:, :1])
        joints = [self.body.joints(*one) for one in (fitted, true)]
        bend = [np.diff(places, n=2, axis=0) for places in joints]
        turn = matrix_to_axis_angle(np.swapaxes(fitted[0], -1, -2) @ true[0])
        degrees = np.rad2deg(np.linalg.norm(turn, axis=-1)).mean(axis=0)
        layout = LAYOUTS[condition.layout]
        columns = [index for index, point in enumerate(layout.points) if point.solver]
        points = self._models[layout.name].shaped(fitted[1]).points(fitted[0], fitted[2])
        off = np.linalg.norm(points - self.keypoints(clip, layout)[:, columns], axis=-1)
        shape = np.linalg.norm(self.data.shapedirs @ (motion.betas - betas), axis=-1)
        return Row(
            condition.name,
            1000.0 * float(_distance(*centred)),
            keypoint_mm,
            1000.0 * float(off.mean()),
            1000.0 * float(shape.mean()),
            _mean_of(degrees, ("left_shoulder", "right_shoulder", "left_elbow", "right_elbow")),
            _mean_of(degrees, ("left_wrist", "right_wrist")),
            1000.0 * float(_distance(*bend)) if len(bend[0]) else 0.0,
            len(clip.trans),
        )


def _distance(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.linalg.norm(first - second, axis=-1).mean())


def _mean_of(degrees: np.ndarray, names: Sequence[str]) -> float:
    return float(np.mean([degrees[JOINT_INDEX[name]] for name in names]))


def summarise(rows: Sequence[Row]) -> Row:
    """Return the means of *rows* of one condition, weighed by frames."""
    weights = np.array([row.frames for row in rows], dtype=np.float64)
    figures = {
        field: float(np.average([getattr(row, field) for row in rows], weights=weights))
        for field in Row.__dataclass_fields__
        if field not in ("name", "frames")
    }
    return Row(name=rows[0].name, frames=int(weights.sum()), **figures)


def frames_per_second(evaluation: Evaluation, clips: Sequence[Clip]) -> tuple[float, list[float]]:
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
        fit_track(long_track, evaluation.data, FitOptions())
        seconds.append(time.perf_counter() - began)
    counted = seconds[1:]
    return _SPEED_FRAMES / float(np.median(counted)), counted


def _print_row(row: Row) -> None:
    print(
        f"{row.name:<46} {row.pve_mm:>7.2f} {row.keypoint_mm:>8.2f} {row.true_keypoint_mm:>8.2f} {row.shape_mm:>7.2f} "
        f"{row.arm_deg:>6.1f} {row.wrist_deg:>6.1f} {row.acceleration_mm:>7.2f}",
        flush=True,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m training.evaluate_fit", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("folder", type=Path, help="motion clips in AMASS layout, Y up (CMU_SUBJECT_CLIP_poses.npz)")
    parser.add_argument("--subjects", nargs="+", default=list(HELD_OUT_SUBJECTS))
    parser.add_argument("--every", type=int, default=1, metavar="N", help="take every Nth clip only")
    parser.add_argument("--json", type=Path, metavar="OUT.json", help="write the figures")
    options = parser.parse_args(arguments)
    clips = read_clips(options.folder, options.subjects)[:: options.every]
    evaluation = Evaluation()
    print(f"{len(clips)} clips, {sum(len(clip.trans) for clip in clips)} frames; {_machine()}")
    print(f"{'':<46} {'PVE':>7} {'points':>8} {'true pts':>8} {'shape':>7} {'arms':>6} {'wrists':>6} {'accel':>7}")
    print(f"{'':<46} {'mm':>7} {'mm':>8} {'mm':>8} {'mm':>7} {'deg':>6} {'deg':>6} {'mm/f2':>7}")
    rows = []
    for condition in CONDITIONS:
        rows.append(summarise([evaluation.measure(clip, condition) for clip in clips]))
        _print_row(rows[-1])
    rate, seconds = frames_per_second(evaluation, clips)
    spread = ", ".join(f"{value:.2f}" for value in seconds)
    print(f"whole fit of {_SPEED_FRAMES} frames, betas estimated: {rate:.0f} frames/s (median of {spread} s)")
    if options.json is not None:
        figures = {"machine": _machine(), "rows": [asdict(row) for row in rows], "frames_per_second": rate}
        with atomic_path(options.json) as path:
            path.write_text(json.dumps(figures, indent=1), encoding="utf-8")


def _machine() -> str:
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, NumPy {np.__version__}"


if __name__ == "__main__":
    main()
