"""Put a figure's feet on the floor. F frames, V vertices.

The lowest vertex over the whole clip comes to stand at height 0; the whole clip is moved by one offset, so jumps and
steps stay as they were recorded. Tracks without a place in the room (``root_relative``: video lifters that keep the
pelvis at the origin) are treated the same way: their lowest frame touches the floor, and since the pelvis is held in
place, a crouch lifts the feet instead of lowering the hips. The height is taken of the skin as Blender shows it, linear
blend skinning without pose correctives.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .core_access import NUM_BETAS, NUM_JOINTS, BodyModel, Motion, world_positions, world_rotations

_BLOCK = 256
"""Frames whose vertices are made at once, to bound memory."""


def lowest_height(motion: Motion, model: BodyModel) -> float:
    """Return the height in metres (Y) of the lowest vertex over all frames.

    A vertex's height is linear in the second rows of the 24 joint transforms, so one product of (F, 96) and (96, V)
    gives all of them.
    """
    betas = shape_of(motion)
    rest = np.asarray(model.rest_joints(betas), dtype=np.float64)
    world = world_rotations(motion.rotations())
    places = world_positions(world, rest) + motion.trans[:, None, :]
    rows = world[:, :, 1, :]
    heights = places[:, :, 1] - np.sum(rows * rest, axis=-1)
    transforms = np.concatenate([rows, heights[..., None]], axis=-1).astype(np.float32)
    vertices = np.asarray(model.rest_vertices(betas), dtype=np.float32)
    points = np.concatenate([vertices, np.ones_like(vertices[:, :1])], axis=1)
    basis = (np.asarray(model.data.weights, dtype=np.float32)[:, :, None] * points[:, None, :]).reshape(len(points), -1)
    flat = transforms.reshape(-1, 4 * NUM_JOINTS)
    return min(float((flat[at : at + _BLOCK] @ basis.T).min()) for at in range(0, len(flat), _BLOCK))


def shape_of(motion: Motion) -> np.ndarray:
    """Return the first ten betas (10,) float32 of *motion*, filled with zeros where it has fewer."""
    betas = np.zeros(NUM_BETAS, dtype=np.float32)
    given = np.asarray(motion.betas)[:NUM_BETAS]
    betas[: len(given)] = given
    return betas


def on_floor(motion: Motion, model: BodyModel) -> Motion:
    """Return *motion* moved up or down, as a whole, so that its lowest vertex stands at height 0."""
    lift = np.array([0.0, -lowest_height(motion, model), 0.0])
    return replace(motion, trans=motion.trans + lift)
