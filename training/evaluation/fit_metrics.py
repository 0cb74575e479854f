"""Metrics of the fit on known motion: each clip on the free body, with disturbed keypoints, compared with its fit.

Every clip has a random shape, N(0, 0.8), and its keypoints come from the body model. PVE is the mean distance between
fitted and true vertices with the pelvis joints aligned. F frames, K keypoints.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from core.body.data import BodyData
from core.body.free_body import load_free_body
from core.body.keypoints import KeypointModel, ShapedKeypoints
from core.body.landmarks import landmark_regressor
from core.body.model import BodyModel, world_rotations
from core.errors import CoreError
from core.fit import FitOptions, fit_track
from core.fit.observations import layout_points, solver_points
from core.fit.pose_solver import PoseSolver
from core.fit.quality import QUALITIES
from core.fit.solver.gauss_newton import Targets
from core.formats.raw import RawRecording
from core.layouts import LAYOUTS, Layout
from core.math.rotations import matrix_to_axis_angle
from core.motion import Motion
from core.reading import ReadOptions
from core.reading.interpret import interpret
from core.smpl_skeleton import JOINT_INDEX
from core.track import KeypointTrack

from ..data.motion_folder import Clip
from .fit_conditions import CLEAN, SMPL_HIP_WIDTH_M, Condition
from .fit_spill import Spill, SpillMeter, summarise_spill
from .realistic_errors import add_errors

_VERTEX_FRAMES = 40
_TENTH = 10
_KNOWN_SIGMA_M = 1e-3
_LARGEST_ACCELERATION = 250.0
"""Acceleration limit of a joint relative to the pelvis, m/s^2. Beyond it the recording itself is wrong: in clips of
CMU's subject 05 a knee jumps by 20 cm and back from frame to frame."""
_LARGEST_SHARE = 0.5
"""Clips in which a fault would cover a larger share of the frames are left out."""

_NOT_AVERAGED = ("name", "worst_joint_mm", "frames", "clips", "spill", "refused")


@dataclass(frozen=True)
class Row:
    """Metrics of one condition: means over frames unless stated otherwise.

    Attributes:
        name: name of the condition.
        pve_mm: per-vertex error with the pelvis joints aligned.
        worst_joint_mm: largest joint error, with the pelvis joints aligned, except around frames in which the recorded
            motion itself jumps.
        keypoint_mm: distance of the fitted points from the disturbed ones.
        true_keypoint_mm: distance of the fitted points from the undisturbed ones.
        shape_mm: rest-pose vertex error of the estimated shape.
        arm_deg: rotation error of upper arms and forearms.
        wrist_deg: rotation error of the wrists.
        head_deg: error of the head's global orientation.
        foot_deg: error of the feet's global orientation.
        acceleration_mm: error of the joints' second difference, per frame squared.
        drift_mm: vertex error in the last tenth of a clip minus that in its first tenth.
        frames: number of frames.
        clips: number of clips.
        spill: effect of a fault on the frames outside it; None without a fault.
        refused: the refused clips, each with its error message.
    """

    name: str
    pve_mm: float
    worst_joint_mm: float
    keypoint_mm: float
    true_keypoint_mm: float
    shape_mm: float
    arm_deg: float
    wrist_deg: float
    head_deg: float
    foot_deg: float
    acceleration_mm: float
    drift_mm: float
    frames: int
    clips: int = 1
    spill: Spill | None = None
    refused: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Disturbed:
    """A clip's keypoints, disturbed by a condition.

    Attributes:
        track: the keypoints.
        run: the frames of the fault; None without one.
    """

    track: KeypointTrack
    run: slice | None = None


class Evaluation:
    """Measures fits on one body."""

    def __init__(self, options: FitOptions | None = None, data: BodyData | None = None) -> None:
        """Measure on *data*, or the free body; fits use *options*, but the condition's mode and betas."""
        self.options = options or FitOptions()
        self.data = data or load_free_body()
        self.body = BodyModel(self.data)
        self._spill_meter = SpillMeter(self.body)
        self._models: dict[str, KeypointModel] = {}
        self._baselines: dict[tuple[str, str], Motion] = {}

    def _model(self, layout: Layout) -> KeypointModel:
        """Return the keypoint model of the layout's points that the fit uses."""
        if layout.name not in self._models:
            names = layout_points(layout).names
            self._models[layout.name] = KeypointModel(self.body, landmark_regressor(self.data, names))
        return self._models[layout.name]

    def _points(self, clip: Clip, layout: Layout, *, smpl_hips: bool = False) -> np.ndarray:
        """Return the layout's true points (F, K, 3) that the fit uses; *smpl_hips* moves the hips inwards."""
        model = self._model(layout)
        if smpl_hips:
            names = layout_points(layout).names
            left, right = (names.index(f"{side}_hip") for side in ("left", "right"))
            mean = model.rest(np.zeros(len(clip.drawn_betas()), dtype=np.float32))
            inwards = 0.5 * (mean[left] - mean[right])
            inwards *= SMPL_HIP_WIDTH_M / (2.0 * np.linalg.norm(inwards)) - 1.0
            offsets = np.zeros((len(names), 3), dtype=np.float32)
            offsets[left], offsets[right] = inwards, -inwards
            model = model.shifted(offsets)
        return np.asarray(model.shaped(clip.drawn_betas()).points(clip.rotations, clip.trans), dtype=np.float64)

    def keypoints(self, clip: Clip, layout: Layout) -> np.ndarray:
        """Return the clip's true points (F, K, 3) of *layout*, NaN for points that the fit does not use."""
        return _scatter_to_layout(self._points(clip, layout), layout)

    def solver_keypoints(self, clip: Clip, names: Sequence[str]) -> ShapedKeypoints:
        """Return the solver points *names* on the clip's body."""
        return KeypointModel(self.body, landmark_regressor(self.data, tuple(names))).shaped(clip.drawn_betas())

    def disturbed(self, clip: Clip, condition: Condition) -> Disturbed:
        """Return the clip's keypoints disturbed by *condition*, deterministically.

        Raises:
            TrackError: `core.reading` refuses them.
        """
        layout = LAYOUTS[condition.layout]
        points = self._points(clip, layout, smpl_hips=condition.smpl_hips)
        if condition.errors != CLEAN:
            generator = _generator(clip, f"{condition.errors} {condition.layout}")
            holders = self._model(layout).holders
            points = add_errors(points, clip.rotations, holders, clip.fps, generator, condition.errors)
        if condition.missing:
            points[_generator(clip, "missing").random(points.shape[:2]) < condition.missing] = np.nan
        run = None
        if condition.fault is not None:
            generator = _generator(clip, type(condition.fault).__name__)
            points, run = condition.fault.apply(points, layout_points(layout).names, clip.fps, generator)
        positions = _scatter_to_layout(points, layout)
        track = KeypointTrack(positions, np.isfinite(positions).all(-1).astype(np.float64), clip.fps, layout)
        return Disturbed(_read(track, clip.name) if condition.read else track, run)

    def track(self, clip: Clip, condition: Condition) -> KeypointTrack:
        """Return the clip's keypoints disturbed by *condition*, deterministically."""
        return self.disturbed(clip, condition).track

    def measure(self, clip: Clip, condition: Condition) -> Row:
        """Return the metrics of one clip.

        Raises:
            CoreError: the track is refused.
        """
        disturbed = self.disturbed(clip, condition)
        if condition.mode == "known":
            return self.compare(clip, condition, *self._from_known_poses(clip, disturbed.track))
        motion, keypoint_mm = self._fit(clip, condition, disturbed.track)
        row = self.compare(clip, condition, motion, keypoint_mm)
        if disturbed.run is None:
            return row
        joints = self.body.joints(clip.rotations, clip.drawn_betas(), clip.trans)
        jumps = _jumps(joints - joints[:, :1], clip.fps)
        spill = self._spill_meter.measure(motion, self._baseline(clip, condition), disturbed.run, jumps)
        return replace(row, spill=spill)

    def measure_or_refuse(self, clip: Clip, condition: Condition) -> Row | str | None:
        """Return the metrics of one clip, its error message if it was refused, or None if the fault covers most of it.

        Other errors than the project's own also count as refusals: in either case the user gets no motion.
        """
        fault = condition.fault
        if fault is not None and fault.num_frames(clip.fps) > _LARGEST_SHARE * len(clip.trans):
            return None
        try:
            return self.measure(clip, condition)
        except (CoreError, ValueError, ArithmeticError, MemoryError) as error:
            return f"{clip.name}: {type(error).__name__}: {error}"

    def _fit(self, clip: Clip, condition: Condition, track: KeypointTrack) -> tuple[Motion, float]:
        betas = clip.drawn_betas() if condition.know_betas else None
        motion, report = fit_track(track, self.data, replace(self.options, betas=betas, mode=condition.mode))
        return motion, report.mean_error_mm

    def _baseline(self, clip: Clip, condition: Condition) -> Motion:
        """Return the fit of the clip without the condition's fault."""
        assert condition.fault is not None
        without = replace(condition, name="", fault=condition.fault.baseline())
        key = clip.name, repr(without)
        if key not in self._baselines:
            self._baselines[key], _ = self._fit(clip, without, self.track(clip, without))
        return self._baselines[key]

    def _from_known_poses(self, clip: Clip, track: KeypointTrack) -> tuple[Motion, float]:
        """Fit each frame from the true pose of the previous one; return the motion and the keypoint error, mm.

        The first frame is the true pose.
        """
        points = solver_points(track)
        keypoints = self.solver_keypoints(clip, points.names)
        targets = Targets(points.positions[1:].astype(np.float32), points.weights[1:].astype(np.float32))
        solver = PoseSolver(points.names, keypoints, _KNOWN_SIGMA_M, QUALITIES[self.options.quality].iterations)
        rotations, trans = solver.solve(targets, solver.initial_pose(targets, clip.rotations[:-1]))
        off = np.linalg.norm(keypoints.points(rotations, trans) - targets.points, axis=-1)
        rotations, trans = np.concatenate([clip.rotations[:1], rotations]), np.concatenate([clip.trans[:1], trans])
        poses = matrix_to_axis_angle(rotations.astype(np.float64)).reshape(len(rotations), -1)
        return Motion(poses, clip.drawn_betas(), trans, clip.fps), 1000.0 * float(off.mean())

    def compare(self, clip: Clip, condition: Condition, motion: Motion, keypoint_mm: float = float("nan")) -> Row:
        """Return the metrics of a motion fitted to a clip; *keypoint_mm* is the error that the fit reported."""
        betas = clip.drawn_betas()
        fitted = (
            motion.rotations().astype(np.float32),
            motion.betas.astype(np.float32),
            motion.trans.astype(np.float32),
        )
        true = (clip.rotations, betas, clip.trans)
        selected = np.linspace(0, len(clip.trans) - 1, min(_VERTEX_FRAMES, len(clip.trans))).round().astype(int)
        centred = []
        for rotations, shape, trans in (fitted, true):
            pose = (rotations[selected], shape, trans[selected])
            centred.append(self.body.vertices(*pose) - self.body.joints(*pose)[:, :1])
        by_frame = np.linalg.norm(centred[0] - centred[1], axis=-1).mean(axis=1)
        tenth_length = max(1, len(by_frame) // _TENTH)
        joints = [self.body.joints(*one) for one in (fitted, true)]
        second_differences = [np.diff(positions, n=2, axis=0) for positions in joints]
        pelvis_centred = [positions - positions[:, :1] for positions in joints]
        local_errors = _rotation_differences_deg(fitted[0], true[0])
        global_errors = _rotation_differences_deg(*(np.asarray(world_rotations(one)) for one in (fitted[0], true[0])))
        layout = LAYOUTS[condition.layout]
        points = self._model(layout).shaped(fitted[1]).points(fitted[0], fitted[2])
        shape = np.linalg.norm(self.data.shapedirs @ (motion.betas - betas), axis=-1)
        return Row(
            condition.name,
            pve_mm=1000.0 * float(by_frame.mean()),
            worst_joint_mm=1000.0
            * float((_joint_errors(*pelvis_centred) * ~_jumps(pelvis_centred[1], clip.fps)).max()),
            keypoint_mm=keypoint_mm,
            true_keypoint_mm=1000.0 * _distance(points, self._points(clip, layout)),
            shape_mm=1000.0 * float(shape.mean()),
            arm_deg=_mean_of(local_errors, ("left_shoulder", "right_shoulder", "left_elbow", "right_elbow")),
            wrist_deg=_mean_of(local_errors, ("left_wrist", "right_wrist")),
            head_deg=_mean_of(global_errors, ("head",)),
            foot_deg=_mean_of(global_errors, ("left_ankle", "right_ankle")),
            acceleration_mm=1000.0 * float(_distance(*second_differences)) if len(second_differences[0]) else 0.0,
            drift_mm=1000.0 * float(by_frame[-tenth_length:].mean() - by_frame[:tenth_length].mean()),
            frames=len(clip.trans),
        )


def _joint_errors(fitted: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Return the largest joint error (F,) in each frame of positions (F, J, 3)."""
    return np.asarray(np.linalg.norm(fitted - true, axis=-1).max(axis=1))


def _jumps(joints: np.ndarray, fps: float) -> np.ndarray:
    """Return the frames (F,) in or next to which *joints* (F, J, 3) accelerate impossibly."""
    jumps = np.zeros(len(joints), dtype=bool)
    if len(joints) > 2:
        per_frame = np.linalg.norm(np.diff(joints, n=2, axis=0), axis=-1).max(axis=1)
        beyond = per_frame * fps**2 > _LARGEST_ACCELERATION
        for shift in range(3):
            jumps[shift : shift + len(beyond)] |= beyond
    return jumps


def _generator(clip: Clip, what: str) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(f"{clip.name} {what}".encode()))


def _scatter_to_layout(points: np.ndarray, layout: Layout) -> np.ndarray:
    """Scatter the points (F, K, 3) that the fit uses to their columns of the layout, NaN elsewhere."""
    positions = np.full((len(points), len(layout.points), 3), np.nan)
    positions[:, list(layout_points(layout).columns)] = points
    return positions


def _read(track: KeypointTrack, name: str) -> KeypointTrack:
    """Return *track* as read from a file that states layout, units, axes and fps."""
    recording = RawRecording(
        track.positions,
        track.confidence,
        "NPZ",
        Path(name),
        fps=track.fps,
        units="m",
        up_axis="+Y",
        layout=track.layout.name,
    )
    return interpret(recording, ReadOptions()).track


def _rotation_differences_deg(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the mean angles (24,) between rotations (F, 24, 3, 3), degrees."""
    difference = matrix_to_axis_angle(np.swapaxes(first, -1, -2) @ second)
    return np.asarray(np.rad2deg(np.linalg.norm(difference, axis=-1)).mean(axis=0))


def _distance(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.linalg.norm(first - second, axis=-1).mean())


def _mean_of(degrees: np.ndarray, names: Sequence[str]) -> float:
    return float(np.mean([degrees[JOINT_INDEX[name]] for name in names]))


def row_of(condition: Condition, outcomes: Sequence[Row | str | None]) -> Row:
    """Return the row of *condition* over all clips, from each clip's result of `Evaluation.measure_or_refuse`."""
    rows = [outcome for outcome in outcomes if isinstance(outcome, Row)]
    refused = tuple(outcome for outcome in outcomes if isinstance(outcome, str))
    if rows:
        return replace(summarise(rows), refused=refused)
    metrics: dict[str, Any] = dict.fromkeys(
        (name for name in Row.__dataclass_fields__ if name not in _NOT_AVERAGED), float("nan")
    )
    return Row(condition.name, worst_joint_mm=float("nan"), frames=0, clips=0, refused=refused, **metrics)


def summarise(rows: Sequence[Row]) -> Row:
    """Return the means of *rows* of one condition, weighted by frames; the worst joint is the maximum."""
    weights = np.array([row.frames for row in rows], dtype=np.float64)
    metrics: dict[str, Any] = {
        name: float(np.average([getattr(row, name) for row in rows], weights=weights))
        for name in Row.__dataclass_fields__
        if name not in _NOT_AVERAGED
    }
    spills = [row.spill for row in rows if row.spill is not None]
    return Row(
        name=rows[0].name,
        worst_joint_mm=max(row.worst_joint_mm for row in rows),
        frames=int(weights.sum()),
        clips=sum(row.clips for row in rows),
        spill=summarise_spill(spills, [row.frames for row in rows]) if spills else None,
        **metrics,
    )
