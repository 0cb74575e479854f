"""Export the free body for other tools as a plain SMPL .npz: an SMPL file's keys, no pickled objects."""

from __future__ import annotations

import numpy as np

from core.body.data import BodyData

_NO_PARENT = 4294967295
"""The root's parent in SMPL's files: -1 as an unsigned 32-bit integer."""


def smpl_arrays(body: BodyData) -> dict[str, np.ndarray]:
    """Return *body* as the arrays of an SMPL file.

    With smplx: ``smplx.SMPL("", data_struct=smplx.utils.Struct(**np.load(path)))``.
    """
    parents = [_NO_PARENT, *body.skeleton.parents[1:]]
    return {
        "v_template": body.v_template,
        "f": body.faces.astype(np.uint32),
        "shapedirs": body.shapedirs,
        "posedirs": body.posedirs,
        "J_regressor": body.joint_regressor,
        "weights": body.weights,
        "kintree_table": np.array([parents, list(range(len(parents)))], dtype=np.int64),
        "J": body.joint_regressor @ body.v_template,
        "bs_style": np.array("lbs"),
        "bs_type": np.array("lrotmin"),
    }
