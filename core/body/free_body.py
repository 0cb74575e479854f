"""The free body shipped with this project: built from CC0 data, in SMPL format, with its own betas. V vertices.

The file is compact: quantised shape and pose directions, sparse regressor and weights. ``training/body_asset`` writes
it and describes its format (``compact.py``); it is decoded here with NumPy alone, with SMPL's 24 joints or with the 52
of SMPL-H. Both have the same vertices, shapes and body joints, and the same skin while the fingers are at rest.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from ..errors import BodyError
from ..io.regular_files import check_is_file
from ..smpl_skeleton import JOINT_INDEX, NUM_BODY_ROTATIONS, NUM_JOINTS, NUM_VERTICES, SIDES, SMPLH
from .data import NUM_BETAS, BodyData
from .merged_fingers import finger_joints, posedirs_without_hands

FREE_BODY_PATH = Path(__file__).resolve().parent / "assets" / "free_body.npz"
FORMAT_VERSION = 2
NAME = "free_body"

_SHARE_MAX = 65535
"""A share of 1 in the file."""
_NUM_FACES = 2 * NUM_VERTICES - 4
_SHAPES: dict[str, tuple[int | None, ...]] = {
    "format_version": (),
    "name": (),
    "gender": (),
    "source": (),
    "v_template": (NUM_VERTICES, 3),
    "faces": (_NUM_FACES, 3),
    "mirror": (NUM_VERTICES,),
    "source_vertex": (NUM_VERTICES,),
    "shapedirs": (NUM_VERTICES, 3, NUM_BETAS),
    "shapedirs_step": (),
    "regressor_joint": (None,),
    "regressor_vertex": (None,),
    "regressor_value": (None,),
    "weights_joint": (NUM_VERTICES, None),
    "weights_value": (NUM_VERTICES, None),
    "posedirs_vertex": (None,),
    "posedirs_joint": (None,),
    "posedirs_step": (),
    "posedirs": (None, 3, 9),
    "finger_regressor_joint": (None,),
    "finger_regressor_vertex": (None,),
    "finger_regressor_value": (None,),
    "finger_share_joint": (None,),
    "finger_share_vertex": (None,),
    "finger_share_value": (None,),
    "texture": (None, 2),
    "texture_corner": (_NUM_FACES, 3),
}
"""Shape of each array of the file; None stands for any length."""


def _fits(shape: tuple[int, ...], expected: tuple[int | None, ...]) -> bool:
    return len(shape) == len(expected) and all(e is None or n == e for n, e in zip(shape, expected, strict=True))


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Return the file's arrays; raise `BodyError` with all faults at once."""
    check_is_file(path, "the free body", "install the project again")
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {key: stored[key] for key in stored.files}
    except (ValueError, OSError, zipfile.BadZipFile, EOFError) as error:
        raise BodyError(f"expected the free body's .npz in {path}; it cannot be read ({error})") from error
    faults = [f"{key} is missing" for key in _SHAPES if key not in arrays]
    faults += [
        f"{key} has shape {arrays[key].shape}, expected {shape}"
        for key, shape in _SHAPES.items()
        if key in arrays and not _fits(arrays[key].shape, shape)
    ]
    if not faults and int(arrays["format_version"]) != FORMAT_VERSION:
        faults.append(f"format version {int(arrays['format_version'])}, expected {FORMAT_VERSION}")
    if faults:
        raise BodyError(f"{path} is not a free body of this version: {'; '.join(faults)}; build it again")
    return arrays


def _decode_regressor(arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    regressor = np.zeros((NUM_JOINTS, NUM_VERTICES), dtype=np.float32)
    regressor[arrays["regressor_joint"], arrays["regressor_vertex"]] = arrays["regressor_value"]
    return regressor


def _decode_weights(arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """Convert 16-bit shares to weights (V, 24); unused slots have share 0, so slots are added, not assigned."""
    shares = arrays["weights_value"].astype(np.float64)
    shares /= shares.sum(axis=1, keepdims=True)
    weights = np.zeros((NUM_VERTICES, NUM_JOINTS))
    rows = np.arange(NUM_VERTICES)
    for slot, joints in enumerate(arrays["weights_joint"].T):
        weights[rows, joints] += shares[:, slot]
    return weights.astype(np.float32)


def _decode_posedirs(arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """Convert blocks (3, 9), each of one vertex and one joint, to pose directions (V, 3, 207)."""
    posedirs = np.zeros((NUM_VERTICES, NUM_JOINTS - 1, 3, 9), dtype=np.float32)
    blocks = arrays["posedirs"] * np.float32(arrays["posedirs_step"])
    posedirs[arrays["posedirs_vertex"], arrays["posedirs_joint"].astype(np.intp) - 1] = blocks
    return posedirs.swapaxes(1, 2).reshape(NUM_VERTICES, 3, -1)


def decode_free_body(arrays: Mapping[str, np.ndarray]) -> BodyData:
    """Return the body from the arrays of a free body file."""
    return BodyData(
        name=str(arrays["name"]),
        gender=str(arrays["gender"]),
        v_template=arrays["v_template"].astype(np.float32),
        faces=arrays["faces"].astype(np.int32),
        shapedirs=arrays["shapedirs"] * np.float32(arrays["shapedirs_step"]),
        posedirs=_decode_posedirs(arrays),
        joint_regressor=_decode_regressor(arrays),
        weights=_decode_weights(arrays),
        texture=arrays["texture"][arrays["texture_corner"]] / np.float32(_SHARE_MAX),
    )


def decode_fingers(arrays: Mapping[str, np.ndarray], body: BodyData) -> BodyData:
    """Return *body*, which `decode_free_body` decoded from the same *arrays*, with the joints of SMPL-H.

    The fingers divide the weights of SMPL's hand joints, the thumbs a part of those of the wrists. They have no pose
    correctives, as the hand joints have none.
    """
    rotated, num_joints = NUM_BODY_ROTATIONS, SMPLH.num_joints
    regressor = np.zeros((num_joints, NUM_VERTICES), dtype=np.float32)
    regressor[:rotated] = body.joint_regressor[:rotated]
    regressor[arrays["finger_regressor_joint"], arrays["finger_regressor_vertex"]] = arrays["finger_regressor_value"]
    return replace(
        body,
        posedirs=posedirs_without_hands(body.posedirs, num_joints),
        joint_regressor=regressor,
        weights=_divided(body.weights, arrays),
        skeleton=SMPLH,
    )


def _divided(weights: np.ndarray, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the weights (V, 52): those of *weights* (V, 24) on hands and wrists divided by the shares of the file."""
    shares = np.zeros((NUM_VERTICES, SMPLH.num_joints))
    shares[arrays["finger_share_vertex"], arrays["finger_share_joint"]] = arrays["finger_share_value"]
    divided = np.zeros_like(shares)
    divided[:, :NUM_BODY_ROTATIONS] = weights[:, :NUM_BODY_ROTATIONS]
    for side in SIDES:
        fingers, thumb = finger_joints(side)
        hand, wrist = (weights[:, JOINT_INDEX[f"{side}_{name}"]].astype(np.float64) for name in ("hand", "wrist"))
        sums = shares[:, fingers].sum(axis=1, keepdims=True)
        divided[:, fingers] = hand[:, None] * shares[:, fingers] / np.maximum(sums, 1.0)
        divided[:, thumb] = wrist[:, None] * shares[:, thumb] / _SHARE_MAX
        divided[:, JOINT_INDEX[f"{side}_wrist"]] -= divided[:, thumb].sum(axis=1)
    return divided.astype(np.float32)


def read_free_body(path: Path) -> BodyData:
    """Return the body in a free body file, with SMPL's joints.

    Raises:
        InputMissingError: there is no such file.
        BodyError: the file is not a free body of this version.
    """
    return decode_free_body(_read_arrays(path))


@cache
def load_free_body() -> BodyData:
    """Return the free body shipped with this package. It is read once; do not modify its arrays."""
    return read_free_body(FREE_BODY_PATH)


@cache
def load_free_body_with_fingers() -> BodyData:
    """Return the free body with the 52 joints of SMPL-H. It is read once; do not modify its arrays."""
    return decode_fingers(_read_arrays(FREE_BODY_PATH), load_free_body())
