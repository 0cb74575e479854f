"""One code path for one process or several.

torchrun sets the ranks in environment variables; without it there is one process.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parallel import DistributedDataParallel

from core.math.arrays import check_device

_Module = TypeVar("_Module", bound=nn.Module)
_TIMEOUT = timedelta(hours=2)
"""Long, because the first process may prepare a large dataset while the others wait."""
NUM_TURNS = 3


class OtherProcessError(RuntimeError):
    """Another process of the run failed or ended; that process, or the first one, reports it."""


@dataclass(frozen=True)
class Processes:
    """The processes of a run, as seen by one of them.

    Attributes:
        rank: this process's global rank.
        count: number of processes.
        device: device of this process.
        local_rank: this process's rank on its node.
    """

    rank: int
    count: int
    device: torch.device
    local_rank: int = 0

    @property
    def is_first(self) -> bool:
        """Whether this process writes files and logs."""
        return self.rank == 0

    @property
    def turn(self) -> int:
        """This process's turn to prepare files: 0 for the first of the run, 1 for the first of a node, 2 for others."""
        return 0 if self.is_first else 1 if self.local_rank == 0 else 2

    @contextmanager
    def fail_together(self) -> Iterator[None]:
        """Run a block without collective operations, which fails in all processes if it fails in one.

        The failed process with the lowest rank raises its own error.

        Raises:
            OtherProcessError: the block failed in another process.
        """
        failure: Exception | None = None
        try:
            yield
        except Exception as error:
            if self.count == 1:
                raise
            failure = error
        failed = self.all_gather(failure is not None)
        if failure is not None and failed.index(True) == self.rank:
            raise failure
        if any(failed):
            raise OtherProcessError(f"process {failed.index(True)} failed")

    def all_reduce(self, values: Tensor) -> Tensor:
        """Return the sum of *values* (float64, on the CPU) over all processes."""
        if self.count == 1:
            return values
        # NCCL needs tensors on the process's GPU. MPS, which has no float64, never has several processes.
        total = values.to(self.device)
        distributed.all_reduce(total)
        return total.to(values.device)

    def all_gather(self, value: Any) -> list[Any]:
        """Return the *value* of every process, ordered by rank."""
        if self.count == 1:
            return [value]
        values: list[Any] = [None] * self.count
        distributed.all_gather_object(values, value)
        return values


def is_lost_connection(error: BaseException) -> bool:
    """Return whether *error* means that the connection to another process of the run is lost.

    Gloo raises plain RuntimeErrors, which only their messages identify.
    """
    if isinstance(error, distributed.DistError):
        return True
    return isinstance(error, RuntimeError) and any(part in str(error) for part in ("gloo", "onnection closed by peer"))


def choose_device(name: str, local_rank: int = 0) -> torch.device:
    """Return the device *name*; "auto" selects CUDA, then MPS, then the CPU.

    Raises:
        DeviceError: the device is not available.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    check_device(name)
    return torch.device("cuda", local_rank) if name == "cuda" else torch.device(name)


def is_first_process() -> bool:
    """Return whether this process is the first of the run, before or after joining the process group."""
    return int(os.environ.get("RANK", "0")) == 0


@contextmanager
def process_group(device_name: str) -> Iterator[Processes]:
    """Join the process group if torchrun started one, and leave it at the end of the block."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    rank, local_rank = int(os.environ.get("RANK", "0")), int(os.environ.get("LOCAL_RANK", "0"))
    device = choose_device(device_name, local_rank)
    if device.type == "cuda":
        torch.cuda.set_device(device)
    if count == 1:
        yield Processes(0, 1, device)
        return
    backend = "nccl" if device.type == "cuda" else "gloo"
    distributed.init_process_group(backend, timeout=_TIMEOUT)
    try:
        yield Processes(rank, count, device, local_rank)
    finally:
        distributed.destroy_process_group()


class _SummedOverProcesses(torch.autograd.Function):
    """A sum over all processes; its gradient is the sum of all processes' gradients."""

    @staticmethod
    def forward(context: Any, values: Tensor) -> Tensor:
        total = values.clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].clone()
        distributed.all_reduce(total)
        return total


class GlooBatchNorm(_BatchNorm):
    """Synchronised batch norm for CPUs, which torch's SyncBatchNorm does not support."""

    def _check_input_dim(self, input: Tensor) -> None:  # noqa: A002 - the base class names it so
        pass

    def forward(self, features: Tensor) -> Tensor:
        """Return *features* (B, C, ...) normalised per channel by mean and variance over all processes."""
        if not self.training:
            return functional.batch_norm(
                features, self.running_mean, self.running_var, self.weight, self.bias, False, 0.0, self.eps
            )
        axes = [axis for axis in range(features.dim()) if axis != 1]
        count = features.new_full((1,), features.numel() / features.shape[1])
        sums = torch.cat([features.sum(axes), count])
        sums = _SummedOverProcesses.apply(sums)
        mean, total = sums[:-1] / sums[-1], sums[-1].detach()
        shape = [1, -1] + [1] * (features.dim() - 2)
        centred = features - mean.view(shape)
        variance = _SummedOverProcesses.apply((centred * centred).sum(axes)) / total
        counted, mean_so_far, variance_so_far = self.num_batches_tracked, self.running_mean, self.running_var
        assert counted is not None and mean_so_far is not None and variance_so_far is not None, "it tracks them"
        with torch.no_grad():
            counted += 1
            momentum = self.momentum if self.momentum is not None else 1.0 / float(counted)
            mean_so_far.lerp_(mean.detach(), momentum)
            variance_so_far.lerp_(variance.detach() * total / (total - 1.0), momentum)
        scale = self.weight * torch.rsqrt(variance + self.eps)
        return centred * scale.view(shape) + self.bias.view(shape)


def sync_batch_norms(module: _Module, processes: Processes) -> _Module:
    """Return *module* with batch norms synchronised over all processes; the state dict keeps its names."""
    if processes.count == 1:
        return module
    if processes.device.type == "cuda":
        return nn.SyncBatchNorm.convert_sync_batchnorm(module)
    for name, child in module.named_children():
        if isinstance(child, _BatchNorm):
            replacement = GlooBatchNorm(child.num_features, child.eps, child.momentum)
            replacement.load_state_dict(child.state_dict())
            setattr(module, name, replacement)
        else:
            sync_batch_norms(child, processes)
    return module


def distribute(module: nn.Module, processes: Processes) -> nn.Module:
    """Wrap *module* in DDP if there are several processes."""
    if processes.count == 1:
        return module
    return DistributedDataParallel(
        module,
        device_ids=[processes.device.index] if processes.device.type == "cuda" else None,
        forward_sync_buffers=False,
    )
