"""FreeMoCap's point names: body, hands and face in one table, reduced to body and hand points. K points."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from ..layouts import LAYOUTS
from .raw import RawRecording

KIND = "FreeMoCap CSV"
_PARTS = re.compile(r"(body|left_hand|right_hand|face)_(.+)$")
_LAYOUTS = ("mediapipe75", "mediapipe33", "rtmpose_body")
_FINGERS = {"index_finger": "index", "forefinger": "index", "middle_finger": "middle", "ring_finger": "ring"}
_FINGERS |= {"pinky_finger": "pinky", "little": "pinky", "little_finger": "pinky"}
_JOINTS = {"mcp": "1", "pip": "2", "dip": "3", "tip": "4"}
_THUMB_JOINTS = {"cmc": "1", "mcp": "2", "ip": "3", "tip": "4"}
_HAND_POINT = re.compile(r"([a-z_]+?)_?(cmc|mcp|pip|dip|ip|tip|\d)$")


def is_freemocap_names(names: tuple[str, ...]) -> bool:
    """Return whether all names have FreeMoCap's prefix for a part of the body."""
    return bool(names) and all(_PARTS.match(name) for name in names)


def is_skipped_model(model: str) -> bool:
    """Return whether a model's points are skipped: the face, and centres of mass."""
    return model.endswith(("face", "com")) or "center_of_mass" in model or "face_" in model


def name_freemocap_points(recording: RawRecording, points: list[tuple[str, str]]) -> RawRecording:
    """Name body points without prefix and hand points left_hand_.., right_hand_..; drop the face, order by layout.

    Args:
        recording: as read, with K points.
        points: K pairs of model ("mediapipe_body", "rtmpose.right_hand", "" if the name includes it) and keypoint name.
    """
    names = [_plain_name(model.lower(), keypoint.strip()) for model, keypoint in points]
    picks = {name: index for index, name in enumerate(names) if name}
    layout = next((name for name in _LAYOUTS if set(LAYOUTS[name].names) <= picks.keys()), None)
    if layout is not None:
        picks = {name: picks[name] for name in LAYOUTS[layout].names}
    chosen = list(picks.values())
    if not chosen:
        return recording
    dropped = recording.num_points - len(chosen)
    notes = [*recording.notes, "FreeMoCap writes millimetres."]
    if dropped:
        notes.append(f"{dropped} points are left out: face, centres of mass or unused.")
    return replace(
        recording,
        positions=np.take(recording.positions, chosen, axis=1),
        confidence=np.take(recording.confidence, chosen, axis=1),
        names=tuple(picks),
        kind=KIND,
        layout=layout,
        units="mm",
        notes=tuple(notes),
    )


def _plain_name(model: str, keypoint: str) -> str:
    """Return the name of a point, or "" if the point is not used."""
    part, name = "", keypoint
    match = _PARTS.match(keypoint)
    if match:
        part, name = match.groups()
    elif "left_hand" in model or "right_hand" in model:
        part = "left_hand" if "left_hand" in model else "right_hand"
    if part == "face" or is_skipped_model(model):
        return ""
    if part.endswith("hand"):
        return f"{part}_{_finger_joint(name)}"
    return name


def _finger_joint(name: str) -> str:
    """Convert MediaPipe's and RTMPose's names of finger joints to thumb1 .. pinky4."""
    match = _HAND_POINT.fullmatch(name.lower())
    if not match:
        return name
    finger, joint = match.groups()
    finger = _FINGERS.get(finger, finger)
    words = _THUMB_JOINTS if finger == "thumb" else _JOINTS
    return f"{finger}{words.get(joint, joint)}"
