"""The rule for every file that a command of the training writes: never onto one that it reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from core.errors import OutputError
from core.io.protected_files import ProtectedFiles

Files = Path | Iterable[Path] | None


def check_outputs(outputs: Mapping[str, Files], inputs: Mapping[str, Files], *, own_data: bool = True) -> None:
    """Refuse, before any work, outputs that cannot be files or would replace an input or one another.

    Args:
        outputs: the files to be written, by what they are ("the figures"); None for what was not asked for.
        inputs: the files that are read, by what they are.
        own_data: protect the core's own data too; False for the commands that make them.

    Raises:
        OutputError: an output is a folder, or leads to an input or to another output.
    """
    taken = {path: role for role, files in inputs.items() for path in _paths(files)}
    for what, files in outputs.items():
        for path in _paths(files):
            if path.is_dir():
                raise OutputError(f"expected a file for {what}, found a folder at {path}; name a file in it")
            ProtectedFiles(taken, own_data=own_data).check(path, what)
        taken |= dict.fromkeys(_paths(files), what)


def run_files(folder: Path, *, trains: bool) -> list[Path]:
    """Return the files in the *folder* of a training run that the run writes, or writes onto.

    Args:
        folder: the run's folder.
        trains: the run trains; else it only measures.
    """
    written = [folder / name for name in ("log.txt", "metrics.jsonl", "evaluation.json")]
    if trains:
        written += [folder / "config.json", *(folder / "checkpoints").glob("*.pth.tar")]
    return [*written, *(folder / "pictures").glob("*.png")]


def _paths(files: Files) -> list[Path]:
    return [] if files is None else [files] if isinstance(files, Path) else list(files)
