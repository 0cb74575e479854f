"""The arrays of a body model in SMPL format. V vertices (6890, or 10475 for SMPL-X), J joints, B betas."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from ..errors import BodyError
from ..skeleton import Skeleton
from ..smpl_skeleton import SMPL
from .topology import VERTEX_IDS_BY_COUNT

NUM_BETAS = 10


def _shapes(num_vertices: int, num_joints: int) -> dict[str, tuple[int, ...]]:
    return {
        "v_template": (num_vertices, 3),
        "shapedirs": (num_vertices, 3, NUM_BETAS),
        "posedirs": (num_vertices, 3, 9 * (num_joints - 1)),
        "joint_regressor": (num_joints, num_vertices),
        "weights": (num_vertices, num_joints),
    }


@dataclass(frozen=True, eq=False)
class BodyData:
    """A body in SMPL format: the joints of its skeleton, 10 betas, 6890 vertices (10475 for the mesh of SMPL-X).

    Convention: metres, right-handed, Y up, +Z front, +X the body's left, T-pose.

    Attributes:
        name: the body that the betas belong to ("free_body", "smpl"); betas of different bodies are incompatible.
        gender: "neutral", "female" or "male".
        v_template: (V, 3) rest vertices of the mean shape.
        faces: (13776, 3) int32 triangles (20908 for the mesh of SMPL-X).
        shapedirs: (V, 3, B) vertex offset per unit of beta.
        posedirs: (V, 3, 9 (J - 1)) vertex offset per entry of (R - I) of all joints but the root, row-major.
        joint_regressor: (J, V) rest joints from rest vertices; rows sum to 1.
        weights: (V, J) skinning weights; rows sum to 1.
        skeleton: the joints; SMPL's 24, if no other is given.
        texture: (F, 3, 2) texture coordinates of the corners of the faces, 0 to 1; None for a body without.
    """

    name: str
    gender: str
    v_template: np.ndarray
    faces: np.ndarray
    shapedirs: np.ndarray
    posedirs: np.ndarray
    joint_regressor: np.ndarray
    weights: np.ndarray
    skeleton: Skeleton = SMPL
    texture: np.ndarray | None = None

    def __post_init__(self) -> None:
        """Check every shape; raise `BodyError` with all faults at once."""
        num_vertices = len(self.v_template) if self.v_template.ndim else 0
        faults = [
            f"{name} {getattr(self, name).shape}, expected {shape}"
            for name, shape in _shapes(num_vertices, self.skeleton.num_joints).items()
            if getattr(self, name).shape != shape
        ]
        if num_vertices not in VERTEX_IDS_BY_COUNT:
            faults.append(f"{num_vertices} vertices, expected {' or '.join(map(str, VERTEX_IDS_BY_COUNT))}")
        if self.faces.ndim != 2 or self.faces.shape[1] != 3:
            faults.append(f"faces {self.faces.shape}, expected (N, 3)")
        elif len(self.faces) == 0 or self.faces.min() < 0 or self.faces.max() >= num_vertices:
            faults.append(f"faces name vertices outside 0 to {num_vertices - 1}")
        if self.texture is not None and self.texture.shape != (*self.faces.shape, 2):
            faults.append(f"texture {self.texture.shape}, expected {(*self.faces.shape, 2)}")
        for field in fields(self):
            array = getattr(self, field.name)
            if isinstance(array, np.ndarray) and not np.isfinite(array).all():
                faults.append(f"{field.name} holds values that are not finite")
        if faults:
            raise BodyError(f"body {self.name!r} is not in SMPL's format: " + "; ".join(faults))

    def without_pose_correctives(self) -> BodyData:
        """Return the body whose skin does not change with the pose but by skinning: all of *posedirs* are 0."""
        return replace(self, posedirs=np.broadcast_to(np.float32(0.0), self.posedirs.shape))

    def stature(self, betas: np.ndarray) -> float:
        """Return the height of the rest pose, metres, with *betas* (B,)."""
        return float(np.ptp((self.v_template + self.shapedirs @ betas)[:, 1]))
