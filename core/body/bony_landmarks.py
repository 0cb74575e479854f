"""Where optical markers are placed: skin over bones, and the joint that carries each bone. V vertices.

The skin over a hip bone folds with the thigh, but the bone, and a marker on it, follow the pelvis. So a landmark is the
rest position of a vertex, carried by one joint (see `core.body.keypoints.KeypointModel`).

The front of the pelvis lies relative to the hip centres as in Harrington et al. 2007, J. Biomech. 40, 595-602. Heights
were chosen so that the pelvis of a fit is at zero where OpenSim's is (six trials of one person) and CMU's (one trial).
"""

from __future__ import annotations

import numpy as np

from .data import BodyData

_MIDDLE = {
    "sacrum": ("pelvis", (0.0, 0.025, -0.080), "pelvis"),
    "c7": ("neck", (0.0, -0.010, -0.090), "spine3"),
    "t10": ("spine2", (0.0, 0.030, -0.120), "spine3"),
    "manubrium": ("neck", (0.0, -0.070, 0.080), "spine3"),
    "sternum": ("spine3", (0.0, -0.050, 0.140), "spine3"),
}
_LEFT = {
    "asis": ("left_hip", (0.035, 0.098, 0.060), "pelvis"),
    "psis": ("left_hip", (-0.046, 0.106, -0.088), "pelvis"),
    "sternoclavicular": ("left_collar", (-0.040, -0.005, 0.060), "spine3"),
    "elbow_lateral": ("left_elbow", (0.0, 0.050, 0.0), "left_shoulder"),
    "elbow_medial": ("left_elbow", (0.0, -0.050, 0.0), "left_shoulder"),
    "fifth_metatarsal": ("left_ankle", (0.055, -0.050, 0.107), "left_ankle"),
}
_STATURE_M = 1.706
"""Stature of the free body's mean shape, on which the offsets were measured."""
_NUM_VERTICES, _CLOSEST_M2 = 4, 1e-6
"""A landmark is the mean of this many vertices, weighted by the inverse of their squared distance, or of this one."""


def _both_sides() -> dict[str, tuple[str, tuple[float, float, float], str]]:
    found = dict(_MIDDLE)
    for name, (joint, (x, y, z), holder) in _LEFT.items():
        found[f"left_{name}"] = (joint, (x, y, z), holder)
        found[f"right_{name}"] = (joint.replace("left", "right"), (-x, y, z), holder.replace("left", "right"))
    return found


BONY_LANDMARKS = _both_sides()
"""For each landmark: a joint, the landmark's offset from it in the rest pose (metres, X to the left, Y up, Z forward),
and the joint that carries it."""


def landmark_row(body: BodyData, name: str) -> np.ndarray:
    """Return the regressor row (V,) float64 of the landmark *name* on *body*: the skin nearest to its place.

    Raises:
        KeyError: *name* is not in `BONY_LANDMARKS`.
    """
    joint, offset, _ = BONY_LANDMARKS[name]
    vertices = np.asarray(body.v_template, dtype=np.float64)
    origin = np.asarray(body.joint_regressor[body.skeleton.index(joint)], dtype=np.float64) @ vertices
    place = origin + np.array(offset) * (np.ptp(vertices[:, 1]) / _STATURE_M)
    squares = np.sum((vertices - place) ** 2, axis=1)
    near = np.argsort(squares, kind="stable")[:_NUM_VERTICES]
    weights = 1.0 / np.maximum(squares[near], _CLOSEST_M2)
    row = np.zeros(len(vertices))
    row[near] = weights / weights.sum()
    return row


def landmark_holders(names: tuple[str, ...]) -> dict[int, str]:
    """Return the joints that carry the landmarks among the points *names*, by their index in *names*."""
    return {index: BONY_LANDMARKS[name][2] for index, name in enumerate(names) if name in BONY_LANDMARKS}
