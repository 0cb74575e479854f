"""People whose SMPL parameters a file holds deeper in its dictionaries, or along an axis of its arrays. F frames.

Known are InterHuman (`person1`, `person2`), PromptHMR (`people`, `smplx_world`), GRAB (`body`, `params`) and EMDB
(`smpl`), whose keys are read wherever they stand; SLAHMR and WorldPose have an axis of people before that of frames.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import TrackFileError
from .people_clip import number_array
from .raw import MAX_PEOPLE, check_counts
from .solved_clip import BODY_KEYS, FRAME_KEYS, POSE_KEYS, RATE_KEYS, SolvedClip, is_solved, wrong

_ABOVE = (*FRAME_KEYS, *RATE_KEYS, "gender")
"""What a dictionary may state for those in it."""
_WORLD_WORDS = ("world", "global")
_HAND_ONLY = "hand_pose"
_MAX_DEPTH, _MAX_ITEMS, _MAX_NAMED = 4, 200_000, 4
_MIN_WIDTH = 63
"""Fewest numbers of a pose, by which an axis of people differs from one of joints."""


def find_people(data: Any, path: Path) -> dict[str, Mapping[str, Any]]:
    """Return the parameters of each person below the dictionary *data*; those in a world's axes, if any are.

    Raises:
        TrackFileError: it is a data set of more motions than are read.
    """
    left = [_MAX_ITEMS]
    found = _below(data, {}, _MAX_DEPTH, left)
    if len(found) > MAX_PEOPLE or (found and left[0] < 0):
        named = ", ".join(list(found)[:_MAX_NAMED])
        raise TrackFileError(
            f"expected the motions of up to {MAX_PEOPLE} people, found a data set of {len(found)} or more ({named} ..) "
            f"in {path}; save one of them, such as numpy.savez(FILE, **data[KEY])"
        )
    return found


def _below(value: Any, above: Mapping[str, Any], depth: int, left: list[int]) -> dict[str, Mapping[str, Any]]:
    if isinstance(value, np.ndarray) and value.ndim == 0 and value.dtype.hasobject:
        value = value.item()
    if not isinstance(value, Mapping) or not depth or left[0] < 0:
        return {}
    left[0] -= 1 + len(value)
    named = {str(key): item for key, item in value.items()}
    if is_solved(named) and _HAND_ONLY not in named:
        return {"": {**above, **named}}
    above = {**above, **{key: named[key] for key in _ABOVE if key in named}}
    found = {key[:60]: people for key, item in named.items() if (people := _below(item, above, depth - 1, left))}
    found = {key: people for key, people in found.items() if any(word in key for word in _WORLD_WORDS)} or found
    if len(found) == 1:
        return next(iter(found.values()))
    return {f"{key} {label}".strip(): person for key, people in found.items() for label, person in people.items()}


def split_people(data: Mapping[Any, Any], path: Path) -> list[dict[Any, Any]]:
    """Return the parameters of each person of *data*: several if its poses are (people, F, 63 or more).

    Raises:
        TrackFileError: there are too many people.
    """
    poses = next((data[key] for key in (*POSE_KEYS, *BODY_KEYS) if data.get(key) is not None), None)
    shape = np.shape(poses) if isinstance(poses, np.ndarray) else ()
    if len(shape) != 3 or shape[2] < _MIN_WIDTH or shape[1] < 2:
        return [dict(data)]
    if not 1 <= shape[0] <= MAX_PEOPLE:
        raise wrong(f"1 to {MAX_PEOPLE} people", shape[0], path)
    return [
        {
            key: value[index] if isinstance(value, np.ndarray) and value.ndim > 1 and len(value) == shape[0] else value
            for key, value in data.items()
        }
        for index in range(shape[0])
    ]


def clips_of_rows(
    rows: Iterable[tuple[str, float, Mapping[str, np.ndarray]]],
    path: Path,
    read: Callable[[Mapping[str, np.ndarray]], SolvedClip],
) -> dict[str, SolvedClip]:
    """Return the clip of each person of parameters that stand by frame.

    Args:
        rows: a label, the frame's number and the parameters, of each person in each frame.
        path: the file.
        read: makes a clip of parameters with a row for each frame.

    Raises:
        TrackFileError: there are none or too many people, or their parameters change in shape.
    """
    found: dict[str, dict[str, list[Any]]] = {}
    for label, number, values in rows:
        parts = found.setdefault(label, {"frame": []})
        parts["frame"].append(number)
        for key, value in values.items():
            parts.setdefault(key, []).append(value)
        if len(found) > MAX_PEOPLE:
            break
    if not 1 <= len(found) <= MAX_PEOPLE:
        raise wrong(f"1 to {MAX_PEOPLE} tracked people", len(found), path)
    clips = {}
    for label, parts in found.items():
        check_counts(len(parts["frame"]), 1, path)
        if any(len({np.shape(value) for value in values}) > 1 for values in parts.values()):
            raise wrong("the same joints in each frame", f"others for person {label}", path)
        clips[label] = read({key: np.stack(values) for key, values in parts.items()})
    return clips


def joint_rows(value: Any, what: str, path: Path) -> np.ndarray:
    """Return the rows (N, D) of an array of N people's or frames' parameters, with any axes of length 1 between."""
    array = number_array(value, what, path)
    if array.ndim == 0 or not array.size:
        raise wrong(f"{what} of each person", array.shape, path)
    return array.reshape(len(array) if array.ndim > 1 else 1, -1)
