"""MediaPipe dumps: numbered points, metric ("world") or as fractions of the image. K points, 33 if complete."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from ..errors import TrackFileError
from ..layouts import LAYOUTS
from .raw import RawRecording, check_counts
from .textfile import TextTable
from .timeline import build_timeline, times_in_seconds

KIND = "MediaPipe CSV"
NAMES: tuple[str, ...] = LAYOUTS["mediapipe33"].names
_NUMBERED = re.compile(r"(?:l|lm|landmark|landmarks|point|kp|p|joint)?[\s_.]*(\d{1,2})$", re.IGNORECASE)
_AXES = ("x", "y", "z")
_NOSE, _HIPS, _ANKLES = NAMES.index("nose"), (23, 24), (27, 28)
_MAX_HIP_OFFSET = 0.03
"""Largest distance (in the file's units) of the middle of the hips from the origin in a world dump."""
_FRACTION_RANGE = (-1.0, 2.5)
"""Range of image fractions; points outside the image are extrapolated."""
_MAX_CELLS_PER_ROW = 200


def is_indexed_dump(header: list[str]) -> bool:
    """Return whether a header names index, x, y, z of one point only, while the rows hold many points."""
    words = [cell.lower() for cell in header]
    if not all(words.count(axis) == 1 for axis in _AXES) or len(words) > 12:
        return False
    place = words.index("x")
    return place >= 1 and tuple(words[place : place + 3]) == _AXES


def read_indexed_dump(header: list[str], table: TextTable) -> RawRecording:
    """Read rows of leading columns (frame, milliseconds) followed by index, x, y, z and visibility of each point.

    Raises:
        TrackFileError: rows do not divide into points, or an index is not a MediaPipe landmark.
    """
    path = table.path
    words = [cell.lower() for cell in header]
    num_lead = words.index("x") - 1
    cells_per_point = len(words) - num_lead
    longest = max((len(cells) for _, cells in table.rows()), default=0)
    num_points, spare = divmod(longest - num_lead, cells_per_point)
    if longest > _MAX_CELLS_PER_ROW or num_points < 1 or spare:
        raise TrackFileError(
            f"expected rows of {num_lead} cells, then {cells_per_point} per point, found {longest} in {path}; "
            "export the landmarks with one x, y and z column each"
        )
    table.check_end(longest)
    values = table.numbers(range(longest), width=longest)
    check_counts(len(values), len(NAMES), path)
    points = values[:, num_lead:].reshape(len(values), num_points, cells_per_point)
    rows, slots = np.nonzero(np.isfinite(points[..., 0]))
    numbers = points[rows, slots, 0]
    if not len(numbers) or ((numbers != np.round(numbers)) | (numbers < 0) | (numbers >= len(NAMES))).any():
        raise TrackFileError(
            f"expected landmark numbers 0 to {len(NAMES) - 1} before x, y, z, found others in {path}; "
            "export MediaPipe pose landmarks"
        )
    landmarks = numbers.astype(np.int64)
    positions = np.full((len(values), len(NAMES), 3), np.nan)
    positions[rows, landmarks] = points[rows, slots, 1:4]
    visibility = np.zeros(positions.shape[:2])
    visibility[rows, landmarks] = np.nan_to_num(points[rows, slots, 4], nan=0.0) if cells_per_point > 4 else 1.0
    lead = {word: values[:, column] for column, word in enumerate(words[:num_lead])}
    stamps = next((word for word in lead if word in ("ms", "time", "timestamp", "time_ms", "timestamp_ms")), None)
    times = times_in_seconds(lead[stamps], stamps)[0] if stamps else None
    timeline = build_timeline(len(values), path, num_points=len(NAMES), frames=lead.get("frame"), times_s=times)
    used = np.unique(landmarks)
    recording = RawRecording(
        timeline.place(positions),
        np.nan_to_num(timeline.place(visibility), nan=0.0),
        KIND,
        path,
        names=NAMES,
        fps=timeline.fps,
        first_frame=timeline.first_frame,
        start_s=timeline.start_s,
        notes=timeline.notes,
    )
    recording = describe_space(recording)
    if len(used) == len(NAMES):
        return replace(recording, layout="mediapipe33")
    return replace(
        recording,
        positions=recording.positions[:, used],
        confidence=recording.confidence[:, used],
        names=tuple(NAMES[index] for index in used),
    )


def name_numbered_points(recording: RawRecording) -> RawRecording:
    """Name 33 points that a table numbers from 0 (L0_x, X_0), and detect image fractions."""
    names = recording.names or ()
    matches = [_NUMBERED.fullmatch(name) for name in names]
    if [int(match.group(1)) for match in matches if match] == list(range(len(NAMES))) and all(matches):
        recording = replace(recording, names=NAMES, layout="mediapipe33", kind=KIND)
    elif tuple(name.lower() for name in names) != NAMES:
        return recording
    return describe_space(recording)


def describe_space(recording: RawRecording) -> RawRecording:
    """Detect whether 33 points in MediaPipe's order are metric or fractions of the image.

    Units and up axis, or the reason in `image_space`, are set on the returned recording; it is unchanged if it is
    neither. Points whose unit the file states are no fractions.
    """
    points = recording.positions
    hips = points[:, _HIPS].mean(axis=1)
    seen = np.isfinite(hips).all(-1)
    if not seen.any():
        return recording
    hip = np.median(hips[seen], axis=0)
    nose_to_ankles = points[:, _ANKLES, 1].mean(axis=1) - points[:, _NOSE, 1]
    finite = nose_to_ankles[np.isfinite(nose_to_ankles)]
    drop = float(np.median(finite)) if len(finite) else 0.0
    if np.abs(hip).max() < _MAX_HIP_OFFSET:
        up_axis = "-Y" if drop > 0.0 else None
        note = "The hips are at the origin in every frame, as in MediaPipe's world landmarks: metres, y down."
        return replace(recording, units="m", up_axis=up_axis, notes=(*recording.notes, note))
    flat = points[..., :2][np.isfinite(points[..., :2])]
    low, high = np.quantile(flat, (0.01, 0.99))
    if (
        recording.units is None
        and drop > 0.0
        and low > _FRACTION_RANGE[0]
        and high < _FRACTION_RANGE[1]
        and 0.0 < hip[:2].min() < hip[:2].max() < 1.5
    ):
        reason = (
            "x and y are fractions of the image (MediaPipe's normalised landmarks), which have no scale and no true "
            "depth; export pose_world_landmarks instead of pose_landmarks"
        )
        return replace(recording, image_space=reason)
    return recording
