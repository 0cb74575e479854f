"""Write solved motions as other tools write them, filled with a known motion. F frames, P people.

PyTorch's and joblib's files are written without both: by their forms, which real files of torch 2.13 and joblib 1.4
were compared with.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from core.math.rotations import axis_angle_to_matrix, matrix_to_axis_angle
from core.motion import Motion

CAMERA = np.diag([1.0, -1.0, -1.0])
"""From Y up to a camera's axes: x right, y down, z away."""
_STORAGES = {"f8": "DoubleStorage", "f4": "FloatStorage", "f2": "HalfStorage", "i8": "LongStorage", "u1": "ByteStorage",
             "b1": "BoolStorage"}  # fmt: skip
TORCH_MAGIC, TORCH_VERSION = 0x1950A86A20F9469CFC6C, 1001


class _Named:
    """A global of a module that is not there, for a pickle."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name


class _Storage:
    def __init__(self, key: str, array: np.ndarray) -> None:
        self.key, self.array = key, array


class _Pickler(pickle._Pickler):
    """Writes arrays as tensors (*storages* is a list) or as joblib does (None)."""

    def __init__(
        self, stream: io.BytesIO, storages: list[np.ndarray] | None, protocol: int = 2, *, legacy: bool = False
    ) -> None:
        super().__init__(stream, protocol)
        self.stream, self.storages, self.legacy = stream, storages, legacy

    def persistent_id(self, value: Any) -> Any:
        if not isinstance(value, _Storage):
            return None
        kind = _STORAGES[value.array.dtype.str[1:]]
        found = ("storage", _Named("torch", kind), value.key, "cpu", value.array.size)
        return (*found, None) if self.legacy else found

    def save(self, value: Any, save_persistent_id: bool = True) -> None:
        if isinstance(value, _Named):
            self.write(pickle.GLOBAL + f"{value.module}\n{value.name}\n".encode())
        elif isinstance(value, np.ndarray) and self.storages is not None:
            self._save_tensor(value)
        elif isinstance(value, np.ndarray):
            self._save_joblib(value)
        else:
            super().save(value, save_persistent_id)

    def _save_tensor(self, array: np.ndarray) -> None:
        array = np.ascontiguousarray(array)
        self.storages.append(array)
        strides = tuple(step // array.itemsize for step in array.strides)
        storage = _Storage(str(len(self.storages) - 1), array.reshape(-1))
        self.save(_Named("torch._utils", "_rebuild_tensor_v2"))
        self.save((storage, 0, array.shape, strides, False, OrderedDict()))
        self.write(pickle.REDUCE)

    def _save_joblib(self, array: np.ndarray) -> None:
        order = "F" if array.flags.f_contiguous and not array.flags.c_contiguous else "C"
        state = {
            "subclass": _Named("numpy", "ndarray"), "shape": array.shape, "order": order, "dtype": array.dtype,
            "allow_mmap": True, "numpy_array_alignment_bytes": 16,
        }  # fmt: skip
        self.save(_Named("joblib.numpy_pickle", "NumpyArrayWrapper"))
        self.write(pickle.EMPTY_TUPLE + pickle.NEWOBJ)
        self.save(state)
        self.write(pickle.BUILD)
        self.framer.commit_frame(force=True)
        padding = 16 - (self.stream.tell() + 1) % 16
        self.stream.write(bytes([padding]) + b"\xff" * padding + array.tobytes(order=order))


def torch_bytes(data: Any) -> bytes:
    """Return a PyTorch archive with *data*, its arrays as tensors."""
    storages: list[np.ndarray] = []
    stream, archive_stream = io.BytesIO(), io.BytesIO()
    _Pickler(stream, storages).dump(data)
    with zipfile.ZipFile(archive_stream, "w") as archive:
        archive.writestr("results/data.pkl", stream.getvalue())
        archive.writestr("results/byteorder", "little")
        for key, array in enumerate(storages):
            archive.writestr(f"results/data/{key}", array.tobytes())
        archive.writestr("results/version", "3\n")
    return archive_stream.getvalue()


def _legacy(save: Callable[[_Pickler], None], arrays: list[np.ndarray]) -> bytes:
    """Return a file of PyTorch before 1.6 with what *save* saves; *arrays* fills up with its tensors meanwhile."""
    stream, content = io.BytesIO(), io.BytesIO()
    pickler = _Pickler(content, arrays, legacy=True)
    pickler.write(pickle.PROTO + b"\x02")
    save(pickler)
    pickler.write(pickle.STOP)
    for head in (TORCH_MAGIC, TORCH_VERSION, {"protocol_version": TORCH_VERSION, "little_endian": True}):
        pickle.dump(head, stream, protocol=2)
    stream.write(content.getvalue())
    pickle.dump([str(key) for key in range(len(arrays))], stream, protocol=2)
    for array in arrays:
        stream.write(array.size.to_bytes(8, "little") + array.tobytes())
    return stream.getvalue()


def legacy_torch_bytes(data: Any) -> bytes:
    """Return a file of PyTorch before 1.6 with *data*, its arrays as tensors."""
    return _legacy(lambda pickler: pickler.save(data), [])


class _InlinePickler(_Pickler):
    """Writes tensors as a plain pickle of them: each storage is a file of PyTorch in the pickle."""

    def _save_tensor(self, array: np.ndarray) -> None:
        array = np.ascontiguousarray(array)
        strides = tuple(step // array.itemsize for step in array.strides)
        self.save(_Named("torch._utils", "_rebuild_tensor_v2"))
        self.write(pickle.MARK)
        self.save(_Named("torch.storage", "_load_from_bytes"))
        self.save((_legacy(lambda pickler: pickler.save(_Storage("0", array.reshape(-1))), [array]),))
        self.write(pickle.REDUCE)
        for part in (0, array.shape, strides, False, OrderedDict()):
            self.save(part)
        self.write(pickle.TUPLE + pickle.REDUCE)


def pickled_tensors(data: Mapping[str, np.ndarray]) -> bytes:
    """Return an .npy file of a dictionary of tensors, as `numpy.save` writes it."""
    holder = np.empty((), dtype=object)
    stream = io.BytesIO()
    np.save(stream, holder, allow_pickle=True)
    header = stream.getvalue()[: 10 + int.from_bytes(stream.getvalue()[8:10], "little")]
    content = io.BytesIO()
    pickler = _InlinePickler(content, [], 3)
    pickler.write(pickle.PROTO + b"\x03")
    # numpy.core.multiarray._reconstruct(ndarray, (0,), b"b"), then its state with the one item.
    pickler.save(_Named("numpy.core.multiarray", "_reconstruct"))
    pickler.write(pickle.MARK)
    pickler.save(_Named("numpy", "ndarray"))
    for part in ((0,), b"b"):
        pickler.save(part)
    pickler.write(pickle.TUPLE + pickle.REDUCE + pickle.MARK)
    for part in (1, (), np.dtype(object), False, [dict(data)]):
        pickler.save(part)
    pickler.write(pickle.TUPLE + pickle.BUILD + pickle.STOP)
    return header + content.getvalue()


def joblib_bytes(data: Any, protocol: int = 4) -> bytes:
    """Return what ``joblib.dump`` writes of *data* without compression."""
    stream = io.BytesIO()
    _Pickler(stream, None, protocol).dump(data)
    return stream.getvalue()


def gvhmr(motion: Motion) -> dict[str, Any]:
    """Return GVHMR's results: SMPL-X parameters in the world, Y up, and in the camera."""
    frames = motion.num_frames
    world = {
        "body_pose": motion.poses[:, 3:66].astype(np.float32),
        "betas": np.tile(motion.betas.astype(np.float32), (frames, 1)),
        "global_orient": motion.poses[:, :3].astype(np.float32),
        "transl": motion.trans.astype(np.float32),
    }
    away = {**world, "transl": world["transl"] + np.float32([0.0, 0.0, 4.0])}
    camera = np.tile(np.eye(3, dtype=np.float32), (frames, 1, 1))
    return {"smpl_params_global": world, "smpl_params_incam": away, "K_fullimg": camera, "net_outputs": {"length": 1}}


def wham(people: Mapping[int, tuple[Motion, np.ndarray]]) -> dict[int, dict[str, np.ndarray]]:
    """Return WHAM's results of people by number, each with its frames in the video."""
    found: dict[int, dict[str, np.ndarray]] = defaultdict(dict)
    for number, (motion, frames) in people.items():
        found[number] = {
            "pose": np.zeros((motion.num_frames, 72), np.float32),
            "trans": np.zeros((motion.num_frames, 3), np.float32),
            "pose_world": motion.poses.astype(np.float32),
            "trans_world": motion.trans.astype(np.float32),
            "betas": np.tile(motion.betas.astype(np.float32), (motion.num_frames, 1)),
            "verts": np.zeros((motion.num_frames, 4, 3), np.float32),
            "frame_ids": frames,
        }
    return found


def in_axes(motion: Motion, pelvis: np.ndarray, turns: np.ndarray, shifts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return rotations (F, 24, 3, 3) and trans (F, 3) in axes into which ``turn @ p + shift`` leads, by frame."""
    rotations = axis_angle_to_matrix(motion.poses.reshape(-1, 24, 3)).copy()
    rotations[:, 0] = turns @ rotations[:, 0]
    return rotations, (turns @ (motion.trans + pelvis)[..., None])[..., 0] + shifts - pelvis


def bedlam(motion: Motion, pelvis: np.ndarray, *, step: int = 5, pitch: float = -0.2) -> dict[str, np.ndarray]:
    """Return the rows of a BEDLAM training file: one person before a camera that stands still and looks down."""
    frames = motion.num_frames
    cosine, sine = np.cos(pitch), np.sin(pitch)
    turn = np.array([[1.0, 0.0, 0.0], [0.0, cosine, -sine], [0.0, sine, cosine]])
    view = np.eye(4)
    view[:3, :3], view[:3, 3] = turn, turn @ [0.3, 0.2, 4.0]

    def rows(turns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rotations, trans = in_axes(motion, pelvis, np.tile(turns, (frames, 1, 1)), np.zeros((frames, 3)))
        poses = np.zeros((frames, 165))
        poses[:, :66] = matrix_to_axis_angle(rotations[:, :22]).reshape(frames, -1)
        return poses, trans

    (world, in_world), (seen, in_view) = rows(CAMERA), rows(turn @ CAMERA)
    return {
        "imgname": np.array([f"seq_000012/seq_000012_{step * frame:04d}.png" for frame in range(frames)]),
        "sub": np.array(["rp_ann_posed_001"] * frames), "gender": np.array(["female"] * frames),
        "pose_cam": seen, "trans_cam": in_view, "pose_world": world, "trans_world": in_world,
        "shape": np.zeros((frames, 11)), "cam_ext": np.tile(view, (frames, 1, 1)),
        "cam_int": np.tile(np.eye(3), (frames, 1, 1)), "center": np.zeros((frames, 2)), "scale": np.ones(frames),
        "gtkps": np.zeros((frames, 127, 2)), "joints": np.zeros((frames, 24, 3)),
        "motion_info": np.array(["walk"] * frames),
    }  # fmt: skip


def phalp(motion: Motion, pelvis: np.ndarray, size: tuple[int, int] = (720, 1280)) -> dict[str, dict[str, Any]]:
    """Return 4D-Humans' results: a frame each, rotation matrices in the camera, a far place for a long lens."""
    frames = motion.num_frames
    rotations, trans = in_axes(motion, pelvis, np.tile(CAMERA, (frames, 1, 1)), np.tile([0.0, 1.0, 4.0], (frames, 1)))
    lens = 5000.0 / (256.0 * np.hypot(*size) / max(size))
    ghost = {"global_orient": np.eye(3)[None], "body_pose": np.tile(np.eye(3), (23, 1, 1)), "betas": np.zeros(10)}
    found = {}
    for frame in range(frames):
        person = {
            "global_orient": rotations[frame, :1].astype(np.float32),
            "body_pose": rotations[frame, 1:].astype(np.float32),
            "betas": motion.betas.astype(np.float32),
        }
        found[f"img/{frame:06d}.jpg"] = {
            "time": frame, "shot": 0, "tid": [3, 9], "tracked_time": [0, 2], "size": [list(size)] * 2,
            "smpl": [person, ghost], "camera": [(trans[frame] * [1.0, 1.0, lens]).astype(np.float32), np.ones(3)],
            "tracked_ids": [3], "conf": [0.9, 0.5],
        }  # fmt: skip
    return found


def write(path: Path, data: bytes) -> Path:
    """Write *data* to *path* and return it."""
    path.write_bytes(data)
    return path
