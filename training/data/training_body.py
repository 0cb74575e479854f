"""The body used in training: differentiable keypoints, vertices and joints as torch tensors.

B batch, V vertices, P points. The forward pass is `core.body`'s, run on torch; smplx can compute the vertices
instead. Nothing here is part of a state dict, so checkpoints contain no licensed arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from core.body.catalog import resolve_body
from core.body.data import BodyData
from core.body.keypoints import KeypointModel, ShapedKeypoints
from core.body.landmarks import landmark_regressor
from core.body.model import BodyModel
from core.body.smpl_file import read_regressor
from core.errors import BodyError
from core.layouts import BODY25
from core.math.rotations import axis_angle_to_matrix
from core.smpl_skeleton import NUM_BODY_ROTATIONS, NUM_JOINTS

from ..config import BodyConfig

POINT_NAMES: tuple[str, ...] = tuple(str(point.solver) for point in BODY25.points)
"""The solver's names for the network's 25 keypoints."""


def load_body(config: BodyConfig) -> BodyData:
    """Load the body of *config*; without a path, the free body."""
    return resolve_body(Path(config.path) if config.path else None)


def load_regressor(config: BodyConfig, data: BodyData) -> np.ndarray | None:
    """Load the keypoint regressor (25, V) of *config* for *data*; return None if *config* names no file.

    Raises:
        CoreError: the file is missing, damaged, or for another body.
    """
    return read_regressor(config.regressor, len(data.v_template)) if config.regressor else None


class VertexSubset(BodyModel):
    """A body model that computes only a subset of the vertices."""

    def __init__(self, data: BodyData, vertices: np.ndarray, device: str) -> None:
        """Load the vertices with the indices *vertices* (n,) of *data* to *device*."""
        super().__init__(data, device)
        self._template = self._template[vertices]
        self._shapedirs = self._shapedirs[vertices]
        self._weights = self._weights[vertices]
        rows = data.posedirs[vertices]
        self._posedirs = self.array(rows.reshape(-1, rows.shape[-1]).T)


def evenly_spaced_vertices(num_vertices: int, count: int) -> np.ndarray:
    """Return *count* vertex indices, evenly spaced in the mesh's order; all for 0.

    SMPL numbers its vertices patch by patch, so each body part keeps its share, and the subset's mean distance stays
    close to that of all vertices.
    """
    if count == 0 or count >= num_vertices:
        return np.arange(num_vertices)
    return np.linspace(0, num_vertices - 1, count).round().astype(np.int64)


class TrainingBody:
    """A body on a torch device.

    Attributes:
        data: arrays of the body.
        device: device of the tensors.
        point_names: names of the keypoints.
        is_perturbed: whether points or bones are perturbed, so that betas do not describe the body.
    """

    def __init__(
        self,
        data: BodyData,
        device: torch.device | str,
        *,
        engine: str = "core",
        num_vertices: int = 0,
        point_names: Sequence[str] = POINT_NAMES,
        point_offsets: np.ndarray | None = None,
        regressor: np.ndarray | None = None,
    ) -> None:
        """Load *data* to *device*.

        Args:
            data: the body.
            device: a torch device.
            engine: implementation that computes the vertices, "core" or "smplx".
            num_vertices: number of vertices that `selected_vertices` returns; 0 for all.
            point_names: the solver points that `keypoints` returns; by default BODY25's.
            point_offsets: (P, 3) metres, offsets of the points from the common definition; or None.
            regressor: (P, V) rows of the points that replace our own definition of them; or None.

        Raises:
            BodyError: smplx is requested but not installed, or does not support the body; or *regressor* does not have
                one row per point.
        """
        self.data = data
        self.device = torch.device(device)
        device_name = str(self.device)
        self._model = BodyModel(data, device_name)
        self.point_names = tuple(point_names)
        self.is_perturbed = point_offsets is not None
        rows = landmark_regressor(data, self.point_names) if regressor is None else regressor
        if len(rows) != len(self.point_names):
            raise BodyError(
                f"expected a regressor of {len(self.point_names)} points, got {len(rows)}; give one of BODY25, such as "
                "J_regressor_body25.npy"
            )
        self._keypoints = KeypointModel(self._model, rows)
        if point_offsets is not None:
            self._keypoints = self._keypoints.shifted(self._model.array(point_offsets))
        self._chosen = evenly_spaced_vertices(len(data.v_template), num_vertices)
        whole = len(self._chosen) == len(data.v_template)
        self._subset = self._model if whole else VertexSubset(data, self._chosen, device_name)
        self._smplx = _smplx_model(data, self.device) if engine == "smplx" else None

    def keypoints(self, rotations: Tensor, betas: Tensor, trans: Tensor) -> Tensor:
        """Return the keypoints (B, P, 3), metres.

        Args:
            rotations: (B, 24, 3, 3) local rotations.
            betas: (B, 10).
            trans: (B, 3) metres.
        """
        points: Tensor = self.shaped(betas).points(rotations, trans)
        return points

    def shaped(self, betas: Tensor) -> ShapedKeypoints:
        """Return the keypoint model of bodies with *betas* (B, 10)."""
        return self._keypoints.shaped(betas)

    def vertices(self, rotations: Tensor, betas: Tensor, trans: Tensor) -> Tensor:
        """Return all vertices (B, V, 3), metres; arguments as for `keypoints`."""
        if self._smplx is not None:
            return _smplx_vertices(self._smplx, rotations, betas, trans)
        vertices: Tensor = self._model.vertices(rotations, betas, trans)
        return vertices

    def selected_vertices(self, rotations: Tensor, betas: Tensor, trans: Tensor) -> Tensor:
        """Return the vertices used by the loss (B, n, 3), metres; arguments as for `keypoints`."""
        if self._smplx is not None:
            return _smplx_vertices(self._smplx, rotations, betas, trans)[:, self._chosen]
        vertices: Tensor = self._subset.vertices(rotations, betas, trans)
        return vertices

    def joints(self, rotations: Tensor, betas: Tensor, trans: Tensor) -> Tensor:
        """Return the 24 joints (B, 24, 3), metres; arguments as for `keypoints`."""
        joints: Tensor = self._model.joints(rotations, betas, trans)
        return joints


def pose_rotations(poses: Tensor) -> Tensor:
    """Convert rotation vectors (B, 66), radians, to local rotations (B, 24, 3, 3) with the hands at rest."""
    return with_hands(axis_angle_to_matrix(poses.view(-1, NUM_BODY_ROTATIONS, 3)))


def with_hands(rotations: Tensor) -> Tensor:
    """Append the hands at rest to *rotations* (B, 22, 3, 3) of the body joints; return (B, 24, 3, 3)."""
    hands = torch.eye(3, dtype=rotations.dtype, device=rotations.device)
    hands = hands.expand(len(rotations), NUM_JOINTS - NUM_BODY_ROTATIONS, 3, 3)
    return torch.cat([rotations, hands], dim=1)


def _smplx_model(data: BodyData, device: torch.device) -> Any:
    """Return smplx's SMPL model of *data*, without smplx unpickling a file."""
    try:
        import smplx
    except ImportError as error:
        raise BodyError(
            "body.engine smplx needs the package smplx (non-commercial research licence), which is not installed; "
            "install it, or use body.engine core, which computes the same vertices"
        ) from error
    if data.name not in ("smpl", "free_body"):
        raise BodyError(f"expected an SMPL body for body.engine smplx, got {data.name!r}; use engine core")
    stored = {
        "v_template": data.v_template,
        "shapedirs": data.shapedirs,
        "posedirs": data.posedirs,
        "J_regressor": data.joint_regressor,
        "weights": data.weights,
        "f": data.faces,
        "kintree_table": _kinematic_table(),
    }
    struct = smplx.utils.Struct(**stored)
    return smplx.SMPL("", data_struct=struct, batch_size=1, num_betas=data.shapedirs.shape[-1]).to(device)


def _kinematic_table() -> np.ndarray:
    from core.smpl_skeleton import JOINT_PARENTS

    return np.stack([np.array(JOINT_PARENTS), np.arange(NUM_JOINTS)]).astype(np.int64)


def _smplx_vertices(model: Any, rotations: Tensor, betas: Tensor, trans: Tensor) -> Tensor:
    output = model(
        global_orient=rotations[:, :1], body_pose=rotations[:, 1:], betas=betas, transl=trans, pose2rot=False
    )
    vertices: Tensor = output.vertices
    return vertices
