"""Protect input files: no training command may write over a file that it reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from core.errors import OutputError
from core.io.protected_files import ProtectedFiles

Files = Path | Iterable[Path] | None


def check_outputs(outputs: Mapping[str, Files], inputs: Mapping[str, Files], *, own_data: bool = True) -> None:
    """Refuse, before any work, outputs that cannot be files or that would replace an input or each other.

    Args:
        outputs: the files to write, by role ("the metrics"); None for an output that was not requested.
        inputs: the files to read, by role.
        own_data: whether to protect the core's own data too; False for the commands that create it.

    Raises:
        OutputError: an output is a folder, or resolves to an input or to another output.
    """
    protected = {path: role for role, files in inputs.items() for path in _paths(files)}
    for what, files in outputs.items():
        for path in _paths(files):
            if path.is_dir():
                raise OutputError(f"expected a file for {what}, found a folder at {path}; name a file in it")
            ProtectedFiles(protected, own_data=own_data).check(path, what)
        protected |= dict.fromkeys(_paths(files), what)


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


def _paths(files: Files) -> list[Path]:
    return [] if files is None else [files] if isinstance(files, Path) else list(files)
