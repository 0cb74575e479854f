"""Augment training pairs: mirroring, shapes, limbs of other pairs, noise, missing points. B batch.

All draws use torch's global generator, whose state is in every checkpoint, so a resumed run draws the same values as an
uninterrupted one. Poses are rotation vectors (radians), as in the data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from core.fit.priors.regression_prior import MIRROR_AXES, MIRRORED_JOINTS
from core.layouts import LAYOUTS
from core.math.rotations import axis_angle_to_matrix, matrix_to_axis_angle
from core.smpl_skeleton import JOINT_INDEX, NUM_BODY_ROTATIONS

from ..config import AugmentConfig
from .motion_folder import BETAS_STD
from .pairs import PairBatch

_ARM = ("collar", "shoulder", "elbow", "wrist")
LIMBS: tuple[tuple[int, ...], ...] = (
    *(tuple(JOINT_INDEX[f"{side}_{joint}"] for joint in _ARM) for side in ("left", "right")),
    (JOINT_INDEX["neck"], JOINT_INDEX["head"]),
)
"""Joints that are replaced together by those of another pair. Not the legs: their pose indicates the pelvis tilt."""

_MIRRORED_BODY = MIRRORED_JOINTS[:NUM_BODY_ROTATIONS]
NUM_OTHER_BODIES = 12
_TORSO_POINTS = ("left_hip", "right_hip", "mid_hip", "left_shoulder", "right_shoulder", "mid_shoulder")
"""Points that are never dropped: the fit takes the body's frame from them."""
_CLEAN_SHARE, _CLEAN_M = 0.4, 0.002
"""The share of examples with nearly noise-free points, as in mocap or a smoothed track, and their noise limit."""


class Augmentation:
    """Random augmentation of batches.

    Attributes:
        config: the amount of each augmentation.
    """

    def __init__(self, config: AugmentConfig, point_names: Sequence[str], poses: np.ndarray) -> None:
        """Prepare the augmentation.

        Args:
            config: the amount of each augmentation.
            point_names: the network's points.
            poses: (N, 66) rotation vectors, a sample of a few thousand training poses. A joint's noise about each axis
                is proportional to its standard deviation, so a hinge joint stays a hinge.
        """
        self.config = config
        self._pose_std = torch.as_tensor(poses.std(axis=0), dtype=torch.float32).view(NUM_BODY_ROTATIONS, 3)
        layout_names = [{point.solver for point in layout.points} for layout in LAYOUTS.values()]
        visible = [[float(name in names) for name in point_names] for names in layout_names]
        self._layouts = torch.tensor(visible)
        self._is_torso = torch.tensor([name in _TORSO_POINTS for name in point_names])

    def augment_motion(self, batch: PairBatch) -> PairBatch:
        """Return the pairs with random limb exchange, mirroring, pose noise, betas and tilt."""
        config, size, device = self.config, len(batch.betas), batch.betas.device
        start, target = (poses.view(size, NUM_BODY_ROTATIONS, 3) for poses in (batch.start_poses, batch.target_poses))
        trans = batch.start_trans, batch.target_trans
        for joints in LIMBS if config.limbs else ():
            donor = torch.randperm(size, device=device)
            replaced = (torch.rand(size, 1, 1, device=device) < config.limbs).expand(-1, len(joints), 3)
            start, target = start.clone(), target.clone()
            for poses in (start, target):
                poses[:, joints] = torch.where(replaced, poses[donor][:, joints], poses[:, joints])
        if config.mirror:
            chosen = torch.rand(size, device=device) < config.mirror
            signs = torch.tensor(MIRROR_AXES, dtype=start.dtype, device=device)
            start, target = (
                torch.where(chosen[:, None, None], poses[:, _MIRRORED_BODY] * signs, poses) for poses in (start, target)
            )
            flipped = torch.tensor([-1.0, 1.0, 1.0], device=device)
            first, second = (torch.where(chosen[:, None], place * flipped, place) for place in trans)
            trans = first, second
        if config.pose_noise:
            noise = torch.randn(start.shape, device=device) * self._pose_std.to(device) * config.pose_noise
            noise[:, 0] = 0.0
            start, target = start + noise, target + noise
        betas = batch.betas
        if config.betas:
            drawn = torch.randn(betas.shape, device=device) * BETAS_STD
            betas = torch.where(torch.rand(size, 1, device=device) < config.betas, drawn, betas)
        batch = PairBatch(start.flatten(1), trans[0], target.flatten(1), trans[1], betas)
        return self._tilted(batch) if config.tilt_rad else batch

    def _tilted(self, batch: PairBatch) -> PairBatch:
        """Return the pairs with a random tilt, as from an inaccurate up axis."""
        turns = torch.randn(batch.betas[:, :3].shape, device=batch.betas.device) * self.config.tilt_rad
        turns = axis_angle_to_matrix(turns * torch.tensor([1.0, 0.0, 1.0], device=turns.device))
        moved = {}
        for name in ("start", "target"):
            poses, trans = getattr(batch, f"{name}_poses"), getattr(batch, f"{name}_trans")
            root = matrix_to_axis_angle(turns @ axis_angle_to_matrix(poses[:, :3]))
            moved[f"{name}_poses"] = torch.cat([root, poses[:, 3:]], dim=1)
            moved[f"{name}_trans"] = (turns @ trans[..., None])[..., 0]
        return replace(batch, **moved)

    def disturb_points(self, points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return *points* (B, P, 3) with noise, their visibility (B, P), and the noise per axis (B,), metres."""
        config = self.config
        size, device = len(points), points.device
        seen = torch.ones_like(points[..., 0])
        if not (config.point_noise_m or config.layouts or config.missing):
            return points, seen, torch.zeros_like(points[:, 0, 0])
        share = torch.rand(size, device=device)
        clean = torch.rand(size, device=device) < _CLEAN_SHARE
        sigma_m = torch.where(clean, share * min(_CLEAN_M, config.point_noise_m), share**1.5 * config.point_noise_m)
        points = points + torch.randn(points.shape, device=device) * sigma_m[:, None, None]
        if config.layouts:
            drawn = torch.randint(len(self._layouts), (size,), device=device)
            other = torch.rand(size, device=device) < config.layouts
            seen = torch.where(other[:, None], self._layouts.to(device)[drawn], self._layouts[0].to(device))
        if config.missing:
            dropped = torch.rand(size, device=device) * config.missing * (torch.rand(size, device=device) < 0.5)
            gone = torch.rand(seen.shape, device=device) < dropped[:, None]
            seen = torch.where(gone & ~self._is_torso.to(device), 0.0, seen)
        return points, seen, sigma_m

    def hide_betas(self, betas: Tensor, *, known: bool) -> Tensor:
        """Return the network's input betas (B, 10): zeros if not *known*, and for examples drawn to have none."""
        if not known:
            return torch.zeros_like(betas)
        if not self.config.unknown_betas:
            return betas
        hidden = torch.rand(len(betas), 1, device=betas.device) < self.config.unknown_betas
        return torch.where(hidden, 0.0, betas)

    def draw_body(self) -> int | None:
        """Draw the index of a batch's perturbed body, below `NUM_OTHER_BODIES`; None for the unperturbed body."""
        if not self.config.other_bodies or float(torch.rand(())) >= self.config.other_bodies:
            return None
        return int(torch.randint(NUM_OTHER_BODIES, ()))

    def disturb_starts(self, poses: Tensor) -> Tensor:
        """Return the start poses (B, 66) with noise, like a tracker's estimates."""
        if not self.config.start_noise_rad:
            return poses
        size = torch.rand(len(poses), 1, device=poses.device) * self.config.start_noise_rad
        return poses + torch.randn(poses.shape, device=poses.device) * size
