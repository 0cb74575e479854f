"""Turn failures in the middle of a step into one-line errors."""

from __future__ import annotations

from pathlib import Path

import torch

from core.errors import CoreError

from .distributed import OtherProcessError, Processes, is_lost_connection


class OutOfMemoryInStepError(CoreError, MemoryError):
    """The device or the machine has too little memory for a step."""


class LostProcessError(CoreError, RuntimeError):
    """Another process of the run has ended."""


def _is_out_of_memory(error: BaseException) -> bool:
    """Return whether memory ran out; PyTorch's CPU allocator raises a plain RuntimeError, known by its message only."""
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or "can't allocate memory" in str(error)


def readable_failure(error: Exception, processes: Processes, step: int, last: Path) -> Exception | None:
    """Return the error to raise in place of *error* from a step; None for other kinds of errors.

    Args:
        error: what was raised.
        processes: the processes of the run.
        step: steps done so far.
        last: the checkpoint of the last finished step.
    """
    resume = f"resume with --checkpoint {last}"
    if _is_out_of_memory(error):
        where = f"process {processes.rank} on {processes.device}" if processes.count > 1 else str(processes.device)
        return OutOfMemoryInStepError(
            f"expected memory for a batch after step {step}, found too little left in {where}; {resume}, and a "
            "smaller --batch_size, or more processes"
        )
    if "DataLoader worker" in str(error):
        return LostProcessError(
            f"expected the data-loading processes to keep running, found one ended after step {step} (killed, or out "
            f"of memory?); {resume}, and fewer of them (--worker)"
        )
    if processes.count > 1 and is_lost_connection(error):
        if not processes.is_first:
            return OtherProcessError("the connection to the other processes is lost")
        return LostProcessError(
            f"expected {processes.count} processes, found one ended after step {step}; its message is above, or it was "
            f"killed, perhaps for its memory; {resume}"
        )
    return None
