"""Check the output files of training commands before any work, and list those of a training run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from core.io.own_files import check_replaceable
from core.io.protected_files import Files, check_outputs


def run_files(folder: Path, *, trains: bool) -> list[Path]:
    """Return the files in the *folder* of a training run that the run writes or appends to.

    Args:
        folder: the run's folder.
        trains: whether the run trains; otherwise it only evaluates.
    """
    written = [folder / name for name in ("log.txt", "metrics.jsonl", "evaluation.json")]
    if trains:
        written += [folder / "config.json", *(folder / "checkpoints").glob("*.pth.tar")]
    return [*written, *(folder / "pictures").glob("*.png")]


def check_files(
    outputs: Mapping[str, Files], inputs: Mapping[str, Files], *, overwrite: bool, own_data: bool = True
) -> None:
    """Refuse outputs that would replace an input, each other, or a file not written by this program.

    Args:
        outputs: the files to write, by role ("the metrics"); None for an output that was not requested.
        inputs: the files to read, by role.
        overwrite: whether files that this program did not write, or that were changed later, may be replaced.
        own_data: whether to protect the core's own data too; False for the commands that create it.

    Raises:
        OutputError: there is such an output.
    """
    check_outputs(outputs, inputs, own_data=own_data)
    if not overwrite:
        for files in outputs.values():
            check_replaceable([] if files is None else [files] if isinstance(files, Path) else files)
