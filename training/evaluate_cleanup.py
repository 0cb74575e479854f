"""Measure the clean-up on real motion (smoothing of noisy fits, and the foot lock) and print tables of metrics.

    python -m training.evaluate_cleanup MOTION_FOLDER [--subjects 16 35 05] [--every N] [--json OUT.json]

Smoothing: clips of held-out subjects, on the free body in random shapes, are fitted to BODY25 points with 10 mm of
noise per axis, with the fit's own smoothing and without, then smoothed by the clean-up. PVE is the mean distance
between fitted and true vertices with the pelvis joints aligned; acceleration is the mean error of the vertices' second
difference. Feet: the same fits, and the recorded walks of all subjects in the folder. A slide is how far the skin under
a foot slides on the floor during a contact; "elsewhere" covers all joints except the ankles and toes of feet in
contact. Soles: the same motions with their feet locked and on the floor, measured on the skin of the feet (see
`training.evaluation.sole_metrics`).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from core.body.keypoints import KeypointModel
from core.cleanup import PLANTED, CleanupOptions, CleanupSource, analyse_motion, clean_up, held_joints
from core.cleanup.feet import POINTS
from core.cli.exit_codes import exit_code_of
from core.fit import FitOptions, fit_track
from core.io.own_files import OVERWRITE_HELP
from core.math.rotations import matrix_to_axis_angle
from core.motion import Motion
from core.smpl_skeleton import JOINT_INDEX, NUM_VERTICES

from .arguments import positive_int
from .data.motion_folder import Clip, clip_files, read_clips
from .evaluation.fit_conditions import Condition
from .evaluation.fit_metrics import Evaluation
from .evaluation.metrics_json import write_json
from .evaluation.realistic_errors import ErrorModel
from .evaluation.sole_metrics import FootSkin, sole_lines, sole_row
from .outputs import check_files
from .pose_prior import HELD_OUT_SUBJECTS

NOISE = Condition("10 mm noise, betas estimated", know_betas=False, errors=ErrorModel(white_m=0.01))
LOCKED = CleanupOptions(foot_lock=1.0)
_EVERY_VERTEX = 29
_WALK_M_S = (0.4, 2.2)
_MIN_CONTACTS = 6
_END_S = 0.13
_SPEED_FRAMES = 1000
_SPEED_RUNS = 9


@dataclass(frozen=True)
class SmoothingRow:
    """Errors of motions against the ground truth.

    Attributes:
        name: the processing.
        pve_mm: per-vertex error with the pelvis joints aligned.
        place_mm: per-vertex error in world coordinates.
        acceleration_mm: error of the vertices' second difference, per frame squared.
    """

    name: str
    pve_mm: float
    place_mm: float
    acceleration_mm: float


@dataclass(frozen=True)
class FeetRow:
    """Effect of the foot lock on motions.

    Attributes:
        name: the motions.
        clips: number of clips.
        contacts: number of contacts in all clips.
        agreement: F1 score of the heels' and toes' contact frames against those detected in the true motion.
        slide_before_mm: mean slide over contacts, without the lock.
        slide_mm: the same with the lock.
        slide_95_mm: 95th percentile over contacts with the lock.
        slide_worst_mm: largest slide with the lock.
        elsewhere_before_mm: mean error of the other joints, without the lock.
        elsewhere_mm: the same with the lock.
        acceleration_before: largest joint acceleration near the ends of contacts, mean over clips, m/s^2.
        acceleration: the same with the lock.
    """

    name: str
    clips: int
    contacts: int
    agreement: float
    slide_before_mm: float
    slide_mm: float
    slide_95_mm: float
    slide_worst_mm: float
    elsewhere_before_mm: float
    elsewhere_mm: float
    acceleration_before: float
    acceleration: float


class Evaluator:
    """Measures errors of motions against the ground truth."""

    def __init__(self, evaluation: Evaluation) -> None:
        """Select every 29th vertex of the body of *evaluation*."""
        self.evaluation = evaluation
        selected = np.arange(0, NUM_VERTICES, _EVERY_VERTEX)
        regressor = np.zeros((len(selected), NUM_VERTICES))
        regressor[np.arange(len(selected)), selected] = 1.0
        self._vertices = KeypointModel(evaluation.body, regressor)

    def joints(self, motion: Motion) -> np.ndarray:
        """Return the joint positions (F, 24, 3)."""
        return self.evaluation.body.joints(motion.rotations(), motion.betas, motion.trans)

    def distances(self, motion: Motion, truth: Motion) -> np.ndarray:
        """Return PVE, error in world coordinates, and acceleration error (3,), millimetres, averaged over frames."""
        positions, centred = [], []
        for one in (motion, truth):
            shaped = self._vertices.shaped(one.betas.astype(np.float32))
            points = shaped.points(one.rotations().astype(np.float32), np.zeros((1, 3), dtype=np.float32))
            centred.append(points.astype(np.float64) - shaped.rest_joints[0])
            positions.append(points + one.trans[:, None])
        second_differences = [np.diff(position, n=2, axis=0) for position in positions]
        pairs = (centred, positions, second_differences)
        return np.array([1000.0 * np.linalg.norm(first - second, axis=-1).mean() for first, second in pairs])

    def pve_mm(self, motion: Motion, truth: Motion) -> float:
        """Return the per-vertex error with the pelvis joints aligned, millimetres, averaged over frames."""
        return float(self.distances(motion, truth)[0])


def motion_of(clip: Clip, betas: np.ndarray) -> Motion:
    """Return the clip's motion on a body with *betas*."""
    poses = matrix_to_axis_angle(clip.rotations.astype(np.float64)).reshape(len(clip.trans), -1)
    return Motion(poses, betas.astype(np.float64), clip.trans.astype(np.float64), clip.fps)


def fits(evaluation: Evaluation, clips: Sequence[Clip], smoothing: float) -> Iterator[tuple[CleanupSource, Motion]]:
    """Yield the fit of each noisy clip, analysed for the clean-up, with its ground truth."""
    for clip in clips:
        track = evaluation.track(clip, NOISE)
        motion, report = fit_track(track, evaluation.data, FitOptions(smoothing=smoothing))
        held = held_joints(report.flags, motion, track.fps)
        yield analyse_motion(motion, evaluation.body, held), motion_of(clip, clip.drawn_betas())


def smoothing_rows(
    evaluator: Evaluator, fitted: Sequence[tuple[CleanupSource, Motion]], name: str
) -> list[SmoothingRow]:
    """Return a row for the fits as they are and two for smoothed fits."""
    rows = []
    weights = [truth.num_frames for _, truth in fitted]
    for strength, what in ((0.0, ""), (0.5, ", smooth 0.5"), (1.0, ", smooth 1")):
        options = CleanupOptions(smoothing=strength)
        errors = [evaluator.distances(clean_up(source, options), truth) for source, truth in fitted]
        rows.append(SmoothingRow(f"{name}{what}", *map(float, np.average(errors, axis=0, weights=weights))))
    return rows


def walks(evaluation: Evaluation, clips: Sequence[Clip]) -> list[tuple[CleanupSource, Motion]]:
    """Return the recorded clips of walking, on the mean shape, analysed for the clean-up."""
    selected = []
    for clip in clips:
        speed = np.linalg.norm(np.diff(clip.trans[:: max(1, round(0.5 * clip.fps)), ::2], axis=0), axis=-1) / 0.5
        if len(speed) > 2 and _WALK_M_S[0] < np.median(speed) < _WALK_M_S[1]:
            motion = motion_of(clip, np.zeros(10))
            source = analyse_motion(motion, evaluation.body)
            if len(source.contacts) >= _MIN_CONTACTS:
                selected.append((source, motion))
    return selected


def feet_row(evaluator: Evaluator, sources: Sequence[tuple[CleanupSource, Motion]], name: str) -> FeetRow:
    """Return the effect of the foot lock on motions, each given with its ground truth."""
    slides: list[list[np.ndarray]] = [[], []]
    elsewhere: list[list[float]] = [[], []]
    fastest: list[list[float]] = [[], []]
    with_contacts = [(source, truth) for source, truth in sources if source.contacts and source.ground is not None]
    in_contact: list[list[np.ndarray]] = [[], []]
    for source, truth in with_contacts:
        true_joints = evaluator.joints(truth)
        free = ~_contact_joints(source)
        for index, one in enumerate((source, analyse_motion(truth, source.model))):
            in_contact[index].append(_contact_points(one))
        near = _near_ends(source)
        for index, motion in enumerate((source.motion, clean_up(source, LOCKED))):
            joints = evaluator.joints(motion)
            slides[index].append(slides_mm(source, motion))
            elsewhere[index].append(1000.0 * float(np.linalg.norm(joints - true_joints, axis=-1)[free].mean()))
            change = np.linalg.norm(np.diff(joints, n=2, axis=0), axis=-1) * motion.fps**2
            fastest[index].append(float(change[near[1:-1]].max()))
    before, after = (np.concatenate(part) for part in slides)
    return FeetRow(
        name,
        len(with_contacts),
        len(after),
        _f1(*(np.concatenate(part) for part in in_contact)),
        float(before.mean()),
        float(after.mean()),
        float(np.quantile(after, 0.95)),
        float(after.max()),
        float(np.mean(elsewhere[0])),
        float(np.mean(elsewhere[1])),
        float(np.mean(fastest[0])),
        float(np.mean(fastest[1])),
    )


def slides_mm(source: CleanupSource, motion: Motion) -> np.ndarray:
    """Return the slide (C,) of the skin under the foot for each contact in *motion*, millimetres."""
    return 1000.0 * FootSkin(source.model, motion.betas).measure(source, motion, source.floor).slides


def _contact_points(source: CleanupSource) -> np.ndarray:
    """Return whether each contact point is in contact in each frame (F, 4)."""
    in_contact = np.zeros((source.motion.num_frames, len(POINTS)), dtype=bool)
    for contact in source.contacts:
        in_contact[contact.frames, contact.point] = True
    return in_contact


def _f1(detected: np.ndarray, true: np.ndarray) -> float:
    return 2.0 * float((detected & true).sum()) / float(detected.sum() + true.sum())


def _contact_joints(source: CleanupSource) -> np.ndarray:
    """Return whether each joint is the ankle or toe joint of a foot in contact (F, 24)."""
    in_contact = np.zeros((source.motion.num_frames, 24), dtype=bool)
    for contact in source.contacts:
        side = POINTS[contact.point].partition("_")[0]
        for name in ("ankle", "foot"):
            in_contact[contact.frames, JOINT_INDEX[f"{side}_{name}"]] = True
    return in_contact


def _near_ends(source: CleanupSource) -> np.ndarray:
    near = np.zeros(source.motion.num_frames, dtype=bool)
    reach = max(1, round(_END_S * source.motion.fps))
    for contact in source.contacts:
        for end in (contact.first, contact.last):
            near[max(0, end - reach) : end + reach + 1] = True
    return near


def milliseconds(source: CleanupSource) -> tuple[float, float]:
    """Return the median CPU times of `analyse_motion` and of `clean_up` with all options, for 1000 frames."""
    motion = source.motion
    ping_pong = np.concatenate([np.arange(motion.num_frames), np.arange(motion.num_frames)[::-1]])
    frames = np.resize(ping_pong, _SPEED_FRAMES)
    long = Motion(motion.poses[frames], motion.betas, motion.trans[frames], motion.fps)
    options = CleanupOptions(0.7, 1.0, "contacts", 0.1, "in_place")
    times: list[list[float]] = [[], []]
    for _ in range(_SPEED_RUNS):
        start = time.process_time()
        prepared = analyse_motion(long, source.model)
        middle = time.process_time()
        clean_up(prepared, options)
        for part, seconds in zip(times, (middle - start, time.process_time() - middle), strict=True):
            part.append(1000.0 * seconds)
    return float(np.median(times[0])), float(np.median(times[1]))


def _print_smoothing(rows: Sequence[SmoothingRow]) -> None:
    for row in rows:
        print(f"{row.name:<46} {row.pve_mm:>7.2f} {row.place_mm:>8.2f} {row.acceleration_mm:>8.2f}", flush=True)


def _print_feet(row: FeetRow) -> None:
    print(
        f"{row.name:<32} {row.clips:>5} {row.contacts:>8} {row.agreement:>5.2f} "
        f"{row.slide_before_mm:>8.1f} {row.slide_mm:>7.1f} "
        f"{row.slide_95_mm:>6.1f} {row.slide_worst_mm:>6.1f} {row.elsewhere_before_mm:>10.1f} {row.elsewhere_mm:>7.1f} "
        f"{row.acceleration_before:>8.0f} {row.acceleration:>7.0f}",
        flush=True,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m training.evaluate_cleanup", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("folder", type=Path, help="motion clips in AMASS layout, Y up (CMU_SUBJECT_CLIP_poses.npz)")
    parser.add_argument("--subjects", nargs="+", default=list(HELD_OUT_SUBJECTS), help="subjects whose clips to fit")
    parser.add_argument("--every", type=positive_int, default=1, metavar="N", help="take every Nth clip only")
    parser.add_argument("--json", type=Path, metavar="OUT.json", help="write the metrics as JSON")
    parser.add_argument("--overwrite", action="store_true", help=OVERWRITE_HELP)
    options = parser.parse_args(arguments)
    return exit_code_of(parser.prog, lambda: _run(options))


def _run(options: argparse.Namespace) -> None:
    check_files({"the metrics": options.json}, {"the clips": clip_files(options.folder)}, overwrite=options.overwrite)
    evaluator = Evaluator(Evaluation())
    clips = read_clips(options.folder, options.subjects)[:: options.every]
    raw, usual = (list(fits(evaluator.evaluation, clips, smoothing)) for smoothing in (0.0, 1.0))
    print(f"smoothing, {len(clips)} clips, {sum(len(clip.trans) for clip in clips)} frames, 10 mm of noise")
    print(f"{'':<46} {'PVE mm':>7} {'world mm':>8} {'mm/f2':>8}")
    smoothing = smoothing_rows(evaluator, raw, "fit without smoothing") + smoothing_rows(
        evaluator, usual, "fit as usual"
    )
    _print_smoothing(smoothing)
    walking = walks(evaluator.evaluation, read_clips(options.folder)[:: options.every])
    print("feet locked")
    print(
        f"{'':<32} {'clips':>5} {'contacts':>8} {'F1':>5} {'slide mm':>8} {'locked':>7} {'95 %':>6} {'worst':>6} "
        f"{'elsewhere':>10} {'locked':>7} {'m/s2':>8} {'locked':>7}"
    )
    feet = [feet_row(evaluator, walking, "recorded walks"), feet_row(evaluator, usual, "fits as usual, 10 mm noise")]
    for row in feet:
        _print_feet(row)
    print("soles, feet locked and on the floor")
    soles = [
        sole_row(sources, row.name, PLANTED, evaluator.pve_mm)
        for row, sources in zip(feet, (walking, usual), strict=True)
    ]
    print("\n".join(line for row in soles for line in sole_lines(row)), flush=True)
    analyse_ms, clean_ms = milliseconds(walking[0][0])
    print(f"1000 frames: analysed in {analyse_ms:.0f} ms, cleaned up in {clean_ms:.0f} ms of processor time (medians)")
    if options.json is not None:
        metrics = {
            "smoothing": [asdict(row) for row in smoothing],
            "feet": [asdict(row) for row in feet],
            "soles": [asdict(row) for row in soles],
            "prepare_ms": analyse_ms,
            "clean_ms": clean_ms,
        }
        write_json(options.json, metrics)


if __name__ == "__main__":
    sys.exit(main())
