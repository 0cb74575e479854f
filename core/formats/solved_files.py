"""Motions that other tools solved: SMPL parameters under the keys of their writers. F frames, J joints, P people.

Keys as in the writers' code: GVHMR (tools/demo/demo.py), WHAM (demo.py), TRAM (hmr_vimo.py, estimate_camera.py), PHALP
and 4D-Humans (trackers/PHALP.py), VIBE (demo.py), and the loaders of AMASS in GMR (utils/smpl.py). AIST++'s as in its
interface; SMPL-X's as in the package smplx.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..body.free_body import load_free_body
from ..errors import TrackFileError
from ..io import npz
from ..smpl_skeleton import JOINT_NAMES, NUM_JOINTS
from ..solved import SolvedPoses
from .easymocap_smpl import is_easymocap, read_easymocap, read_easymocap_frames
from .glamr import is_glamr, read_glamr
from .image_rows import has_image_rows, read_image_rows
from .people_clip import label_of, number_array
from .raw import MAX_PEOPLE, RawRecording, check_counts
from .romp import is_romp, read_romp
from .solved_clip import RATE_KEYS, SolvedClip, is_solved, read_clip, wrong
from .solved_people import clips_of_rows, find_people, split_people
from .timeline import Timeline, build_timeline

_CAMERA, _WORLD = "-Y", "+Y"
_PHALP = "4D-Humans"
_AIST_FPS = 60.0
_LEVEL = (
    "the motion is in the axes of the camera, which is assumed to be level; with --ground contacts a slope of the "
    "floor is removed"
)
_FOCAL = (
    "the distance to the camera depends on its focal length, which the file does not have: the diagonal of the image "
    "is assumed, so the path towards the camera is uncertain"
)
_PHALP_FOCAL_PX, _PHALP_IMAGE_PX = 5000.0, 256.0
"""Focal length, and longer side of the image, for which PHALP gives a person's place."""
_STILL_CAMERA = "there is no camera.npy of TRAM beside the file or above it, so the camera is assumed to stand still"


def solved_of(data: Any, path: Path) -> list[RawRecording] | None:
    """Return one recording per person of the motions in *data*, plain data of any container; None if it has none.

    Raises:
        TrackFileError: it has some, and they are damaged.
    """
    if isinstance(data, (list, tuple)) and data and all(isinstance(row, Mapping) for row in data):
        data = dict(enumerate(data))
    if not isinstance(data, Mapping) or not data:
        return None
    if isinstance(data.get("smpl_params_global"), Mapping):
        return _recordings({"": read_clip(data["smpl_params_global"], "GVHMR", path, body="smplx", up=_WORLD)}, path)
    if isinstance(data.get("smpl_params_incam"), Mapping):
        clip = _in_camera(read_clip(data["smpl_params_incam"], "GVHMR", path, body="smplx"))
        return _recordings({"": clip}, path)
    if has_image_rows({str(key) for key in data}):
        clips = read_image_rows(data, path)
        return _recordings({label: clip if clip.to_world or not clip.up else _in_camera(clip)
                            for label, clip in clips.items()}, path)  # fmt: skip
    if is_glamr(data):
        return _recordings(read_glamr(data, path), path)
    if is_easymocap(data):
        return _recordings({"": read_easymocap(data, path)}, path)
    if is_solved({str(key) for key in data}):
        people = split_people(data, path)
        return _recordings({str(number): _known_clip(person, path) for number, person in enumerate(people)}, path)
    values = [data] if is_romp(data) else list(data.values())
    if all(isinstance(row, Mapping) for row in values):
        if any(map(is_romp, values)):
            return _recordings({label: _in_camera(clip) for label, clip in read_romp(values, path).items()}, path)
        if any(_is_phalp_frame(row) for row in values):
            return _read_phalp(values, path)
        if len(values) <= MAX_PEOPLE and all(is_solved({str(key) for key in row}) for row in values):
            return _recordings({str(key)[:60]: _known_clip(row, path) for key, row in data.items()}, path)
    return None


def nested_of(data: Any, path: Path) -> list[RawRecording] | None:
    """Return one recording per person of motions deeper in dictionaries; None if there are none.

    Raises:
        TrackFileError: there are some, and they are damaged or too many.
    """
    people = find_people(data, path)
    return _recordings({label: _known_clip(person, path) for label, person in people.items()}, path) if people else None


def easymocap_of(frames: Iterable[tuple[float, list[Any]]], path: Path) -> list[RawRecording]:
    """Return one recording per person of EasyMocap's SMPL parameters by frame: a number, and the people.

    Raises:
        TrackFileError: they are damaged.
    """
    return _recordings(read_easymocap_frames(frames, path), path)


def recordings_of_clip(
    data: Mapping[str, Any], tool: str, path: Path, *, body: str, notes: Iterable[str] = ()
) -> list[RawRecording]:
    """Return the recording of one person's parameters *data*, whose betas belong to *body*.

    Raises:
        TrackFileError: they are damaged.
    """
    clip = read_clip(data, tool, path, body=body)
    clip.notes += notes
    return _recordings({"": clip}, path)


def _known_clip(data: Mapping[Any, Any], path: Path) -> SolvedClip:
    """Return the clip of one person's parameters, read as the tool does that writes such keys."""
    if "pose_world" in data:
        return read_clip(data, "WHAM", path, up=None if "shape" in data else _WORLD)
    if "pred_rotmat" in data and "pred_trans" in data:
        return _with_camera(read_clip(data, "TRAM", path), path)
    if "smpl_poses" in data and "smpl_scaling" in data:
        clip = read_clip(data, "AIST++", path)
        scale = number_array(data["smpl_scaling"], "smpl_scaling", path).reshape(-1)
        clip.trans = clip.trans / scale[0] if len(scale) == 1 and scale[0] > 0.0 else clip.trans
        clip.fps = clip.fps or _AIST_FPS
        return clip
    if "pred_thetas" in data:
        return _in_camera(read_clip(data, "HybrIK", path))
    if any(key in data for key in ("orig_cam", "pred_cam")):
        return _in_camera(read_clip(data, "VIBE" if "orig_cam" in data else "HMR", path))
    return read_clip(data, "AMASS" if any(key in data for key in RATE_KEYS[:2]) else "SMPL parameters", path)


def _in_camera(clip: SolvedClip) -> SolvedClip:
    clip.up = _CAMERA
    clip.doubts.insert(0, _LEVEL)
    return clip


def _with_camera(clip: SolvedClip, path: Path) -> SolvedClip:
    """Return a clip of TRAM in the world's axes, if the folder has TRAM's camera: those of its first frame."""
    clip = _in_camera(clip)
    file = next((file for folder in path.absolute().parents[:2] if (file := folder / "camera.npy").is_file()), None)
    if file is None or clip.frames is None:
        clip.doubts.append(_STILL_CAMERA)
        return clip
    stored = npz.read_npy(file, error=TrackFileError, objects=True)
    camera = stored.item() if stored.ndim == 0 else None
    if not isinstance(camera, Mapping) or not {"pred_cam_R", "pred_cam_T"} <= camera.keys():
        raise TrackFileError(f"expected TRAM's pred_cam_R and pred_cam_T in {file}, found others; move the file away")
    turns, shifts = (number_array(camera[key], key, file) for key in ("pred_cam_R", "pred_cam_T"))
    rows, count = clip.frames.astype(np.int64), len(shifts) if shifts.ndim == 2 else 0
    if turns.shape != (count, 3, 3) or shifts.shape != (count, 3) or not 0 <= rows.min() <= rows.max() < count:
        raise TrackFileError(
            f"expected a camera (3, 3) and (3,) for each frame up to {rows.max()}, found {turns.shape} and "
            f"{shifts.shape} in {file}; give the files of one run of TRAM"
        )
    clip.to_world = turns[rows], shifts[rows]
    clip.notes.append(f"The camera's path is read from {file.name}; the world has the axes of its first frame.")
    return clip


def _is_phalp_frame(row: Mapping[Any, Any]) -> bool:
    return isinstance(row.get("smpl"), (list, tuple)) and "tid" in row


def _read_phalp(frames: Sequence[Mapping[Any, Any]], path: Path) -> list[RawRecording]:
    """Read the frames of PHALP: `smpl`, `camera`, `size` and `tid` of each tracked person, `time` of the frame.

    A person with a `tracked_time` above 0 was not seen in that frame: the values are those of an earlier one.
    """
    clips = clips_of_rows(_phalp_rows(frames, path), path, lambda data: _in_camera(read_clip(data, _PHALP, path)))
    for clip in clips.values():
        clip.doubts += [_FOCAL] if clip.trans.any() else []
    return _recordings(clips, path)


def _phalp_rows(
    frames: Sequence[Mapping[Any, Any]], path: Path
) -> Iterator[tuple[str, float, Mapping[str, np.ndarray]]]:
    for index, row in enumerate(frames):
        lists = [row.get(key, ()) for key in ("smpl", "tid", "camera", "size", "tracked_time")]
        if not all(isinstance(part, (list, tuple)) for part in lists) or len(lists[0]) != len(lists[1]):
            raise wrong("as many 'smpl' as 'tid' in each frame", f"others in frame {index}", path)
        people, tracks, cameras, sizes, ages = lists
        time = row.get("time", index)
        for number, (person, track) in enumerate(zip(people, tracks, strict=True)):
            if not isinstance(person, Mapping) or (number < len(ages) and ages[number] != 0):
                continue
            values = {key: _matrices(person.get(key), key, path) for key in ("global_orient", "body_pose", "betas")}
            if number < len(cameras):
                size = sizes[number] if number < len(sizes) else (1, 1)
                values["trans"] = _phalp_place(cameras[number], size, path)
            yield label_of({"id": track}, ("id",), number), time if isinstance(time, (int, float)) else index, values


def _phalp_place(camera: Any, size: Any, path: Path) -> np.ndarray:
    """Return the translation (3,) for a focal length of the image's diagonal; *size* is the image's."""
    place = number_array(camera, "camera", path).reshape(-1)
    sides = number_array(size, "size", path).reshape(-1)
    if len(place) != 3 or not len(sides) or not sides.min() > 0.0:
        raise wrong("a camera of 3 numbers and the image's size", (place.shape, sides.tolist()[:4]), path)
    focal_px = _PHALP_IMAGE_PX * float(np.linalg.norm(sides)) / float(sides.max())
    return place * [1.0, 1.0, focal_px / _PHALP_FOCAL_PX]


def _matrices(value: Any, key: str, path: Path) -> np.ndarray:
    array = number_array(value, key, path)
    if key == "betas":
        return array.reshape(-1)
    if array.ndim >= 2 and array.shape[-2:] == (3, 3):
        return array.reshape(-1, 3, 3)
    raise wrong(f"rotation matrices as {key} of each person", array.shape, path)


def _recordings(clips: Mapping[str, SolvedClip], path: Path) -> list[RawRecording]:
    """Return one recording per person, all on the frames of the whole file: the joints of the motion and the motion."""
    numbers = [clip.frames for clip in clips.values() if clip.frames is not None]
    if len(numbers) == len(clips) and all(np.isfinite(each).all() for each in numbers):
        union: np.ndarray = np.unique(np.concatenate(numbers))
        timeline = build_timeline(len(union), path, num_points=NUM_JOINTS * len(clips), frames=union)
        rows = [timeline.rows[np.searchsorted(union, each)] for each in numbers]
    else:
        longest = max(len(clip.poses) for clip in clips.values())
        check_counts(longest * len(clips), NUM_JOINTS, path)
        timeline = Timeline(np.arange(longest), longest)
        rows = [np.arange(len(clip.poses)) for clip in clips.values()]
    return [
        _recording(clip, label if len(clips) > 1 else "", timeline, placed, path)
        for (label, clip), placed in zip(clips.items(), rows, strict=True)
    ]


def _recording(clip: SolvedClip, label: str, timeline: Timeline, rows: np.ndarray, path: Path) -> RawRecording:
    """Return the recording of one person, whose frames are the *rows* of the timeline."""

    def placed(values: np.ndarray) -> np.ndarray:
        grid = np.full((timeline.num_frames, *values.shape[1:]), np.nan)
        grid[rows] = values
        return grid

    to_world = None if clip.to_world is None else (placed(clip.to_world[0]), placed(clip.to_world[1]))
    solved = SolvedPoses(
        placed(clip.poses), placed(clip.trans), clip.betas, clip.tool, clip.body, clip.gender, to_world,
        hands=None if clip.hands is None else placed(clip.hands),
    )  # fmt: skip
    if not solved.known.any():
        raise wrong("a frame of finite numbers", f"none for {label or 'the person'}", path)
    body = load_free_body()
    joints = solved.joints_on(body)
    if clip.betas.any() and clip.body != body.name:
        clip.notes.append(f"The shape (betas) belongs to the body {clip.body}: on another one, the mean shape is used.")
    taken = f"A motion that {clip.tool} solved: it is taken as it is, nothing is fitted."
    notes = (taken, *clip.notes, *timeline.notes)
    return RawRecording(
        joints, np.isfinite(joints).all(-1).astype(np.float64), f"{clip.tool} motion", path, names=JOINT_NAMES,
        fps=clip.fps, units="m", up_axis=clip.up, layout="smpl24", person=label, first_frame=timeline.first_frame,
        start_s=clip.start_s, notes=notes, doubts=tuple(clip.doubts), solved=solved,
    )  # fmt: skip
