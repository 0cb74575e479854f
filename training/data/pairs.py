"""Pairs of frames, start and target. B pairs per batch.

Draws depend only on seed, epoch and frame, not on the number of processes or workers, so runs on one and two processes
use the same pairs, and so do resumed and uninterrupted runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from core.errors import MotionError

from ..run.distributed import Processes
from ..run.stop_request import ignore_signals
from .prepared import MotionArrays

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


@dataclass(frozen=True, eq=False)
class PairBatch:
    """A batch of pairs, as stored in the arrays.

    Attributes:
        start_poses: (B, 66) rotation vectors, radians.
        start_trans: (B, 3) metres.
        target_poses: (B, 66) rotation vectors, radians.
        target_trans: (B, 3) metres.
        betas: (B, 10).
    """

    start_poses: Tensor
    start_trans: Tensor
    target_poses: Tensor
    target_trans: Tensor
    betas: Tensor

    def to(self, device: torch.device) -> PairBatch:
        """Return the batch on *device*."""
        return PairBatch(*(part.to(device, non_blocking=True) for part in self._parts()))

    def pin_memory(self) -> PairBatch:
        """Return the batch in pinned memory; called by the data loader."""
        return PairBatch(*(part.pin_memory() for part in self._parts()))

    def _parts(self) -> tuple[Tensor, ...]:
        return self.start_poses, self.start_trans, self.target_poses, self.target_trans, self.betas


class PairDataset(Dataset[PairBatch]):
    """Gathers whole batches from the memory-mapped arrays; an index is (start frames, target frames), arrays (B,)."""

    def __init__(self, motions: MotionArrays) -> None:
        """Read from *motions*."""
        self._motions = motions
        self._clip_of_frame = np.repeat(np.arange(len(motions.lengths)), motions.lengths)

    def __len__(self) -> int:
        """Return the number of frames."""
        return self._motions.num_frames

    def __getitem__(self, pair: tuple[np.ndarray, np.ndarray]) -> PairBatch:
        """Return the batch of *pair*: start frames and target frames."""
        start, target = pair
        motions = self._motions
        arrays = (
            motions.poses[start],
            motions.trans[start],
            motions.poses[target],
            motions.trans[target],
            motions.betas[self._clip_of_frame[start]],
        )
        return PairBatch(*(torch.from_numpy(np.ascontiguousarray(array)) for array in arrays))


def hashed_uniform(seed: int, epoch: int, frames: np.ndarray, stream: int) -> np.ndarray:
    """Hash *frames* (B,) to uniform numbers (B,) in [0, 1) (SplitMix64; Steele et al., 2014)."""
    with np.errstate(over="ignore"):
        state = frames.astype(np.uint64)
        for word in (seed, epoch, stream):
            state = (state + np.uint64(word) * _GOLDEN + _GOLDEN).astype(np.uint64)
            state = (state ^ (state >> np.uint64(30))) * _MIX_1
            state = (state ^ (state >> np.uint64(27))) * _MIX_2
            state = state ^ (state >> np.uint64(31))
    return (state >> np.uint64(11)).astype(np.float64) * 2.0**-53


class TrainSampler(Sampler[tuple[np.ndarray, np.ndarray]]):
    """Samples the training pairs of one process, a whole batch at a time.

    Each epoch uses every frame once that has a later partner in its clip, with a stride drawn from those that fit into
    the clip. *every* takes every n-th of these frames, the same ones in each epoch; *frames_per_subject* limits the
    frames per subject, redrawn each epoch. The last, incomplete batch is dropped.

    Attributes:
        num_batches: batches per epoch.
    """

    def __init__(
        self,
        motions: MotionArrays,
        clips: Sequence[int],
        *,
        strides: Sequence[int],
        swap: float,
        batch_size: int,
        seed: int,
        processes: Processes,
        every: int = 1,
        frames_per_subject: int = 0,
    ) -> None:
        """Sample *clips* of *motions*; *batch_size* is for all processes together; 0 frames per subject means all.

        Raises:
            MotionError: the batch is larger than the data, or cannot be divided evenly.
        """
        if batch_size % processes.count:
            raise MotionError(
                f"expected a batch size divisible by {processes.count} processes, got {batch_size}; "
                "give a multiple with --batch_size"
            )
        self._strides = np.array(sorted(strides))
        ahead = [np.arange(motions.lengths[clip])[::-1] for clip in clips]
        frames = [np.arange(motions.frames(clip).start, motions.frames(clip).stop) for clip in clips]
        self._ahead, self._frames = np.concatenate(ahead), np.concatenate(frames)
        usable = np.flatnonzero(self._ahead >= self._strides[0])[::every]
        self._ahead, self._frames = self._ahead[usable], self._frames[usable]
        subjects = np.unique(motions.subjects, return_inverse=True)[1]
        self._subject = np.repeat(subjects[list(clips)], [len(part) for part in frames])[usable]
        self._max_per_subject = frames_per_subject or len(self._frames)
        num_frames = int(np.minimum(np.bincount(self._subject), self._max_per_subject).sum())
        self._swap, self._batch, self._seed, self._processes = swap, batch_size, seed, processes
        self.num_batches = num_frames // batch_size
        if not self.num_batches:
            raise MotionError(
                f"expected at least a batch of {batch_size} frames to train on, got {num_frames}; "
                "give more data or a smaller --batch_size"
            )
        self.set_epoch(0)

    def set_epoch(self, epoch: int, first_batch: int = 0) -> None:
        """Set the epoch of the next pass, and its first batch for a resumed run."""
        self._epoch, self._first_batch = epoch, first_batch

    def __len__(self) -> int:
        """Return the number of batches in the next pass."""
        return self.num_batches - self._first_batch

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield (start frames, target frames) of this process's share of each batch."""
        order = np.random.default_rng([self._seed, self._epoch]).permutation(len(self._frames))
        order = order[_rank_within(self._subject[order]) < self._max_per_subject]
        share = self._batch // self._processes.count
        for batch in range(self._first_batch, self.num_batches):
            begin = batch * self._batch + self._processes.rank * share
            yield self._draw(order[begin : begin + share])

    def _draw(self, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        frames, ahead = self._frames[chosen], self._ahead[chosen]
        num_strides = np.searchsorted(self._strides, ahead, side="right")
        choice = (hashed_uniform(self._seed, self._epoch, frames, 0) * num_strides).astype(np.int64)
        later = frames + self._strides[choice]
        swapped = hashed_uniform(self._seed, self._epoch, frames, 1) < self._swap
        return np.where(swapped, later, frames), np.where(swapped, frames, later)


def _rank_within(groups: np.ndarray) -> np.ndarray:
    """Return, for each item of *groups* (N,), the number of earlier items of the same group (N,)."""
    by_group = np.argsort(groups, kind="stable")
    counts = np.bincount(groups)
    ranks = np.empty(len(groups), dtype=np.int64)
    ranks[by_group] = np.arange(len(groups)) - np.repeat(np.cumsum(counts) - counts, counts)
    return ranks


def held_out_targets(motions: MotionArrays, clips: Sequence[int], *, largest_stride: int, every: int) -> np.ndarray:
    """Return every n-th frame that has at least the largest stride plus one frames before it and one after it.

    All strides are tested on these same targets; the neighbouring frames give the acceleration.
    """
    frames = []
    for clip in clips:
        span = motions.frames(int(clip))
        frames.append(np.arange(span.start + largest_stride + 1, span.stop - 1))
    targets = np.concatenate(frames)[::every] if frames else np.empty(0, dtype=np.int64)
    if not len(targets):
        raise MotionError(f"expected test clips longer than {largest_stride + 2} frames, found none; give more data")
    return targets


def train_loader(
    dataset: PairDataset, sampler: TrainSampler, *, workers: int, pinned: bool, seed: int
) -> DataLoader[PairBatch]:
    """Return the loader of the training batches, with its own generator, so that torch's global one stays untouched."""
    return DataLoader(
        dataset,
        sampler=sampler,
        batch_size=None,
        num_workers=workers,
        pin_memory=pinned,
        generator=torch.Generator().manual_seed(seed),
        worker_init_fn=ignore_signals,
    )
