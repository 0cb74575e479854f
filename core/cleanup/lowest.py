"""The lowest vertex of a posed body. F frames, J joints, V vertices.

Heights are those of linear blend skinning; pose correctives, which move the soles by less than 2 mm, are left out.
"""

from __future__ import annotations

import numpy as np

from ..body.data import NUM_BETAS
from ..body.model import BodyModel, world_positions, world_rotations
from ..motion import Motion

_BLOCK = 256
"""Frames computed at once, to limit memory."""


def lowest_heights(motion: Motion, model: BodyModel) -> np.ndarray:
    """Return the height (F,) of each frame's lowest vertex: metres along Y.

    A vertex's height is linear in the second rows of the joint transforms, so one product of (F, 4 J) and (4 J, V)
    gives all heights.
    """
    betas = np.zeros(NUM_BETAS, dtype=np.float32)
    motion_betas = np.asarray(motion.betas)[:NUM_BETAS]
    betas[: len(motion_betas)] = motion_betas
    rest = np.asarray(model.rest_joints(betas), dtype=np.float64)
    world = world_rotations(motion.rotations(), model.skeleton)
    positions = world_positions(world, rest, model.skeleton) + motion.trans[:, None, :]
    rows = world[:, :, 1, :]
    heights = positions[:, :, 1] - np.sum(rows * rest, axis=-1)
    transforms = np.concatenate([rows, heights[..., None]], axis=-1).astype(np.float32)
    vertices = np.asarray(model.rest_vertices(betas), dtype=np.float32)
    points = np.concatenate([vertices, np.ones_like(vertices[:, :1])], axis=1)
    basis = (np.asarray(model.data.weights, dtype=np.float32)[:, :, None] * points[:, None, :]).reshape(len(points), -1)
    flat = transforms.reshape(len(transforms), -1)
    blocks = [(flat[at : at + _BLOCK] @ basis.T).min(axis=1) for at in range(0, len(flat), _BLOCK)]
    lowest: np.ndarray = np.concatenate(blocks).astype(np.float64)
    return lowest
