"""Perturb a body's bone lengths and keypoints for training. V vertices.

A network trained on one body model overfits its proportions. SMPL's hips are 4.5 cm closer together than the free
body's, and a tracker's points never match the body's exactly, so the network also trains on perturbed bodies.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.body.data import BodyData

_BONE_STD_M = 0.012
_HIP_STD_M = 0.025
_POINT_STD_M = 0.010
_MIRROR_X = np.array([-1.0, 1.0, 1.0])


def perturb_bones(data: BodyData, generator: np.random.Generator) -> BodyData:
    """Return *data* with random, symmetric offsets of each joint from its parent; the mesh follows."""
    skeleton = data.skeleton
    offsets = generator.normal(0.0, _BONE_STD_M, (skeleton.num_joints, 3))
    offsets[0] = 0.0
    offsets[skeleton.index("left_hip"), 0] += generator.normal(0.0, _HIP_STD_M)
    for joint, other in enumerate(skeleton.mirror):
        if other == joint:
            offsets[joint, 0] = 0.0
        elif skeleton.names[joint].startswith("right"):
            offsets[joint] = offsets[other] * _MIRROR_X
    accumulated = np.zeros_like(offsets)
    for joint, parent in enumerate(skeleton.parents[1:], 1):
        accumulated[joint] = accumulated[parent] + offsets[joint]
    return replace(data, v_template=data.v_template + (data.weights @ accumulated).astype(data.v_template.dtype))


def draw_point_offsets(num_points: int, generator: np.random.Generator) -> np.ndarray:
    """Draw point offsets (P, 3), metres, in the axes of the joints that carry the points."""
    return generator.normal(0.0, _POINT_STD_M, (num_points, 3))
