"""Find a small picture in a large one, by normalised cross-correlation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Match:
    """Where the small picture fits best.

    Attributes:
        x: of its left edge, in pixels.
        y: of its upper edge, in pixels.
        score: how well it fits, 0 to 1; 1 for the same picture, whatever its contrast and colours.
    """

    x: int
    y: int
    score: float


def matches(picture: np.ndarray, pattern: np.ndarray, least: float) -> list[Match]:
    """Return where *pattern* is in *picture*, best first; only the best place, if none scores *least*.

    Light on dark and dark on light are the same. The list is empty when the pattern is the larger.

    Args:
        picture: (H, W), brightness.
        pattern: (h, w), brightness, not all equal.
        least: the score from which a place counts.
    """
    height, width = pattern.shape
    if picture.shape[0] < height or picture.shape[1] < width:
        return []
    scores = _scores(picture, pattern)
    found: list[Match] = []
    while not found or found[-1].score >= least:
        row, column = np.unravel_index(int(scores.argmax()), scores.shape)
        found.append(Match(int(column), int(row), float(scores[row, column])))
        scores[max(0, row - height // 2) : row + height // 2, max(0, column - width // 2) : column + width // 2] = 0.0
    return found if len(found) == 1 else found[:-1]


def _scores(picture: np.ndarray, pattern: np.ndarray) -> np.ndarray:
    """Return how well *pattern* fits at every place where all of it is inside."""
    height, width = pattern.shape
    picture = picture.astype(np.float64) - picture.mean()
    centred = pattern.astype(np.float64) - pattern.mean()
    size = [1 << (side - 1).bit_length() for side in picture.shape]
    spectrum = np.fft.rfft2(picture, size)
    products = np.fft.irfft2(spectrum * np.conj(np.fft.rfft2(centred, size)), size)
    products = products[: picture.shape[0] - height + 1, : picture.shape[1] - width + 1]
    spread = _window_sums(picture**2, height, width) - _window_sums(picture, height, width) ** 2 / pattern.size
    # A flat stretch of the picture has no contrast to compare; a level of one in 255 counts as flat.
    spread = np.maximum(spread, pattern.size)
    return np.abs(products) / np.sqrt(spread * (centred**2).sum())


def _window_sums(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return the sum of *values* over every window of that size."""
    table = np.zeros((values.shape[0] + 1, values.shape[1] + 1))
    table[1:, 1:] = values.cumsum(0).cumsum(1)
    return table[height:, width:] - table[:-height, width:] - table[height:, :-width] + table[:-height, :-width]
