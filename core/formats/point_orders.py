"""Arrays without point names that hold body, hands and face of MediaPipe in an order of their own. K points.

FreeMoCap's arrays are the pose, the right hand, the left hand and the face; others have the left hand first.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..layouts import MEDIAPIPE75
from .raw import RawRecording

_NUM_POSE, _NUM_HAND = 33, 21
_NUM_BODY = _NUM_POSE + 2 * _NUM_HAND
_COUNTS = {_NUM_BODY: 0, _NUM_BODY + 468: 468, _NUM_BODY + 478: 478}
"""Points of pose, hands and face, and how many of them are the face's."""
_WRISTS = (15, 16)
"""The pose's left and right wrist."""


def order_hands(recording: RawRecording) -> RawRecording:
    """Bring 75, 543 or 553 unnamed points into the order pose, left hand, right hand; drop the face.

    The hands are identified by which hand's root is at which of the pose's wrists.
    """
    known = recording.layout in (None, MEDIAPIPE75.name)
    if recording.names is not None or not known or recording.num_points not in _COUNTS:
        return recording
    notes = list(recording.notes)
    num_face = _COUNTS[recording.num_points]
    if num_face:
        notes.append(f"{num_face} points of the face are left out.")
    order = np.arange(_NUM_BODY)
    first, second = (recording.positions[:, _NUM_POSE + hand * _NUM_HAND] for hand in (0, 1))
    left, right = (recording.positions[:, wrist] for wrist in _WRISTS)
    straight, crossed = _distance(first, left, second, right), _distance(first, right, second, left)
    if np.isfinite(straight) or np.isfinite(crossed):
        right_first = crossed < straight
        which = "right" if right_first else "left"
        if right_first or num_face:
            notes.append(f"The {which} hand comes first: it is at the {which} wrist of the body.")
    else:
        right_first = num_face > 0
        if right_first:
            notes.append("The right hand is taken to come first, as in FreeMoCap: no hand is seen beside its wrist.")
    if right_first:
        order[_NUM_POSE:] = np.roll(order[_NUM_POSE:], _NUM_HAND)
    return replace(
        recording,
        positions=recording.positions[:, order],
        confidence=recording.confidence[:, order],
        notes=tuple(notes),
    )


def _distance(first: np.ndarray, at: np.ndarray, second: np.ndarray, other: np.ndarray) -> float:
    """Return the mean of the typical distances of two points (F, 3) from theirs; infinity if never seen together."""
    found = []
    for point, place in ((first, at), (second, other)):
        distances = np.linalg.norm(point - place, axis=-1)
        distances = distances[np.isfinite(distances)]
        if distances.size:
            found.append(float(np.median(distances)))
    return float(np.mean(found)) if found else np.inf
