"""Find the surface landmarks (nose, ears, eyes, fingertips, toes, heels) on the full-resolution body."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp

from core.smpl_skeleton import JOINT_INDEX

from .makehuman import Rig

_FINGER_NUMBERS = {"thumb": 1, "index": 2, "middle": 3, "ring": 4, "pinky": 5}
_PUPIL_BELOW_RIM_CENTRE = 0.004


def find_left_landmarks(
    rig: Rig,
    weights: sp.csr_matrix,
    skinning: np.ndarray,
    vertices: np.ndarray,
    used: np.ndarray,
    midline: np.ndarray,
    eye_rim: Sequence[int],
) -> dict[str, int]:
    """Return the vertex of each landmark of the left half and the midline, by its name in `core.smpl_skeleton`.

    Args:
        rig: MakeHuman's rig.
        weights: (V, bones) weights of the rig.
        skinning: (V, 24) SMPL weights.
        vertices: (V, 3) vertices in the T-pose.
        used: vertices of the left half's surface.
        midline: (V,) bool, vertices on the midline.
        eye_rim: vertex loop of the left eyelids.
    """
    x, y, z = vertices.T
    bone_weight = weights[used].toarray()

    def bone(name: str) -> np.ndarray:
        return np.asarray(used[bone_weight[:, rig.index(name)] > 0.4])

    def highest(candidates: np.ndarray, score: np.ndarray) -> int:
        return int(candidates[np.argmax(score[candidates])])

    head = used[skinning[used, JOINT_INDEX["head"]] > 0.6]
    face = used[midline[used] & (y[used] > y[head].min() + 0.05) & (y[used] < 0.52)]
    ankle = used[skinning[used, JOINT_INDEX["left_ankle"]] > 0.6]
    sole = ankle[y[ankle] < y.min() + 0.05]
    rim = np.asarray(eye_rim)
    pupil = vertices[rim].mean(0) - [0.0, _PUPIL_BELOW_RIM_CENTRE, 0.0]
    found = {
        "nose": highest(face, z),
        "left_ear": highest(head, x),
        "left_eye": highest(rim, -np.linalg.norm(vertices - pupil, axis=1)),
        "left_big_toe": highest(bone("toe1-2.L"), z + 0.3 * y),
        "left_small_toe": highest(bone("toe5-3.L"), z + 0.5 * x),
        "left_heel": highest(sole, -z),
    }
    for finger, number in _FINGER_NUMBERS.items():
        outward = 0.5 * x + z if finger == "thumb" else x
        found[f"left_{finger}_tip"] = highest(bone(f"finger{number}-3.L"), outward)
    return found
