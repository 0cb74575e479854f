"""Read users' SMPL, SMPL-H and SMPL-X files, without chumpy and without executing pickled code.

SMPL-H and SMPL-X have SMPL's 22 body joints, followed by joints of fingers, jaw and eyes. A body has SMPL's 24 joints,
into which these are merged (see `_fold_joints`), or keeps the fingers as SMPL-H's 52 joints; neither changes a vertex
while what is merged is at rest. J joints of the file, N joints of the body.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BodyError
from ..io.npz import npz_headers, read_npy, read_npz
from ..io.pickle.load import load_pickle
from ..io.pickle.standins import as_array
from ..io.regular_files import check_is_file
from ..skeleton import Skeleton
from ..smpl_skeleton import (
    FINGER_JOINTS,
    FINGERS,
    JOINT_INDEX,
    JOINT_PARENTS,
    NUM_BODY_ROTATIONS,
    NUM_JOINTS,
    NUM_VERTICES,
    SIDES,
    SMPL,
    SMPLH,
)
from .data import NUM_BETAS, BodyData
from .genders import GENDER_WORDS, gender_of_name
from .topology import NUM_SMPLX_VERTICES

_KEYS = ("v_template", "f", "shapedirs", "posedirs", "J_regressor", "weights", "kintree_table")
_OTHER_MODELS = {778: "a MANO hand", 5023: "a FLAME head", 3889: "a SMAL animal", 10425: "a SUPR body"}
_SUM_TOLERANCE = 0.02
_HEIGHTS_M = (1.0, 2.5)
_ADVICE = "give a body of SMPL, SMPL-H or SMPL-X as its project publishes it (.pkl or .npz)"


@dataclass(frozen=True)
class _Family:
    """A kind of body model.

    Attributes:
        name: name of the body that its betas belong to.
        num_vertices: number of vertices of its mesh.
        head_joints: number of joints after the body joints that belong to the head (jaw, eyes).
        hand_joints: finger joints per hand, in the order index, middle, pinky, ring, thumb; 0 for a single hand joint.
    """

    name: str
    num_vertices: int
    head_joints: int
    hand_joints: int

    @property
    def parents(self) -> tuple[int, ...]:
        """The parent of each joint; the pelvis has none (-1)."""
        if not self.hand_joints:
            return JOINT_PARENTS
        parents = [*JOINT_PARENTS[:NUM_BODY_ROTATIONS], *[JOINT_INDEX["head"]] * self.head_joints]
        for wrist in (JOINT_INDEX["left_wrist"], JOINT_INDEX["right_wrist"]):
            for joint in range(self.hand_joints):
                parents.append(len(parents) - 1 if joint % FINGER_JOINTS else wrist)
        return tuple(parents)


_FAMILIES = (
    _Family("smpl", NUM_VERTICES, 0, 0),
    _Family("smplh", NUM_VERTICES, 0, len(FINGERS) * FINGER_JOINTS),
    _Family("smplx", NUM_SMPLX_VERTICES, 3, len(FINGERS) * FINGER_JOINTS),
)


def read_body(path: Path | str, *, fingers: bool = False) -> BodyData:
    """Return the body in an SMPL, SMPL-H or SMPL-X file (.pkl or .npz); the kind is detected from the content.

    Shape directions after the tenth are ignored. The gender is the one that the file states, else the one in the file's
    name (``SMPL_FEMALE.pkl``, ``basicmodel_m_lbs_...pkl``) or its folder's (``female/model.npz``), else neutral.

    Args:
        path: the file.
        fingers: whether the body has SMPL-H's joints if the file has fingers; otherwise it has SMPL's.

    Raises:
        InputMissingError: there is no such file.
        UnsafePickleError: the pickle requests something that is not plain data; nothing was executed.
        BodyError: the file is damaged, or not such a body; the message names all faults.
    """
    path = Path(path)
    check_is_file(path, "a body model file", "give the .pkl or .npz file")
    values = _read_values(path)
    missing = [key for key in _KEYS if key not in values]
    if missing:
        raise BodyError(
            f"expected a body model with {', '.join(_KEYS)}, found no {', '.join(missing)} in {path}; "
            f"{_guess(values)}{_ADVICE}"
        )
    arrays = {key: _numbers(values[key], key, path) for key in _KEYS}
    family = _family(arrays, path)
    _check(arrays, family, path)
    return _body(arrays, family, _gender(values, path), SMPLH if fingers and family.hand_joints else SMPL)


def _read_values(path: Path) -> Mapping[str, Any]:
    """Return the values of the file by key."""
    with path.open("rb") as stream:
        start = stream.read(6)
    if start.startswith(b"PK"):
        gender = npz_headers(path, error=BodyError)
        found: dict[str, Any] = dict.fromkeys(gender)
        found.update(read_npz(path, (*_KEYS, "gender"), error=BodyError, objects=True))
        return found
    if start == b"\x93NUMPY":
        raise BodyError(f"expected a body model, found one array in {path}; if it is a regressor, give it as one")
    loaded = load_pickle(path, error=BodyError)
    if not isinstance(loaded, dict):
        raise BodyError(f"expected a body model's dict, found a {type(loaded).__name__} in {path}; {_ADVICE}")
    return {str(key): value for key, value in loaded.items()}


def _guess(values: Mapping[str, Any]) -> str:
    """Return a phrase for messages on what a file with these keys seems to be."""
    if {"poses", "trans"} <= set(values):
        return "it seems to be a motion (AMASS), not a body; "
    if "hands_components" in values:
        return "it seems to be a MANO hand, not a body; "
    if not values:
        return "it holds no arrays; "
    return f"it holds {', '.join(key[:30] for key in sorted(values)[:12])}; "


def _numbers(value: object, key: str, path: Path) -> np.ndarray:
    """Return a value of the file as an array of numbers, whatever type represents it."""
    if isinstance(value, np.ndarray) and value.dtype.hasobject and value.size == 1:
        value = value.item()
    try:
        array = as_array(value)
    except ValueError as error:
        raise BodyError(f"expected {key} to be an array in {path}: {error}") from error
    if array is None or array.dtype.kind not in "biuf":
        kind = type(value).__name__ if array is None else f"an array of {array.dtype}"
        raise BodyError(f"expected {key} to be an array of numbers, found {kind} in {path}; {_ADVICE}")
    if not np.isfinite(array).all():
        raise BodyError(f"expected finite numbers, found NaN or infinity in {key} in {path}; fetch the file again")
    return array


def _family(arrays: Mapping[str, np.ndarray], path: Path) -> _Family:
    num_vertices = arrays["v_template"].shape[0] if arrays["v_template"].ndim == 2 else 0
    tree = arrays["kintree_table"]
    num_joints = tree.shape[1] if tree.ndim == 2 else 0
    for family in _FAMILIES:
        if (family.num_vertices, len(family.parents)) == (num_vertices, num_joints):
            return family
    guess = f"it seems to be {_OTHER_MODELS[num_vertices]}; " if num_vertices in _OTHER_MODELS else ""
    gender = ", ".join(f"{f.num_vertices} and {len(f.parents)} ({f.name})" for f in _FAMILIES)
    raise BodyError(
        f"expected vertices and joints {gender}; found {num_vertices} and {num_joints} in {path}; {guess}{_ADVICE}"
    )


def _check(arrays: Mapping[str, np.ndarray], family: _Family, path: Path) -> None:
    """Raise `BodyError` with everything that differs from a file of *family*."""
    num_vertices, num_joints = family.num_vertices, len(family.parents)
    expected = {
        "v_template": (num_vertices, 3),
        "posedirs": (num_vertices, 3, 9 * (num_joints - 1)),
        "J_regressor": (num_joints, num_vertices),
        "weights": (num_vertices, num_joints),
        "kintree_table": (2, num_joints),
    }
    faults = [f"{k} {arrays[k].shape}, expected {shape}" for k, shape in expected.items() if arrays[k].shape != shape]
    dirs = arrays["shapedirs"].shape
    if len(dirs) != 3 or dirs[:2] != (num_vertices, 3) or dirs[2] < NUM_BETAS:
        faults.append(f"shapedirs {dirs}, expected ({num_vertices}, 3, {NUM_BETAS} or more)")
    faces = arrays["f"]
    if faces.ndim != 2 or faces.shape[1] != 3 or not len(faces) or faces.min() < 0 or faces.max() >= num_vertices:
        faults.append(f"f {faces.shape}, expected (N, 3) vertex numbers below {num_vertices}")
    if not faults:
        faults = _content_faults(arrays, family)
    if faults:
        if arrays["posedirs"].shape == (num_vertices, 3, 93):
            faults.append("it seems to be a STAR body")
        raise BodyError(f"expected a {family.name} body in {path}, found {'; '.join(faults)}; {_ADVICE}")


def _content_faults(arrays: Mapping[str, np.ndarray], family: _Family) -> list[str]:
    """Return the faults of values whose shapes are correct."""
    faults = []
    parents = arrays["kintree_table"][0].astype(np.int64)
    parents[0] = -1
    if tuple(parents) != family.parents:
        faults.append(f"another joint tree: parents {parents.tolist()}")
    if not np.array_equal(arrays["kintree_table"][1], np.arange(len(family.parents))):
        faults.append("joints in another order")
    for key in ("weights", "J_regressor"):
        sums = arrays[key].sum(axis=1)
        if np.abs(sums - 1.0).max() > _SUM_TOLERANCE:
            faults.append(f"rows of {key} that add up to {sums.min():.3g} to {sums.max():.3g}, expected 1")
    height_m = float(np.ptp(arrays["v_template"][:, 1]))
    if not _HEIGHTS_M[0] <= height_m <= _HEIGHTS_M[1]:
        faults.append(f"a body {height_m:.3g} tall along Y, expected {_HEIGHTS_M[0]} to {_HEIGHTS_M[1]} metres")
    return faults


def _fold_joints(family: _Family, skeleton: Skeleton) -> tuple[np.ndarray, np.ndarray]:
    """Return two matrices that map the joints of *family* to the N joints of *skeleton*, SMPL's or SMPL-H's.

    Jaw and eyes are merged into the head. With SMPL's joints, thumbs are merged into the wrist, and the other fingers
    into the hand joint, which lies in the middle of their four knuckles: SMPL has it there, and the solver's knuckle
    points are relative to it.

    Returns:
        (N, J) weights that combine the file's joint positions to each joint's position, and (J, N) zeros and ones
        that add up the skinning weights.
    """
    num_joints = len(family.parents)
    joint_weights = np.zeros((skeleton.num_joints, num_joints))
    joint_map = np.zeros((num_joints, skeleton.num_joints))
    shared = range(NUM_BODY_ROTATIONS if family.hand_joints else NUM_JOINTS)
    joint_weights[shared, shared] = joint_map[shared, shared] = 1.0
    if not family.hand_joints:
        return joint_weights, joint_map
    first = NUM_BODY_ROTATIONS + family.head_joints
    joint_map[NUM_BODY_ROTATIONS:first, JOINT_INDEX["head"]] = 1.0
    if skeleton == SMPLH:
        file, kept = np.arange(first, num_joints), np.arange(NUM_BODY_ROTATIONS, SMPLH.num_joints)
        joint_weights[kept, file] = joint_map[file, kept] = 1.0
        return joint_weights, joint_map
    num_finger_joints = family.hand_joints - FINGER_JOINTS
    for side in SIDES:
        thumb = first + num_finger_joints
        joint_weights[JOINT_INDEX[f"{side}_hand"], first:thumb:FINGER_JOINTS] = 1.0 / (len(FINGERS) - 1)
        joint_map[first:thumb, JOINT_INDEX[f"{side}_hand"]] = 1.0
        joint_map[thumb : thumb + FINGER_JOINTS, JOINT_INDEX[f"{side}_wrist"]] = 1.0
        first += family.hand_joints
    return joint_weights, joint_map


def _posedirs(stored: np.ndarray, family: _Family, skeleton: Skeleton) -> np.ndarray:
    """Return the pose directions (V, 3, 9 (N - 1)) of the file's (V, 3, 9 (J - 1)); a merged joint has none."""
    posedirs = np.zeros((*stored.shape[:2], 9 * (skeleton.num_joints - 1)), dtype=np.float32)
    num_body = 9 * ((NUM_BODY_ROTATIONS if family.hand_joints else NUM_JOINTS) - 1)
    posedirs[..., :num_body] = stored[..., :num_body]
    if skeleton == SMPLH:
        posedirs[..., num_body:] = stored[..., num_body + 9 * family.head_joints :]
    return posedirs


def _body(arrays: Mapping[str, np.ndarray], family: _Family, gender: str, skeleton: Skeleton) -> BodyData:
    joint_weights, joint_map = _fold_joints(family, skeleton)
    return BodyData(
        name=family.name,
        gender=gender,
        v_template=arrays["v_template"].astype(np.float32),
        faces=arrays["f"].astype(np.int32),
        shapedirs=arrays["shapedirs"][..., :NUM_BETAS].astype(np.float32),
        posedirs=_posedirs(arrays["posedirs"], family, skeleton),
        joint_regressor=(joint_weights @ arrays["J_regressor"]).astype(np.float32),
        weights=(arrays["weights"] @ joint_map).astype(np.float32),
        skeleton=skeleton,
    )


def _gender(values: Mapping[str, Any], path: Path) -> str:
    """Return the gender stated by the file, its name or its folder, else neutral."""
    stored = values.get("gender")
    stored = stored.item() if isinstance(stored, np.ndarray) and stored.size == 1 else stored
    stored = stored.decode("latin1") if isinstance(stored, bytes) else stored
    gender = GENDER_WORDS.get(stored.lower()) if isinstance(stored, str) else None
    return gender or gender_of_name(path) or "neutral"


def read_regressor(path: Path | str, num_vertices: int) -> np.ndarray:
    """Return a user's keypoint regressor (K, V) float64, such as ``J_regressor_body25.npy``.

    Args:
        path: an .npy file, or an .npz file with one array.
        num_vertices: V of the body that it is for.

    Raises:
        InputMissingError: there is no such file.
        BodyError: the file is damaged, has another shape, or its rows do not add up to 1.
    """
    path = Path(path)
    check_is_file(path, "a regressor file (.npy)")
    with path.open("rb") as stream:
        is_archive = stream.read(2) == b"PK"
    if is_archive:
        names = list(npz_headers(path, error=BodyError))
        if len(names) != 1:
            raise BodyError(f"expected one array, found {len(names)} ({', '.join(names[:8])}) in {path}; save one .npy")
        array = read_npz(path, names, error=BodyError)[names[0]]
    else:
        array = read_npy(path, error=BodyError)
    if array.ndim != 2 or array.shape[1] != num_vertices or not len(array) or array.dtype.kind not in "biuf":
        raise BodyError(
            f"expected a regressor (keypoints, {num_vertices}) of numbers, found {array.dtype} {array.shape} in "
            f"{path}; give one made for this body's mesh"
        )
    regressor = array.astype(np.float64)
    sums = regressor.sum(axis=1)
    is_wrong = ~(np.abs(sums - 1.0) <= _SUM_TOLERANCE)
    if is_wrong.any():
        raise BodyError(
            f"expected rows that add up to 1, found {sums[is_wrong][0]:.4g} in row {int(np.flatnonzero(is_wrong)[0])} "
            f"({int(is_wrong.sum())} such rows) in {path}; give a regressor from vertices to keypoints"
        )
    return regressor
