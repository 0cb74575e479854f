"""Lists, dictionaries and arrays in pickles, object arrays and NPZ files: which tool wrote them, and their keypoints.

F frames, K points, N samples. Keys as in the code of MDM (sample/generate.py), SAM 3D Body and AIST++
(aistplusplus_api), and as 3DPW's readme has them; those of VIBE's first versions and of VideoPose3D's archive of
Human3.6M from descriptions. Of AIST++, MDM, 3DPW, VIBE and Human3.6M, no file of the tool itself was tried.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import TrackFileError
from ..io.pickle.load import load_pickle
from ..io.torch_file import load_torch
from . import aist, sam3d_body
from .humanml3d import HUMANML3D_FPS, KIT_FPS
from .json_file import read_document
from .people_clip import PeopleClip, as_document, label_of, number_array
from .point_arrays import Metadata, as_positions, check_shape, people_of_array
from .point_keys import recordings_under_keys
from .raw import MAX_PEOPLE, RawRecording, check_counts
from .solved_files import nested_of, solved_of

_3DPW_FPS, _H36M_FPS, _HUMANEVA_FPS = 30.0, 50.0, 60.0
_TORCH_SUFFIXES = (".pt", ".pth")
_CONTAINERS = {".npy": "NPY", ".npz": "NPZ", ".pt": "PyTorch", ".pth": "PyTorch"}
"""What the points of a file are called by its suffix; all others are pickles."""
_NUM_SMPL, _NUM_VIBE, _NUM_BODY25, _NUM_HUMANEVA, _NUM_KIT = 24, 49, 25, 15, 21
_MAX_CLIPS, _MAX_CLIPS_NAMED, _MAX_CLIP_DEPTH = 1000, 6, 3


def read_pickle(path: Path) -> list[RawRecording]:
    """Read the keypoints of a pickle without executing anything in it.

    Raises:
        TrackFileError: the file is damaged or holds no known keypoints.
        UnsafePickleError: the pickle contains more than plain data.
    """
    return recordings_of(load_pickle(path, error=TrackFileError), path)


def read_torch(path: Path) -> list[RawRecording]:
    """Read the keypoints or the solved motion of a PyTorch file without executing anything in it.

    Raises:
        TrackFileError: the file is damaged or holds neither.
        UnsafePickleError: it contains more than tensors and plain data.
    """
    return recordings_of(load_torch(path, error=TrackFileError), path)


def recordings_of(data: Any, path: Path, *, fps: float | None = None) -> list[RawRecording]:
    """Return one recording per person from the content of a file.

    Raises:
        TrackFileError: it holds no known keypoints; the message says what it is, if that is known.
    """
    if isinstance(data, np.ndarray):
        data = data.item() if data.ndim == 0 else data.tolist() if data.dtype.hasobject else data
    frames = sam3d_body.find_frames(data)
    if frames is not None:
        return sam3d_body.read_frames(frames, fps or _rate(data), path)
    if isinstance(data, Mapping):
        if aist.is_aist(data):
            return aist.read_points(data, path)
        for key, read in _READERS.items():
            if key in data:
                return read(data, path)
        if data and all(isinstance(person, Mapping) and "joints3d" in person for person in data.values()):
            return _read_vibe(data, path)
    solved = solved_of(data, path)
    if solved is not None:
        return solved
    found = _read_points(data, path, fps)
    if found is None:
        raise _unknown(data, path)
    return found


def _read_points(data: Any, path: Path, fps: float | None) -> list[RawRecording] | None:
    """Return the recordings of an array of points, of a list of its frames, or of what is under keys; else None."""
    kind = _CONTAINERS.get(path.suffix.lower(), "pickle")
    if isinstance(data, list) and data and all(isinstance(row, np.ndarray) for row in data):
        shapes = {row.shape for row in data}
        data = np.stack(data) if len(shapes) == 1 and not any(row.dtype.hasobject for row in data) else data
    if isinstance(data, np.ndarray) and not data.dtype.hasobject:
        check_shape(data.shape, path)
        return people_of_array(as_positions(data, path), None, Metadata(fps), kind, path)
    found = recordings_under_keys(data, kind, path, fps=fps)
    found = nested_of(data, path) if found is None else found
    if found is None and isinstance(data, (Mapping, list)):
        found = read_document(as_document(data, path), path, kind=kind)
    return found


def _rate(data: Any) -> float | None:
    fps = data.get("fps") if isinstance(data, Mapping) else None
    return float(fps) if isinstance(fps, (int, float)) and 0.0 < fps < 1e4 else None


def _read_mdm(data: Mapping[Any, Any], path: Path) -> list[RawRecording]:
    """Read `results.npy` of MDM: `motion` (N, 22, 3, F) of N samples, `lengths` (N,), 20 fps, Y up; KIT-ML's 21."""
    motion = number_array(data["motion"], "motion", path)
    if motion.ndim != 4 or motion.shape[2] != 3 or not 1 <= len(motion) <= MAX_PEOPLE:
        raise TrackFileError(
            f"expected 'motion' of up to {MAX_PEOPLE} samples (samples, 22, 3, frames) as MDM writes it, found "
            f"{motion.shape} in {path}; generate joint positions, or fewer samples in a file"
        )
    check_counts(motion.shape[0] * motion.shape[3], motion.shape[1], path)
    lengths = number_array(data.get("lengths", np.full(len(motion), motion.shape[3])), "lengths", path).reshape(-1)
    recordings = []
    for index, sample in enumerate(motion):
        stated = lengths[index] if index < len(lengths) and np.isfinite(lengths[index]) else motion.shape[3]
        points = np.moveaxis(sample, -1, 0)[: max(int(stated), 1)]
        person = str(index) if len(motion) > 1 else ""
        fps, units = (KIT_FPS, None) if points.shape[1] == _NUM_KIT else (HUMANML3D_FPS, "m")
        notes = (f"MDM writes {fps:g} frames a second of {points.shape[1]} joints.",)
        recordings.append(_recording(points, "MDM NPY", path, fps=fps, units=units, person=person, notes=notes))
    return recordings


def _recording(points: np.ndarray, kind: str, path: Path, **properties: Any) -> RawRecording:
    return RawRecording(points, np.ones(points.shape[:2]), kind, path, **properties)


def _read_3dpw(data: Mapping[Any, Any], path: Path) -> list[RawRecording]:
    """Read a sequence of 3DPW: `jointPositions`, for each person (F, 72) SMPL joints in metres, 30 fps."""
    people = data["jointPositions"]
    listed = isinstance(people, (list, tuple)) or (isinstance(people, np.ndarray) and people.ndim > 0)
    people = list(people) if listed else []
    if not 1 <= len(people) <= MAX_PEOPLE:
        raise TrackFileError(f"expected 1 to {MAX_PEOPLE} people under jointPositions, found {len(people)} in {path}")
    recordings = []
    for index, person in enumerate(people):
        points = number_array(person, "jointPositions", path)
        if points.ndim != 2 or points.shape[1] != 3 * _NUM_SMPL:
            raise TrackFileError(
                f"expected jointPositions (frames, {3 * _NUM_SMPL}) of each person as in 3DPW, found {points.shape} in "
                f"{path}; give the sequence file as it was published"
            )
        check_counts(len(points), _NUM_SMPL, path)
        label = str(index) if len(people) > 1 else ""
        properties = {"fps": _3DPW_FPS, "units": "m", "layout": "smpl24", "person": label}
        points = points.reshape(-1, _NUM_SMPL, 3)
        recordings.append(_recording(points, "3DPW PKL", path, **properties, notes=("3DPW has 30 frames a second.",)))
    return recordings


def _read_vibe(data: Mapping[Any, Any], path: Path) -> list[RawRecording]:
    """Read VIBE's output: for each person `joints3d` (F, 49, 3), which begin with BODY25, and `frame_ids`."""
    if len(data) > MAX_PEOPLE:
        raise TrackFileError(f"expected up to {MAX_PEOPLE} people, found {len(data)} in {path}; save fewer")
    clip = PeopleClip(path, "VIBE PKL")
    joints = [number_array(person["joints3d"], "joints3d", path) for person in data.values()]
    numbers = [
        number_array(person.get("frame_ids", np.arange(points.shape[0] if points.ndim else 0)), "frame_ids", path)
        for person, points in zip(data.values(), joints, strict=True)
    ]
    check_counts(max(sum(each.size for each in numbers), 1), _NUM_BODY25, path)
    ordered = sorted({int(number) for each in numbers for number in each.reshape(-1) if np.isfinite(number)})
    frames = {number: row for row, number in enumerate(ordered)}
    for index, (label, points) in enumerate(zip(data, joints, strict=True)):
        if points.ndim != 3 or points.shape[1:] != (_NUM_VIBE, 3) or len(points) != numbers[index].size:
            raise TrackFileError(
                f"expected joints3d (frames, {_NUM_VIBE}, 3) and as many frame_ids of each person as VIBE writes them, "
                f"found {points.shape} in {path}; save VIBE's output as it is"
            )
        for number, row in zip(numbers[index].reshape(-1).tolist(), points, strict=True):
            clip.add(label_of({"id": label}, ("id",), index), frames[int(number)], row[:_NUM_BODY25])
    notes = ("Of VIBE's 49 points, the first 25 are read, which are those of BODY25.",)
    return clip.recordings(len(frames), frames=np.array(ordered, float), layout="body25", units="m", notes=notes)


def _clips(data: Any, names: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], np.ndarray]]:
    """Yield the arrays in nested dictionaries with the keys that lead to each."""
    if isinstance(data, np.ndarray) and not data.dtype.hasobject:
        yield names, data
    elif isinstance(data, np.ndarray) and data.ndim == 0:
        yield from _clips(data.item(), names)
    elif isinstance(data, Mapping) and len(names) < _MAX_CLIP_DEPTH:
        for key, value in data.items():
            yield from _clips(value, (*names, str(key)))


def _read_h36m(data: Mapping[Any, Any], path: Path) -> list[RawRecording]:
    """Read VideoPose3D's `positions_3d`: subject, action, (F, 17 or 32, 3) in metres, 50 fps; one clip alone.

    HumanEva's are (F, 15, 3), 60 fps.
    """
    clips = list(islice(_clips(data["positions_3d"]), _MAX_CLIPS + 1))
    if len(clips) != 1:
        listed = ", ".join(" / ".join(names) for names, _ in clips[:_MAX_CLIPS_NAMED])
        many = f"{_MAX_CLIPS} or more" if len(clips) > _MAX_CLIPS else str(len(clips))
        raise TrackFileError(
            f"expected one clip, found a data set of {many} ({listed}) in {path}; save the one to read, such as "
            "numpy.save(FILE, data['positions_3d'].item()[SUBJECT][ACTION])"
        )
    points = clips[0][1]
    if points.ndim != 3 or points.shape[2] != 3:
        raise TrackFileError(f"expected positions (frames, points, 3), found {points.shape} in {path}; save it so")
    check_counts(len(points), points.shape[1], path)
    is_humaneva = points.shape[1] == _NUM_HUMANEVA
    name, fps = ("HumanEva", _HUMANEVA_FPS) if is_humaneva else ("Human3.6M", _H36M_FPS)
    notes = (f"{name} has {fps:g} frames a second.",)
    return [_recording(points.astype(np.float64), f"{name} NPZ", path, fps=fps, units="m", notes=notes)]


_READERS = {
    "motion": _read_mdm,
    "jointPositions": _read_3dpw,
    "positions_3d": _read_h36m,
}


def _content(data: Any) -> str:
    """Return what the content of a file is, in words."""
    if isinstance(data, Mapping):
        return f"keys {str(sorted(str(key) for key in data))[:200]}" if data else "an empty dictionary"
    if isinstance(data, np.ndarray):
        return f"an array {data.shape}"
    if isinstance(data, (list, tuple)):
        return f"a list of {len(data)}"
    return f"a value ({type(data).__name__})"


def _unknown(data: Any, path: Path) -> TrackFileError:
    found = _content(data)
    found = f"a PyTorch file with {found}" if path.suffix.lower() in _TORCH_SUFFIXES else found
    return TrackFileError(
        f"expected keypoints of AIST++ (keypoints3d), SAM 3D Body (pred_keypoints_3d), MDM (motion), 3DPW "
        f"(jointPositions) or VIBE (joints3d), or SMPL parameters (poses, trans, betas), found {found} in {path}; save "
        "the points as an array (frames, points, 3)"
    )
