"""Write the results of further solvers and data sets, by the keys of their writers, filled with a known motion."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.math.rotations import axis_angle_to_matrix, matrix_to_axis_angle
from core.motion import Motion

from .solved_motions import CAMERA, in_axes


def in_camera(motion: Motion, pelvis: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return rotations (F, 24, 3, 3) and trans (F, 3) before a level camera that stands still."""
    frames = motion.num_frames
    return in_axes(motion, pelvis, np.tile(CAMERA, (frames, 1, 1)), np.tile([0.0, 1.0, 4.0], (frames, 1)))


def easymocap(motion: Motion, pelvis: np.ndarray, width: int = 72) -> list[list[dict[str, Any]]]:
    """Return EasyMocap's people of each frame: the body turns about the origin, and its own root is at rest."""
    turns = axis_angle_to_matrix(motion.poses[:, :3])
    shifts = motion.trans + pelvis - (turns @ pelvis[:, None])[..., 0]
    bodies = np.zeros((motion.num_frames, width))
    count = min(width, 72) - (0 if width == 69 else 3)
    bodies[:, -count:] = motion.poses[:, 3 : 3 + count]
    if width > 72:
        bodies = np.zeros((motion.num_frames, width))
        bodies[:, 3:66] = motion.poses[:, 3:66]
    return [
        [{"id": 7, "Rh": [turn.tolist()], "Th": [shift.tolist()], "poses": [body.tolist()], "shapes": [[0.0] * 10]}]
        for turn, shift, body in zip(motion.poses[:, :3], shifts, bodies, strict=True)
    ]


def romp(motion: Motion, pelvis: np.ndarray) -> dict[str, dict[str, np.ndarray]]:
    """Return ROMP's results of a video, a frame each."""
    rotations, trans = in_camera(motion, pelvis)
    poses = matrix_to_axis_angle(rotations).reshape(len(trans), -1)
    return {
        f"{frame:08d}.jpg": {
            "cam": np.ones((1, 3)), "cam_trans": trans[frame][None], "smpl_thetas": poses[frame][None],
            "smpl_betas": np.zeros((1, 11)), "track_ids": np.array([3]), "joints": np.zeros((1, 71, 3)),
            "verts": np.zeros((1, 4, 3)),
        }
        for frame in range(len(trans))
    }  # fmt: skip


def hybrik(motion: Motion, pelvis: np.ndarray) -> dict[str, list[Any]]:
    """Return HybrIK's results of a video, a list by frame under each key."""
    rotations, trans = in_camera(motion, pelvis)
    return {
        "pred_thetas": [row.reshape(216).astype(np.float32) for row in rotations],
        "pred_betas": [np.zeros(10, np.float32)] * len(trans), "transl": list(trans.astype(np.float32)),
        "pred_xyz_29": [np.zeros((29, 3))] * len(trans), "img_path": ["a.jpg"] * len(trans),
    }  # fmt: skip


def separate(motion: Motion) -> dict[str, Any]:
    """Return the parameters under SMPL-X's usual keys."""
    return {"root_orient": motion.poses[:, :3], "pose_body": motion.poses[:, 3:66], "trans": motion.trans,
            "betas": np.zeros(10)}  # fmt: skip


def prompthmr(motion: Motion) -> dict[str, Any]:
    """Return PromptHMR's results: the parameters of a person in the world and in the camera."""
    poses = np.pad(motion.poses[:, :66], ((0, 0), (0, 99)))
    world = {"pose": poses, "shape": np.zeros((len(poses), 10)), "trans": motion.trans}
    person = {"frames": np.arange(len(poses)), "smplx_cam": {**world, "pose": 0.0 * poses}, "smplx_world": world}
    return {"camera": {}, "people": {4: person}}


def emdb(motion: Motion) -> dict[str, Any]:
    """Return a sequence of EMDB."""
    smpl = {"poses_root": motion.poses[:, :3], "poses_body": motion.poses[:, 3:], "trans": motion.trans,
            "betas": np.zeros(10)}  # fmt: skip
    return {"gender": "female", "n_frames": motion.num_frames, "smpl": smpl, "camera": {"width": 1}}


def grab(motion: Motion) -> dict[str, Any]:
    """Return the arrays of a sequence of GRAB, whose people are objects beside hands."""
    body = {"transl": motion.trans, "global_orient": motion.poses[:, :3], "body_pose": motion.poses[:, 3:66]}
    hand = {"transl": motion.trans, "global_orient": motion.poses[:, :3], "hand_pose": motion.poses[:, :24],
            "fullpose": motion.poses[:, :48]}  # fmt: skip
    return {
        "framerate": motion.fps, "gender": "male", "body": np.array({"params": body, "vtemp": "s1.ply"}, dtype=object),
        "lhand": np.array({"params": hand}, dtype=object),
    }  # fmt: skip


def motion_x(motion: Motion) -> np.ndarray:
    """Return the rows (F, 322) of Motion-X."""
    rows = np.zeros((motion.num_frames, 322), np.float32)
    rows[:, :66], rows[:, 309:312] = motion.poses[:, :66], motion.trans
    return rows


def finedance(motion: Motion, width: int) -> np.ndarray:
    """Return the rows (F, *width*) of FineDance: the first two rows of each joint's matrix after the translation."""
    joints = 22 if width == 135 else 52
    poses = np.pad(motion.poses[:, :66], ((0, 0), (0, 3 * (joints - 22)))).reshape(motion.num_frames, joints, 3)
    axes = axis_angle_to_matrix(poses)[..., :2, :].reshape(motion.num_frames, -1)
    contacts = np.zeros((motion.num_frames, width - 3 - axes.shape[1]))
    return np.concatenate([contacts, motion.trans, axes], axis=1).astype(np.float32)


def glamr(motion: Motion, pelvis: np.ndarray) -> dict[str, Any]:
    """Return a person of GLAMR, whose place is that of the pelvis; the last frames are extrapolated."""
    exists = np.arange(motion.num_frames + 5) < motion.num_frames
    padded = [np.pad(part, ((0, 5), (0, 0)), mode="edge") for part in (motion.poses, motion.trans + pelvis)]
    return {
        "smpl_pose": padded[0][:, 3:], "smpl_orient_world": padded[0][:, :3], "root_trans_world": padded[1],
        "smpl_orient_cam": padded[0][:, :3], "root_trans_cam": padded[1], "smpl_beta": np.zeros((len(exists), 10)),
        "exist_frames": exists, "frames": np.arange(len(exists)), "scale": None,
    }  # fmt: skip
