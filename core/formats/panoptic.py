"""CMU Panoptic Studio: a JSON file per frame with `bodies`, each `joints19` of x, y, z and score; centimetres, Y down.

Older recordings have `joints15`, which are the first 15 of the 19.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import TrackFileError
from .people_clip import PeopleClip, label_of
from .raw import RawRecording

KIND = "CMU Panoptic JSON"
_NUM_POINTS = 19
_KEYS = {"joints19": 19, "joints15": 15}
_RATES = {"hd_29_97": 29.97, "vga_25": 25.0, "kinect_30": 30.0}
"""Frame rate of each `fpsType`."""


def is_panoptic_frame(document: Any) -> bool:
    """Return whether a JSON document is a frame of the Panoptic Studio."""
    if not isinstance(document, dict) or not isinstance(document.get("bodies"), list):
        return False
    return "fpsType" in document or "univTime" in document or any(_key(body) for body in document["bodies"])


def _key(body: Any) -> str | None:
    return next((key for key in _KEYS if isinstance(body, dict) and key in body), None)


def read_panoptic(documents: Iterable[tuple[int, Any]], path: Path) -> list[RawRecording]:
    """Read frames, by number, as one recording per person.

    Raises:
        TrackFileError: a frame has other content, or there are no people.
    """
    clip = PeopleClip(path, KIND)
    numbers, kinds = [], set()
    for row, (number, document) in enumerate(documents):
        if not is_panoptic_frame(document):
            raise _malformed(path, str(document))
        numbers.append(number)
        kinds.add(str(document.get("fpsType", "")))
        for index, body in enumerate(document["bodies"]):
            joints = _joints(body, path)
            clip.add(label_of(body, ("id",), index), row, joints)
    fps = _RATES.get(kinds.pop()) if len(kinds) == 1 else None
    frames = np.array(numbers, dtype=np.float64)
    return clip.recordings(len(numbers), frames=frames, fps=fps, layout="panoptic19", units="cm")


def _joints(body: Any, path: Path) -> np.ndarray:
    """Return the joints (19, 4) of a body; a negative score means that the joint was not seen."""
    key = _key(body)
    try:
        values = np.array(body[key], dtype=np.float64).reshape(-1, 4) if key else np.empty((0, 4))
    except (TypeError, ValueError, OverflowError) as error:
        raise _malformed(path, str(body)) from error
    if key is None or len(values) != _KEYS[key]:
        raise _malformed(path, str(body))
    joints = np.full((_NUM_POINTS, 4), np.nan)
    joints[: len(values)] = values
    joints[~(joints[:, 3] >= 0.0)] = np.nan
    joints[:, 3] = np.clip(joints[:, 3], 0.0, 1.0)
    return joints


def _malformed(path: Path, found: str) -> TrackFileError:
    return TrackFileError(
        f"expected bodies with joints19 or joints15 of x, y, z, score, found {found[:80]!r} in {path}; copy the folder "
        "hdPose3d_stage1_coco19 again"
    )
