"""Load trials: real tracks with an independent solution of the same motion. F frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from core.errors import CoreError, InputMissingError, TrackError
from core.formats.raw import RawRecording
from core.joint_angles import LIMB_JOINTS, Angles
from core.layouts import COCO17, MARKERS
from core.reading import ReadOptions, read_tracks
from core.reading.interpret import interpret
from core.track import KeypointTrack

from .opensim_files import opensim_angles, read_bodies, read_mot

VIDEO, CENTRES, MARKER = "video", "joint centres", "markers"
KINDS = (VIDEO, CENTRES, MARKER)
_SOLUTION_ENDINGS = ("_ik", "_motion", "")
_TRACK_ENDINGS = (".trc", "_markers.trc", ".c3d", ".csv", ".json", ".npz", ".npy")
_TRUE_BODIES = "_mocap"
_BODIES_FPS = 25.0
"""Bodies solved at a higher frame rate are subsampled to about this one, fps."""
_TINY_S = 1e-6


@dataclass(frozen=True, eq=False)
class Trial:
    """A track and its reference solution.

    Attributes:
        name: name of the file.
        kind: one of `KINDS`.
        track: the track.
        angles: (F,) degrees by ``SIDE_ANGLE``, NaN in frames that the solution does not cover.
        joints: (F, 12, 3) metres, true positions of `LIMB_JOINTS`; None if the solution only has angles.
    """

    name: str
    kind: str
    track: KeypointTrack
    angles: Angles
    joints: np.ndarray | None = None

    def select(self, frames: np.ndarray) -> Trial:
        """Return the trial at evenly spaced *frames* (N,)."""
        step = frames[1] - frames[0] if len(frames) > 1 else 1
        track = replace(
            self.track,
            positions=self.track.positions[frames],
            confidence=self.track.confidence[frames],
            fps=self.track.fps / float(step),
        )
        angles = {name: values[frames] for name, values in self.angles.items()}
        return replace(self, track=track, angles=angles, joints=None if self.joints is None else self.joints[frames])


def find_trials(folders: Sequence[Path]) -> Iterator[Trial | str]:
    """Yield the trials in *folders* and their subfolders; for a trial that cannot be read, yield the reason.

    A trial is a ``.mot`` or ``.sto`` file of coordinates with a track of the same name in any of the folders
    (``walk_ik.mot`` and ``walk.trc``, or ``walk_motion.mot`` and ``walk_markers.trc``), or bodies in JSON:
    ``NAME_mocap.json``, the ground truth, and ``NAME_OTHER.json`` of the same trial.

    Raises:
        InputMissingError: there is no trial.
    """
    truths, solutions = _pairs(folders)
    if not truths and not any(track is not None for _, track in solutions):
        raise InputMissingError(
            "expected NAME.mot or NAME_ik.mot with a track of that name (NAME.trc), or NAME_mocap.json with bodies, in "
            f"{', '.join(map(str, folders))}; found none"
        )
    for truth in truths:
        for path in _bodies_beside(truth):
            yield _read_or_explain(path, partial(_bodies_trial, path, truth))
    for solution, track in solutions:
        if track is None:
            yield f"{solution.name}: expected a track of that name, found none"
        else:
            yield _read_or_explain(track, partial(_solved_trial, track, solution))


def trial_files(folders: Sequence[Path]) -> list[Path]:
    """Return the files that `find_trials` reads."""
    truths, solutions = _pairs(folders)
    bodies = [path for truth in truths for path in _bodies_beside(truth)]
    return [*bodies, *(path for pair in solutions for path in pair if path is not None)]


def _pairs(folders: Sequence[Path]) -> tuple[list[Path], list[tuple[Path, Path | None]]]:
    """Return the ground-truth bodies, and the files of coordinates, each with its track."""
    files = sorted({path for folder in folders for path in folder.rglob("*") if path.is_file()})
    truths = [path for path in files if path.suffix == ".json" and path.stem.endswith(_TRUE_BODIES)]
    return truths, [(path, _track_of(path, files)) for path in files if path.suffix in (".mot", ".sto")]


def _bodies_beside(truth: Path) -> list[Path]:
    """Return the files of bodies of a trial, including the ground truth."""
    return sorted(truth.parent.glob(f"{truth.stem.removesuffix(_TRUE_BODIES)}_*.json"))


def _read_or_explain(path: Path, read: Callable[[], Trial]) -> Trial | str:
    """Read the trial, or return the reason why it cannot be read."""
    try:
        return read()
    except CoreError as error:
        return f"{path.name}: {error}"


def _track_of(solution: Path, files: Sequence[Path]) -> Path | None:
    """Return the track of a file of coordinates, preferably from the same folder; None if there is none."""
    for ending in _SOLUTION_ENDINGS:
        stem = solution.stem.removesuffix(ending)
        names = [f"{stem}{suffix}" for suffix in _TRACK_ENDINGS]
        found = [path for path in files if path.name in names]
        if found:
            return min(found, key=lambda path: (path.parent != solution.parent, names.index(path.name)))
    return None


def _solved_trial(path: Path, solution: Path) -> Trial:
    """Return a track with the angles of its solution, aligned at their first frames."""
    tracks = read_tracks(path)
    if len(tracks) != 1:
        raise TrackError(f"expected one person, found {len(tracks)} in {path}; give files of one person each")
    (track,) = tracks
    known = read_mot(solution)
    times = np.arange(track.num_frames) / track.fps
    solution_times = known.times - known.times[0]
    angles = {name: _sampled(times, solution_times, values) for name, values in known.angles.items()}
    return Trial(path.stem, MARKER if track.layout is MARKERS else VIDEO, track, angles)


def _sampled(times: np.ndarray, known: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Interpolate *values* (T,) at *times* (F,), NaN after the last."""
    return np.where(times <= known[-1] + _TINY_S, np.interp(times, known, values), np.nan)


def _bodies_trial(path: Path, truth_path: Path) -> Trial:
    """Return the limb joints of the bodies in *path* as a COCO17 track, with the ground truth of the same frames."""
    bodies, truth = read_bodies(path), read_bodies(truth_path)
    num_frames = min(len(bodies.times), len(truth.times))
    rate = 1.0 / float(np.median(np.diff(bodies.times)))
    step = max(1, round(rate / _BODIES_FPS))
    frames = slice(0, num_frames, step)
    joints = np.stack([bodies.joints[name] for name in LIMB_JOINTS], axis=1)[frames]
    positions = np.full((len(joints), len(COCO17.points), 3), np.nan)
    positions[:, [COCO17.names.index(name) for name in LIMB_JOINTS]] = joints
    recording = RawRecording(
        positions,
        np.isfinite(positions).all(-1).astype(np.float64),
        "bodies",
        path,
        fps=rate / step,
        units="m",
        up_axis="+Y",
        layout=COCO17.name,
    )
    angles = opensim_angles(truth.rotations, truth.joints)
    return Trial(
        path.stem,
        CENTRES if path == truth_path else VIDEO,
        interpret(recording, ReadOptions()).track,
        {name: values[frames] for name, values in angles.items()},
        np.stack([truth.joints[name] for name in LIMB_JOINTS], axis=1)[frames],
    )
