"""Bodies that nobody has: the given one with other bones, and with points that lie elsewhere on it. V vertices.

A network that only ever saw one body model takes its proportions for granted. SMPL's hips lie 4.5 cm closer together
than the free body's, and a tracker's points are never quite the body's own; so it is trained on such bodies too.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.body.data import BodyData
from core.smpl_skeleton import JOINT_INDEX, JOINT_NAMES, JOINT_PARENTS, NUM_JOINTS

_BONE_SPREAD_M = 0.012
_HIP_SPREAD_M = 0.025
_POINT_SPREAD_M = 0.010
_ACROSS = np.array([-1.0, 1.0, 1.0])


def with_other_bones(data: BodyData, generator: np.random.Generator) -> BodyData:
    """Return *data* with each joint moved against its parent, at random, left and right alike; the skin follows."""
    own = generator.normal(0.0, _BONE_SPREAD_M, (NUM_JOINTS, 3))
    own[0] = 0.0
    own[JOINT_INDEX["left_hip"], 0] += generator.normal(0.0, _HIP_SPREAD_M)
    for index, name in enumerate(JOINT_NAMES):
        if name.startswith("right"):
            own[index] = own[JOINT_INDEX[name.replace("right", "left")]] * _ACROSS
        elif not name.startswith("left"):
            own[index, 0] = 0.0
    moved = np.zeros_like(own)
    for index in range(1, NUM_JOINTS):
        moved[index] = moved[JOINT_PARENTS[index]] + own[index]
    return replace(data, v_template=data.v_template + (data.weights @ moved).astype(data.v_template.dtype))


def point_offsets(num_points: int, generator: np.random.Generator) -> np.ndarray:
    """Return how far (P, 3), metres, points lie from the body's own, in the axes of the joints that hold them."""
    return generator.normal(0.0, _POINT_SPREAD_M, (num_points, 3))
