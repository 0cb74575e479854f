"""Figures of the fit on motion that is known: each clip on the free body, its points disturbed, the fit compared.

Every clip has a random shape, N(0, 0.8); its keypoints come from the body model. PVE is the mean distance between
fitted and true vertices with the pelvis joints brought together. F frames, K keypoints.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.body.data import BodyData
from core.body.free_body import load_free_body
from core.body.keypoints import KeypointModel, ShapedKeypoints
from core.body.landmarks import landmark_regressor
from core.body.model import BodyModel
from core.fit import FitOptions, fit_track
from core.fit.points import solver_points
from core.fit.posing import PoseJob
from core.fit.quality import QUALITIES
from core.fit.refine import Targets
from core.layouts import LAYOUTS, Layout
from core.motion import Motion
from core.rotations import matrix_to_axis_angle
from core.skeletons import JOINT_INDEX
from core.track import KeypointTrack

from .motion_folder import Clip

_VERTEX_FRAMES = 40
_TENTH = 10
_KNOWN_SIGMA_M = 1e-3
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
        mode: "clip" or "frames", or "known": each frame from the true pose of the frame before it, as the paper's
            network is used.
    """

    name: str
    know_betas: bool = True
    noise_m: float = 0.0
    missing: float = 0.0
    arm_gap_s: float = 0.0
    layout: str = "body25"
    mode: str = "clip"


CONDITIONS = (
    Condition("each frame from the true pose before it, true betas", mode="known"),
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
        drift_mm: vertices in the last tenth of a clip less those in its first.
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
    drift_mm: float
    frames: int


class Evaluation:
    """The body, and what is measured on it."""

    def __init__(self, options: FitOptions | None = None, data: BodyData | None = None) -> None:
        """Take the free body, or *data*; fits are told *options*, but for mode and betas, which are the condition's."""
        self.options = options or FitOptions()
        self.data = data or load_free_body()
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

    def solver_keypoints(self, clip: Clip, names: Sequence[str]) -> ShapedKeypoints:
        """Return the solver points *names* on the clip's body."""
        return KeypointModel(self.body, landmark_regressor(self.data, names)).shaped(clip.drawn_betas())

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
        if condition.mode == "known":
            return self.compare(clip, condition, *self._from_known_poses(clip, track))
        options = replace(self.options, betas=betas if condition.know_betas else None, mode=condition.mode)
        motion, report = fit_track(track, self.data, options)
        return self.compare(clip, condition, motion, report.mean_error_mm)

    def _from_known_poses(self, clip: Clip, track: KeypointTrack) -> tuple[Motion, float]:
        """Return the motion in which each frame was found from the true one before it, and the keypoint error, mm.

        The first frame, which has none before it, is the true one.
        """
        points = solver_points(track)
        keypoints = self.solver_keypoints(clip, points.names)
        targets = Targets(points.positions[1:].astype(np.float32), points.weights[1:].astype(np.float32))
        job = PoseJob(points.names, keypoints, _KNOWN_SIGMA_M, QUALITIES[self.options.quality].effort)
        rotations, trans = job.solve(targets, job.outset(targets, clip.rotations[:-1]))
        off = np.linalg.norm(keypoints.points(rotations, trans) - targets.points, axis=-1)
        rotations, trans = np.concatenate([clip.rotations[:1], rotations]), np.concatenate([clip.trans[:1], trans])
        poses = matrix_to_axis_angle(rotations.astype(np.float64)).reshape(len(rotations), -1)
        return Motion(poses, clip.drawn_betas(), trans, clip.fps), 1000.0 * float(off.mean())

    def compare(self, clip: Clip, condition: Condition, motion: Motion, keypoint_mm: float = float("nan")) -> Row:
        """Return the figures of a motion that was found of a clip; *keypoint_mm* is the fit's own word."""
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
        by_frame = np.linalg.norm(centred[0] - centred[1], axis=-1).mean(axis=1)
        tenth = max(1, len(by_frame) // _TENTH)
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
            1000.0 * float(by_frame.mean()),
            keypoint_mm,
            1000.0 * float(off.mean()),
            1000.0 * float(shape.mean()),
            _mean_of(degrees, ("left_shoulder", "right_shoulder", "left_elbow", "right_elbow")),
            _mean_of(degrees, ("left_wrist", "right_wrist")),
            1000.0 * float(_distance(*bend)) if len(bend[0]) else 0.0,
            1000.0 * float(by_frame[-tenth:].mean() - by_frame[:tenth].mean()),
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
