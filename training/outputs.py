"""Name the files that a training run writes."""

from __future__ import annotations

from pathlib import Path


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
