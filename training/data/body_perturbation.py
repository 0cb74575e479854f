"""Perturb the bone lengths and keypoint positions of a body for training. V vertices.

A network trained on a single body model relies on its proportions. SMPL's hips are 4.5 cm closer together than the free
body's, and a tracker's points never match the body's exactly, so the network is also trained on perturbed bodies.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.body.data import BodyData

_BONE_SPREAD_M = 0.012
_HIP_SPREAD_M = 0.025
_POINT_SPREAD_M = 0.010
_ACROSS = np.array([-1.0, 1.0, 1.0])


def with_other_bones(data: BodyData, generator: np.random.Generator) -> BodyData:
    """Return *data* with each joint randomly offset from its parent, symmetrically; the mesh follows."""
    skeleton = data.skeleton
    offsets = generator.normal(0.0, _BONE_SPREAD_M, (skeleton.num_joints, 3))
    offsets[0] = 0.0
    offsets[skeleton.index("left_hip"), 0] += generator.normal(0.0, _HIP_SPREAD_M)
    for joint, other in enumerate(skeleton.mirror):
        if other == joint:
            offsets[joint, 0] = 0.0
        elif skeleton.names[joint].startswith("right"):
            offsets[joint] = offsets[other] * _ACROSS
    accumulated = np.zeros_like(offsets)
    for joint, parent in enumerate(skeleton.parents[1:], 1):
        accumulated[joint] = accumulated[parent] + offsets[joint]
    return replace(data, v_template=data.v_template + (data.weights @ accumulated).astype(data.v_template.dtype))


def point_offsets(num_points: int, generator: np.random.Generator) -> np.ndarray:
    """Draw the offsets (P, 3), metres, of points from the body's own, in the axes of the joints that carry them."""
    return generator.normal(0.0, _POINT_SPREAD_M, (num_points, 3))
