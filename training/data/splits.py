"""Split the clips into training, validation and test sets, deterministically."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.errors import MotionError

from ..config import DataConfig
from .prepared import MotionArrays


@dataclass(frozen=True, eq=False)
class Split:
    """Indices of the clips in each part.

    Attributes:
        train: clips to train on.
        val: clips that select the best checkpoint; the same as *test* if the split has only two parts.
        test: clips to report on.
    """

    train: np.ndarray
    val: np.ndarray
    test: np.ndarray


def split_clips(motions: MotionArrays, config: DataConfig, *, trains: bool = True) -> Split:
    """Split the clips as set in *config*.

    Args:
        motions: the clips.
        config: the settings.
        trains: whether clips to train on are needed.

    Raises:
        MotionError: a part that is needed would be empty.
    """
    if config.split == "official":
        parts = np.array(motions.parts)
        train, val, test = (np.flatnonzero(parts == part) for part in ("train", "val", "test"))
        split = Split(train, val if len(val) else test, test if len(test) else val)
    elif config.split == "subjects":
        split = _by_subject(motions, config)
    else:
        chosen = _draw(sorted(set(_files(motions))), config)
        trained = np.array([file in chosen for file in _files(motions)])
        split = _two_parts(trained)
    if not len(split.test) or (trains and not len(split.train)):
        needed = "clips to train on and clips to test on" if trains else "clips to test on"
        raise MotionError(
            f"expected {needed}, the split {config.split!r} of {config.folder} gives {len(split.train)} and "
            f"{len(split.test)}; choose another data.split, data.train_share (0 tests on all files) or "
            "data.test_subjects"
        )
    return split


def _files(motions: MotionArrays) -> list[str]:
    """Return the name of each clip's file, so that all persons and frame ranges of a file stay in one part."""
    return [name.partition(".")[0] for name in motions.names]


def _by_subject(motions: MotionArrays, config: DataConfig) -> Split:
    wanted = set(config.test_subjects)
    subjects = sorted(set(motions.subjects))
    if wanted:
        tested = {subject for subject in subjects if subject in wanted or subject.rpartition("/")[2] in wanted}
        known = tested | {subject.rpartition("/")[2] for subject in tested}
        unknown = sorted(wanted - known)
        if unknown:
            raise MotionError(
                f"expected data.test_subjects among {', '.join(subjects[:40])}; found none called "
                f"{', '.join(unknown)} in {config.folder}"
            )
        return _two_parts(np.array([subject not in tested for subject in motions.subjects]))
    chosen = _draw(subjects, config)
    return _two_parts(np.array([subject in chosen for subject in motions.subjects]))


def _draw(names: list[str], config: DataConfig) -> set[str]:
    """Draw the training share of *names* at random."""
    order = np.random.default_rng(config.split_seed).permutation(len(names))
    return {names[index] for index in order[: round(config.train_share * len(names))]}


def _two_parts(trained: np.ndarray) -> Split:
    test = np.flatnonzero(~trained)
    return Split(np.flatnonzero(trained), test, test)
