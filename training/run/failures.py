"""What ends a run in the middle of a step, described in one line."""

from __future__ import annotations

from pathlib import Path

import torch

from core.errors import CoreError

from .distributed import OtherProcessError, Processes, is_lost_connection


class OutOfMemoryInStepError(CoreError, MemoryError):
    """The memory of the device or of the machine does not suffice for a step."""


class LostProcessError(CoreError, RuntimeError):
    """Another process of the run has ended."""


def _is_out_of_memory(error: BaseException) -> bool:
    """Return whether *error* is one; PyTorch's CPU allocator raises a plain RuntimeError, known by its text alone."""
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or "can't allocate memory" in str(error)


def readable_failure(error: Exception, processes: Processes, step: int, last: Path) -> Exception | None:
    """Return the error to raise in place of *error*, raised in a step; None if it is of another kind.

    Args:
        error: what was raised.
        processes: the processes of the run.
        step: steps done before.
        last: the checkpoint of the last finished step.
    """
    on = f"go on with --checkpoint {last}"
    if _is_out_of_memory(error):
        where = f"process {processes.rank} on {processes.device}" if processes.count > 1 else str(processes.device)
        return OutOfMemoryInStepError(
            f"expected memory for a batch after step {step}, found too little left in {where}; {on}, and a smaller "
            "--batch_size, or more processes"
        )
    if "DataLoader worker" in str(error):
        return LostProcessError(
            f"expected the processes that load data to live, found one ended after step {step} (killed, or out of "
            f"memory?); {on}, and fewer of them (--worker)"
        )
    if processes.count > 1 and is_lost_connection(error):
        if not processes.is_first:
            return OtherProcessError("the connection to the other processes is lost")
        return LostProcessError(
            f"expected {processes.count} processes, found one ended after step {step}; its message is above, or it was "
            f"killed, perhaps for its memory; {on}"
        )
    return None
