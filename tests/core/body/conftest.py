"""Body files as their projects publish them, filled with the free body's values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.body.free_body import load_free_body
from core.smpl_skeleton import JOINT_PARENTS

RNG_SEED = 11


@pytest.fixture(scope="session")
def smpl_arrays() -> dict[str, np.ndarray]:
    """Return the arrays of an SMPL file, by its own names."""
    body = load_free_body()
    parents = np.array(JOINT_PARENTS)
    return {
        "v_template": body.v_template.astype(np.float64),
        "f": body.faces.astype(np.uint32),
        "shapedirs": body.shapedirs.astype(np.float64),
        "posedirs": body.posedirs.astype(np.float64),
        "J_regressor": body.joint_regressor.astype(np.float64),
        "weights": body.weights.astype(np.float64),
        "kintree_table": np.stack([np.where(parents < 0, 2**32 - 1, parents), np.arange(24)]),
    }


def _more_joints(arrays: dict[str, np.ndarray], num_head: int) -> dict[str, Any]:
    """Add the finger joints of SMPL-H or SMPL-X to a body, with random hand weights and one vertex per joint."""
    rng = np.random.default_rng(RNG_SEED)
    parents = [*JOINT_PARENTS[:22], *[15] * num_head]
    for wrist in (20, 21):
        for _ in range(5):
            parents += [wrist, len(parents), len(parents) + 1]
    num_joints, num_vertices = len(parents), len(arrays["v_template"])
    weights = np.zeros((num_vertices, num_joints))
    weights[:, :22] = arrays["weights"][:, :22]
    for side, first in ((22, 22 + num_head), (23, 37 + num_head)):
        share = rng.dirichlet(np.ones(12), num_vertices)
        weights[:, first : first + 12] = share * arrays["weights"][:, side : side + 1]
        thumb = rng.random((num_vertices, 1)) * 0.3 * weights[:, side - 2 : side - 1]
        weights[:, first + 12 : first + 13] = thumb
        weights[:, side - 2 : side - 1] -= thumb
    if num_head:
        jaw = 0.4 * weights[:, 15:16]
        weights[:, 22:23] = jaw
        weights[:, 15:16] -= jaw
    regressor = np.zeros((num_joints, num_vertices))
    regressor[:22] = arrays["J_regressor"][:22]
    regressor[np.arange(22, num_joints), rng.integers(0, num_vertices, num_joints - 22)] = 1.0
    posedirs = rng.normal(0.0, 1e-3, (num_vertices, 3, 9 * (num_joints - 1)))
    posedirs[..., :189] = arrays["posedirs"][..., :189]
    tree = np.stack([np.where(np.array(parents) < 0, 2**32 - 1, parents), np.arange(num_joints)])
    return {**arrays, "weights": weights, "J_regressor": regressor, "posedirs": posedirs, "kintree_table": tree}


@pytest.fixture(scope="session")
def smplh_arrays(smpl_arrays) -> dict[str, np.ndarray]:
    """Return the arrays of an SMPL-H file: 52 joints, 16 shape directions."""
    wide = np.concatenate([smpl_arrays["shapedirs"], np.ones((6890, 3, 6))], axis=-1)
    return _more_joints({**smpl_arrays, "shapedirs": wide}, 0)


@pytest.fixture(scope="session")
def smplx_arrays(smpl_arrays) -> dict[str, np.ndarray]:
    """Return the arrays of an SMPL-X file: 55 joints, 10475 vertices (the free body's, partly duplicated)."""
    source = np.concatenate([np.arange(6890), np.random.default_rng(RNG_SEED).integers(0, 6890, 10475 - 6890)])
    arrays = {key: smpl_arrays[key][source] for key in ("v_template", "shapedirs", "posedirs", "weights")}
    regressor = np.zeros((24, 10475))
    regressor[:, :6890] = smpl_arrays["J_regressor"]
    wide = np.concatenate([arrays["shapedirs"], np.ones((10475, 3, 10))], axis=-1)
    body = {**arrays, "shapedirs": wide, "J_regressor": regressor, "f": smpl_arrays["f"]}
    return _more_joints(body, 3)
