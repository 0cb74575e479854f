"""Cache a dataset as a few memory-mapped arrays. N frames of all clips together, C clips.

Reading a motion file for each training pair would cost more than the training. The first run reads, trims and resamples
every file and writes the arrays, atomically, to a folder named by a digest of the files (with sizes and times), the
settings and the version.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from core.body.data import NUM_BETAS, BodyData
from core.errors import CoreError, MotionError
from core.motion import Motion
from core.smpl_skeleton import NUM_BODY_ROTATIONS

from ..config import DataConfig
from .motion_folder import BETAS_STD
from .readers import read_source, trimmed
from .sources import SourceFile, find_sources

VERSION = 1
POSE_WIDTH = 3 * NUM_BODY_ROTATIONS
_INDEX_NAME = "index.json"
_COPY_ROWS = 1 << 18
NUM_SAMPLED_POSES = 20_000
_SAME_BETAS = {"smpl": ("smpl", "smplh"), "smplh": ("smpl", "smplh"), "smplx": ("smplx",), "free_body": ("free_body",)}
"""By body, the bodies in motion files whose betas are valid on it."""

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class MotionArrays:
    """The clips of a dataset, at one frame rate, Y up.

    Attributes:
        poses: (N, 66) float32 rotation vectors of the pelvis and 21 body joints, radians; memory-mapped.
        trans: (N, 3) float32 metres; memory-mapped.
        betas: (C, 10) float32.
        starts: (C,) first frame of each clip.
        lengths: (C,) frames of each clip.
        names: names of the C clips.
        subjects: subject of each clip.
        parts: part of each clip in the dataset's own split: "train", "val", "test".
        fps: frames per second.
    """

    poses: np.ndarray
    trans: np.ndarray
    betas: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray
    names: tuple[str, ...]
    subjects: tuple[str, ...]
    parts: tuple[str, ...]
    fps: float

    @property
    def num_frames(self) -> int:
        """Number of frames of all clips together."""
        return len(self.poses)

    def frames(self, clip: int) -> slice:
        """Return the frames of a clip."""
        return slice(int(self.starts[clip]), int(self.starts[clip] + self.lengths[clip]))


def load_motions(config: DataConfig, body: BodyData, *, write: bool = True) -> MotionArrays:
    """Return the dataset's arrays, preparing them first if necessary.

    Args:
        config: the dataset and its settings.
        body: the body that the motions are applied to.
        write: whether this process may prepare the arrays; the others call after it has finished.

    Raises:
        InputMissingError: the data is missing; the message says how to get it.
        MotionError: no file contains a motion of sufficient length.
    """
    sources = find_sources(config)
    folder = _cache_folder(config, sources, body)
    if not (folder / _INDEX_NAME).is_file():
        if not write:
            raise MotionError(
                f"expected prepared arrays in {folder}, found none; the node's first process should have written them"
            )
        _prepare(folder, config, sources, body)
    return _open(folder, config, body)


def fingerprint(motions: MotionArrays) -> int:
    """Return a checksum of the clips' names, lengths and betas, to compare between processes."""
    return zlib.crc32(repr((motions.names, motions.lengths.tolist(), motions.betas.tobytes())).encode())


def sample_poses(motions: MotionArrays, clips: Iterable[int], count: int = NUM_SAMPLED_POSES) -> np.ndarray:
    """Return about *count* poses (n, 66), evenly spaced over *clips*; all poses if there are fewer."""
    frames = np.concatenate([np.arange(span.start, span.stop) for span in (motions.frames(int(c)) for c in clips)])
    return np.array(motions.poses[frames[:: max(1, len(frames) // count)]])


def _cache_folder(config: DataConfig, sources: list[SourceFile], body: BodyData) -> Path:
    digest = hashlib.sha256(repr((VERSION, config.dataset, config.up_axis, config.fps, config.trim)).encode())
    digest.update(body.joint_regressor[0].tobytes() + body.v_template.tobytes())
    for source in sources:
        for path in (source.path, *sorted(source.path.rglob("*.pkl"))) if source.path.is_dir() else (source.path,):
            status = path.stat()
            digest.update(
                repr((source.name, str(path.relative_to(source.path)), status.st_size, status.st_mtime_ns)).encode()
            )
    root = Path(config.cache) if config.cache else Path(config.folder) / ".prepared"
    return root / digest.hexdigest()[:16]


def _prepare(folder: Path, config: DataConfig, sources: list[SourceFile], body: BodyData) -> None:
    """Write the arrays of *sources* into *folder*."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=".preparing-", dir=folder.parent))
    except OSError as error:
        raise MotionError(
            f"expected to write prepared arrays into {folder.parent}, got {error.strerror}; give a writable folder "
            "with --set data.cache=FOLDER"
        ) from error
    _logger.info("preparing %d files of %s into %s, once", len(sources), config.folder, folder)
    try:
        with (temporary / "poses.raw").open("wb") as poses, (temporary / "trans.raw").open("wb") as trans:
            index = _write_clips(config, sources, body, (poses, trans))
        for name, width in (("poses", POSE_WIDTH), ("trans", 3)):
            _raw_to_npy(temporary / f"{name}.raw", temporary / f"{name}.npy", width)
        (temporary / _INDEX_NAME).write_text(json.dumps(index), encoding="utf-8")
        try:
            os.rename(temporary, folder)
        except OSError:
            if not (folder / _INDEX_NAME).is_file():
                raise
            # Another run has prepared the same data in the meantime; use its arrays.
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _rest_pelvis(body: BodyData) -> Callable[[np.ndarray], np.ndarray]:
    regressor = body.joint_regressor[0].astype(np.float64)
    template, directions = regressor @ body.v_template, np.einsum("v,vcb->cb", regressor, body.shapedirs)
    return lambda betas: template + directions @ betas[:NUM_BETAS]


def _write_clips(
    config: DataConfig, sources: list[SourceFile], body: BodyData, streams: tuple[IO[bytes], IO[bytes]]
) -> dict[str, list]:
    """Append the frames of all clips to *streams*; return the index of the clips and the skipped files."""
    pelvis = _rest_pelvis(body)
    clips, left_out = [], []
    for done, source in enumerate(sources, 1):
        try:
            motions = read_source(source, config.dataset, config.up_axis, pelvis)
        except CoreError as error:
            _logger.warning("left out: %s", error)
            left_out.append(str(error))
            continue
        for number, motion in enumerate(motions):
            cut = trimmed(motion, config.trim)
            if cut is None:
                left_out.append(f"{source.name}: too short")
                continue
            clips.append(_write_clip(cut.resampled(config.fps), source, number, streams))
        if done % 500 == 0:
            _logger.info("prepared %d of %d files", done, len(sources))
    if not clips:
        raise MotionError(
            f"expected motions in {config.folder}, found none usable in {len(sources)} files; the first: {left_out[0]}"
        )
    return {"clips": clips, "left_out": left_out}


def _write_clip(motion: Motion, source: SourceFile, number: int, streams: tuple[IO[bytes], IO[bytes]]) -> dict:
    for stream, values in zip(streams, (motion.poses[:, :POSE_WIDTH], motion.trans), strict=True):
        stream.write(np.ascontiguousarray(values, dtype=np.float32).tobytes())
    return {
        "name": source.name if number == 0 else f"{source.name}.{number}",
        "subject": source.subject,
        "part": source.part,
        "length": motion.num_frames,
        "betas": motion.betas[:NUM_BETAS].tolist(),
        "body": motion.body,
    }


def _raw_to_npy(raw: Path, target: Path, width: int) -> None:
    rows = raw.stat().st_size // (4 * width)
    source = np.memmap(raw, dtype=np.float32, mode="r", shape=(rows, width))
    array = np.lib.format.open_memmap(target, mode="w+", dtype=np.float32, shape=(rows, width))
    for start in range(0, rows, _COPY_ROWS):
        array[start : start + _COPY_ROWS] = source[start : start + _COPY_ROWS]
    array.flush()
    del array, source
    raw.unlink()


def _open(folder: Path, config: DataConfig, body: BodyData) -> MotionArrays:
    index = json.loads((folder / _INDEX_NAME).read_text(encoding="utf-8"))
    clips = index["clips"]
    lengths = np.array([clip["length"] for clip in clips], dtype=np.int64)
    betas = np.stack([_betas(clip, config.betas, body) for clip in clips])
    return MotionArrays(
        poses=np.load(folder / "poses.npy", mmap_mode="r", allow_pickle=False),
        trans=np.load(folder / "trans.npy", mmap_mode="r", allow_pickle=False),
        betas=betas,
        starts=np.cumsum(lengths) - lengths,
        lengths=lengths,
        names=tuple(clip["name"] for clip in clips),
        subjects=tuple(clip["subject"] for clip in clips),
        parts=tuple(clip["part"] for clip in clips),
        fps=config.fps,
    )


def _betas(clip: dict, source: str, body: BodyData) -> np.ndarray:
    """Return the file's betas (10,), or a random draw seeded with the clip's name."""
    stored = np.array(clip["betas"], dtype=np.float32)
    is_valid = clip["body"] in _SAME_BETAS.get(body.name, (body.name,)) and bool(stored.any())
    if source == "file" or (source == "auto" and is_valid):
        return stored
    generator = np.random.default_rng(zlib.crc32(Path(clip["name"]).name.encode()))
    return generator.normal(0.0, BETAS_STD, NUM_BETAS).astype(np.float32)
