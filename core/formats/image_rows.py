"""Training sets with SMPL parameters of an image in each row (BEDLAM, AGORA, SPIN's files). N rows, F frames.

The rows of a clip follow each other: they are told apart by the folder and the number in the image's name, and by the
subject where the file has it. BEDLAM's keys and axes are those of its own script (data_processing/df_full_body.py):
`pose_cam` and `trans_cam` turn with the camera but begin at the place in the upper right of `cam_ext`, whose rotation
is the camera's pitch and roll. No file of a data set was tried.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import TrackFileError
from .people_clip import number_array
from .raw import MAX_PEOPLE
from .solved_clip import POSE_KEYS, TRANS_KEYS, SolvedClip, read_clip, wrong

IMAGE_KEY = "imgname"
KEYS = (IMAGE_KEY, "sub", "cam_ext", "pose_cam", "trans_cam")
_FPS = 30.0
_NUMBER = re.compile(r"(\d{1,9})\D*$")
_MAX_NAMED = 4
_MAX_STILL_M = 0.01
_STILL = "the camera moves in the file, and its turns sideways are not in it: what is one of them shows in the motion"


def has_image_rows(keys: Iterable[str]) -> bool:
    """Return whether a file with these *keys* has poses of images, or poses as BEDLAM stores them."""
    names = set(keys)
    return (IMAGE_KEY in names and bool(names & {*POSE_KEYS, "pose_cam"})) or {"pose_cam", "trans_cam"} <= names


def read_image_rows(data: Mapping[Any, Any], path: Path) -> dict[str, SolvedClip]:
    """Return the clip of each person in each sequence of images, by a label of both.

    Raises:
        TrackFileError: the file is damaged, or a data set of more clips than are read.
    """
    is_bedlam = "pose_cam" in data
    key = "pose_cam" if is_bedlam else next(key for key in POSE_KEYS if key in data)
    count = len(np.atleast_1d(number_array(data[key], key, path)))
    images = _texts(data.get(IMAGE_KEY), count)
    subjects = _texts(data.get("sub"), count)
    folders, numbers = _places(images) if images else ([""] * count, None)
    clips: dict[str, SolvedClip] = {}
    runs = _runs(folders, numbers, subjects)
    if len(runs) > MAX_PEOPLE:
        named = ", ".join(dict.fromkeys(folders[run[0]] for run in runs[: _MAX_NAMED * 20]))[:120]
        raise TrackFileError(
            f"expected the poses of up to {MAX_PEOPLE} people, found a data set of {len(runs)} clips ({named} ..) in "
            f"{path}; save the rows of one, such as numpy.savez(FILE, **{{key: data[key][rows] for key in data}})"
        )
    for run in runs:
        rows = {key: value[run] for key, value in data.items() if isinstance(value, np.ndarray)
                and value.ndim and len(value) == count}  # fmt: skip
        rest = {key: value for key, value in data.items() if key not in rows}
        clip = _read_run({**rest, **rows}, is_bedlam, path)
        if numbers is not None:
            _set_frames(clip, numbers[run], is_bedlam)
        label = " ".join(filter(None, (folders[run[0]], subjects[run[0]] if subjects else "")))
        while label in clips:
            label += "'"
        clips[label] = clip
    return clips


def _texts(value: Any, count: int) -> list[str]:
    """Return the texts of an array of *count* texts; empty if it is another."""
    items = value.reshape(-1).tolist() if isinstance(value, np.ndarray) and value.dtype.kind in "USO" else []
    texts = [item.decode("latin-1") if isinstance(item, bytes) else item for item in items]
    return [text[:200] for text in texts] if len(texts) == count and all(isinstance(t, str) for t in texts) else []


def _places(images: list[str]) -> tuple[list[str], np.ndarray | None]:
    """Return the folder of each image and the number in its name; no numbers if one has none."""
    folders, numbers = [], []
    for image in images:
        folder, _, name = image.replace("\\", "/").rpartition("/")
        match = _NUMBER.search(name.rpartition(".")[0] or name)
        folders.append(folder.rpartition("/")[2][:60])
        numbers.append(int(match.group(1)) if match else -1)
    return folders, np.array(numbers) if min(numbers, default=-1) >= 0 else None


def _runs(folders: list[str], numbers: np.ndarray | None, subjects: list[str]) -> list[np.ndarray]:
    """Return the rows of each clip: of one folder and subject, with rising numbers."""
    starts = [0]
    for row in range(1, len(folders)):
        changes = folders[row] != folders[row - 1] or (bool(subjects) and subjects[row] != subjects[row - 1])
        if changes or (numbers is not None and numbers[row] <= numbers[row - 1]):
            starts.append(row)
    return [np.arange(start, end) for start, end in zip(starts, [*starts[1:], len(folders)], strict=True)]


def _read_run(rows: dict[str, Any], is_bedlam: bool, path: Path) -> SolvedClip:
    stated = rows.get("gender")
    gender = _texts(stated, stated.size if isinstance(stated, np.ndarray) else 0)
    rows["gender"] = gender[0] if gender else ""
    if not is_bedlam:
        clip = read_clip(rows, "training set", path)
        clip.up = None if "pose_world" in rows else "-Y"
        return clip
    camera = {key: value for key, value in rows.items() if key not in (*POSE_KEYS, *TRANS_KEYS)}
    clip = read_clip({**camera, "poses": rows["pose_cam"], "trans": rows.get("trans_cam")}, "BEDLAM", path)
    clip.up = "-Y"
    if "cam_ext" not in rows:
        return clip
    views = number_array(rows["cam_ext"], "cam_ext", path)
    if views.shape != (len(clip.poses), 4, 4):
        raise wrong("a view of 4 x 4 numbers in each row", views.shape, path)
    turns = views[:, :3, :3].swapaxes(1, 2)
    places = (turns @ views[:, :3, 3:])[..., 0]
    if np.ptp(places, axis=0).max() > _MAX_STILL_M:
        clip.doubts.append(_STILL)
    clip.to_world = turns, np.broadcast_to(np.median(places, axis=0), places.shape)
    return clip


def _set_frames(clip: SolvedClip, numbers: np.ndarray, is_bedlam: bool) -> None:
    """Set the frames of a clip from the numbers of its images, which may be every fifth, and BEDLAM's frame rate."""
    step = int(np.gcd.reduce(np.diff(numbers))) if len(numbers) > 1 else 1
    clip.frames = (numbers // step).astype(np.float64)
    if is_bedlam:
        clip.fps = clip.fps or _FPS / step
        every = f", of which the file has one in {step}" if step > 1 else ""
        clip.notes.append(f"BEDLAM has 30 frames a second{every}.")
