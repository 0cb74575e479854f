"""The skeleton graphs of the network's graph convolutions, and their adjacency. V graph nodes."""

from __future__ import annotations

import numpy as np

from ..errors import CoreError
from ..smpl_skeleton import BODY25_NAMES

NUM_NODES = len(BODY25_NAMES)

_BODY25_PARENTS: dict[str, str] = {
    "neck": "mid_hip",
    "nose": "neck",
    "right_eye": "nose", "right_ear": "right_eye",
    "left_eye": "nose", "left_ear": "left_eye",
    "right_shoulder": "neck", "right_elbow": "right_shoulder", "right_wrist": "right_elbow",
    "left_shoulder": "neck", "left_elbow": "left_shoulder", "left_wrist": "left_elbow",
    "right_hip": "mid_hip", "right_knee": "right_hip", "right_ankle": "right_knee",
    "left_hip": "mid_hip", "left_knee": "left_hip", "left_ankle": "left_knee",
    "right_big_toe": "right_ankle", "right_small_toe": "right_big_toe", "right_heel": "right_ankle",
    "left_big_toe": "left_ankle", "left_small_toe": "left_big_toe", "left_heel": "left_ankle",
}  # fmt: skip

_KINECT_LINKS: tuple[tuple[int, int], ...] = (
    (1, 2), (2, 21), (3, 21), (4, 3), (5, 21), (6, 5), (7, 6), (8, 7), (9, 21), (10, 9), (11, 10), (12, 11), (13, 1),
    (14, 13), (15, 14), (16, 15), (17, 1), (18, 17), (19, 18), (20, 19), (22, 23), (23, 8), (24, 25), (25, 12),
)  # fmt: skip
"""(child, parent), counted from 1, of the Kinect skeleton of NTU RGB+D, applied to BODY25's indices unchanged."""

LINKS: dict[str, tuple[tuple[int, int], ...]] = {
    "published": tuple((child - 1, parent - 1) for child, parent in _KINECT_LINKS),
    "body25": tuple(
        (BODY25_NAMES.index(child), BODY25_NAMES.index(parent)) for child, parent in _BODY25_PARENTS.items()
    ),
}
"""(child, parent) of each link, by graph. "published" is the graph of the paper's checkpoint, "body25" the actual
skeleton of the keypoints."""

DEFAULT_GRAPH = "body25"


class NetworkError(CoreError, ValueError):
    """Weights are damaged, or belong to another network."""


class GraphError(NetworkError):
    """There is no graph of the requested name."""


def check_graph(name: str) -> str:
    """Return *name* if there is a graph of that name; raise `GraphError` otherwise."""
    if name not in LINKS:
        raise GraphError(f"expected one of the graphs {', '.join(LINKS)}; got {name!r}; give one of these")
    return name


def _normalised_adjacency(links: tuple[tuple[int, int], ...]) -> np.ndarray:
    """Return the matrix (V, V) with A[j, i] = 1 for each link (i, j), its columns scaled to sum to 1 or 0."""
    matrix = np.zeros((NUM_NODES, NUM_NODES))
    for start, end in links:
        matrix[end, start] = 1.0
    sums = matrix.sum(axis=0)
    scaled: np.ndarray = matrix / np.where(sums > 0, sums, 1.0)
    return scaled


def adjacency(name: str) -> np.ndarray:
    """Return the three adjacency matrices (3, V, V) float64 of a graph: self, inward links, outward links.

    Features (..., V) are spread over the graph by ``features @ adjacency[i]``.

    Args:
        name: a key of `LINKS`.

    Raises:
        GraphError: no graph has that name.
    """
    inward = LINKS[check_graph(name)]
    outward = tuple((parent, child) for child, parent in inward)
    return np.stack([np.eye(NUM_NODES), _normalised_adjacency(inward), _normalised_adjacency(outward)])
