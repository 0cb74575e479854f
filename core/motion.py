"""A body's motion: pose, shape and translation over time. F frames, J joints, B betas."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .errors import MotionError
from .math.rotations import axis_angle_to_matrix, matrix_to_axis_angle, slerp_matrices
from .skeleton import Skeleton
from .smpl_skeleton import SMPL

MAX_FRAMES = 2_000_000
"""Most frames of a resampled motion: as many as a recording may have, and 1.2 GB."""
_BLOCK = 20_000
"""Frames interpolated at once, so that rotations take little memory compared with the poses."""


@dataclass(frozen=True, eq=False)
class Motion:
    """SMPL parameters of one person over evenly spaced frames.

    Convention: metres, radians, right-handed, Y up. A vertex is ``model(betas, poses) + trans``, so the pelvis joint
    is at (rest pelvis of the shape) + trans.

    Attributes:
        poses: (F, 3 J) axis-angle of the skeleton's joints, each relative to its parent; the first is global_orient.
        betas: (B,) shape, valid only for *body*.
        trans: (F, 3) translation, metres.
        fps: frames per second.
        gender: "neutral", "female" or "male".
        body: name of the body that the betas belong to.
        skeleton: the joints; SMPL's 24, if no other is given.
    """

    poses: np.ndarray
    betas: np.ndarray
    trans: np.ndarray
    fps: float
    gender: str = "neutral"
    body: str = "free_body"
    skeleton: Skeleton = SMPL

    def __post_init__(self) -> None:
        """Check the shapes, and that all values are finite."""
        num_frames, width = len(self.poses), 3 * self.skeleton.num_joints
        faults = []
        if self.poses.shape != (num_frames, width) or num_frames == 0:
            faults.append(f"poses {self.poses.shape}, expected (frames, {width})")
        if self.trans.shape != (num_frames, 3):
            faults.append(f"trans {self.trans.shape}, expected ({num_frames}, 3)")
        if self.betas.ndim != 1:
            faults.append(f"betas {self.betas.shape}, expected one axis")
        if not (np.isfinite(self.fps) and self.fps > 0.0):
            faults.append(f"fps {self.fps}, expected a number above 0")
        for name in ("poses", "betas", "trans"):
            if not np.isfinite(getattr(self, name)).all():
                faults.append(f"{name} holds values that are not finite")
        if faults:
            raise MotionError("malformed motion: " + "; ".join(faults))

    @property
    def num_frames(self) -> int:
        """Number of frames."""
        return len(self.poses)

    @property
    def duration_s(self) -> float:
        """Time from the first frame to the last, seconds."""
        return (self.num_frames - 1) / self.fps

    def rotations(self) -> np.ndarray:
        """Return the local rotation matrices (F, J, 3, 3)."""
        matrices: np.ndarray = axis_angle_to_matrix(self.poses.reshape(self.num_frames, -1, 3))
        return matrices

    def resampled(self, fps: float) -> Motion:
        """Return the motion resampled to *fps* with the same duration: rotations by slerp, trans linearly.

        Raises:
            MotionError: *fps* is not a number above 0, or gives too many frames.
        """
        if not (np.isfinite(fps) and fps > 0.0):
            raise MotionError(f"expected a frame rate above 0, got {fps}")
        num_frames = resampled_frames(self.num_frames, self.fps, fps)
        if num_frames > max(MAX_FRAMES, self.num_frames):
            raise MotionError(
                f"expected a motion of up to {MAX_FRAMES} frames, but the {self.num_frames} at {self.fps:g} fps "
                f"make {num_frames} at {fps:g} fps; give a lower frame rate"
            )
        return replace(self.sampled(np.arange(num_frames) * (self.fps / fps)), fps=float(fps))

    def sampled(self, positions: np.ndarray) -> Motion:
        """Return the motion at *positions* (N,), fractional frame indices from 0: slerp, trans linearly.

        Positions outside the motion are clamped to its first and last frame. The frame rate is kept.
        """
        positions = np.clip(positions, 0.0, self.num_frames - 1)
        blocks = [self._sampled(positions[start : start + _BLOCK]) for start in range(0, len(positions), _BLOCK)]
        poses, trans = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
        return replace(self, poses=poses, trans=trans)

    def _sampled(self, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return poses (N, 3 J) and trans (N, 3) at *positions* (N,) within the motion."""
        before = np.minimum(positions.astype(np.int64), max(self.num_frames - 2, 0))
        after = np.minimum(before + 1, self.num_frames - 1)
        share = positions - before
        start, end = (axis_angle_to_matrix(self.poses[at].reshape(len(at), -1, 3)) for at in (before, after))
        poses = matrix_to_axis_angle(slerp_matrices(start, end, share[:, None])).reshape(len(positions), -1)
        trans = (1.0 - share)[:, None] * self.trans[before] + share[:, None] * self.trans[after]
        return poses, trans

    def blended(self, other: Motion, share: np.ndarray) -> Motion:
        """Blend with *other* frame by frame, by *share* (F,), 0 (this motion) to 1 (*other*): slerp, trans linearly.

        Raises:
            MotionError: *other* has a different number of frames.
            SkeletonError: *other* has another skeleton.
        """
        self.skeleton.check_same(other.skeleton, of="the motion to blend with", as_in="this one")
        if other.num_frames != self.num_frames:
            raise MotionError(f"expected {self.num_frames} frames to blend, got {other.num_frames}")
        rotations = slerp_matrices(self.rotations(), other.rotations(), share[:, None])
        poses = matrix_to_axis_angle(rotations).reshape(self.num_frames, -1)
        trans = (1.0 - share)[:, None] * self.trans + share[:, None] * other.trans
        return replace(self, poses=poses, trans=trans)


def resampled_frames(num_frames: int, fps: float, new_fps: float) -> int:
    """Return the number of frames at *new_fps* of a motion of *num_frames* at *fps*, with the same duration."""
    frames = np.floor((num_frames - 1) * (float(new_fps) / float(fps)) + 1e-6)
    return int(min(frames, float(2**62))) + 1
