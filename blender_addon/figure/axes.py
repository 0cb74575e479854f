"""Convert from the core's axes to Blender's axes and to the rest axes of bones. F frames, J joints.

Convention: the core is Y up with the body facing +Z; Blender is Z up and the figure faces -Y, as Blender's own
characters do. Both are right-handed, metres: (x, y, z) of the core is (x, -z, y) of Blender. Bones point along +Y.
"""

from __future__ import annotations

import numpy as np

Z_UP_FROM_Y_UP = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
"""Matrix from the core's axes to Blender's: ``v_blender = Z_UP_FROM_Y_UP @ v_core``."""

Y_UP = np.eye(3)
"""The core's own axes, for formats that are Y up by convention (BVH)."""


def to_axes(vectors: np.ndarray, axes: np.ndarray = Z_UP_FROM_Y_UP) -> np.ndarray:
    """Return Y-up *vectors* (..., 3) in *axes* (3, 3)."""
    return np.asarray(vectors, dtype=np.float64) @ axes.T


def bone_from_core(rest: np.ndarray, axes: np.ndarray = Z_UP_FROM_Y_UP) -> np.ndarray:
    """Return the rotations (J, 3, 3) from the core's axes to each bone's rest axes.

    A local SMPL rotation R of a joint becomes the bone's pose ``A R A^T``, and its axis-angle vector ``A a``: with
    every joint's SMPL axes parallel to the world's at rest, a bone whose rest matrix is B needs ``B^-1 (C R C^T) B``,
    with C the change of axes, exactly.

    Args:
        rest: (J, 3, 3) rest matrices of the bones in armature space (columns are the bones' axes).
        axes: (3, 3) matrix from the core's axes to the armature's.
    """
    return np.swapaxes(rest, -1, -2) @ axes


def continuous_signs(quat_wxyz: np.ndarray) -> np.ndarray:
    """Return quaternions (F, J, 4) with signs chosen so that none flips between frames.

    A quaternion and its negative are the same rotation, but keys are interpolated per component, so neighbours must lie
    in the same hemisphere.
    """
    agreement = np.sum(quat_wxyz[1:] * quat_wxyz[:-1], axis=-1)
    signs = np.cumprod(np.where(agreement < 0.0, -1.0, 1.0), axis=0)
    return np.concatenate([quat_wxyz[:1], quat_wxyz[1:] * signs[..., None]], axis=0)
