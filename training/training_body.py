"""The body that poses are shown on while training: keypoints, vertices and joints as torch tensors, differentiable.

B batch, V vertices, P points. All is `core.body`'s own forward pass, which runs on torch; smplx may make the vertices
instead. Nothing here is part of a state dict, so no licensed array gets into a checkpoint.
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
from core.errors import BodyError
from core.layouts import BODY25
from core.math.rotations import axis_angle_to_matrix
from core.smpl_skeleton import NUM_BODY_ROTATIONS, NUM_JOINTS

from .config import BodyConfig

POINT_NAMES: tuple[str, ...] = tuple(str(point.solver) for point in BODY25.points)
"""The solver's names of the network's 25 keypoints."""


def load_body(config: BodyConfig) -> BodyData:
    """Return the body that *config* names; without a path, the free body."""
    return resolve_body(Path(config.path) if config.path else None)


class VertexSubset(BodyModel):
    """A body of which only some vertices are made."""

    def __init__(self, data: BodyData, vertices: np.ndarray, device: str) -> None:
        """Place the rows *vertices* (n,) of *data* on *device*."""
        super().__init__(data, device)
        self._template = self._template[vertices]
        self._shapedirs = self._shapedirs[vertices]
        self._weights = self._weights[vertices]
        rows = data.posedirs[vertices]
        self._posedirs = self.array(rows.reshape(-1, rows.shape[-1]).T)


def spread_vertices(num_vertices: int, count: int) -> np.ndarray:
    """Return *count* vertices evenly spread over the mesh's order, all of them for 0.

    SMPL numbers its vertices patch by patch, so each part of the body keeps its share, and the mean distance of the
    subset stays close to that of all.
    """
    if count == 0 or count >= num_vertices:
        return np.arange(num_vertices)
    return np.linspace(0, num_vertices - 1, count).round().astype(np.int64)


class ShownBody:
    """A body on a device.

    Attributes:
        data: its arrays.
        device: where it is.
        point_names: its keypoints.
        is_other: its points, and maybe its bones, are not those of a body that anybody has betas of.
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
    ) -> None:
        """Place *data* on *device*.

        Args:
            data: the body.
            device: a torch device.
            engine: who makes the vertices, "core" or "smplx".
            num_vertices: how many vertices `some_vertices` makes; 0 for all.
            point_names: the solver points that `keypoints` makes; BODY25's unless a network reads others.
            point_offsets: (P, 3) metres, where they lie on this body other than by the common rule; or None.

        Raises:
            BodyError: smplx is asked for and is not installed, or does not know such a body.
        """
        self.data = data
        self.device = torch.device(device)
        place = str(self.device)
        self._model = BodyModel(data, place)
        self.point_names = tuple(point_names)
        self.is_other = point_offsets is not None
        self._keypoints = KeypointModel(self._model, landmark_regressor(data, self.point_names))
        if point_offsets is not None:
            self._keypoints = self._keypoints.shifted(self._model.array(point_offsets))
        self._chosen = spread_vertices(len(data.v_template), num_vertices)
        whole = len(self._chosen) == len(data.v_template)
        self._subset = self._model if whole else VertexSubset(data, self._chosen, place)
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
        """Return the keypoints of bodies with *betas* (B, 10)."""
        return self._keypoints.shaped(betas)

    def vertices(self, rotations: Tensor, betas: Tensor, trans: Tensor) -> Tensor:
        """Return all vertices (B, V, 3), metres; arguments as for `keypoints`."""
        if self._smplx is not None:
            return _smplx_vertices(self._smplx, rotations, betas, trans)
        made: Tensor = self._model.vertices(rotations, betas, trans)
        return made

    def some_vertices(self, rotations: Tensor, betas: Tensor, trans: Tensor) -> Tensor:
        """Return the vertices that the loss looks at (B, n, 3), metres; arguments as for `keypoints`."""
        if self._smplx is not None:
            return _smplx_vertices(self._smplx, rotations, betas, trans)[:, self._chosen]
        made: Tensor = self._subset.vertices(rotations, betas, trans)
        return made

    def joints(self, rotations: Tensor, betas: Tensor, trans: Tensor) -> Tensor:
        """Return the 24 joints (B, 24, 3), metres; arguments as for `keypoints`."""
        places: Tensor = self._model.joints(rotations, betas, trans)
        return places


def pose_rotations(poses: Tensor) -> Tensor:
    """Return local rotations (B, 24, 3, 3), hands at rest, of rotation vectors (B, 66), radians."""
    return with_hands(axis_angle_to_matrix(poses.view(-1, NUM_BODY_ROTATIONS, 3)))


def with_hands(rotations: Tensor) -> Tensor:
    """Return (B, 24, 3, 3): the 22 body joints' *rotations* (B, 22, 3, 3) and the hands at rest."""
    hands = torch.eye(3, dtype=rotations.dtype, device=rotations.device)
    hands = hands.expand(len(rotations), NUM_JOINTS - NUM_BODY_ROTATIONS, 3, 3)
    return torch.cat([rotations, hands], dim=1)


def _smplx_model(data: BodyData, device: torch.device) -> Any:
    """Return smplx's SMPL of *data*, which was read without running a pickle."""
    try:
        import smplx
    except ImportError as error:
        raise BodyError(
            "body.engine smplx needs the package smplx (non-commercial research licence), which this Python does not "
            "have; install it, or use body.engine core, which makes the same vertices"
        ) from error
    if data.name not in ("smpl", "free_body"):
        raise BodyError(f"expected a body of SMPL's own kind for body.engine smplx, got {data.name!r}; use engine core")
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
